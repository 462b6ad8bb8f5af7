"""Correlation of inputs, units and targets over the examples, and which of it each layer has found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.engine.layout import activation_places
from fastgrok.errors import InvalidExperiment, one_line
from fastgrok.explain.text import paragraph, param_names
from fastgrok.explain.trace import Moment, experiment_of, layer_input, moment, start_of_last_run, time_dim, trimmed
from fastgrok.explain.trace_variables import unit_dim
from fastgrok.explain.weight_drift import WINDOW, WeightDrift, weight_drifts
from fastgrok.kernels.environment import in_default_environment
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.layers import ReLU
from fastgrok.statistics.tables import table
from fastgrok.statistics.text import fixed, listed, number, plural

if TYPE_CHECKING:
    import xarray as xr

KINDS = ("none", "conditional", "direct")
"""The kinds of correlation that a layer finds: see `correlation`."""

CONSTANT = {"float64": 1e-6, "float32": 1e-4}
"""What varies over the examples by no more than this share of its size is constant: the rest is rounding."""

ROWS = 16
"""Inputs, or units of a layer, that are shown at most; of more the first ones."""

_COLUMNS = {
    "z, target": "z_target",
    "a, target": "activation_target",
    "input, a": "input_activation",
    "a, target if active": "activation_target_active",
    "input, a if active": "input_activation_active",
}

_TARGET = "target"


class LayerCorrelation(NamedTuple):
    """The correlation that a layer has found."""

    layer: int  # number of the Linear layer, from 1
    found: str  # "none", "conditional" or "direct", at the end
    since: Moment  # the first recorded time from which on it is that
    unit: int | None
    target: int | None
    r: float  # their correlation: of z and the target if it is direct, otherwise of the activation


@dataclass(frozen=True)
class Correlation:
    """What correlates with what, at every recorded time.

    Parameters
    ----------
    r
        Pearson's r over the examples, NaN where something is constant: `input_target` (unit_0, target); of Linear
        layer k `input_activation_k` (time, unit_{k-1}, unit_k), `z_target_k` and `activation_target_k` (time,
        unit_k, target). Where a ReLU follows also `active_k` (time, unit_k), on how many examples a unit is active,
        z > 0, and among these `input_activation_active_k` and `activation_target_active_k`.
    layers
        What each layer has found.
    movements
        How each parameter moved, and whether it is learning, by its name in the trace.
    least
        The |r| that counts as correlation.
    experiment
        The experiment that was replayed.
    """

    r: xr.Dataset
    layers: tuple[LayerCorrelation, ...]
    movements: Mapping[str, WeightDrift]
    least: float
    experiment: Experiment = field(repr=False)

    def __str__(self) -> str:
        parts = [_inputs_text(self), *(part for layer in self.layers for part in _layer_text(self, layer))]
        return "\n\n".join([*parts, _limits_text(self.experiment.data.n_examples)])


@in_default_environment
def correlation(trace: Any, *, least: float = 0.5) -> Correlation:
    """Say what correlates with what, what each layer has found, and which weights are learning.

    Parameters
    ----------
    trace
        What `replay` returns, of one seed; of one that began again the last attempt is taken.
    least
        The |r| from which on there is correlation, greater than 0 and at most 1.

    Returns
    -------
    Of each layer, at each time, what it has found:

    ============= ======================================================================================
    "direct"      some unit's z, the weighted sum of the layer's inputs, has |r| >= least with a target
    "conditional" none has, but some unit's activation a = f(z) has: what makes the correlation is that a
                  unit is off (sigmoid and tanh: that it bends) on some examples
    "none"        neither
    ============= ======================================================================================

    A weight is learning if it moves beyond noise: see `fastgrok.explain.weight_drift`.

    Raises
    ------
    InvalidExperiment
        If it is not a trace of one seed, or `least` is not such a number.

    Notes
    -----
    Its limits. What is constant over the examples has no correlation: a dead unit, an input that never changes, and
    what varies by rounding only. Few examples correlate by accident, and two always do, r = 1 or -1: among the active
    examples of a unit see `active_k`. Untrained layers may find something, since their units are taken as they stand.
    r is of one unit at a time: a layer whose units do nothing each may do it jointly, which shows in the next
    layer's z. And r is about straight lines: what a unit knows otherwise does not count. Linear layers alone find on
    XOR nothing ever: r of any weighted sum of its inputs with the target is 0.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor())
    >>> [layer.found for layer in fg.explain.correlation(fg.replay(exp, seed=1)).layers]
    ['conditional', 'direct']
    """
    if isinstance(least, bool) or not isinstance(least, int | float | np.number) or not 0 < least <= 1:
        raise InvalidExperiment("least", least, "a number greater than 0 and at most 1")
    trace = trimmed(trace, last_attempt=True)
    experiment = experiment_of(trace)
    numbers = range(1, len(experiment.network.linears) + 1)
    tolerance = CONSTANT[experiment.dtype]
    import xarray as xr

    data, dim = experiment.data, time_dim(trace)
    r = {"input_target": ((unit_dim(0), _TARGET), pearson(data.X, data.y, constant=tolerance))}
    r |= {name: entry for k in numbers for name, entry in _of_layer(trace, experiment, k, tolerance)}
    over_time = xr.Dataset(r, {dim: trace[dim].values})
    layers = tuple(_layer_correlation(trace, over_time, k, float(least)) for k in numbers)
    return Correlation(over_time, layers, weight_drifts(trace), float(least), experiment)


def _of_layer(trace: xr.Dataset, experiment: Experiment, k: int, constant: float) -> Iterator[tuple[str, Any]]:
    """Return the correlations of a layer."""
    inputs, target = layer_input(trace, k), experiment.data.y
    z, a = trace[f"pre_activation_{k}"].values, trace[f"activation_{k}"].values
    dim = time_dim(trace)
    weights, units = (dim, unit_dim(k - 1), unit_dim(k)), (dim, unit_dim(k), _TARGET)
    yield f"input_activation_{k}", (weights, pearson(inputs, a, constant=constant))
    yield f"z_target_{k}", (units, pearson(z, target, constant=constant))
    yield f"activation_target_{k}", (units, pearson(a, target, constant=constant))
    if k in experiment.network.relu_layers:
        active = (a if _ends_with_relu(experiment, k) else z) > 0
        yield f"active_{k}", ((dim, unit_dim(k)), active.sum(axis=1))
        yield f"input_activation_active_{k}", (weights, pearson(inputs, a, active, constant=constant))
        among = pearson(target, a, active, constant=constant)
        yield f"activation_target_active_{k}", (units, np.swapaxes(among, -1, -2))


def _ends_with_relu(experiment: Experiment, k: int) -> bool:
    """Return whether what a layer gives out comes from a ReLU, whatever stands between it and the weighted sum."""
    last = activation_places(experiment.network)[k - 1][1]
    return isinstance(experiment.network.layers[last], ReLU)


def _layer_correlation(trace: xr.Dataset, r: xr.Dataset, k: int, least: float) -> LayerCorrelation:
    """Return the correlation that a layer has found."""
    z, a = _size(r[f"z_target_{k}"].values), _size(r[f"activation_target_{k}"].values)
    direct, some = (size.max(axis=(1, 2)) >= least for size in (z, a))
    kinds = np.where(direct, 2, np.where(some, 1, 0))
    since = moment(trace, start_of_last_run(kinds == kinds[-1]))
    name, size = (f"z_target_{k}", z) if direct[-1] else (f"activation_target_{k}", a)
    unit, target = np.unravel_index(int(np.argmax(size[-1])), size.shape[1:])
    value = float(r[name].values[-1, unit, target])
    if np.isnan(value):
        return LayerCorrelation(k, KINDS[kinds[-1]], since, None, None, value)
    return LayerCorrelation(k, KINDS[kinds[-1]], since, int(unit), int(target), value)


def _size(r: NDArray[Any]) -> NDArray[Any]:
    """Return |r|, and -1 where there is no correlation to speak of."""
    return np.asarray(np.nan_to_num(np.abs(r), nan=-1.0))


def pearson(
    x: NDArray[Any], y: NDArray[Any], where: NDArray[np.bool_] | None = None, *, constant: float = CONSTANT["float64"]
) -> NDArray[np.float64]:
    """Return the correlation of every column of x with every column of y, NaN where one of them is constant.

    r = sum (x - mean x)(y - mean y) / sqrt(sum (x - mean x)**2 sum (y - mean y)**2).

    x: (..., n_examples, n_x); y: (..., n_examples, n_y); axes before the examples are broadcast; where: (...,
    n_examples, n_y): the examples that count, for each column of y; None: all; returns (..., n_x, n_y).
    """
    x, y = x.astype(np.float64), y.astype(np.float64)
    weight = np.ones_like(y) if where is None else where.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):  # of a network that diverges: NaN
        least_x, least_y = ((constant * np.abs(a).max(axis=-2)) ** 2 for a in (x, y))
        columns = np.swapaxes(x - x.mean(axis=-2, keepdims=True), -1, -2)
        y = y - y.mean(axis=-2, keepdims=True)
        count = np.maximum(weight.sum(axis=-2), 1)[..., None, :]
        mean_x, mean_y = columns @ weight / count, (weight * y).sum(axis=-2)[..., None, :] / count
        var_x = columns**2 @ weight / count - mean_x**2
        var_y = (weight * y**2).sum(axis=-2)[..., None, :] / count - mean_y**2
        covariance = columns @ (weight * y) / count - mean_x * mean_y
        varies = (var_x > least_x[..., :, None]) & (var_y > least_y[..., None, :])
        r = covariance / np.sqrt(np.where(varies, var_x * var_y, 1.0))
        return np.where(varies, np.clip(r, -1, 1), np.nan)


def _inputs_text(result: Correlation) -> str:
    """Say how the inputs correlate with the targets."""
    data, r = result.experiment.data, result.r["input_target"].values
    n = plural(data.n_examples, "example")
    title = f"r (Pearson's correlation over {n}) of the inputs with the targets; nan: something is constant."
    rows = [[name, *(fixed(x, 3) for x in r[k])] for k, name in enumerate(data.feature_names[:ROWS])]
    return f"{paragraph(title, _cut(data.n_in, 'input'))}\n{table(['input', *data.target_names], rows)}"


def _layer_text(result: Correlation, layer: LayerCorrelation) -> list[str]:
    """Say what a layer has found, and which of its weights are learning."""
    k = layer.layer
    answers = {
        "none": f"no correlation: no unit has |r| >= {number(result.least)} with a target",
        "conditional": "conditional correlation: no weighted sum of its inputs correlates with a target, "
        "but what some unit lets through does",
        "direct": "direct correlation: a weighted sum of its inputs correlates with a target",
    }
    strongest = ""
    if layer.unit is not None and layer.target is not None:
        name = one_line(result.experiment.data.target_names[layer.target])
        strongest = f"Strongest: unit {layer.unit} with {name}, r = {fixed(layer.r, 3)}."
    since = f"Layer {k} has found, since {layer.since},"
    return [
        paragraph(f"{since} {answers[layer.found]}.", strongest, _learning_text(result, k)),
        _units_text(result, k),
    ]


def _learning_text(result: Correlation, k: int) -> str:
    """Say which weights are learning."""
    drifts = [result.movements[name] for name in (f"weight_{k}", f"bias_{k}") if name in result.movements]
    learned = np.concatenate([drift.learned.ravel() for drift in drifts])
    learning = np.concatenate([drift.learning.ravel() for drift in drifts])
    names = np.array(param_names(result.experiment, k))
    text = (
        f"Of its {plural(len(names), 'parameter')} {int(learned.sum()):,} moved beyond noise since the start, and "
        f"{int(learning.sum()):,} in the last {100 * WINDOW:.0f} % of the history."
    )
    return text if learned.all() or not learned.any() else f"{text} Not beyond noise: {listed(names[~learned])}."


def _units_text(result: Correlation, k: int) -> str:
    """Return a table with a row for each unit of a layer, at the end."""
    strongest, active = strongest_of_units(result, k), result.r.get(f"active_{k}")
    n, width = result.experiment.data.n_examples, result.experiment.network.linears[k - 1].fan_out
    rows = []
    for unit in range(min(width, ROWS)):
        active_on = [] if active is None else [f"{int(active.values[-1, unit])} of {n}"]
        rows.append([f"unit {unit}", *active_on, *(fixed(r[unit], 3) for r in strongest.values())])
    header = [f"layer {k}", *["active on"] * (active is not None), *strongest]
    return "\n".join(filter(None, [_cut(width, "unit"), table(header, rows)]))


def strongest_of_units(result: Correlation, k: int) -> dict[str, NDArray[np.float64]]:
    """Return for each kind of correlation the strongest of each unit at the end, with its sign, (n_units,)."""
    columns = {}
    for name, variable in _COLUMNS.items():
        if f"{variable}_{k}" in result.r:
            end = result.r[f"{variable}_{k}"][-1].transpose(unit_dim(k), ...)
            columns[name] = np.array([_strongest(r) for r in end.values])
    return columns


def _strongest(r: NDArray[np.float64]) -> float:
    """Return the largest correlation by size, with its sign; NaN if there is none."""
    finite = r[np.isfinite(r)]
    return float(finite[np.argmax(np.abs(finite))]) if finite.size else np.nan


def _cut(count: int, noun: str) -> str:
    """Say that a table is cut."""
    return f"The first {ROWS} of {plural(count, noun)}." if count > ROWS else ""


def _limits_text(n_examples: int) -> str:
    """Say the limits of the answers."""
    few = "" if n_examples > 10 else "So few examples correlate by accident, and two always do."
    return paragraph(
        "Each r of a layer is the strongest of its unit, over inputs or targets, at the end.",
        "Limits: what is constant has no r; r sees straight lines only, and one unit at a time: what units do",
        "jointly shows in the next layer.",
        few,
        "Beyond noise: a net movement of more than twice that of steps with random signs.",
    )
