"""The passes of several examples at once, on tiles of examples and units that stay in registers.

Every sum has the order that it has one example after the other (linear.py): over a layer's inputs, over its units,
over the examples of a batch. The bits are the same, therefore; what changes is how often memory is read: a weight
once for all the examples of a tile, an activation once for all its units.

Example e has its acts, laid out as in linear.py, from e * stride on, and its deltas, but an activation makes those of
its inputs in the place of those of its outputs.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

from fastgrok.kernels.jit import by_kind, device
from fastgrok.kernels.lanes import Matrix, Step, beyond, fma, like, multiply_tile, tile_shape, working_view
from fastgrok.kernels.nn.passes import Functions, general, layer_at, layers_forward


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
def _parts(n, most):
    """Return the number of parts that n is cut into, their size, and how many are one larger: at most `most`."""
    n_parts = (n + most - 1) // most
    return n_parts, n // n_parts, n % n_parts


@device
def _tiles(out, start, a, b, sizes, step):
    n_rows, n_columns, n_terms = sizes
    most_rows, most_columns = tile_shape(out.origin)
    n_high, height, higher = _parts(n_rows, most_rows)
    n_wide, width, wider = _parts(n_columns, most_columns)
    for begin in range(0, n_wide, 8):
        i = 0
        for high in range(n_high):
            rows = height + 1 if high < higher else height
            j = begin * width + min(begin, wider)
            for wide in range(begin, min(begin + 8, n_wide)):
                columns = width + 1 if wide < wider else width
                multiply_tile((i, j), (rows, columns), out, start, a, b, n_terms, step)
                j += columns
            i += rows


@device
def _transposed(matrix):
    return Matrix(matrix.origin, matrix.column, matrix.row)


@device
def multiply(out, start, a, b, sizes, step):
    """out_ij = start_ij + sum_k a_ik b_kj, the sum in the order of k, each term one fma.

    If step.taken, out_ij += minus_lr * that sum, one fma more.
    sizes: rows and columns of `out`, and terms. A product of few rows is made as its transpose: tiles are high.
    """
    if sizes[0] < 4 and sizes[0] < sizes[1]:
        out, start, a, b = _transposed(out), _transposed(start), _transposed(b), _transposed(a)
        sizes = (sizes[1], sizes[0], sizes[2])
    _tiles(out, start, a, b, sizes, step)


@device
def linear_forward(acts, params, layer, tile):
    """z_ej = b_j + sum_i x_ei w_ij."""
    zero = working_view(params, 1)
    zero[0] = like(params[0], 0.0)
    start = Matrix(zero, 0, 0)
    if layer.bias >= 0:
        start = Matrix(beyond(params, layer.bias), 0, 1)
    multiply(
        Matrix(beyond(acts, layer.out), tile.stride, 1),
        start,
        Matrix(beyond(acts, layer.inp), tile.stride, 1),
        Matrix(beyond(params, layer.weight), layer.n_out, 1),
        (tile.n_examples, layer.n_out, layer.n_in),
        Step(False, zero),
    )


@device
def linear_backward(deltas, grads, params, acts, layer, place, tile, step):
    """dx_ei = sum_j w_ij d_ej, but for the network's inputs; grad_ij += sum_e d_ej x_ei; then the step, if taken.

    place: where in the deltas of an example d_e begins.
    """
    zero = working_view(params, 1)
    zero[0] = like(params[0], 0.0)
    zeros, dout = Matrix(zero, 0, 0), Matrix(beyond(deltas, place), tile.stride, 1)
    if layer.inp > 0:
        dinp = Matrix(beyond(deltas, layer.inp), tile.stride, 1)
        transposed = Matrix(beyond(params, layer.weight), 1, layer.n_out)
        multiply(dinp, zeros, dout, transposed, (tile.n_examples, layer.n_in, layer.n_out), Step(False, zero))
    dweight = Matrix(beyond(grads, layer.weight), layer.n_out, 1)
    inputs = Matrix(beyond(acts, layer.inp), 1, tile.stride)
    start = zeros if tile.is_first else dweight
    out = Matrix(beyond(params, layer.weight), layer.n_out, 1) if step.taken else dweight
    multiply(out, start, inputs, dout, (layer.n_in, layer.n_out, tile.n_examples), step)
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
        for i in range(layer.n_in):
            z, a = acts[layer.inp + i], acts[layer.out + i]
            deltas[i] = differentiate(deltas[i], z, a, layer.argument)

    return backward


@functools.cache
def batched(functions: Functions) -> BatchedPasses:
    """Return the passes of any network of these activations, its sizes read at run time."""
    forward_units, backward_units = (
        by_kind(layers_forward(functions)[1:]),
        by_kind([_units_backward(each.backward) for each in functions.activations]),
    )

    @device
    def forward(acts, params, table, n_layers, tile):
        for k in range(n_layers):
            layer = layer_at(table, k)
            if layer.kind == 0:
                linear_forward(acts, params, layer, tile)
            else:
                for e in range(tile.n_examples):
                    forward_units(layer.kind - 1, beyond(acts, e * tile.stride), params, layer)

    @device
    def backward(deltas, grads, params, acts, table, n_layers, tile, step):
        """The deltas of a Linear layer's outputs are where those of the last activation after it were."""
        place = -1
        for back in range(n_layers):
            layer = layer_at(table, n_layers - 1 - back)
            place = layer.out if place < 0 else place
            if layer.kind == 0:
                linear_backward(deltas, grads, params, acts, layer, place, tile, step)
                place = -1
            else:
                for e in range(tile.n_examples):
                    first = e * tile.stride
                    backward_units(layer.kind - 1, beyond(deltas, first + place), beyond(acts, first), layer)

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
