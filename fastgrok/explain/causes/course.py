"""How the loss went in the end: still falling, or not."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fastgrok.explain.trace import Moment, epochs_of, moment
from fastgrok.statistics.text import number

if TYPE_CHECKING:
    import xarray as xr

    from fastgrok.spec.experiment import Experiment

WINDOW = 0.25
"""The end of a history: this share of its recorded times, two at least."""

LEAST_FALL = 1e-3
"""A loss falls if by the straight line through its logarithm it fell by more than this share over the end."""

SCATTERS = 2.0
"""And by more than so many standard deviations of its logarithm around that line."""


class Course(NamedTuple):
    """How the loss went at the end."""

    since: Moment  # where the end begins
    rate: float
    scatter: float  # standard deviation of log loss around that line
    falling: bool  # whether it fell by more than it scatters: see `LEAST_FALL` and `SCATTERS`
    epochs_to_goal: float | None

    @property
    def per_100_epochs(self) -> float:
        """Share by which the loss falls in 100 epochs; negative if it rises."""
        return -math.expm1(100 * min(self.rate, 5.0))


def course(trace: xr.Dataset, experiment: Experiment) -> Course:
    """Return how the loss went at the end."""
    loss = trace["loss"].values
    size = min(len(loss), max(2, math.ceil(WINDOW * len(loss))))
    place = len(loss) - size
    epochs = _epochs(trace)[place:]
    end = loss[place:]
    if size < 2 or np.ptp(epochs) == 0 or not np.all(end > 0):
        return Course(moment(trace, place), math.nan, math.nan, False, None)
    logs = np.log(end)
    centred = epochs - epochs.mean()
    rate = float(centred @ (logs - logs.mean()) / (centred @ centred))
    scatter = float(np.std(logs - logs.mean() - rate * centred))
    fall = -rate * float(epochs[-1] - epochs[0])
    falling = fall > max(LEAST_FALL, SCATTERS * scatter)
    goal = None if experiment.criteria is None else experiment.criteria.loss
    to_goal = math.log(end[-1] / goal) / -rate if falling and goal and end[-1] > goal else None
    return Course(moment(trace, place), rate, scatter, falling, to_goal)


def _epochs(trace: xr.Dataset) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the time of each state in epochs: within an epoch, the share of its updates that were made."""
    if "step" not in trace.dims:
        return epochs_of(trace).astype(np.float64)
    per_epoch = max(int(np.bincount(epochs_of(trace)).max()), 1)
    return trace["step"].values / per_epoch


def course_text(found: Course) -> str:
    """Say how the loss went."""
    if math.isnan(found.rate):
        return ""
    if not found.falling:
        return f"Since {found.since} the loss does not fall by more than it scatters."
    text = f"Since {found.since} the loss falls by {number(100 * found.per_100_epochs)} % per 100 epochs."
    if found.epochs_to_goal is None:
        return text
    return f"{text} At this rate the loss that was asked for is {found.epochs_to_goal:,.0f} epochs away."
