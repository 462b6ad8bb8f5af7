"""The trend of the loss at the end, and the causes that it shows: untrained, stalled, slow and flat."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.explain.text import paragraph
from fastgrok.explain.trace import Moment, epochs_of, moment
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.variables import STALLED_GRADIENT_NORM
from fastgrok.statistics.text import number

if TYPE_CHECKING:
    import xarray as xr

WINDOW = 0.25
"""The end of a history: this share of its recorded times, two at least."""

LEAST_FALL = 1e-3
"""A loss falls if by the straight line through its logarithm it fell by more than this share over the end."""

SCATTERS = 2.0
"""And by more than so many standard deviations of its logarithm around that line."""

_OPENINGS = {
    "untrained": "Untrained: no epoch was run.",
    "stalled": f"Stalled: the gradient norm is {{norm}}, below {STALLED_GRADIENT_NORM:g}: nothing moves it.",
    "slow": "Slow: it was still learning when training ended.",
    "flat": "Flat: the loss does not fall any more, though the gradient norm is {norm}: "
    "updates undo each other, or lead nowhere.",
}


class LossTrend(NamedTuple):
    """The straight line through the logarithm of the loss at the end."""

    since: Moment  # where the end begins
    rate: float  # slope of log loss per epoch; NaN where there is no such line
    scatter: float  # standard deviation of log loss around that line
    falling: bool  # whether it fell by more than it scatters: see `LEAST_FALL` and `SCATTERS`
    epochs_to_goal: float | None  # to the loss of the criteria, at this rate; None if it never comes

    @property
    def per_100_epochs(self) -> float:
        """Share by which the loss falls in 100 epochs; negative if it rises."""
        return -math.expm1(100 * min(self.rate, 5.0))

    def text(self) -> str:
        """Say how the loss went."""
        if math.isnan(self.rate):
            return ""
        if not self.falling:
            return f"Since {self.since} the loss does not fall by more than it scatters."
        text = f"Since {self.since} the loss falls by {number(100 * self.per_100_epochs)} % per 100 epochs."
        if self.epochs_to_goal is None:
            return text
        return f"{text} At this rate the loss that was asked for is {self.epochs_to_goal:,.0f} epochs away."


def loss_trend(trace: xr.Dataset, experiment: Experiment) -> LossTrend:
    """Fit the trend of the loss at the end."""
    loss = trace["loss"].values
    size = min(len(loss), max(2, math.ceil(WINDOW * len(loss))))
    start = len(loss) - size
    epochs = _fractional_epochs(trace)[start:]
    end = loss[start:]
    if size < 2 or np.ptp(epochs) == 0 or not np.all(end > 0):
        return LossTrend(moment(trace, start), math.nan, math.nan, False, None)
    logs = np.log(end)
    centred = epochs - epochs.mean()
    rate = float(centred @ (logs - logs.mean()) / (centred @ centred))
    scatter = float(np.std(logs - logs.mean() - rate * centred))
    fall = -rate * float(epochs[-1] - epochs[0])
    falling = fall > max(LEAST_FALL, SCATTERS * scatter)
    goal = None if experiment.criteria is None else experiment.criteria.loss
    to_goal = math.log(end[-1] / goal) / -rate if falling and goal and end[-1] > goal else None
    return LossTrend(moment(trace, start), rate, scatter, falling, to_goal)


def _fractional_epochs(trace: xr.Dataset) -> NDArray[np.float64]:
    """Return the time of each state in epochs: within an epoch, the share of its updates that were made."""
    if "step" not in trace.dims:
        return epochs_of(trace).astype(np.float64)
    per_epoch = max(int(np.bincount(epochs_of(trace)).max()), 1)
    return np.asarray(trace["step"].values / per_epoch)


class NotConverged(NamedTuple):
    """The criteria did not hold, and the seed neither diverged, nor died, nor sits on a known plateau."""

    cause: str  # "untrained", "stalled", "slow" or "flat": see `failure`
    loss_trend: LossTrend
    gradient_norm: float  # in the end
    stopped_early: bool  # whether EarlyStopping ended it

    def text(self, experiment: Experiment) -> str:
        """Say it in words."""
        opening = _OPENINGS[self.cause].format(norm=number(self.gradient_norm))
        early = "EarlyStopping ended it: the validation loss no longer improved." if self.stopped_early else ""
        no_criteria = "" if experiment.criteria else "Nothing was asked for: stop has no Converged(...)."
        return paragraph(opening, self.loss_trend.text(), early, no_criteria)


def _not_converged(cause: str, trace: xr.Dataset, experiment: Experiment) -> NotConverged:
    stopped_early = "stopped_early" in trace and bool(trace["stopped_early"])
    gradient_norm = float(trace["gradient_norm"].values[-1])
    return NotConverged(cause, loss_trend(trace, experiment), gradient_norm, stopped_early)


def untrained(trace: xr.Dataset, experiment: Experiment) -> NotConverged | None:
    """Return the evidence that no epoch was run, or None."""
    return _not_converged("untrained", trace, experiment) if trace["epochs_run"] == 0 else None


def stalled(trace: xr.Dataset, experiment: Experiment) -> NotConverged | None:
    """Return the evidence that there is hardly a gradient, or None."""
    evidence = _not_converged("stalled", trace, experiment)
    return evidence if evidence.gradient_norm < STALLED_GRADIENT_NORM else None


def slow(trace: xr.Dataset, experiment: Experiment) -> NotConverged | None:
    """Return the evidence that the loss was still falling, or None."""
    evidence = _not_converged("slow", trace, experiment)
    return evidence if evidence.loss_trend.falling else None


def flat(trace: xr.Dataset, experiment: Experiment) -> NotConverged:
    """Return the evidence where no other cause applies."""
    return _not_converged("flat", trace, experiment)
