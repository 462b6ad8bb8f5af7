"""The trend of the loss at the end, and the causes that it shows: untrained, saddle, vanished, slow and flat."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.explain.text import paragraph
from fastgrok.explain.trace import Moment, epochs_of, moment
from fastgrok.spec.experiment import Experiment
from fastgrok.statistics.attainable import attainable, out_of_reach, solved_loss
from fastgrok.statistics.text import number

if TYPE_CHECKING:
    import xarray as xr

WINDOW = 0.25
"""The end of a history: this share of its recorded times, two at least."""

LEAST_FALL = 1e-3
"""A loss falls if by the straight line through its logarithm it fell by more than this share over the end."""

SCATTERS = 2.0
"""And by more than so many standard deviations of its logarithm around that line."""

SLOWER, FASTER = 0.8, 1.25
"""A loss falls ever more slowly, or ever faster, if in the second half of the end its rate is so many times that of
the whole."""

WITHIN = 10
"""A longer run finishes what is slow: one of so many times the epochs at most."""

VANISHED = 1e-6
"""Norm of the gradient below which it has vanished, for targets from 0 to 1: times their spread."""

GROWTH = 1.5
"""A seed is leaving a saddle if its gradient norm grew by this factor over the end, and by more than it scatters."""

_OPENINGS = {
    "untrained": "Untrained: no epoch was run.",
    "saddle": "At a saddle: the loss hardly changes, but the gradient grows, so that the seed is leaving it.",
    "vanished": "Vanished: the gradient norm is {norm}, below {vanished}, and does not grow.",
    "slow": "Slow: it was still learning when training ended.",
    "flat": "Flat: training no longer gets anywhere, though the gradient norm is {norm}: "
    "updates undo each other, or lead nowhere.",
    "creeping": "Flat: the loss falls so slowly that no longer run would do.",
}


class LossTrend(NamedTuple):
    """The straight line through the logarithm of the loss at the end."""

    since: Moment  # where the end begins
    rate: float  # slope of log loss per epoch; NaN where there is no such line
    scatter: float  # standard deviation of log loss around that line
    falling: bool  # whether it fell by more than it scatters: see `LEAST_FALL` and `SCATTERS`
    pace: float  # its rate in the second half of the end over that of the whole: see `SLOWER` and `FASTER`
    goal: float | None  # the loss of the criteria, or that of a solved seed; None: it is there
    asked: bool  # whether it is that of the criteria
    epochs_to_goal: float | None  # from the end; None if a run `WITHIN` times as long does not come there
    gradient_growth: float  # factor by which the gradient norm grew over the end; 1: no more than it scatters

    @property
    def per_100_epochs(self) -> float:
        """Share by which the loss falls in 100 epochs; negative if it rises."""
        return -math.expm1(100 * min(self.rate, 5.0))

    @property
    def finishes(self) -> bool:
        """Whether a run `WITHIN` times as long would do: it comes to the goal, or the loss falls ever faster."""
        is_there = self.goal is None and self.pace >= SLOWER
        return self.falling and (self.epochs_to_goal is not None or is_there or self.pace > FASTER)

    def text(self) -> str:
        """Say how the loss went."""
        if math.isnan(self.rate):
            return ""
        grows = f"Since {self.since} the gradient norm grew {number(self.gradient_growth, 3)} times."
        if not self.falling:
            stays = f"Since {self.since} the loss does not fall by more than it scatters."
            return grows if self.gradient_growth > 1 else stays
        pace = ", ever more slowly" if self.pace < SLOWER else ", ever faster" if self.pace > FASTER else ""
        text = f"Since {self.since} the loss falls by {number(100 * self.per_100_epochs)} % per 100 epochs{pace}."
        if self.goal is None or (self.epochs_to_goal is None and self.pace > FASTER):
            return text
        goal = (
            "the loss that was asked for" if self.asked else f"a loss of {number(self.goal)}, that of a solved seed,"
        )
        if self.epochs_to_goal is None:
            return f"{text} In a run {WITHIN} times as long it would not come to {goal.rstrip(',')}."
        return f"{text} At this rate {goal} is {self.epochs_to_goal:,.0f} epochs away."


def loss_trend(trace: xr.Dataset, experiment: Experiment) -> LossTrend:
    """Fit the trend of the loss at the end."""
    loss = trace["loss"].values
    size = min(len(loss), max(2, math.ceil(WINDOW * len(loss))))
    start = len(loss) - size
    epochs = _fractional_epochs(trace)[start:]
    end = loss[start:]
    if size < 2 or np.ptp(epochs) == 0 or not np.all(end > 0):
        return LossTrend(moment(trace, start), math.nan, math.nan, False, 1.0, None, False, None, 1.0)
    rate, scatter = _line(epochs, np.log(end))
    fall = -rate * float(epochs[-1] - epochs[0])
    falling = fall > max(LEAST_FALL, SCATTERS * scatter)
    half = size // 2
    pace = _line(epochs[half:], np.log(end[half:]))[0] / rate if falling and half >= 2 else 1.0
    goal = _goal(experiment, float(end[-1]))
    to_goal = None if goal is None or not falling else _epochs_to(goal, epochs, end, is_slower=pace < SLOWER)
    asked = experiment.criteria is not None and experiment.criteria.loss is not None
    growth = _growth(epochs, trace["gradient_norm"].values[start:])
    return LossTrend(moment(trace, start), rate, scatter, falling, pace, goal, asked, to_goal, growth)


def _line(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    """Return the slope of a straight line through points, (n,), and how they scatter around it."""
    centred = x - x.mean()
    slope = float(centred @ (y - y.mean()) / (centred @ centred))
    return slope, float(np.std(y - y.mean() - slope * centred))


def _goal(experiment: Experiment, loss: float) -> float | None:
    """Return the loss that is asked for, or, where none is, that at which the data are solved; None: it is there."""
    criteria, best = experiment.criteria, attainable(experiment.data, experiment.loss)
    asked = None if criteria is None else criteria.loss
    goal = solved_loss(best) if asked is None else asked
    return goal if loss > goal > 0 else None


def _epochs_to(
    goal: float, epochs: NDArray[np.float64], losses: NDArray[np.float64], *, is_slower: bool
) -> float | None:
    """Return the epochs that a falling loss is away from a goal: along a line, or, ever more slowly, a power."""
    last, half = float(epochs[-1]), len(epochs) // 2
    gap = math.log(float(losses[-1]) / goal)
    if not is_slower:
        away = gap / -_line(epochs, np.log(losses))[0]
    else:
        late = slice(half if len(epochs) - half >= 2 else 0, None)
        power = -_line(np.log(np.maximum(epochs[late], 1e-9)), np.log(losses[late]))[0]
        if power <= 0 or gap / power > math.log(WITHIN):
            return None
        away = last * math.expm1(gap / power)
    return away if away <= (WITHIN - 1) * last else None


def _growth(epochs: NDArray[np.float64], norms: NDArray[np.float64]) -> float:
    """Return the factor by which a gradient norm grew, by a line through its logarithm; 1 where it scatters more."""
    if not np.all(norms > 0):
        return 1.0
    slope, scatter = _line(epochs, np.log(norms))
    grown = slope * float(epochs[-1] - epochs[0])
    return math.exp(min(grown, 700.0)) if grown > max(math.log(GROWTH), SCATTERS * scatter) else 1.0


def _fractional_epochs(trace: xr.Dataset) -> NDArray[np.float64]:
    """Return the time of each state in epochs: within an epoch, the share of its updates that were made."""
    if "step" not in trace.dims:
        return epochs_of(trace).astype(np.float64)
    per_epoch = max(int(np.bincount(epochs_of(trace)).max()), 1)
    return np.asarray(trace["step"].values / per_epoch)


class NotConverged(NamedTuple):
    """The criteria did not hold, and the seed neither diverged, nor died, nor sits on a known plateau."""

    cause: str  # "untrained", "saddle", "vanished", "slow" or "flat": see `failure`
    loss_trend: LossTrend
    gradient_norm: float  # in the end

    def text(self, experiment: Experiment) -> str:
        """Say it in words."""
        cause = "creeping" if self.cause == "flat" and self.loss_trend.falling else self.cause
        vanished = f"{_vanishing(experiment):.3g}"
        opening = _OPENINGS[cause].format(norm=number(self.gradient_norm), vanished=vanished)
        criteria = experiment.criteria
        no_criteria = "" if criteria else "Nothing was asked for: stop has no Converged(...)."
        beyond = "" if criteria is None else out_of_reach(criteria, experiment.data, experiment.loss) or ""
        return paragraph(opening, self.loss_trend.text(), no_criteria, beyond)


def _not_converged(cause: str, trace: xr.Dataset, experiment: Experiment) -> NotConverged:
    gradient_norm = float(trace["gradient_norm"].values[-1])
    return NotConverged(cause, loss_trend(trace, experiment), gradient_norm)


def untrained(trace: xr.Dataset, experiment: Experiment) -> NotConverged | None:
    """Return the evidence that no epoch was run, or None."""
    return _not_converged("untrained", trace, experiment) if trace["epochs_run"] == 0 else None


def saddle(trace: xr.Dataset, experiment: Experiment) -> NotConverged | None:
    """Return the evidence that the seed is leaving a saddle, or None."""
    evidence = _not_converged("saddle", trace, experiment)
    trend = evidence.loss_trend
    return evidence if trend.gradient_growth > 1 and not trend.falling else None


def vanished(trace: xr.Dataset, experiment: Experiment) -> NotConverged | None:
    """Return the evidence that there is hardly a gradient, or None."""
    evidence = _not_converged("vanished", trace, experiment)
    return evidence if evidence.gradient_norm < _vanishing(experiment) else None


def _vanishing(experiment: Experiment) -> float:
    """Return the norm of the gradient below which it has vanished."""
    return VANISHED * (float(np.ptp(experiment.data.y)) or 1.0)


def slow(trace: xr.Dataset, experiment: Experiment) -> NotConverged | None:
    """Return the evidence that a longer run would have done, or None."""
    evidence = _not_converged("slow", trace, experiment)
    trend = evidence.loss_trend
    return evidence if trend.finishes else None


def flat(trace: xr.Dataset, experiment: Experiment) -> NotConverged:
    """Return the evidence where no other cause applies."""
    return _not_converged("flat", trace, experiment)
