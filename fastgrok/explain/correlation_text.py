"""What correlates with what, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fastgrok.explain.movement import WINDOW
from fastgrok.explain.trace_variables import unit_dim
from fastgrok.explain.wording import paragraph, param_names
from fastgrok.statistics.tables import table
from fastgrok.statistics.text import fixed, listed, number, plural

if TYPE_CHECKING:
    from fastgrok.explain.correlation import Correlation, LayerFound

ROWS = 16
"""Inputs, or units of a layer, that are shown at most; of more the first ones."""

_COLUMNS = {
    "z, target": "z_target",
    "a, target": "activation_target",
    "input, a": "input_activation",
    "a, target if active": "activation_target_active",
    "input, a if active": "input_activation_active",
}


def correlation_text(found: Correlation) -> str:
    """Return the answers and the tables that they come from."""
    parts = [_inputs(found), *(part for layer in found.layers for part in _layer(found, layer))]
    return "\n\n".join([*parts, _limits(found)])


def _inputs(found: Correlation) -> str:
    """Say how the inputs correlate with the targets."""
    data, r = found.experiment.data, found.r["input_target"].values
    n = plural(data.n_examples, "example")
    title = f"r (Pearson's correlation over {n}) of the inputs with the targets; nan: something is constant."
    rows = [[name, *(fixed(x, 3) for x in r[k])] for k, name in enumerate(data.feature_names[:ROWS])]
    return f"{paragraph(title, _cut(data.n_in, 'input'))}\n{table(['input', *data.target_names], rows)}"


def _layer(found: Correlation, layer: LayerFound) -> list[str]:
    """Say what a layer has found, and which of its weights are learning."""
    k = layer.layer
    answers = {
        "none": f"no correlation: no unit has |r| >= {number(found.least)} with a target",
        "conditional": "conditional correlation: no weighted sum of its inputs correlates with a target, "
        "but what some unit lets through does",
        "direct": "direct correlation: a weighted sum of its inputs correlates with a target",
    }
    strongest = ""
    if layer.unit is not None and layer.target is not None:
        name = found.experiment.data.target_names[layer.target]
        strongest = f"Strongest: unit {layer.unit} with {name}, r = {fixed(layer.r, 3)}."
    since = f"Layer {k} has found, since {layer.since},"
    return [paragraph(f"{since} {answers[layer.found]}.", strongest, _learning(found, k)), _units(found, k)]


def _learning(found: Correlation, k: int) -> str:
    """Say which weights are learning."""
    moved = [found.movements[name] for name in (f"weight_{k}", f"bias_{k}") if name in found.movements]
    learned = np.concatenate([one.learned.ravel() for one in moved])
    learning = np.concatenate([one.learning.ravel() for one in moved])
    names = np.array(param_names(found.experiment, k))
    text = (
        f"Of its {plural(len(names), 'parameter')} {int(learned.sum()):,} moved beyond noise since the start, and "
        f"{int(learning.sum()):,} in the last {100 * WINDOW:.0f} % of the history."
    )
    return text if learned.all() or not learned.any() else f"{text} Not beyond noise: {listed(names[~learned])}."


def _units(found: Correlation, k: int) -> str:
    """Return a table with a row for each unit of a layer, at the end."""
    strongest, active = strongest_of_units(found, k), found.r.get(f"active_{k}")
    n, width = found.experiment.data.n_examples, found.experiment.network.linears[k - 1].fan_out
    rows = []
    for unit in range(min(width, ROWS)):
        active_on = [] if active is None else [f"{int(active.values[-1, unit])} of {n}"]
        rows.append([f"unit {unit}", *active_on, *(fixed(r[unit], 3) for r in strongest.values())])
    header = [f"layer {k}", *["active on"] * (active is not None), *strongest]
    return "\n".join(filter(None, [_cut(width, "unit"), table(header, rows)]))


def strongest_of_units(found: Correlation, k: int) -> dict[str, NDArray[np.float64]]:
    """
    Return for each kind of correlation the strongest of each unit at the end, with its sign, (n_units,).

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor())
    >>> list(strongest_of_units(fg.explain.correlation(fg.replay(exp, seed=1)), 2))
    ['z, target', 'a, target', 'input, a']
    """
    columns = {}
    for name, variable in _COLUMNS.items():
        if f"{variable}_{k}" in found.r:
            now = found.r[f"{variable}_{k}"][-1].transpose(unit_dim(k), ...)
            columns[name] = np.array([_strongest(r) for r in now.values])
    return columns


def _strongest(r: NDArray[np.float64]) -> float:
    """Return the largest correlation by size, with its sign; NaN if there is none."""
    there = r[np.isfinite(r)]
    return float(there[np.argmax(np.abs(there))]) if there.size else np.nan


def _cut(count: int, noun: str) -> str:
    """Say that a table is cut."""
    return f"The first {ROWS} of {plural(count, noun)}." if count > ROWS else ""


def _limits(found: Correlation) -> str:
    """Say what the answers hold for."""
    few = "" if found.experiment.data.n_examples > 10 else "So few examples correlate by accident, and two always do."
    return paragraph(
        "Each r of a layer is the strongest of its unit, over inputs or targets, at the end.",
        "Limits: what is constant has no r; r sees straight lines only, and one unit at a time: what units do",
        "jointly shows in the next layer.",
        few,
        "Beyond noise: a net movement of more than twice that of steps with random signs.",
    )
