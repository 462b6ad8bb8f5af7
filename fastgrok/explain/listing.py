"""Weights and biases one a line, written and read: `L0N0 -> L1N0 = 0.66`, `0B -> L1N0: 0.0`."""

import itertools
import math
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgrok.errors import InvalidExperiment
from fastgrok.explain.passes import linear_params, params_of_one
from fastgrok.kernels.environment import in_default_environment
from fastgrok.spec.layers import MAX_WIDTH
from fastgrok.spec.network import MAX_LAYERS, Network

_FORM = re.compile(r"(?:L(\d{1,6})N(\d{1,6})|(\d{1,6})B)\s*->\s*L(\d{1,6})N(\d{1,6})\s*([=:])\s*(\S+)")
_ACCEPTED = "a line such as 'L0N0 -> L1N0 = 0.66' or '0B -> L1N0: 0.5'"


class _Entry(NamedTuple):
    """A line that was read."""

    line: int
    layer: int  # of the unit that it leads to
    source: int | None  # a unit of the layer before; None for the bias
    unit: int
    value: float
    text: str

    @property
    def field(self) -> str:
        return f"text line {self.line}"


@in_default_environment
def listing(network: Network, params: list[ArrayLike]) -> str:
    """Return the parameters of one network, one a line, layer by layer: first the biases, then the weights.

    Parameters
    ----------
    network
        What they belong to.
    params
        As for `run`, of one network.

    Returns
    -------
    Lines `0B -> L1N0: bias` and `L0N0 -> L1N0 = weight`: from unit 0 of layer 0, the inputs, to unit 0 of layer 1.
    Each number has the digits that read back to the same float64, which also holds every float32.

    Raises
    ------
    InvalidExperiment
        If they do not fit, or are those of several networks.

    Notes
    -----
    The form of Heaton, *Applications of Deep Neural Networks*, part 3.5.

    Examples
    --------
    >>> import fastgrok as fg
    >>> print(listing(fg.mlp(2, 1), [[[0.66], [-0.95]], [0]]))
    0B -> L1N0: 0.0
    L0N0 -> L1N0 = 0.66
    L0N1 -> L1N0 = -0.95
    """
    exact = params_of_one(network, params, "float64")
    lines: list[str] = []
    for k, (weight, bias) in enumerate(linear_params(network, exact)):
        if bias is not None:
            lines += [f"{k}B -> L{k + 1}N{j}: {value!r}" for j, value in enumerate(bias.tolist())]
        for i, row in enumerate(weight.tolist()):
            lines += [f"L{k}N{i} -> L{k + 1}N{j} = {value!r}" for j, value in enumerate(row)]
    return "\n".join(lines)


@in_default_environment
def read_listing(text: str, network: Network | None = None) -> tuple[Network | None, list[NDArray[np.float64]]]:
    """Read what `listing` writes.

    Parameters
    ----------
    text
        The lines, in any order; blank lines and Markdown's fences are skipped, and blanks do not matter.
    network
        What the parameters belong to. None: the lines say how many units and layers there are.

    Returns
    -------
    The network as it was given, for a listing says nothing of activations; and the parameters as `run` and `predict`
    take them, in float64. A layer without bias lines has no bias if no network is given, and zeros if the network
    has a bias there.

    Raises
    ------
    InvalidExperiment
        If a line is of another form, is there twice or does not fit the network, or a weight or bias is missing.

    Examples
    --------
    >>> read_listing("L0N0 -> L1N0 = 0.66\\nL0N1 -> L1N0 = -0.95")
    (None, [array([[ 0.66],
           [-0.95]])])
    """
    if not isinstance(text, str):
        raise InvalidExperiment("text", text, "the lines of a listing, as one string")
    if network is not None and not isinstance(network, Network):
        raise InvalidExperiment("network", network, "None, or a Network, such as mlp(2, 4, 1)")
    entries = list(_entries(text))
    if not entries:
        raise InvalidExperiment("text", text, _ACCEPTED)
    widths = _widths(entries) if network is None else [network.n_in, *(layer.fan_out for layer in network.linears)]
    _check_places(entries, widths, network)
    values = _by_place(entries)
    params: list[NDArray[np.float64]] = []
    for k, (fan_in, fan_out) in enumerate(itertools.pairwise(widths), start=1):
        params.append(np.array([[_at(values, (k, i, j)) for j in range(fan_out)] for i in range(fan_in)]))
        bias = [(k, None, j) for j in range(fan_out)]
        if any(place in values for place in bias):
            params.append(np.array([_at(values, place) for place in bias]))
        elif network is not None and network.linears[k - 1].bias:
            params.append(np.zeros(fan_out))
    return network, params


def _entries(text: str) -> Iterator[_Entry]:
    """Yield the lines that say something."""
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if stripped and not stripped.startswith("```"):
            yield _entry(number, stripped)


def _entry(number: int, text: str) -> _Entry:
    """Read a line."""
    field = f"text line {number}"
    matched = _FORM.fullmatch(text)
    if matched is None or (matched[3] is None) != (matched[6] == "="):
        raise InvalidExperiment(field, text, _ACCEPTED)
    before, layer, unit = int(matched[1] or matched[3] or 0), int(matched[4]), int(matched[5])
    source = None if matched[2] is None else int(matched[2])
    if layer != before + 1:
        raise InvalidExperiment(field, text, f"a weight or bias from layer {before} to layer {before + 1}, the next")
    if layer > MAX_LAYERS or max(unit, source or 0) >= MAX_WIDTH:
        raise InvalidExperiment(field, text, f"at most {MAX_LAYERS} layers, of {MAX_WIDTH} units at most")
    try:
        value = float(matched[7])
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InvalidExperiment(field, text, f"a finite number, and not {matched[7]!r}")
    return _Entry(number, layer, source, unit, value, text)


def _widths(entries: list[_Entry]) -> list[int]:
    """Return the units of each layer, from the inputs: as many as the lines name."""
    widths = [0] * (1 + max(entry.layer for entry in entries))
    for entry in entries:
        widths[entry.layer] = max(widths[entry.layer], entry.unit + 1)
        if entry.source is not None:
            widths[entry.layer - 1] = max(widths[entry.layer - 1], entry.source + 1)
    for layer, width in enumerate(widths):
        if width == 0:
            raise InvalidExperiment("text", f"nothing of layer {layer}", f"weights from L{layer}N0 to L{layer + 1}N0")
    return widths


def _check_places(entries: list[_Entry], widths: list[int], network: Network | None) -> None:
    """Raise if a line names what the network has not."""
    for entry in entries:
        inside = (
            entry.layer < len(widths)
            and entry.unit < widths[entry.layer]
            and (entry.source is None or entry.source < widths[entry.layer - 1])
        )
        if not inside:
            shape = "-".join(map(str, widths))
            raise InvalidExperiment(entry.field, entry.text, f"units of a network {shape}, counted from 0")
        if entry.source is None and network is not None and not network.linears[entry.layer - 1].bias:
            accepted = f"no bias: Linear layer {entry.layer} of the network has none"
            raise InvalidExperiment(entry.field, entry.text, accepted)


def _by_place(entries: list[_Entry]) -> dict[Any, float]:
    """Return the numbers by (layer, source, unit)."""
    lines: dict[Any, _Entry] = {}
    for entry in entries:
        first = lines.setdefault((entry.layer, entry.source, entry.unit), entry)
        if first is not entry:
            raise InvalidExperiment(entry.field, entry.text, f"each once, and line {first.line} has it already")
    return {place: entry.value for place, entry in lines.items()}


def _at(values: dict[Any, float], place: tuple[int, int | None, int]) -> float:
    """Return the number at a place."""
    if place in values:
        return values[place]
    layer, source, unit = place
    name = f"{layer - 1}B -> L{layer}N{unit}:" if source is None else f"L{layer - 1}N{source} -> L{layer}N{unit} ="
    accepted = f"a line '{name} ...'"
    if source is not None and values.keys() >= {(layer, unit, source)}:
        accepted += "; PyTorch's layer.weight has its rows and columns the other way round"
    raise InvalidExperiment("text", "a listing that is not whole", accepted)
