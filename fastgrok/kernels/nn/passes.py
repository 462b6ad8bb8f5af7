"""A whole network from its layers, whose kinds and sizes are read at run time, or fixed by what the code is bound to.

There is a forward(acts, params, table, n_layers) and a backward(deltas, grad_out, params, acts, table, n_layers);
`grad_out` and the rest are described in linear.py. `backward` goes through the first `n_layers` layers, last to
first: all of them, or all but the last where the loss has its gradient in closed form.
"""

import functools
import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

from fastgrok.kernels.cache import identity
from fastgrok.kernels.jit import by_kind, device
from fastgrok.kernels.lanes import fixed, for_each
from fastgrok.kernels.nn.dropout import dropout_backward, dropout_forward
from fastgrok.kernels.nn.linear import Layer, linear_backward, linear_forward
from fastgrok.kernels.nn.skip import branch_backward, branch_forward, skip_backward, skip_forward


class ActivationFunctions(NamedTuple):
    """An activation: see activations.py. Without a backward, its forward(acts, params, layer) is of a whole layer."""

    forward: Callable[..., Any]
    backward: Callable[..., Any] | None


class LossFunctions(NamedTuple):
    """A loss: see losses.py."""

    add: Callable[..., Any]
    backward: Callable[..., Any]


class Functions(NamedTuple):
    """The activations and losses that drivers know: a kind is a place here, of activations counted from 1."""

    activations: tuple[ActivationFunctions, ...]
    losses: tuple[LossFunctions, ...]

    @property
    def dropout(self) -> int:
        """The kind of a Dropout layer."""
        return 1 + len(self.activations)

    @property
    def skip(self) -> int:
        """The kind of the sum of a Skip layer."""
        return 2 + len(self.activations)

    @property
    def branch(self) -> int:
        """The kind of the branch of a Skip layer."""
        return 3 + len(self.activations)

    @property
    def identity(self) -> tuple[str, ...]:
        """What stands for them in the key of a kernel."""
        functions = itertools.chain(*self.activations, *self.losses)
        return tuple("" if function is None else identity(function) for function in functions)


class Table(NamedTuple):
    """The layers of a network (`ScalarView`s)."""

    sizes: Any  # (n_layers, 8) int64: the first eight fields of Layer
    arguments: Any  # (n_layers,) float64


class Passes(NamedTuple):
    """What a driver does with an example."""

    forward: Callable[..., Any]
    backward: Callable[..., Any]
    add_loss: Callable[..., Any]  # add_loss(total, acts, loss)
    loss_backward: Callable[..., Any]  # loss_backward(deltas, acts, scale, loss)


@device
def layer_at(table, k):
    """Return row k of the table."""
    s, arguments = fixed("sizes", table.sizes), fixed("arguments", table.arguments)
    r = 8 * k
    return Layer(s[r], s[r + 1], s[r + 2], s[r + 3], s[r + 4], s[r + 5], s[r + 6], s[r + 7] != 0, arguments[k])


@functools.cache
def _layer_forward(activate: Callable[..., Any]) -> Callable[..., Any]:
    """Return the forward of a layer of units that each have this activation."""

    @device
    def forward(acts, params, layer):
        for i in range(layer.n_in):
            acts[layer.out + i] = activate(acts[layer.inp + i], layer.argument)

    return forward


@functools.cache
def _layer_backward(differentiate: Callable[..., Any]) -> Callable[..., Any]:
    """Return the backward of a layer of units that each have this activation."""

    @device
    def backward(deltas, grad_out, params, acts, layer):
        for i in range(layer.n_in):
            z, a = acts[layer.inp + i], acts[layer.out + i]
            deltas[layer.inp + i] = differentiate(deltas[layer.out + i], z, a, layer.argument)

    return backward


def units_forward(functions: Functions) -> dict[int, Callable[..., Any]]:
    """Return the forward of each kind of layer but Linear, which is 0."""
    forwards = {
        kind: each.forward if each.backward is None else _layer_forward(each.forward)
        for kind, each in enumerate(functions.activations, 1)
    }
    others = {functions.dropout: dropout_forward, functions.skip: skip_forward, functions.branch: branch_forward}
    return forwards | others


def units_backward(
    functions: Functions,
    of_layer: Callable[..., Any] = _layer_backward,
    of_others: tuple[Callable[..., Any], ...] = (dropout_backward, skip_backward, branch_backward),
) -> dict[int, Callable[..., Any]]:
    """Return the backward of each kind of layer but Linear: of_layer(the backward of a unit), and those of others."""
    derivatives = {kind: each.backward for kind, each in enumerate(functions.activations, 1)}
    backwards = {kind: of_layer(derivative) for kind, derivative in derivatives.items() if derivative is not None}
    return backwards | dict(zip((functions.dropout, functions.skip, functions.branch), of_others, strict=True))


@functools.cache
def general(functions: Functions) -> Passes:
    """Return the passes of any network of these activations and losses."""
    forward_layer = by_kind("layer", {0: linear_forward} | units_forward(functions))
    backward_layer = by_kind("layer", {0: linear_backward} | units_backward(functions))
    add = by_kind("loss", {kind: each.add for kind, each in enumerate(functions.losses)}, returns=0)
    start_backward = by_kind("loss", {kind: each.backward for kind, each in enumerate(functions.losses)})

    @device
    def forward_at(k, acts, params, table):
        layer = layer_at(table, k)
        forward_layer(layer.kind, acts, params, layer)

    @device
    def backward_at(back, last, deltas, grad_out, params, acts, table):
        layer = layer_at(table, last - back)
        backward_layer(layer.kind, deltas, grad_out, params, acts, layer)

    @device
    def forward(acts, params, table, n_layers):
        for_each("layer", forward_at, fixed("n_layers", n_layers), (acts, params, table))

    @device
    def backward(deltas, grad_out, params, acts, table, n_layers):
        n = fixed("n_backward", n_layers)
        for_each("layer", backward_at, n, (n - 1, deltas, grad_out, params, acts, table))

    @device
    def add_loss(total, acts, loss):
        return add(fixed("loss_kind", loss.kind), total, acts, loss)

    @device
    def loss_backward(deltas, acts, scale, loss):
        start_backward(fixed("loss_kind", loss.kind), deltas, acts, scale, loss)

    return Passes(forward, backward, add_loss, loss_backward)
