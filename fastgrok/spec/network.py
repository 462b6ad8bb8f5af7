"""The network: layers one after the other."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from fastgrok.errors import InvalidExperiment, one_of
from fastgrok.spec import names
from fastgrok.spec.base import VariadicSpec, register
from fastgrok.spec.layers import ACTIVATIONS, Activation, Dropout, Layer, Linear, ReLU, Skip, Softmax
from fastgrok.spec.names import resolved

MAX_LAYERS = 256
"""Layers of a network at most, activations included."""

_LABELS: dict[type[Layer], str] = {cls: name for name, cls in ACTIVATIONS.items() if cls} | {
    Dropout: "dropout",
    Skip: "skip",
}


def layer_label(layer: Layer) -> str:
    """Return the name of a layer as `mlp` takes it; "linear" for a Linear layer."""
    return "linear" if isinstance(layer, Linear) else _LABELS[type(layer)]


def _has_defaults(layer: Layer) -> bool:
    """Return whether every field of a layer has its default."""
    declared = type(layer).__pydantic_fields__
    return all(value == declared[name].default for name, value in layer._values().items())


@register
@dataclass(frozen=True, init=False, repr=False)
class Network(VariadicSpec):
    """Layers one after the other.

    Parameters
    ----------
    *layers
        At most 256. The first is a Linear layer; the fan_in of each further Linear layer is the fan_out of the
        Linear layer before it. An activation may be its name, such as "relu".

    Raises
    ------
    InvalidExperiment
        If there are too few or too many layers, or two of them do not fit.

    Examples
    --------
    >>> import fastgrok as fg
    >>> net = fg.Network(fg.Linear(2, 4), fg.ReLU(), fg.Linear(4, 1), fg.Sigmoid())
    >>> print(net, net.n_params)
    2-4-1 relu/sigmoid 17
    """

    layers: tuple[Layer, ...]

    def __init__(self, *layers: Layer | str) -> None:
        made = [
            item
            for k, layer in enumerate(layers)
            for item in (_activation(f"layers[{k}]", layer) if isinstance(layer, str) else (layer,))
        ]
        _check(tuple(made))
        object.__setattr__(self, "layers", tuple(made))

    def __repr__(self) -> str:
        return f"Network({', '.join(map(repr, self.layers))})"

    def __str__(self) -> str:
        widths = [str(width) for width in [self.n_in, *(layer.fan_out for layer in self.linears)]]
        without = [str(k) for k, layer in enumerate(self.linears, start=1) if not layer.bias]
        which = "" if len(without) == len(self.linears) else f" in {','.join(without)}"
        architecture = f"{'-'.join(_runs(widths, '({} x{})'))} {'/'.join(_runs(self._labels(), '{} x{}'))}"
        return architecture + (f", no bias{which}" if without else "")

    def _labels(self) -> list[str]:
        """Return the activations after each Linear layer; "linear" where there is none."""
        groups: list[list[str]] = []
        for layer in self.layers:
            if isinstance(layer, Linear):
                groups.append([])
            else:
                label = layer_label(layer)
                values = ",".join(map(str, layer._values().values()))
                groups[-1].append(label if _has_defaults(layer) else f"{label}({values})")
        return ["+".join(group) or "linear" for group in groups]

    @cached_property
    def linears(self) -> tuple[Linear, ...]:
        """The Linear layers; number k of them, from 1, is the k-th here."""
        return tuple(layer for layer in self.layers if isinstance(layer, Linear))

    @property
    def n_in(self) -> int:
        """Inputs of the first layer."""
        return self.linears[0].fan_in

    @property
    def n_out(self) -> int:
        """Outputs of the last layer."""
        return self.linears[-1].fan_out

    @cached_property
    def param_shapes(self) -> list[tuple[int, ...]]:
        """Shapes of `params`: for each Linear layer (fan_in, fan_out), then (fan_out,) if it has a bias."""
        shapes: list[tuple[int, ...]] = []
        for layer in self.linears:
            shapes.append((layer.fan_in, layer.fan_out))
            if layer.bias:
                shapes.append((layer.fan_out,))
        return shapes

    @cached_property
    def n_params(self) -> int:
        """Number of weights and biases."""
        return sum((layer.fan_in + layer.bias) * layer.fan_out for layer in self.linears)

    @cached_property
    def dropout_rates(self) -> tuple[float, ...]:
        """For each unit of the Dropout layers, one layer after the other, the rate of its layer."""
        rates: list[float] = []
        width = self.n_in
        for layer in self.layers:
            width = layer.fan_out if isinstance(layer, Linear) else width
            rates += [layer.rate] * width if isinstance(layer, Dropout) else []
        return tuple(rates)

    def without_dropout(self) -> "Network":
        """Return the network without its Dropout layers: what it is where it is not trained.

        Examples
        --------
        >>> import fastgrok as fg
        >>> fg.mlp(2, 4, 1, dropout=0.5).without_dropout()
        Network(Linear(2, 4), ReLU(), Linear(4, 1))
        """
        kept: list[Layer] = []
        for k, layer in enumerate(self.layers):
            if isinstance(layer, Skip):
                around = self.layers[k - layer.over : k]
                kept.append(Skip(sum(not isinstance(each, Dropout) for each in around)))
            elif not isinstance(layer, Dropout):
                kept.append(layer)
        return Network(*kept)

    @cached_property
    def relu_layers(self) -> tuple[int, ...]:
        """For each ReLU layer the number, from 1, of the Linear layer that it follows."""
        numbers = []
        current = 0
        for layer in self.layers:
            current += isinstance(layer, Linear)
            if isinstance(layer, ReLU):
                numbers.append(current)
        return tuple(numbers)

    @cached_property
    def relu_widths(self) -> tuple[int, ...]:
        """For each ReLU layer its units."""
        return tuple(self.linears[number - 1].fan_out for number in self.relu_layers)

    @cached_property
    def skips(self) -> tuple[tuple[int, int], ...]:
        """For each Skip the first of the layers that it leads around, and its own place, from 0."""
        return tuple((k - layer.over, k) for k, layer in enumerate(self.layers) if isinstance(layer, Skip))

    @cached_property
    def relu_gates(self) -> tuple[bool, ...]:
        """For each ReLU layer whether all that the network gives out passes it: no Skip leads around it."""
        places = [k for k, layer in enumerate(self.layers) if isinstance(layer, ReLU)]
        return tuple(not any(start <= place < end for start, end in self.skips) for place in places)


def _runs(words: list[str], form: str) -> Iterator[str]:
    """Write words that come four times or more in a row once, with their number."""
    for word, group in itertools.groupby(words):
        count = len(list(group))
        yield from [form.format(word, count)] if count > 3 else [word] * count


def _check(layers: tuple[Any, ...]) -> None:
    """Raise unless the layers make a network."""
    if not 1 <= len(layers) <= MAX_LAYERS:
        raise InvalidExperiment("layers", layers, f"1 to {MAX_LAYERS} layers, and there are {len(layers)}")
    if len(layers) == 1 and isinstance(layers[0], list | tuple):
        expected = "the layers as arguments: Network(Linear(2, 4), ReLU(), ...), or Network(*layers)"
        raise InvalidExperiment("layers", layers[0], expected)
    width = None
    widths: list[int] = []  # of what each layer takes in
    for index, layer in enumerate(layers):
        where = f"layers[{index}]"
        if not isinstance(layer, Layer):
            raise InvalidExperiment(where, layer, one_of(["Linear", *(cls.__name__ for cls in _LABELS)]))
        if isinstance(layer, Linear):
            if width not in (None, layer.fan_in):
                expected = f"a layer with fan_in={width}, the outputs of the Linear layer before it"
                raise InvalidExperiment(where, layer, expected)
            widths.append(layer.fan_in)
            width = layer.fan_out
            continue
        if width is None:
            raise InvalidExperiment(where, layer, "a Linear layer: the first layer has the weights")
        widths.append(width)
        if isinstance(layer, Skip):
            _check_skip(where, layer, layers[:index], widths)
        elif isinstance(layer, Dropout) and index == len(layers) - 1:
            raise InvalidExperiment(where, layer, "another layer: what a network gives out is not dropped")
        elif isinstance(layer, Softmax) and index < len(layers) - 1:
            raise InvalidExperiment(where, layer, "another activation: a Softmax is last")
        elif isinstance(layer, Softmax) and width < 2:
            expected = (
                "Sigmoid() for one output; a Softmax has two or more: classes=True, one_hot=True make them of data"
            )
            raise InvalidExperiment(where, layer, expected)


def _check_skip(where: str, skip: Skip, before: tuple[Any, ...], widths: list[int]) -> None:
    """Raise unless a Skip fits the layers before it; widths: of what each of these takes in, and of what it does."""
    if skip.over > len(before):
        raise InvalidExperiment(where, skip, f"a Skip over 1 to {len(before)} layers, which are those before it")
    if not any(isinstance(layer, Linear) for layer in before[-skip.over :]):
        raise InvalidExperiment(where, skip, "a Skip over a Linear layer at least")
    begun, width = widths[-1 - skip.over], widths[-1]
    if begun != width:
        expected = (
            f"a Skip over layers that give out as many units as they take in: these take {begun} and give {width}"
        )
        raise InvalidExperiment(where, skip, expected)


def mlp(
    *sizes: int,
    hidden: str | Activation = "relu",
    output: str | Activation = "linear",
    bias: bool = True,
    dropout: float = 0.0,
    skip: bool = False,
) -> Network:
    """Return the multilayer perceptron of these widths.

    Parameters
    ----------
    *sizes
        The inputs, the hidden widths, the outputs: two numbers or more.
    hidden
        Activation after every Linear layer but the last: "linear" (none), "relu", "leaky_relu", "sigmoid", "tanh",
        "elu", "selu", "gelu", "silu", "softplus", "softsign", "hardtanh", "hardsigmoid", or a layer such as `ReLU()`.
    output
        Activation after the last, likewise, or "softmax".
    bias
        Whether the Linear layers have biases.
    dropout
        Rate of a `Dropout` layer after the activation of every hidden layer, from 0 and below 1. 0: there are none.
    skip
        Whether a hidden layer that is as wide as the one before it adds what that one gives out to what it gives out
        itself: a `Skip` around it.

    Raises
    ------
    InvalidExperiment
        If a size, a name or the number of layers is not accepted.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.mlp(2, 4, 1, output="sigmoid")
    Network(Linear(2, 4), ReLU(), Linear(4, 1), Sigmoid())
    """
    if not 2 <= len(sizes) <= MAX_LAYERS + 1:
        raise InvalidExperiment("sizes", sizes, f"2 to {MAX_LAYERS + 1} widths")
    if any(isinstance(size, list | tuple) for size in sizes):
        flat = [width for size in sizes for width in (size if isinstance(size, list | tuple) else [size])]
        raise InvalidExperiment("sizes", sizes, f"widths one after the other: mlp({', '.join(map(str, flat))})")
    between = _activation("hidden", hidden) + _dropout(dropout)
    last = _activation("output", output)
    skips = _skips(sizes, skip)
    layers: list[Layer] = []
    for k, (fan_in, fan_out) in enumerate(itertools.pairwise(sizes), start=1):
        try:
            layers.append(Linear(fan_in, fan_out, bias))
        except InvalidExperiment as error:
            number = {"fan_in": k - 1, "fan_out": k}.get(error.field)
            field = error.field if number is None else f"sizes[{number}]"
            raise InvalidExperiment(field, error.value, error.accepted) from None
        layers.extend(last if k == len(sizes) - 1 else between)
        layers.extend([Skip(1 + len(between))] * (k in skips))
    return Network(*layers)


def _skips(sizes: tuple[Any, ...], skip: Any) -> list[int]:
    """Return the numbers of the hidden layers, from 1, around which a Skip leads."""
    if not isinstance(skip, bool):
        raise InvalidExperiment("skip", skip, "True or False")
    hidden = enumerate(itertools.pairwise(sizes[1:-1]), start=2)
    found = [k for k, (before, width) in hidden if before == width] if skip else []
    if skip and not found:
        expected = f"False, or two hidden layers of one width in a row, and they are {list(sizes[1:-1])}"
        raise InvalidExperiment("skip", skip, expected)
    return found


def _dropout(rate: Any) -> tuple[Layer, ...]:
    """Return the Dropout layer of a rate, none for 0."""
    try:
        layer = Dropout(rate)
    except InvalidExperiment as error:
        raise InvalidExperiment("dropout", error.value, error.accepted) from None
    return (layer,) if layer.rate > 0 else ()


def _activation(field: str, value: Any) -> tuple[Activation, ...]:
    """Return the activation of a name: one layer, or none for "linear"."""
    if isinstance(value, Activation):
        return (value,)
    if not isinstance(value, str):
        raise InvalidExperiment(field, value, f"{one_of(ACTIVATIONS)}, or an activation such as ReLU()")
    cls = ACTIVATIONS[resolved(field, value, ACTIVATIONS, names.ACTIVATIONS)]
    return () if cls is None else (cls(),)


class ReluLayer(NamedTuple):
    """A ReLU layer by its place, which is comparable between networks."""

    linear: int  # the number, from 1, of the Linear layer that it follows
    occurrence: int  # 1, or more where several ReLU layers follow the same Linear layer

    def column(self, name: str) -> str:
        """Return the name of a variable's column for this layer in a table."""
        return f"{name}_{self.linear}" + (f"_{self.occurrence}" if self.occurrence > 1 else "")


def relu_layers(network: Network) -> list[ReluLayer]:
    """Return the ReLU layers of a network, in order."""
    numbers = network.relu_layers
    return [ReluLayer(number, numbers[: k + 1].count(number)) for k, number in enumerate(numbers)]


def all_relu_layers(networks: Iterable[Network]) -> list[ReluLayer]:
    """Return every ReLU layer that some of the networks have, in order."""
    return sorted({layer for network in networks for layer in relu_layers(network)})
