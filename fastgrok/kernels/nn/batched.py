"""The passes of several examples at once, on tiles of examples and units that stay in registers.

Every sum has the order that it has one example after the other (linear.py): over a layer's inputs, over its units,
over the examples of a batch. The bits are the same, therefore; what changes is how often memory is read: a weight
once for all the examples of a tile, an activation once for all its units.

Example e has its acts, laid out as in linear.py, from e * stride on, and its deltas, but an activation makes those of
its inputs in the place of those of its outputs, and the z of most ReLUs (`_is_within`) are not written.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

from fastgrok.kernels.jit import by_kind, device
from fastgrok.kernels.lanes import (
    MASKED,
    RECTIFIED,
    STEPPED,
    STORED,
    Ending,
    Matrix,
    beyond,
    fma,
    like,
    working_view,
)
from fastgrok.kernels.nn.dropout import dropout_backward_in_place
from fastgrok.kernels.nn.passes import Functions, general, layer_at, units_backward, units_forward
from fastgrok.kernels.nn.products import multiply
from fastgrok.kernels.nn.skip import branch_backward_in_place, skip_backward_in_place


class Step(NamedTuple):
    """The update of plain SGD, taken where the gradients of a batch end, or not at all."""

    taken: bool
    minus_lr: Any  # LaneView of one vector


class BatchedPasses(NamedTuple):
    """What is done with several examples.

    forward(acts, params, table, n_layers, tile)
    backward(deltas, grads, params, acts, table, n_layers, tile, step)
    """

    forward: Callable[..., Any]
    backward: Callable[..., Any]


class ExampleTile(NamedTuple):
    """Some examples in memory."""

    n_examples: int
    stride: int  # from the acts of one example to those of the next, odd: else they would share sets of a cache
    is_first: bool  # of a batch: its gradients start from zero


@device
def _is_within(layer):
    """Whether a product does what an activation does, with its sums in registers still: a ReLU of gradient 0 at 0.

    Its z is not kept: whether that is above 0, a says as well.
    """
    return layer.is_relu and layer.argument == 0.0


@device
def linear_forward(acts, params, layers, tile):
    """z_ej = b_j + sum_i x_ei w_ij, or ReLU of that; layers: this one and the next."""
    layer, following = layers
    zero = working_view(params, 1)
    zero[0] = like(params[0], 0.0)
    start = Matrix(zero, 0, 0)
    if layer.bias >= 0:
        start = Matrix(beyond(params, layer.bias), 0, 1)
    is_relu = _is_within(following)
    multiply(
        Matrix(beyond(acts, following.out if is_relu else layer.out), tile.stride, 1),
        start,
        Matrix(beyond(acts, layer.inp), tile.stride, 1),
        Matrix(beyond(params, layer.weight), layer.n_out, 1),
        (tile.n_examples, layer.n_out, layer.n_in),
        Ending(RECTIFIED if is_relu else STORED, zero),
    )


@device
def linear_backward(deltas, grads, params, acts, layers, place, tile, step):
    """dx_ei = sum_j w_ij d_ej, but for the network's inputs; grad_ij += sum_e d_ej x_ei; then the step, if taken.

    layers: this one and the one before it.
    place: where in the deltas of an example d_e begins.
    """
    layer, before = layers
    zero = working_view(params, 1)
    zero[0] = like(params[0], 0.0)
    zeros, dout = Matrix(zero, 0, 0), Matrix(beyond(deltas, place), tile.stride, 1)
    if layer.inp > 0:
        dinp = Matrix(beyond(deltas, layer.inp), tile.stride, 1)
        transposed = Matrix(beyond(params, layer.weight), 1, layer.n_out)
        ending = Ending(MASKED if _is_within(before) else STORED, beyond(acts, layer.inp))
        multiply(dinp, zeros, dout, transposed, (tile.n_examples, layer.n_in, layer.n_out), ending)
    dweight = Matrix(beyond(grads, layer.weight), layer.n_out, 1)
    inputs = Matrix(beyond(acts, layer.inp), 1, tile.stride)
    start = zeros if tile.is_first else dweight
    out = Matrix(beyond(params, layer.weight), layer.n_out, 1) if step.taken else dweight
    ending = Ending(STEPPED if step.taken else STORED, step.minus_lr)
    multiply(out, start, inputs, dout, (layer.n_in, layer.n_out, tile.n_examples), ending)
    if layer.bias >= 0:
        for j in range(layer.n_out):
            dbias = zero[0] if tile.is_first else grads[layer.bias + j]
            for e in range(tile.n_examples):
                dbias = dbias + deltas[e * tile.stride + place + j]
            if step.taken:
                params[layer.bias + j] = fma(step.minus_lr[0], dbias, params[layer.bias + j])
            else:
                grads[layer.bias + j] = dbias


@functools.cache
def _units_backward(differentiate: Callable[..., Any]) -> Callable[..., Any]:
    """Return the backward of units of an activation, each delta in the place of the one before: less memory."""

    @device
    def backward(deltas, acts, layer):
        source = layer.out if _is_within(layer) else layer.inp
        for i in range(layer.n_in):
            z, a = acts[source + i], acts[layer.out + i]
            deltas[i] = differentiate(deltas[i], z, a, layer.argument)

    return backward


@functools.cache
def batched(functions: Functions) -> BatchedPasses:
    """Return the passes of any network of these activations, its sizes read at run time."""
    forward_units = by_kind("layer", units_forward(functions))
    others = dropout_backward_in_place, skip_backward_in_place, branch_backward_in_place
    backward_units = by_kind("layer", units_backward(functions, _units_backward, others))

    @device
    def forward(acts, params, table, n_layers, tile):
        is_done = False
        for k in range(n_layers):
            layer = layer_at(table, k)
            if layer.kind == 0:
                following = layer_at(table, min(k + 1, n_layers - 1))
                is_done = _is_within(following)
                linear_forward(acts, params, (layer, following), tile)
            elif is_done:
                is_done = False
            else:
                for e in range(tile.n_examples):
                    forward_units(layer.kind, beyond(acts, e * tile.stride), params, layer)

    @device
    def backward(deltas, grads, params, acts, table, n_layers, tile, step):
        """The deltas of a Linear layer's outputs are where those of the last activation after it were."""
        place, is_done = -1, False
        for back in range(n_layers):
            k = n_layers - 1 - back
            layer = layer_at(table, k)
            place = layer.out if place < 0 else place
            if layer.kind == 0:
                before = layer_at(table, max(k - 1, 0))
                is_done = _is_within(before)
                linear_backward(deltas, grads, params, acts, (layer, before), place, tile, step)
                place = -1
            elif is_done:
                is_done = False
            else:
                for e in range(tile.n_examples):
                    first = e * tile.stride
                    backward_units(layer.kind, beyond(deltas, first + place), beyond(acts, first), layer)

    return BatchedPasses(forward, backward)


@functools.cache
def one_by_one(functions: Functions) -> BatchedPasses:
    """Return the general passes, for tiles of one example; grads start at what they are."""
    forward_one, backward_one, _, _ = general(functions)

    @device
    def forward(acts, params, table, n_layers, tile):
        forward_one(acts, params, table, n_layers)

    @device
    def backward(deltas, grads, params, acts, table, n_layers, tile, step):
        backward_one(deltas, grads, params, acts, table, n_layers)

    return BatchedPasses(forward, backward)
