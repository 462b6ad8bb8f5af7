"""Divergence: parameters or a loss that are not finite any more, or a loss on its way there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.explain.text import paragraph
from fastgrok.explain.trace import Moment, moment
from fastgrok.explain.trace_variables import param_variables
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.variables import GROWN, Outcome
from fastgrok.statistics.tables import table
from fastgrok.statistics.text import listed, number

if TYPE_CHECKING:
    import xarray as xr


class Largest(NamedTuple):
    """The largest value of a variable."""

    variable: str  # its name in the trace
    place: tuple[int, ...]  # where it was: (input, unit) for weights, (unit,) for biases, () for the loss
    value: float  # it, with its sign


class Divergence(NamedTuple):
    """How a network diverged."""

    at: Moment  # the first recorded time at which something is not finite
    first: tuple[str, ...]  # which variables are not finite then; empty where all are
    grew: tuple[float, float] | None  # the first loss and the last, where all are finite and it grew to many times
    before: Moment | None  # the last recorded time at which everything is finite; None if there is none
    largest: tuple[Largest, ...]  # of each variable at `before`, the largest first
    dead_layers: tuple[int, ...]  # the ReLU layers whose units were all dead then

    @property
    def cause(self) -> str:
        """The word for it."""
        return "diverged"

    def text(self, experiment: Experiment) -> str:
        """Say it in words."""
        what = listed(self.first) if self.first else "a number that the trace does not hold"
        opening = f"Diverged: not finite at {self.at}: {what}."
        if self.grew is not None:
            opening = f"Diverged: the loss grew from {number(self.grew[0])} to {number(self.grew[1])} at {self.at}."
        if self.before is None:
            return paragraph(opening, "Nothing was recorded before.")
        lr = f"The learning rate is {number(experiment.optimizer.lr)}; a smaller one is what helps most often."
        rows = [[entry.variable, _where(entry.place), number(entry.value)] for entry in self.largest]
        largest = table([f"largest at {self.before}", "where", "value"], rows, 2)
        dead = f"By then every unit was dead in ReLU layer {listed(self.dead_layers)}." if self.dead_layers else ""
        return f"{paragraph(opening, dead, lr)}\n\n{largest}"


def divergence(trace: xr.Dataset, experiment: Experiment) -> Divergence | None:
    """Return how a network diverged, or None."""
    if trace["outcome"] != Outcome.DIVERGED:
        return None
    names = ["loss", *param_variables(experiment.network)]
    finite = {name: _finite(trace[name].values) for name in names}
    all_finite = np.logical_and.reduce(list(finite.values()))
    n_times = len(all_finite)
    index = n_times if all_finite.all() else int(np.argmin(all_finite))
    first = tuple(name for name in names if index < n_times and not finite[name][index])
    largest = [_largest(name, trace[name].values[index - 1]) for name in names] if index else []
    largest.sort(key=lambda entry: -abs(entry.value))
    before = moment(trace, index - 1) if index else None
    layers = dict.fromkeys(experiment.network.relu_layers) if index else ()
    dead = tuple(k for k in layers if trace[f"dead_{k}"].values[index - 1].all())
    losses = float(trace["loss"].values[0]), float(trace["loss"].values[-1])
    grew = losses if index == n_times and losses[1] > GROWN * losses[0] else None
    return Divergence(moment(trace, min(index, n_times - 1)), first, grew, before, tuple(largest), dead)


def _finite(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Return for each time whether everything is finite, (n_times,)."""
    return np.asarray(np.isfinite(values).all(axis=tuple(range(1, values.ndim))))


def _largest(name: str, values: NDArray[Any]) -> Largest:
    """Return the largest value of one time."""
    index = np.unravel_index(int(np.argmax(np.abs(values))), values.shape)
    return Largest(name, tuple(map(int, index)), float(values[index]))


def _where(place: tuple[int, ...]) -> str:
    """Write the place of a value."""
    if not place:
        return ""
    return f"unit {place[0]}" if len(place) == 1 else f"input {place[0]}, unit {place[1]}"
