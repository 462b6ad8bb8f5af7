"""A whole network from its layers, in two ways: sizes read at run time, or fixed when compiled.

Both give a forward(acts, params, table) and a backward(deltas, into, params, acts, table, n_layers); `into` and the
rest are described in layers.py. `backward` goes through the first `n_layers` layers, last to first: all of them, or
all but the final Sigmoid where the loss has its gradient in closed form.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from fastgrok.kernels import layers
from fastgrok.kernels.jit import device
from fastgrok.kernels.layers import BACKWARD, FORWARD, LEAKY_RELU, LINEAR, RELU, SIGMOID, Layer


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


@device
def _no_forward(acts, params, table, n_layers):
    """The network of no layers."""


@device
def _no_backward(deltas, into, params, acts, table, n_layers):
    """The network of no layers."""


def _forward_then(first: Callable[..., Any], last: Callable[..., Any], layer: Layer) -> Callable[..., Any]:
    @device
    def forward(acts, params, table, n_layers):
        first(acts, params, table, n_layers)
        last(acts, params, layer)

    return forward


def _backward_then(first: Callable[..., Any], last: Callable[..., Any], layer: Layer) -> Callable[..., Any]:
    @device
    def backward(deltas, into, params, acts, table, n_layers):
        first(deltas, into, params, acts, layer)
        last(deltas, into, params, acts, table, n_layers)

    return backward


def specialised(network: Sequence[Layer], n_backward: int) -> Passes:
    """Return the passes of one network, its sizes and offsets constants, as a chain of closures."""
    forward, backward = _no_forward, _no_backward
    for k, layer in enumerate(network):
        forward = _forward_then(forward, FORWARD[layer.kind], layer)
        if k < n_backward:
            backward = _backward_then(BACKWARD[layer.kind], backward, layer)
    return Passes(forward, backward)
