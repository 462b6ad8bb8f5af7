"""Which way each example pushes each weight, and how much of it cancels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.explain.passes import check_without_dropout
from fastgrok.explain.text import paragraph, param_names
from fastgrok.explain.trace import Moment, checked_time, experiment_of, layer_input, moment, time_dim, trimmed
from fastgrok.explain.trace_variables import EXAMPLE, unit_dim
from fastgrok.kernels.environment import in_default_environment
from fastgrok.spec.experiment import Experiment
from fastgrok.statistics.tables import table
from fastgrok.statistics.text import number, plural

if TYPE_CHECKING:
    import xarray as xr

_COLUMNS, _ROWS = 10, 24  # examples and weights of a layer in the text


@dataclass(frozen=True)
class Pressure:
    """Which way each example pushes each weight.

    Parameters
    ----------
    at
        The time of `examples`.
    examples
        `weight_k` (example, unit_{k-1}, unit_k) and `bias_k` (example, unit_k): the pressure of each example.
    totals
        For every recorded time, with the dimensions of the parameter: `up_weight_k`, the sum over the examples that
        push up; `down_weight_k`, over those that push down, 0 or less; `conflict_weight_k`; likewise for biases.
    experiment
        The experiment that was replayed.
    """

    at: Moment
    examples: xr.Dataset
    totals: xr.Dataset
    experiment: Experiment = field(repr=False)

    def __str__(self) -> str:
        opening = paragraph(
            f"Pressure of each example on each weight at {self.at}: minus the gradient of the example's own loss,",
            "input * -delta. + pushes the weight up, - down, 0 not at all.",
            "up and down are sums over the examples; cancels is 1 - |up + down| / (up - down):",
            "0 where all agree, 1 where nothing is left, nan where there is no pressure;",
            "mean is that of all recorded times with pressure.",
        )
        numbers = range(1, len(self.experiment.network.linears) + 1)
        return "\n\n".join([opening, *(_layer_text(self, k) for k in numbers)])


class ParamPressure(NamedTuple):
    """The pressure on one weight or bias at the time of `Pressure.at`."""

    name: str  # from which input to which unit, as "light_0 -> unit 0"
    examples: NDArray[np.float64]  # (n_examples,)
    up: float
    down: float
    conflict: float  # how much of it cancels
    mean_conflict: float  # the mean of that over the recorded times at which there is pressure


@in_default_environment
def pressure(trace: Any, *, at: int | None = 0) -> Pressure:
    """Say which way each example pushes each weight in a step, and how much of it cancels.

    The pressure of an example on weight (i, j) is -input_i * delta_j: minus the gradient of its own loss; on a bias
    -delta_j. Conflict is 1 - |sum| / sum|.| over the examples: 0 where all push one way, 1 where all of it cancels,
    NaN where there is none.

    Parameters
    ----------
    trace
        What `replay` returns, of one seed.
    at
        The epoch or step whose pressures are kept example by example; None: the last one.

    Raises
    ------
    InvalidExperiment
        If it is not a trace of one seed, or that time was not recorded, or the network has Dropout.

    Notes
    -----
    All examples push on the same parameters here: those after an epoch or step. Where updates are made example by
    example each one finds the weights that the one before it left: a trace by step shows them. An update without
    momentum, clipping and penalties moves the weights by lr times the mean or sum (`reduction`) of the pressures of
    its batch. The totals never hold all examples at once: with a+ = max(a, 0) and a- = max(-a, 0), those that push
    up sum to (a+)^T (delta-) + (a-)^T (delta+). *Grokking Deep Learning*, chapter 6.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(3, 1, bias=False), fg.datasets.streetlights(), init=fg.Zeros())
    >>> fg.explain.pressure(fg.replay(exp, seed=0)).totals["up_weight_1"].sel(epoch=0).values.ravel()
    array([1., 3., 3.])
    """
    trace = trimmed(trace)
    experiment, dim = experiment_of(trace), time_dim(trace)
    check_without_dropout("trace.network", experiment.network)
    label = checked_time(trace, at)
    then = trace.sel({dim: label})
    numbers = range(1, len(experiment.network.linears) + 1)
    with np.errstate(over="ignore", invalid="ignore"):  # of a network that diverges
        examples = {name: entry for k in numbers for name, entry in _by_example(then, k)}
        totals = {name: entry for k in numbers for name, entry in _totals(trace, k, dim)}
    import xarray as xr

    index = int(np.flatnonzero(trace[dim].values == label)[0])
    return Pressure(
        moment(trace, index), xr.Dataset(examples), xr.Dataset(totals, {dim: trace[dim].values}), experiment
    )


def param_pressures(result: Pressure, layer: int) -> list[ParamPressure]:
    """Return the pressure on each weight and bias of a layer, in the order of `param_names`."""
    names = iter(param_names(result.experiment, layer))
    rows = []
    for param in (f"weight_{layer}", f"bias_{layer}"):
        if param in result.examples:
            values = result.examples[param].values
            flat = values.reshape(len(values), -1).T
            up, down = np.maximum(flat, 0).sum(axis=1), np.minimum(flat, 0).sum(axis=1)
            over_time = result.totals[f"conflict_{param}"].values
            over_time = over_time.reshape(len(over_time), -1)
            columns = (flat, up, down, _conflict(up, down), _mean(over_time))
            rows += [ParamPressure(next(names), *row) for row in zip(*columns, strict=True)]
    return rows


def _by_example(then: xr.Dataset, k: int) -> Iterator[tuple[str, Any]]:
    """Return the pressure of each example on each parameter of a layer at one time."""
    inputs, delta = layer_input(then, k).astype(np.float64), then[f"delta_{k}"].values.astype(np.float64)
    yield f"weight_{k}", ((EXAMPLE, unit_dim(k - 1), unit_dim(k)), -inputs[:, :, None] * delta[:, None, :])
    if f"bias_{k}" in then:
        yield f"bias_{k}", ((EXAMPLE, unit_dim(k)), -delta)


def _totals(trace: xr.Dataset, k: int, dim: str) -> Iterator[tuple[str, Any]]:
    """Return the sums over the examples at every time."""
    inputs, delta = layer_input(trace, k).astype(np.float64), trace[f"delta_{k}"].values.astype(np.float64)
    dims = (dim, unit_dim(k - 1), unit_dim(k))
    yield from _named(f"weight_{k}", dims, *_up_and_down(inputs, delta))
    if f"bias_{k}" in trace:
        yield from _named(
            f"bias_{k}", (dim, unit_dim(k)), _negative(delta).sum(axis=1), -_positive(delta).sum(axis=1)
        )


def _named(param: str, dims: tuple[str, ...], up: NDArray[Any], down: NDArray[Any]) -> Iterator[tuple[str, Any]]:
    """Name the totals of a parameter."""
    yield f"up_{param}", (dims, up)
    yield f"down_{param}", (dims, down)
    yield f"conflict_{param}", (dims, _conflict(up, down))


def _up_and_down(inputs: NDArray[Any], delta: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the sums of -input * delta where it is positive, and where it is negative, (n_times, in, out)."""
    positive, negative = np.swapaxes(_positive(inputs), -1, -2), np.swapaxes(_negative(inputs), -1, -2)
    up = positive @ _negative(delta) + negative @ _positive(delta)
    down = positive @ _positive(delta) + negative @ _negative(delta)
    return up, -down


def _positive(values: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(np.maximum(values, 0.0))


def _negative(values: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(np.maximum(-values, 0.0))


def _conflict(up: NDArray[Any], down: NDArray[Any]) -> NDArray[Any]:
    """Return 1 - |sum| / sum|.|, NaN where that is 0 / 0."""
    size = up - down
    return np.where(size > 0, 1 - np.abs(up + down) / np.where(size > 0, size, 1.0), np.nan)


def _mean(conflict: NDArray[Any]) -> NDArray[Any]:
    """Return the mean over the times at which there is pressure, NaN if there never is."""
    known = np.isfinite(conflict)
    count = known.sum(axis=0)
    return np.where(count > 0, np.where(known, conflict, 0).sum(axis=0) / np.maximum(count, 1), np.nan)


def sign(value: float) -> str:
    """Return the sign of a pressure: `+`, `-`, `0`, or `?` for NaN, of a network that diverged."""
    return "?" if np.isnan(value) else "0+-"[int(np.sign(value))]


def _layer_text(result: Pressure, k: int) -> str:
    """Return the table of a layer."""
    rows = param_pressures(result, k)
    largest = rows if len(rows) <= _ROWS else sorted(rows, key=lambda row: row.down - row.up)[:_ROWS]
    n = result.experiment.data.n_examples
    header = ["weight", *(str(example) for example in range(min(n, _COLUMNS)))]
    body = [
        [
            row.name,
            *map(sign, row.examples[:_COLUMNS]),
            *map(number, (row.up, row.down, row.up + row.down, row.conflict, row.mean_conflict)),
        ]
        for row in largest
    ]
    lines = table([*header, "up", "down", "total", "cancels", "mean"], body)
    beyond = f"Signs of the first {_COLUMNS} of {plural(n, 'example')}." if n > _COLUMNS else ""
    fewer = f"The {_ROWS} of {plural(len(rows), 'weight')} that are pushed the most." if len(rows) > _ROWS else ""
    title = f"Layer {k}, examples by their numbers:"
    return "\n".join(filter(None, [title, lines, paragraph(beyond, fewer)]))
