"""A network laid out in memory, and the functions that stand for its kinds of layers."""

import functools
from collections.abc import Iterator
from typing import NamedTuple

from fastgrok.engine.activations import ACTIVATIONS
from fastgrok.engine.losses import LOSSES
from fastgrok.kernels.lanes.binding import Binding
from fastgrok.kernels.nn.linear import Layer
from fastgrok.kernels.nn.passes import Functions, LossFunctions
from fastgrok.spec.layers import Dropout, Linear, ReLU, Skip
from fastgrok.spec.network import Network


class Layout(NamedTuple):
    """A network laid out in memory."""

    layers: tuple[Layer, ...]
    rows: tuple[Layer, ...]  # the layers as kernels read them: with a branch where a Skip begins
    n_params: int
    out: int  # offset in acts of the outputs
    before: int  # of the inputs of the last layer
    target: int  # of the targets
    n_acts: int

    @property
    def units(self) -> list[slice]:
        """Where the inputs, then the outputs of each layer, lie in acts and deltas."""
        ends = [self.layers[0].n_in, *(layer.out + layer.n_out for layer in self.layers)]
        return [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]


@functools.lru_cache(maxsize=1024)
def make_layout(network: Network) -> Layout:
    """Lay out a network: see kernels/nn/linear.py for what lies where."""
    rows: list[Layer] = []
    params, inp, out, width = 0, 0, 0, network.n_in
    end = width
    masks = _unit_places(network) + network.n_out  # beyond the targets
    for layer in network.layers:
        if isinstance(layer, Linear):
            weight, width = params, layer.fan_out
            bias = weight + layer.fan_in * layer.fan_out if layer.bias else -1
            params = weight + (layer.fan_in + layer.bias) * layer.fan_out
            rows.append(Layer(0, layer.fan_in, layer.fan_out, weight, bias, out, end, False, 0.0))
        elif isinstance(layer, Dropout):
            rows.append(Layer(functions().dropout, width, width, masks, -1, out, end, False, 0.0))
            masks += width
        elif isinstance(layer, Skip):
            begun = rows[-layer.over].inp
            rows.append(Layer(functions().skip, width, width, begun, -1, out, end, False, 0.0))
        else:
            number = ACTIVATIONS[type(layer)].argument
            argument = 0.0 if number is None else number(layer)
            kind = 1 + ACTIVATIONS.place(type(layer))
            rows.append(Layer(kind, width, width, -1, -1, out, end, isinstance(layer, ReLU), argument))
        inp, out, end = out, end, end + width
    return Layout(tuple(rows), tuple(_with_branches(rows)), params, out, inp, end, masks)


def _with_branches(layers: list[Layer]) -> Iterator[Layer]:
    """Yield the layers, and before each the branches of the Skips that begin there; see kernels/nn/skip.py.

    There are none at the inputs, of which no deltas are needed.
    """
    skips = [layer for layer in layers if layer.kind == functions().skip]
    for layer in layers:
        for skip in skips:
            if skip.weight == layer.inp > 0:
                yield Layer(functions().branch, skip.n_in, skip.n_in, skip.out, -1, layer.inp, layer.inp, False, 0.0)
        yield layer


def _unit_places(network: Network) -> int:
    """Return the places in acts of the inputs and of what each layer gives out."""
    places = width = network.n_in
    for layer in network.layers:
        width = layer.fan_out if isinstance(layer, Linear) else width
        places += width
    return places


def functions() -> Functions:
    """Return the compiled functions of every activation and loss."""
    return Functions(tuple(record.functions for record in ACTIVATIONS.values()), _loss_functions())


def loss_kind(loss: str) -> int:
    """Return the place of a loss among those functions; losses that differ by a factor share one."""
    return _loss_functions().index(LOSSES[loss].functions)


@functools.lru_cache(maxsize=1024)
def kinds(network: Network, loss: str) -> Binding:
    """Return what kernels are bound to that need these functions for one network and one loss alone."""
    layers = {layer.kind for layer in make_layout(network).rows}
    return (("kind.layer", tuple(sorted(layers))), ("kind.loss", (loss_kind(loss),)))


def _loss_functions() -> tuple[LossFunctions, ...]:
    return tuple(dict.fromkeys(record.functions for record in LOSSES.values()))


def pre_activation_place(network: Network, linear: int) -> int:
    """Return the place among the layers after which what the activation of a Linear layer takes in is whole."""
    place = linear
    for k, layer in enumerate(network.layers[linear + 1 :], start=linear + 1):
        if isinstance(layer, Skip):
            place = k
        elif not isinstance(layer, Dropout):
            break
    return place


def activation_places(network: Network) -> list[tuple[int, int]]:
    """Return for each Linear layer its place among the layers, and that of the last activation or Skip after it."""
    places: list[tuple[int, int]] = []
    for place, layer in enumerate(network.layers):
        if isinstance(layer, Linear):
            places.append((place, place))
        elif not isinstance(layer, Dropout):  # which passes on what it takes in where it is looked at
            places[-1] = (places[-1][0], place)
    return places
