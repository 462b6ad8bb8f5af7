"""Signs only: of delta through every layer, and of every weight's update."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgrok.errors import InvalidExperiment
from fastgrok.explain.given import Params, experiment_and_params
from fastgrok.explain.passes import Pass, passed, weight_and_bias
from fastgrok.explain.sign_rules import SignRules, sign_rules
from fastgrok.explain.text import layer_name
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.layers import ReLU

Array = NDArray[Any]


class SignLayer(NamedTuple):
    """
    One layer, as the flow of signs passes it on its way back.

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
    direction_weight
        (n_examples, fan_in, fan_out), where the example sends each weight: 1 up, -1 down, 0 keep. None of others.
    direction_bias
        (n_examples, fan_out), likewise.
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
    """
    A unit that blocks the flow.

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
    arriving
        The deltas that arrive there.
    leaky
        The deltas that a leaky ReLU would have let through.
    dead
        Whether it is a dead ReLU: z <= 0 for every example of the data.
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
    """
    The signs of delta and of the updates, example by example.

    Parameters
    ----------
    experiment
        What was looked at.
    examples
        (n_examples,), the numbers of the examples in the data.
    output
        (n_examples, n_out).
    target
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
        from fastgrok.explain.sign_text import written

        return written(self)


def sign_flow(
    experiment: Any,
    params: Any = None,
    at: int | None = None,
    examples: int | ArrayLike | None = None,
    *,
    leaky_slope: float = 0.01,
) -> SignFlow:
    """
    Follow the sign of delta from the loss back to the input, and say which way each weight is sent.

    Parameters
    ----------
    experiment
        An experiment; or a trace of one seed.
    params
        With an experiment: the parameters of one network, as for `run`.
    at
        With a trace: the epoch or step after which the network is looked at; None: the last.
    examples
        The number of an example, or of several, from 0; None: all.
    leaky_slope
        The slope below zero of the leaky ReLU that blocked units are compared with, more than 0 and at most 1.

    Raises
    ------
    InvalidExperiment
        If an argument will not do.

    Notes
    -----
    After the sign-flow analysis of the article "Linear Network". The direction of an update is that of -gradient:
    what plain SGD does. The numbers are NumPy's: a sum that is 0 but for rounding may have another sign than in
    training.

    Examples
    --------
    >>> import fastgrok as fg
    >>> net = fg.Network(fg.Linear(3, 1, bias=False), fg.ReLU(gradient_at_zero=1))
    >>> exp = fg.Experiment(net, fg.Dataset([[2, 3, 1]], [1]))
    >>> flow = sign_flow(exp, [[[1 / 200], [-3000 / 11_600_000], [1 / 5800]]])
    >>> [layer.sign[0].tolist() for layer in flow.layers]
    [[-1], [-1], [-1, 1, -1], [-1, 1, -1]]
    """
    experiment, own = experiment_and_params(experiment, params, at)
    slope = _checked_slope(leaky_slope)
    data = experiment.data
    chosen = _chosen(examples, data.n_examples)
    whole = passed(experiment.network, own, experiment.loss, data.X, data.y)
    both = Pass(
        [array[chosen] for array in whole.values],
        [None if array is None else array[chosen] for array in whole.slopes],
        [array[chosen] for array in whole.deltas],
        whole.losses[chosen],
    )
    layers = tuple(_layers(experiment, own, both, slope))
    return SignFlow(
        experiment,
        chosen,
        both.values[-1],
        data.y[chosen].astype(experiment.dtype),
        layers,
        tuple(_blocked(experiment, layers, whole, both, chosen)),
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
    given = np.atleast_1d(np.asarray(examples))
    if given.ndim != 1 or given.dtype.kind not in "iu" or not given.size or given.min() < 0 or given.max() >= n:
        raise InvalidExperiment("examples", examples, f"None, or numbers of examples from 0 to {n - 1}")
    return given.astype(np.int64)


def _sign(array: Array) -> NDArray[np.int8]:
    """Return signs; that of NaN, which diverged, is 0."""
    signs: NDArray[np.int8] = np.nan_to_num(np.sign(array)).astype(np.int8)
    return signs


def _layers(experiment: Experiment, params: Params, both: Pass, slope: float) -> Iterator[SignLayer]:
    """Yield the layers from the loss to the input."""
    network = experiment.network
    weights = weight_and_bias(network, params)
    last = len(network.layers)
    yield SignLayer(last + 2, "loss", both.values[last], both.deltas[last], _sign(both.deltas[last]))
    for place in reversed(range(last)):
        taken, delta, arriving = both.values[place], both.deltas[place], both.deltas[place + 1]
        layer = SignLayer(place + 2, layer_name(network.layers[place]), taken, delta, _sign(delta))
        own, gradient = weights[place], both.slopes[place]
        if gradient is not None:
            together = experiment.loss == "binary_cross_entropy" and place == last - 1
            blocked = (gradient == 0) & (arriving != 0) & (not together)
            leaky = arriving * np.where(taken > 0, 1, slope).astype(taken.dtype)
            yield layer._replace(blocked=blocked, leaky=leaky)
        elif own is not None:
            inputs, behind = _sign(taken), -_sign(arriving)
            direction = inputs[:, :, None] * behind[:, None, :]
            bias = None if own[1] is None else behind
            yield layer._replace(weight=own[0], direction_weight=direction, direction_bias=bias)
    yield SignLayer(1, "input", both.values[0], both.deltas[0], _sign(both.deltas[0]))


def _blocked(
    experiment: Experiment, layers: Sequence[SignLayer], whole: Pass, both: Pass, chosen: NDArray[np.int64]
) -> Iterator[Blocked]:
    """Yield the units that block the flow on some example."""
    for layer in layers:
        if layer.blocked is None or layer.leaky is None:
            continue
        place = layer.number - 2
        is_relu = isinstance(experiment.network.layers[place], ReLU)
        dead: NDArray[np.bool_] = np.all(whole.values[place] <= 0, axis=0) & is_relu
        linear = sum(slope is None for slope in both.slopes[:place])
        for unit in np.flatnonzero(layer.blocked.any(axis=0)).tolist():
            rows = layer.blocked[:, unit]
            arriving, leaky = both.deltas[place + 1][rows, unit], layer.leaky[rows, unit]
            yield Blocked(layer.number, linear, unit, chosen[rows], arriving, leaky, bool(dead[unit]))
