"""A whole network from its layers, in two ways: sizes read at run time, or fixed when compiled.

Both give a forward(acts, params, table) and a backward(deltas, into, params, acts, table, n_layers); `into` and the
rest are described in layers.py. `backward` goes through the first `n_layers` layers, last to first: all of them, or
all but the final Sigmoid where the loss has its gradient in closed form.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from fastgrok.kernels.jit import device
from fastgrok.kernels.nn import layers
from fastgrok.kernels.nn.layers import BACKWARD, FORWARD, LEAKY_RELU, LINEAR, RELU, SIGMOID, Layer


class Table(NamedTuple):
    """The layers of a network, for drivers that read them at run time (`ScalarView`s)."""

    sizes: Any  # (n_layers, 7) int64: the first seven fields of Layer
    arguments: Any  # (n_layers,) float64


class Passes(NamedTuple):
    """The compiled passes through a network."""

    forward: Callable[..., Any]
    backward: Callable[..., Any]


@device
def layer_at(table, k):
    """Return row k of the table."""
    s = table.sizes
    r = 7 * k
    return Layer(s[r], s[r + 1], s[r + 2], s[r + 3], s[r + 4], s[r + 5], s[r + 6], table.arguments[k])


@device
def _forward(acts, params, table, n_layers):
    for k in range(n_layers):
        layer = layer_at(table, k)
        if layer.kind == LINEAR:
            layers.linear_forward(acts, params, layer)
        elif layer.kind == RELU:
            layers.relu_forward(acts, params, layer)
        elif layer.kind == LEAKY_RELU:
            layers.leaky_relu_forward(acts, params, layer)
        elif layer.kind == SIGMOID:
            layers.sigmoid_forward(acts, params, layer)
        else:
            layers.tanh_forward(acts, params, layer)


@device
def _backward(deltas, into, params, acts, table, n_layers):
    for back in range(n_layers):
        layer = layer_at(table, n_layers - 1 - back)
        if layer.kind == LINEAR:
            layers.linear_backward(deltas, into, params, acts, layer)
        elif layer.kind == RELU:
            layers.relu_backward(deltas, into, params, acts, layer)
        elif layer.kind == LEAKY_RELU:
            layers.leaky_relu_backward(deltas, into, params, acts, layer)
        elif layer.kind == SIGMOID:
            layers.sigmoid_backward(deltas, into, params, acts, layer)
        else:
            layers.tanh_backward(deltas, into, params, acts, layer)


GENERAL = Passes(_forward, _backward)


def _forward_one(layer: Layer) -> Callable[..., Any]:
    run = FORWARD[layer.kind]

    @device
    def forward(acts, params, table, n_layers):
        run(acts, params, layer)

    return forward


def _backward_one(layer: Layer) -> Callable[..., Any]:
    run = BACKWARD[layer.kind]

    @device
    def backward(deltas, into, params, acts, table, n_layers):
        run(deltas, into, params, acts, layer)

    return backward


def _forward_both(first: Callable[..., Any], second: Callable[..., Any]) -> Callable[..., Any]:
    @device
    def forward(acts, params, table, n_layers):
        first(acts, params, table, n_layers)
        second(acts, params, table, n_layers)

    return forward


def _backward_both(first: Callable[..., Any], second: Callable[..., Any]) -> Callable[..., Any]:
    @device
    def backward(deltas, into, params, acts, table, n_layers):
        first(deltas, into, params, acts, table, n_layers)
        second(deltas, into, params, acts, table, n_layers)

    return backward


def _chain(functions: Sequence[Callable[..., Any]], join: Callable[..., Any]) -> Callable[..., Any]:
    """Return one function that calls all, in order: a tree of pairs, since Numba's compiler is recursive."""
    if len(functions) == 1:
        return functions[0]
    middle = len(functions) // 2
    return join(_chain(functions[:middle], join), _chain(functions[middle:], join))


def specialised(network: Sequence[Layer], n_backward: int) -> Passes:
    """Return the passes of one network, its sizes and offsets constants, as a chain of closures."""
    forward = [_forward_one(layer) for layer in network]
    backward = [_backward_one(layer) for layer in reversed(network[:n_backward])]
    return Passes(_chain(forward, _forward_both), _chain(backward, _backward_both))
