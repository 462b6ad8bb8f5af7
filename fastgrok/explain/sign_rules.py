"""Which way a weight goes, by situation: true of every network, whatever its numbers are."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fastgrok.engine.activations import ACTIVATIONS
from fastgrok.engine.losses import LOSSES
from fastgrok.errors import InvalidExperiment, one_of
from fastgrok.explain.passes import check_without_dropout
from fastgrok.explain.text import paragraph
from fastgrok.kernels.environment import in_default_environment
from fastgrok.spec.layers import Layer, Linear, Skip
from fastgrok.spec.losses import Loss
from fastgrok.spec.network import Network, layer_label
from fastgrok.statistics.tables import table

_RELATIONS = {0: "=", -1: "<", 1: ">"}
UPDATES = {0: "keep", 1: "up", -1: "down"}
"""The word for an update, by its direction."""

_NOTES = (
    "o^k is what layer k gives out, o^1 the data; delta^k is how the loss changes with what layer k takes in. "
    "An input of exactly 0 moves no weight. A bias moves as a weight whose input is always above 0. "
    "Behind a unit that blocks the flow delta is 0, and everything is kept, whether it is as expected or not."
)


class FlowRule(NamedTuple):
    """How a layer passes the sign of delta back.

    Parameters
    ----------
    layer
        Its number: 1 is the input, 2 the first layer of the network, and the loss comes after the last.
    name
        "input", "linear", the name of an activation, or "loss".
    situation
        What arrives, and what the layer took in.
    delta
        What it passes back.
    """

    layer: int
    name: str
    situation: str
    delta: str


class UpdateRule(NamedTuple):
    """Which way the weights of a Linear layer go.

    Parameters
    ----------
    layer
        Its number, as in `FlowRule`.
    situation
        The signs of delta behind the weight and of its input.
    result
        What this delta says: of the network where no Linear layer follows, else of the unit.
    update
        What is done.
    direction
        1 up, -1 down, 0 keep.
    """

    layer: int
    situation: str
    result: str
    update: str
    direction: int


@dataclass(frozen=True)
class SignRules:
    """The sign of delta through every layer, and the direction of every update, by situation.

    Parameters
    ----------
    network
        The network.
    loss
        The loss; the signs are the same for all of them.
    flow
        From the loss to the input.
    updates
        Of the Linear layers, from the last.
    """

    network: Network
    loss: Loss
    flow: tuple[FlowRule, ...]
    updates: tuple[UpdateRule, ...]

    def __str__(self) -> str:
        flow = [[f"L{rule.layer}", rule.name, rule.situation, rule.delta] for rule in self.flow]
        updates = [[f"L{rule.layer}", rule.situation, rule.result, rule.update] for rule in self.updates]
        return "\n\n".join(
            [
                paragraph(f"Signs in {self.network} with {self.loss}"),
                table(["layer", "", "situation", "delta"], flow, 4),
                table(["layer", "situation", "result", "update"], updates, 4),
                paragraph(_NOTES),
            ]
        )


@in_default_environment
def sign_rules(network: Network, loss: Loss = "half_squared_error") -> SignRules:
    """Say by situation how the sign of delta flows back, and which way a weight goes.

    Parameters
    ----------
    network
        A network of any layers.
    loss
        "half_squared_error", "squared_error" or "binary_cross_entropy".

    Raises
    ------
    InvalidExperiment
        If it is no network, or one with Dropout, or no loss of this network.

    Notes
    -----
    After the sign-flow analysis of the article "Linear Network", and with its numbers: delta^k is what layer k passes
    back, o^k what it gives out, the input is layer 1.

    Examples
    --------
    >>> import fastgrok as fg
    >>> rules = sign_rules(fg.Network(fg.Linear(3, 1, bias=False), fg.ReLU(gradient_at_zero=1)))
    >>> rules.updates[1]
    UpdateRule(layer=2, situation='delta^3 < 0 and o^1 >= 0', result='lower than expected', update='increase w^2',
    direction=1)
    """
    if not isinstance(network, Network):
        raise InvalidExperiment("network", network, "a Network, such as mlp(2, 4, 1)")
    check_without_dropout("network", network)
    if not isinstance(loss, str) or loss not in LOSSES:
        raise InvalidExperiment("loss", loss, one_of(LOSSES))
    last = LOSSES[loss].together_with
    if last is not None and not isinstance(network.layers[-1], last):
        raise InvalidExperiment("loss", loss, f"another loss, or a {last.__name__} at the end of the network")
    return SignRules(network, loss, tuple(_flow(network)), tuple(_updates(network)))


def _is(name: str, sign: int) -> str:
    """Write that something has a sign."""
    return f"{name} {_RELATIONS[sign]} 0"


def _flow(network: Network) -> Iterator[FlowRule]:
    """Yield the rules of the loss, of every layer, of the input."""
    last = len(network.layers) + 2
    for sign in _RELATIONS:
        yield FlowRule(last, "loss", f"output {_RELATIONS[sign]} target", _is(f"delta^{last}", sign))
    for number in range(last - 1, 1, -1):
        layer = network.layers[number - 2]
        ends = [end for start, end in network.skips if start == number - 2]
        own = f"own^{number}" if ends else f"delta^{number}"
        for situation, delta in _passed_back(layer, number, own):
            yield FlowRule(number, layer_label(layer), situation, delta)
        if ends:
            parts = " + ".join(f"delta^{end + 3}" for end in reversed(ends))
            yield FlowRule(number, layer_label(layer), "a skip begins here", f"delta^{number} = {own} + {parts}")
    for sign in _RELATIONS:
        yield FlowRule(1, "input", _is("delta^2", sign), _is("delta^1", sign))


def _passed_back(layer: Layer, k: int, before: str) -> Iterator[tuple[str, str]]:
    """Yield what arrives at layer k and what it passes back, which is called `before`."""
    after = f"delta^{k + 1}"
    if isinstance(layer, Skip):
        yield f"any {after}", f"{before} = {after}"
        return
    if isinstance(layer, Linear) and layer.fan_out > 1:
        yield f"any {after}", f"sign of the sum of w^{k} {after} over its {layer.fan_out} units"
        return
    if isinstance(layer, Linear):
        yield _is(after, 0), _is(before, 0)
        yield _is(after, -1), f"sign({before}) = -sign(w^{k})"
        yield _is(after, 1), f"sign({before}) = sign(w^{k})"
        return
    activation = ACTIVATIONS[type(layer)]
    slope_sign = activation.sign(layer)
    if slope_sign == "varies":
        yield f"any {after}", f"sign of {after} times the slope at o^{k - 1}"
        return
    yield _is(after, 0), _is(before, 0)
    passes_zero = activation.slope(layer, np.zeros(1), np.zeros(1))[0] > 0
    passes, stops = (">=", "<") if passes_zero else (">", "<=")
    for sign in (-1, 1):
        if slope_sign == "keeps":
            yield _is(after, sign), _is(before, sign)
        else:
            yield f"{_is(after, sign)} and o^{k - 1} {passes} 0", _is(before, sign)
            yield f"{_is(after, sign)} and o^{k - 1} {stops} 0", f"{before} = 0, blocked (leaky: {_is(before, sign)})"


def _updates(network: Network) -> Iterator[UpdateRule]:
    """Yield the rules of the Linear layers, from the last."""
    numbers = [k for k, layer in enumerate(network.layers, start=2) if isinstance(layer, Linear)]
    for k in reversed(numbers):
        expected = "than expected" if k == numbers[-1] else "than the layers after it ask"
        as_expected = "as expected" if k == numbers[-1] else "as the layers after it ask"
        delta, inputs, weight = f"delta^{k + 1}", f"o^{k - 1}", f"w^{k}"
        yield UpdateRule(k, _is(delta, 0), as_expected, f"keep same {weight}", 0)
        for sign, result in ((-1, f"lower {expected}"), (1, f"higher {expected}")):
            for relation, direction in ((">=", -sign), ("<", sign)):
                update = f"{'increase' if direction > 0 else 'decrease'} {weight}"
                yield UpdateRule(k, f"{_is(delta, sign)} and {inputs} {relation} 0", result, update, direction)
