"""Signs only: of delta through every layer, and of every weight's update."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgrok.engine.activations import ACTIVATIONS
from fastgrok.engine.losses import LOSSES
from fastgrok.errors import InvalidExperiment
from fastgrok.explain.passes import (
    Array,
    Params,
    check_without_dropout,
    experiment_and_params,
    linear_params,
    network_pass,
)
from fastgrok.explain.sign_rules import UPDATES, SignRules, sign_rules
from fastgrok.explain.text import indented, numbers, precise, wrapped
from fastgrok.kernels.environment import in_default_environment
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.layers import Activation, Linear, ReLU
from fastgrok.spec.network import layer_label
from fastgrok.statistics.tables import table

MOST_EXAMPLES = 4
"""Examples of which everything is written; of the others there are the data."""

MOST_UNITS = 24
"""Signs written one by one; of more there are the numbers of each."""

MOST_WEIGHTS = 64
"""Weights of a layer written one by one, likewise."""

_SIGNS = {1: "+", 0: "0", -1: "-"}
_RESULTS = {1: "higher than expected", 0: "as expected", -1: "lower than expected"}


class SignLayer(NamedTuple):
    """One layer, as the flow of signs passes it on its way back.

    Parameters
    ----------
    number
        1 is the input, 2 the first layer of the network, and the loss comes after the last.
    name
        "input", "linear", the name of an activation, or "loss".
    taken
        (n_examples, width), what it takes in: o^(number-1); of the input, the data.
    delta
        (n_examples, width), delta^number: dL/d(taken), L the loss of an example alone.
    sign
        (n_examples, width), its sign: 1, 0, -1.
    blocked
        (n_examples, width), of an activation: whether something arrives and nothing passes. None of other layers.
    leaky
        (n_examples, width), of an activation: the delta that a leaky ReLU in its place had passed. None of others.
    weight
        (fan_in, fan_out), of a Linear layer; None of other layers.
    direction_weight, direction_bias
        (n_examples, fan_in, fan_out) and (n_examples, fan_out), where the example sends each weight and bias of a
        Linear layer: 1 up, -1 down, 0 keep. None of other layers.
    """

    number: int
    name: str
    taken: Array
    delta: Array
    sign: NDArray[np.int8]
    blocked: NDArray[np.bool_] | None = None
    leaky: Array | None = None
    weight: Array | None = None
    direction_weight: NDArray[np.int8] | None = None
    direction_bias: NDArray[np.int8] | None = None


class Blocked(NamedTuple):
    """A unit that blocks the flow.

    Parameters
    ----------
    layer
        Number of its activation, as in `SignLayer`.
    linear
        Number of the Linear layer before it, from 1.
    unit
        Its number, from 0.
    examples
        The numbers of the examples, of those asked for, on which delta arrives and nothing passes.
    arriving, leaky
        The deltas that arrive there, and those that a leaky ReLU would have let through.
    dead
        Whether it is a dead ReLU: it passes no gradient on any example of the data.
    """

    layer: int
    linear: int
    unit: int
    examples: NDArray[np.int64]
    arriving: Array
    leaky: Array
    dead: bool


@dataclass(frozen=True)
class SignFlow:
    """The signs of delta and of the updates, example by example.

    Parameters
    ----------
    experiment
        The experiment of the network.
    examples
        (n_examples,), the numbers of the examples in the data.
    output, target
        (n_examples, n_out).
    layers
        From the loss to the input.
    blocked
        The units that block the flow, from the last layer.
    leaky_slope
        Of the leaky ReLU that blocked units are compared with.

    Notes
    -----
    For binary_cross_entropy, which is differentiated together with the last Sigmoid, delta is output - target at
    both. `leaky` changes one unit alone: what goes forward, and what arrives, is as it is.
    """

    experiment: Experiment
    examples: NDArray[np.int64]
    output: Array
    target: Array
    layers: tuple[SignLayer, ...]
    blocked: tuple[Blocked, ...]
    leaky_slope: float

    @property
    def rules(self) -> SignRules:
        """The same by situation, for any numbers."""
        return sign_rules(self.experiment.network, self.experiment.loss)

    def __str__(self) -> str:
        lines = [str(self.rules)]
        for row in range(min(len(self.examples), MOST_EXAMPLES)):
            lines += ["", *_example_text(self, row)]
        left = len(self.examples) - MOST_EXAMPLES
        if left > 0:
            lines += ["", f"In the data, and not in this text: {left} more."]
        return "\n".join([*lines, "", *_blocked_text(self.blocked, self.leaky_slope)])


@in_default_environment
def sign_flow(
    experiment: Any,
    params: Any = None,
    at: int | None = None,
    examples: int | ArrayLike | None = None,
    *,
    leaky_slope: float = 0.01,
) -> SignFlow:
    """Follow the sign of delta from the loss back to the input, and say which way each weight is sent.

    Parameters
    ----------
    experiment, params, at
        As for `worked_pass`.
    examples
        The number of an example, or of several, from 0; None: all.
    leaky_slope
        The slope below zero of the leaky ReLU that blocked units are compared with, more than 0 and at most 1.

    Raises
    ------
    InvalidExperiment
        If an argument does not fit the experiment, or the network has Dropout.

    Notes
    -----
    After the sign-flow analysis of the article "Linear Network". The direction of an update is that of -gradient:
    what plain SGD does. Activations and deltas are those of the kernels that train.

    Examples
    --------
    >>> import fastgrok as fg
    >>> net = fg.Network(fg.Linear(3, 1, bias=False), fg.ReLU(gradient_at_zero=1))
    >>> exp = fg.Experiment(net, fg.Dataset([[2, 3, 1]], [1]))
    >>> flow = sign_flow(exp, [[[1 / 200], [-3000 / 11_600_000], [1 / 5800]]])
    >>> [layer.sign[0].tolist() for layer in flow.layers]
    [[-1], [-1], [-1, 1, -1], [-1, 1, -1]]
    """
    experiment, own_params = experiment_and_params(experiment, params, at)
    check_without_dropout("experiment.network", experiment.network)
    slope = _checked_slope(leaky_slope)
    data = experiment.data
    chosen = _chosen(examples, data.n_examples)
    both = network_pass(experiment, own_params, data.X, data.y)
    acts, deltas = [array[chosen] for array in both.acts], [array[chosen] for array in both.deltas]
    layers = tuple(_layers(experiment, own_params, acts, deltas, slope))
    return SignFlow(
        experiment,
        chosen,
        acts[-1],
        data.y[chosen].astype(experiment.dtype),
        layers,
        tuple(_blocked(experiment, layers, both.acts, chosen)),
        slope,
    )


def _checked_slope(slope: Any) -> float:
    """Return the slope of a leaky ReLU that passes something."""
    if isinstance(slope, bool) or not isinstance(slope, int | float | np.number) or not 0 < slope <= 1:
        raise InvalidExperiment("leaky_slope", slope, "a number greater than 0 and at most 1")
    return float(slope)


def _chosen(examples: Any, n: int) -> NDArray[np.int64]:
    """Return the numbers of the examples that are asked for."""
    if examples is None:
        return np.arange(n)
    try:
        chosen = np.atleast_1d(np.asarray(examples))
    except Exception:  # ragged lists, and whatever the `__array__` of others raises
        chosen = np.empty(0)
    if chosen.ndim != 1 or chosen.dtype.kind not in "iu" or not chosen.size or chosen.min() < 0 or chosen.max() >= n:
        raise InvalidExperiment("examples", examples, f"None, or numbers of examples from 0 to {n - 1}")
    return chosen.astype(np.int64)


def _sign(array: Array) -> NDArray[np.int8]:
    """Return signs; that of NaN, which diverged, is 0."""
    signs: NDArray[np.int8] = np.nan_to_num(np.sign(array)).astype(np.int8)
    return signs


def _layers(
    experiment: Experiment, params: Params, acts: Sequence[Array], deltas: Sequence[Array], slope: float
) -> Iterator[SignLayer]:
    """Yield the layers from the loss to the input. acts, deltas: before and after each layer, as in a `Pass`."""
    network = experiment.network
    linears = linear_params(network, params)
    last = len(network.layers)
    together = LOSSES[experiment.loss].together_with is not None
    yield SignLayer(last + 2, "loss", acts[last], deltas[last], _sign(deltas[last]))
    for place in reversed(range(last)):
        taken, delta, arriving = acts[place], deltas[place], deltas[place + 1]
        layer = SignLayer(place + 2, layer_label(network.layers[place]), taken, delta, _sign(delta))
        own = network.layers[place]
        if isinstance(own, Activation):
            stops = delta == 0
            if any(start == place for start, _ in network.skips):  # whose deltas are part of delta
                stops = ACTIVATIONS[type(own)].slope(own, taken, acts[place + 1]) == 0
            blocked = stops & (arriving != 0) & (not (together and place == last - 1))
            leaky = arriving * np.where(taken > 0, 1, slope).astype(taken.dtype)
            yield layer._replace(blocked=blocked, leaky=leaky)
        elif not isinstance(own, Linear):
            yield layer
        else:
            weight, bias = linears.pop()
            behind = -_sign(arriving)
            direction = _sign(taken)[:, :, None] * behind[:, None, :]
            direction_bias = None if bias is None else behind
            yield layer._replace(weight=weight, direction_weight=direction, direction_bias=direction_bias)
    yield SignLayer(1, "input", acts[0], deltas[0], _sign(deltas[0]))


def _blocked(
    experiment: Experiment, layers: Sequence[SignLayer], acts: Sequence[Array], chosen: NDArray[np.int64]
) -> Iterator[Blocked]:
    """Yield the units that block the flow on some chosen example. acts: of all examples, as in a `Pass`."""
    network = experiment.network
    for layer, behind in zip(layers[1:], layers, strict=False):
        if layer.blocked is None or layer.leaky is None:
            continue
        place = layer.number - 2
        before, z = network.layers[place], acts[place]
        dead: Any = np.zeros(z.shape[1], np.bool_)
        if isinstance(before, ReLU):
            dead = np.all(ACTIVATIONS[ReLU].slope(before, z, z) == 0, axis=0)
        linear = sum(isinstance(before, Linear) for before in network.layers[:place])
        for unit in np.flatnonzero(layer.blocked.any(axis=0)).tolist():
            rows = layer.blocked[:, unit]
            arriving, leaky = behind.delta[rows, unit], layer.leaky[rows, unit]
            yield Blocked(layer.number, linear, unit, chosen[rows], arriving, leaky, bool(dead[unit]))


def _example_text(flow: SignFlow, row: int) -> Iterator[str]:
    """Write the flow and the updates of one example."""
    output, target = flow.output[row], flow.target[row]
    errors = np.nan_to_num(np.sign(output - target))
    result = _RESULTS[int(errors[0])] if len(errors) == 1 else _counted(errors, _RESULTS)
    text = f"Example {flow.examples[row]}: input {numbers(flow.layers[-1].taken[row])}, output {numbers(output)}, "
    yield from wrapped(f"{text}target {numbers(target)}: {result}")
    yield ""
    body = [[_named(layer), f"delta^{layer.number}", _signs(layer, row)] for layer in flow.layers]
    yield indented(table(["layer", "passes back", "sign, unit by unit"], body, 3))
    for layer, after in zip(flow.layers[1:], flow.layers, strict=False):
        if layer.direction_weight is not None:
            yield ""
            yield indented(_updates_text(layer, after, row))


def _named(layer: SignLayer) -> str:
    """Return the number and the name of a layer."""
    return f"L{layer.number} {layer.name}"


def _counted(values: Any, names: dict[int, str]) -> str:
    """Return how often each sign is there."""
    counts = {name: int((values == sign).sum()) for sign, name in names.items()}
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count)


def _signs(layer: SignLayer, row: int) -> str:
    """Return the signs of one example; x: blocked."""
    signs = layer.sign[row]
    blocked = np.zeros(len(signs), bool) if layer.blocked is None else layer.blocked[row]
    if len(signs) > MOST_UNITS:
        stopped = f", {blocked.sum()} of them blocked" if blocked.any() else ""
        return _counted(signs, _SIGNS) + stopped
    return " ".join("x" if stop else _SIGNS[sign] for sign, stop in zip(signs.tolist(), blocked, strict=True))


def _updates_text(layer: SignLayer, after: SignLayer, row: int) -> str:
    """Write which way the weights of a Linear layer are sent."""
    direction, weight = layer.direction_weight, layer.weight
    assert direction is not None
    assert weight is not None
    if weight.size > MOST_WEIGHTS:
        return f"{_named(layer)}: {_counted(direction[row], {k: UPDATES[k] for k in (1, -1, 0)})} of its weights"
    k, delta = layer.number, after.delta[row]
    body = [
        [
            f"w^{k}_{i + 1}" if len(delta) == 1 else f"w^{k}_{i + 1},{j + 1}",
            precise(value),
            precise(layer.taken[row, i]),
            precise(delta[j]),
            UPDATES[int(direction[row, i, j])],
        ]
        for (i, j), value in np.ndenumerate(weight)
    ]
    if layer.direction_bias is not None:
        for j, sent in enumerate(layer.direction_bias[row].tolist()):
            body.append([f"b^{k}_{j + 1}", "", "", precise(delta[j]), UPDATES[sent]])
    return table(["weight", "value", f"o^{k - 1}", f"delta^{k + 1}", "update"], body)


def _blocked_text(units: Sequence[Blocked], leaky_slope: float) -> Iterator[str]:
    """Write which units block the flow."""
    if not units:
        yield "No unit blocks the flow."
        return
    slope = precise(leaky_slope)
    yield f"Blocked (x): delta arrives and does not pass. A leaky ReLU would let {slope} of it pass."
    for unit in units:
        yield from wrapped(_unit_text(unit), indent=2)


def _unit_text(unit: Blocked) -> str:
    """Write where a unit blocks the flow, and what a leaky ReLU had passed there."""
    examples = [
        f"{example} (arrives {precise(arriving)}, leaky {precise(leaky)})"
        for example, arriving, leaky in zip(unit.examples, unit.arriving, unit.leaky, strict=True)
    ]
    more = f" and {len(examples) - MOST_EXAMPLES} more" if len(examples) > MOST_EXAMPLES else ""
    state = "dead, z <= 0 on all of the data" if unit.dead else "not dead"
    return f"L{unit.layer} unit {unit.unit + 1}, {state}: example {', '.join(examples[:MOST_EXAMPLES])}{more}"
