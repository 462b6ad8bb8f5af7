"""A network laid out in memory."""

from __future__ import annotations

from typing import NamedTuple

from fastgrok.kernels.nn import layers as kinds
from fastgrok.kernels.nn.layers import Layer
from fastgrok.spec import layers as specs
from fastgrok.spec.network import Network

_KIND = {
    specs.Linear: kinds.LINEAR,
    specs.ReLU: kinds.RELU,
    specs.LeakyReLU: kinds.LEAKY_RELU,
    specs.Sigmoid: kinds.SIGMOID,
    specs.Tanh: kinds.TANH,
}


class Layout(NamedTuple):
    """A network laid out in memory."""

    layers: tuple[Layer, ...]
    n_params: int
    out: int  # offset in acts of the outputs
    before: int  # of the inputs of the last layer
    target: int  # of the targets
    n_acts: int


def layout(network: Network) -> Layout:
    """Lay out a network: see layers.py for what lies where."""
    rows, params, inp, out, width = [], 0, 0, 0, network.n_in
    end = width
    for layer in network.layers:
        if isinstance(layer, specs.Linear):
            weight, width = params, layer.fan_out
            bias = weight + layer.fan_in * layer.fan_out if layer.bias else -1
            params = weight + (layer.fan_in + layer.bias) * layer.fan_out
            rows.append(Layer(kinds.LINEAR, layer.fan_in, layer.fan_out, weight, bias, out, end, 0.0))
        else:
            argument = getattr(layer, "slope", getattr(layer, "gradient_at_zero", 0.0))
            rows.append(Layer(_KIND[type(layer)], width, width, -1, -1, out, end, argument))
        inp, out, end = out, end, end + width
    return Layout(tuple(rows), params, out, inp, end, end + width)
