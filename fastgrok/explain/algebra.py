"""A network as a formula, as a line of NumPy, and as bricks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from fastgrok.engine.activations import ACTIVATIONS
from fastgrok.errors import InvalidExperiment
from fastgrok.explain.bricks import Brick, brick_lines
from fastgrok.explain.text import WIDTH, wrapped
from fastgrok.kernels.environment import in_default_environment
from fastgrok.spec.layers import Activation, Layer, Linear, Skip
from fastgrok.spec.network import Network, layer_label


class _Notation(NamedTuple):
    """How layers are written: `{0}` is the number of the layer before, `{1}` that of the layer after."""

    layer: str
    weight: str
    bias: str
    call: str


_FORMULA = _Notation("l_{}", " W_{0}", " + b_{1}", "{}({})")
_LATEX = _Notation("l_{{{}}}", " W_{{{0}}}", " + b_{{{1}}}", r"\mathrm{{{}}}\left({}\right)")
_SEPARATOR = "; "
"""Between equations, which are statements of Python as well."""

_NUMPY = _Notation("layer_{}", ".dot(weights_{0}_{1})", " + bias_{1}", "{}({})")


@dataclass(frozen=True)
class Algebra:
    """A network written down, as it is where it is not trained: without Dropout layers.

    Parameters
    ----------
    network
        The network.
    formula
        In plain characters: l_0 the inputs, l_k what Linear layer k and its activations give out. W_k leads from
        l_k to l_(k+1), b_k is added on the way to l_k. With Skips an equation for each Linear layer, and for
        each place where one begins within a layer: l_k_n is what its n-th part gives out, of which Linear is 0.
    latex
        The same for LaTeX.
    numpy
        The same as a line of NumPy: `layer_0`, of shape (n_in,) or (n_examples, n_in), gives the outputs.
    numpy_setup
        What that line needs to run besides `layer_0` and the parameters; empty without activations.
    names
        The names of the parameters in that line, in the order of `network.param_shapes`.
    steps
        The line of NumPy in several, one for each Linear layer; with Skips the statements of that line.
    bricks
        Layers, weights and biases from the inputs to the outputs.

    Notes
    -----
    After chapter 7 of *Grokking Deep Learning*. Python reads at most 200 brackets within one another: what has more
    activations than that runs by its `steps`.
    """

    network: Network
    formula: str
    latex: str
    numpy: str
    numpy_setup: str
    names: tuple[str, ...]
    steps: tuple[str, ...]
    bricks: tuple[Brick, ...]

    def __str__(self) -> str:
        lines = [*wrapped(f"In three ways: the network {self.network}"), ""]
        for title, whole, steps in (
            ("Formula", self.formula, _steps(self.network.without_dropout(), _FORMULA)),
            ("NumPy", self.numpy, self.steps),
        ):
            equations = [whole] if len(whole) + 2 <= WIDTH else steps
            lines += [title, *(line for equation in equations for line in wrapped(equation, indent=2)), ""]
        return "\n".join([*lines, "Bricks", *brick_lines(self.bricks)])


@in_default_environment
def algebra(network: Network) -> Algebra:
    """Write a network as a formula, as a line of NumPy that runs, and as bricks.

    Parameters
    ----------
    network
        A network of any layers.

    Raises
    ------
    InvalidExperiment
        If it is no network.

    Examples
    --------
    >>> import fastgrok as fg
    >>> algebra(fg.mlp(3, 4, 1, bias=False)).formula
    'l_2 = relu(l_0 W_0) W_1'
    >>> algebra(fg.mlp(3, 4, 1)).numpy
    'layer_2 = relu(layer_0.dot(weights_0_1) + bias_1).dot(weights_1_2) + bias_2'
    """
    if not isinstance(network, Network):
        raise InvalidExperiment("network", network, "a Network, such as mlp(2, 4, 1)")
    looked_at, network = network, network.without_dropout()
    activations = {type(layer) for layer in network.layers if isinstance(layer, Activation)}
    definitions = sorted(ACTIVATIONS[activation].definition for activation in activations)
    setup = "\n\n".join(["import numpy as np", *definitions]) + "\n" if definitions else ""
    return Algebra(
        looked_at,
        _whole(network, _FORMULA),
        _whole(network, _LATEX),
        _whole(network, _NUMPY),
        setup,
        tuple(brick.name for brick in _bricks(network) if not brick.name.startswith("layer")),
        _steps(network, _NUMPY),
        tuple(_bricks(network)),
    )


def _whole(network: Network, notation: _Notation) -> str:
    """Write one equation, or where there are Skips, which would repeat what they lead around, several."""
    return _SEPARATOR.join(_steps(network, notation)) if network.skips else _equation(network.layers, 0, notation)


def _equation(
    layers: Sequence[Layer],
    first: int,
    notation: _Notation,
    *,
    source: str = "",
    target: str = "",
    added: Sequence[str] = (),
) -> str:
    """Write what some layers make of the layer with number `first`.

    source, target: the names of what they take in and of what they give out, if these are no whole layers; added: the
    names of what their Skips add.
    """
    text, is_sum, last = source or notation.layer.format(first), False, first
    rest = iter(added)
    for layer in layers:
        if isinstance(layer, Skip):
            text, is_sum = f"{text} + {next(rest)}", True
        elif isinstance(layer, Linear):
            text = (f"({text})" if is_sum else text) + notation.weight.format(last, last + 1)
            text += notation.bias.format(last, last + 1) if layer.bias else ""
            is_sum, last = layer.bias, last + 1
        else:
            text, is_sum = _call(layer, text, notation), False
    return f"{target or notation.layer.format(last)} = {text}"


def _call(layer: Layer, text: str, notation: _Notation) -> str:
    """Write an activation."""
    name: str = layer_label(layer)
    if notation is _LATEX:
        return notation.call.format(name.replace("_", r"\_"), text)
    keyword = ACTIVATIONS[type(layer)].keyword
    if notation is _NUMPY and keyword is not None and layer != type(layer)():
        text = f"{text}, {keyword}={getattr(layer, keyword)!r}"
    return notation.call.format(name, text)


def _groups(network: Network) -> list[list[Any]]:
    """Return each Linear layer with the activations after it."""
    groups: list[list[Any]] = []
    for layer in network.layers:
        if isinstance(layer, Linear):
            groups.append([])
        groups[-1].append(layer)
    return groups


def _steps(network: Network, notation: _Notation) -> tuple[str, ...]:
    """Write one equation for each Linear layer, and one for each place within where a Skip begins."""
    starts = {start for start, _ in network.skips}
    names, equations, place = [notation.layer.format(0)], [], 0
    for k, group in enumerate(_groups(network)):
        begun = 0
        for part in range(len(group)):
            place += 1
            is_end = part == len(group) - 1
            names.append(notation.layer.format(k + 1 if is_end else f"{k + 1}_{part}"))
            if is_end or place in starts:
                layers = group[begun : part + 1]
                first = place - len(layers)
                added = [names[first + m - layer.over] for m, layer in enumerate(layers) if isinstance(layer, Skip)]
                source = names[first]
                number = k if begun == 0 else k + 1
                equations.append(_equation(layers, number, notation, source=source, target=names[place], added=added))
                begun = part + 1
    return tuple(equations)


def _bricks(network: Network) -> Iterator[Brick]:
    """Yield the bricks from the inputs to the outputs."""
    yield Brick("l_0", "layer_0", (network.n_in,), "")
    for k, (linear, *activations) in enumerate(_groups(network)):
        yield Brick(f"W_{k}", f"weights_{k}_{k + 1}", (linear.fan_in, linear.fan_out), "x")
        if linear.bias:
            yield Brick(f"b_{k + 1}", f"bias_{k + 1}", (linear.fan_out,), "+")
        through = " ".join(map(layer_label, activations))
        yield Brick(f"l_{k + 1}", f"layer_{k + 1}", (linear.fan_out,), through or "=")
