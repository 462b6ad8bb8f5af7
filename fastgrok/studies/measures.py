"""What a study measures: a plain number, or one that other seeds would give otherwise, with an interval."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgrok.statistics.counts import Counts
from fastgrok.statistics.differences import risk_difference
from fastgrok.statistics.paired import Table
from fastgrok.statistics.proportion import Estimate, normal_quantile, rate
from fastgrok.statistics.survival import quantile, survival_curve

Measure = Callable[[float], Estimate]
"""Returns the number with its interval, given the confidence of the interval: how many intervals must hold together
is known only when a study is over."""


def share(holds: ArrayLike) -> Measure:
    """
    Return the share of seeds for which something holds, with the interval of Clopper and Pearson.

    Notes
    -----
    It covers at least as often as it says, whatever the share: a closed form that is true is not doubted for the
    sake of a narrower interval.

    Examples
    --------
    >>> share([True, False, True])(0.95)
    Estimate(value=0.666..., low=0.094..., high=0.991...)
    """
    array = np.asarray(holds, dtype=bool)
    return partial(rate, int(np.count_nonzero(array)), array.size, method="clopper_pearson")


def difference(one: ArrayLike, other: ArrayLike) -> Measure:
    """
    Return by how much more often something holds for the same seeds in one case than in another.

    Examples
    --------
    >>> difference([True, True, False, True], [True, False, False, True])(0.95).value
    0.25
    """
    return partial(risk_difference, Table.of(one, other))


def median(counts: Counts) -> Measure:
    """Return the epoch by which half of all seeds have converged; there is none where fewer do."""
    return partial(quantile, survival_curve(counts), 0.5)


def normal(value: float, error: float) -> Measure:
    """
    Return an estimate whose distribution is near a normal one.

    Examples
    --------
    >>> normal(3, 1)(0.95)
    Estimate(value=3, low=1.040..., high=4.959...)
    """

    def estimate(confidence: float) -> Estimate:
        half = normal_quantile(confidence) * error
        return Estimate(value, value - half, value + half)

    return estimate


def mean(values: ArrayLike) -> Measure:
    """
    Return the mean of a number that each seed has.

    Examples
    --------
    >>> mean([1, 3])(0.95).value
    2.0
    """
    array = np.asarray(values, dtype=np.float64)
    return normal(float(array.mean()), _error(array))


def ratio(above: ArrayLike, below: ArrayLike) -> Measure:
    """
    Return the mean of one number divided by the mean of another, where both have the same seeds.

    Notes
    -----
    The standard error is that of (above - ratio * below) / mean(below), to first order in the errors of both means.

    Examples
    --------
    >>> ratio([2, 4, 6], [True, True, False])(0.95).value
    6.0
    """
    top, bottom = np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64)
    value = float(top.mean() / bottom.mean())
    return normal(value, _error((top - value * bottom) / bottom.mean()))


def _error(values: NDArray[np.float64]) -> float:
    """Return the standard error of a mean."""
    return float(values.std(ddof=1) / np.sqrt(values.size))


def column(result: Any, name: str) -> NDArray[Any]:
    """Return one variable of a run as a plain array."""
    return np.asarray(result.outputs[0].finished_metrics[name])
