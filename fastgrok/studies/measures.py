"""The measures of a study, with intervals where other seeds would give other numbers, and what a source expects."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgrok.statistics.counts import Counts
from fastgrok.statistics.differences import risk_difference
from fastgrok.statistics.paired import Table
from fastgrok.statistics.proportion import Estimate, normal_quantile, rate
from fastgrok.statistics.survival import quantile, survival_curve

Measure = Callable[[float], Estimate]
"""Returns the number with its interval, from the confidence of the interval: how many intervals must hold together is
known only when a study is over."""


def share(holds: ArrayLike) -> Measure:
    """Return the share of seeds for which something holds, with the interval of Clopper and Pearson.

    It covers at least as often as it says, whatever the share: a closed form that is true is not doubted for the
    sake of a narrower interval.
    """
    array = np.asarray(holds, dtype=bool)
    return partial(rate, int(np.count_nonzero(array)), array.size, method="clopper_pearson")


def difference(a: ArrayLike, b: ArrayLike) -> Measure:
    """Return by how much more often something holds for the same seeds in one case than in another."""
    return partial(risk_difference, Table.of(a, b))


def median(counts: Counts) -> Measure:
    """Return the epoch by which half of all seeds have converged; there is none where fewer do."""
    return partial(quantile, survival_curve(counts), 0.5)


def normal(value: float, error: float) -> Measure:
    """Return an estimate whose distribution is near a normal one."""

    def estimate(confidence: float) -> Estimate:
        half = normal_quantile(confidence) * error
        return Estimate(value, value - half, value + half)

    return estimate


def mean(values: ArrayLike) -> Measure:
    """Return the mean of a number that each seed has."""
    array = np.asarray(values, dtype=np.float64)
    return normal(float(array.mean()), _standard_error(array))


def ratio(above: ArrayLike, below: ArrayLike) -> Measure:
    """Return the mean of one number divided by the mean of another, where both have the same seeds.

    The standard error is that of (above - ratio * below) / mean(below), to first order in the errors of both means.
    """
    top, bottom = np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64)
    value = float(top.mean() / bottom.mean())
    return normal(value, _standard_error((top - value * bottom) / bottom.mean()))


def _standard_error(values: NDArray[np.float64]) -> float:
    """Return the standard error of a mean."""
    return float(values.std(ddof=1) / np.sqrt(values.size))


def metric(result: Any, name: str) -> NDArray[Any]:
    """Return one result variable of a run, a row for each seed."""
    return np.asarray(result.outputs[0].finished_metrics[name])


class Expectation(NamedTuple):
    """The numbers that a source allows."""

    low: float = -math.inf  # the smallest
    high: float = math.inf  # the largest
    shown: bool = False  # whether the observation must show it: its whole interval lies inside, ends excluded
    measured: Measure | None = None  # an estimate from other seeds, in place of `low` and `high`
    by: str = "source"  # where it comes from, in a word or two

    def at(self, confidence: float) -> Estimate:
        """Return the numbers allowed; the value is that of a closed form or estimate, and else there is none."""
        if self.measured is not None:
            return self.measured(confidence)
        ends = (None if math.isinf(end) else end for end in (self.low, self.high))
        return Estimate(self.low if self.low == self.high else None, *ends)

    def agrees(self, observed: Estimate, confidence: float) -> bool:
        """Return whether an observation agrees."""
        (low, high), (least, most) = _ends(self.at(confidence)), _ends(observed)
        if self.shown:
            return low < least and most < high
        return least <= high and low <= most


def _ends(estimate: Estimate) -> tuple[float, float]:
    """Return the ends of an interval, infinite where it is open."""
    low, high = estimate.low, estimate.high
    return -math.inf if low is None else float(low), math.inf if high is None else float(high)


def equal(value: float, by: str = "closed form") -> Expectation:
    """Expect this number."""
    return Expectation(value, value, by=by)


def at_most(value: float, by: str = "bound") -> Expectation:
    """Expect no more than this: contradicted by an interval that lies above."""
    return Expectation(high=value, by=by)


def at_least(value: float, by: str = "bound") -> Expectation:
    """Expect no less than this: contradicted by an interval that lies below."""
    return Expectation(low=value, by=by)


def above(value: float, by: str = "source") -> Expectation:
    """Expect more than this, shown by an interval that lies above."""
    return Expectation(low=value, shown=True, by=by)


def below(value: float, by: str = "source") -> Expectation:
    """Expect less than this, shown by an interval that lies below."""
    return Expectation(high=value, shown=True, by=by)


def estimated(measured: Measure, by: str) -> Expectation:
    """Expect what other seeds led to expect."""
    return Expectation(measured=measured, by=by)


def printed(text: str, digits: int = 8) -> Expectation:
    """Expect a number that NumPy printed: any that it would have printed so."""
    exponent = int(text.partition("e")[2] or 0)
    half = 0.5001 * 10.0 ** (exponent - digits)
    return Expectation(float(text) - half, float(text) + half)
