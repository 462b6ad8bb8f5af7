"""The flow of signs in words and tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgrok.explain.sign_rules import UPDATES
from fastgrok.explain.text import numbers, precise, wrapped
from fastgrok.statistics.tables import Cells, aligned

if TYPE_CHECKING:
    from fastgrok.explain.sign_flow import Blocked, SignFlow, SignLayer

MOST_EXAMPLES = 4
"""Examples of which everything is written; of the others there are the data."""

MOST_UNITS = 24
"""Signs written one by one; of more there are the numbers of each."""

MOST_WEIGHTS = 64
"""Weights of a layer written one by one, likewise."""

_SIGNS = {1: "+", 0: "0", -1: "-"}
_RESULTS = {1: "higher than expected", 0: "as expected", -1: "lower than expected"}


def written(flow: SignFlow) -> str:
    """Return the text of a flow of signs."""
    lines = [str(flow.rules)]
    for row in range(min(len(flow.examples), MOST_EXAMPLES)):
        lines += ["", *_example(flow, row)]
    left = len(flow.examples) - MOST_EXAMPLES
    if left > 0:
        lines += ["", f"In the data, and not in this text: {left} more."]
    return "\n".join([*lines, "", *_blocked(flow)])


def _example(flow: SignFlow, row: int) -> Iterator[str]:
    """Write the flow and the updates of one example."""
    output, target = flow.output[row], flow.target[row]
    errors = np.nan_to_num(np.sign(output - target))
    result = _RESULTS[int(errors[0])] if len(errors) == 1 else _counted(errors, _RESULTS)
    text = f"Example {flow.examples[row]}: input {numbers(flow.layers[-1].taken[row])}, output {numbers(output)}, "
    yield from wrapped(f"{text}target {numbers(target)}: {result}")
    yield ""
    body = [[_named(layer), f"delta^{layer.number}", _signs(layer, row)] for layer in flow.layers]
    yield from (f"  {line}" for line in aligned(Cells(["layer", "passes back", "sign, unit by unit"], body, 3)))
    for layer, after in zip(flow.layers[1:], flow.layers, strict=False):
        if layer.direction_weight is not None:
            yield ""
            yield from (f"  {line}" for line in _updates(layer, after, row))


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


def _updates(layer: SignLayer, after: SignLayer, row: int) -> Iterator[str]:
    """Write which way the weights of a Linear layer are sent."""
    direction, weight = layer.direction_weight, layer.weight
    assert direction is not None
    assert weight is not None
    if weight.size > MOST_WEIGHTS:
        yield f"{_named(layer)}: {_counted(direction[row], {k: UPDATES[k] for k in (1, -1, 0)})} of its weights"
        return
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
    yield from aligned(Cells(["weight", "value", f"o^{k - 1}", f"delta^{k + 1}", "update"], body, 1))


def _blocked(flow: SignFlow) -> Iterator[str]:
    """Write which units block the flow."""
    if not flow.blocked:
        yield "No unit blocks the flow."
        return
    slope = precise(flow.leaky_slope)
    yield f"Blocked (x): delta arrives and does not pass. A leaky ReLU would let {slope} of it pass."
    for unit in flow.blocked:
        yield from wrapped(_of_unit(unit), indent=2)


def _of_unit(unit: Blocked) -> str:
    """Write where a unit blocks the flow, and what had passed."""
    shown = [
        f"{example} (arrives {precise(arriving)}, leaky {precise(leaky)})"
        for example, arriving, leaky in zip(unit.examples, unit.arriving, unit.leaky, strict=True)
    ]
    more = f" and {len(shown) - MOST_EXAMPLES} more" if len(shown) > MOST_EXAMPLES else ""
    state = "dead, z <= 0 on all of the data" if unit.dead else "not dead"
    return f"L{unit.layer} unit {unit.unit + 1}, {state}: example {', '.join(shown[:MOST_EXAMPLES])}{more}"
