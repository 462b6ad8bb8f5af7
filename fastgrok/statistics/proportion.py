"""A proportion and its interval."""

import functools
import math
from collections.abc import Callable
from statistics import NormalDist
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgrok.errors import InvalidExperiment, checked_choice, short_repr
from fastgrok.statistics.arguments import integers


class Interval(NamedTuple):
    """The ends of an interval: arrays of those of several, plain numbers of one.

    Parameters
    ----------
    low, high
        The lower and the upper end.
    """

    low: Any
    high: Any


Method = Literal["wilson", "clopper_pearson"]
"""Name of an interval of a proportion."""


class Estimate(NamedTuple):
    """A number and its interval.

    Parameters
    ----------
    value
        The number; None: there is none, such as a median that was not reached.
    low, high
        The ends of its interval; None: open on that side.
    """

    value: float | None
    low: float | None
    high: float | None


NO_ESTIMATE = Estimate(None, None, None)


def rate(successes: int, n: int, confidence: float = 0.95, method: Method = "wilson") -> Estimate:
    """Return a proportion with its interval.

    Parameters
    ----------
    successes
        How many of n.
    n
        How many there are. With none there is nothing to estimate: None, from 0 to 1.
    confidence
        As in `fastgrok.statistics`.
    method
        "wilson", which covers as often as it says in the mean over proportions, or "clopper_pearson", which covers
        at least as often for every proportion, and is wider.

    Examples
    --------
    >>> [round(x, 3) for x in rate(9, 10)]
    [0.9, 0.596, 0.982]
    >>> [round(x, 3) for x in rate(9, 10, method="clopper_pearson")]
    [0.9, 0.555, 0.997]
    """
    methods = {"wilson": wilson, "clopper_pearson": clopper_pearson}
    checked_choice("method", method, methods)
    k, total = integers("successes", successes), integers("n", n)
    if k.ndim or total.ndim:
        raise InvalidExperiment(*(("successes", successes) if k.ndim else ("n", n)), "one integer")
    if n == 0 and successes == 0:
        normal_quantile(confidence)
        return Estimate(None, 0.0, 1.0)
    low, high = methods[method](successes, n, confidence)
    return Estimate(int(k) / int(total), low, high)


def clopper_pearson(successes: ArrayLike, n: ArrayLike, confidence: float = 0.95) -> Interval:
    """Return Clopper and Pearson's interval of a proportion.

    The proportions p for which neither P(X >= successes) nor P(X <= successes) is below (1 - confidence) / 2, where
    X is binomial(n, p).

    Parameters
    ----------
    successes
        How many of n, 0 to n; any shape.
    n
        How many there are, 1 or more; broadcast against `successes`.
    confidence
        As in `fastgrok.statistics`.

    Notes
    -----
    Clopper, Pearson, "The use of confidence or fiducial limits", 1934: quantiles of beta distributions.

    Examples
    --------
    >>> [round(x, 4) for x in clopper_pearson(0, 10)]
    [0.0, 0.3085]
    """
    return _plain(*clopper_pearson_of_shares(*_checked(successes, n), confidence))


def clopper_pearson_of_shares(k: NDArray[np.float64], total: NDArray[np.float64], confidence: float) -> Interval:
    """Return Clopper and Pearson's interval of k of total, which need not be whole: see `wilson_of_shares`."""
    from scipy.special import betaincinv

    normal_quantile(confidence)
    tail = (1 - float(confidence)) / 2
    some, not_all = k > 0, k < total
    low = np.where(some, betaincinv(np.where(some, k, 1), total - k + 1, tail), 0.0)
    high = np.where(not_all, betaincinv(k + 1, np.where(not_all, total - k, 1), 1 - tail), 1.0)
    return Interval(low, high)


def wilson(successes: ArrayLike, n: ArrayLike, confidence: float = 0.95) -> Interval:
    """Return Wilson's score interval of a proportion.

    (p + z**2 / (2 n) -+ z sqrt(p (1 - p) / n + z**2 / (4 n**2))) / (1 + z**2 / n) with p = successes / n.

    Parameters
    ----------
    successes, n, confidence
        As for `clopper_pearson`.

    Notes
    -----
    Wilson, "Probable inference, the law of succession, and statistical inference", 1927. Exactly 0 is the
    low end for no success and exactly 1 the high end for n of n. The other end of a rare event is computed
    without cancellation.

    Examples
    --------
    >>> [round(x, 4) for x in wilson(0, 10)]
    [0.0, 0.2775]
    """
    return _plain(*wilson_of_shares(*_checked(successes, n), confidence))


def wilson_of_shares(k: NDArray[np.float64], total: NDArray[np.float64], confidence: float) -> Interval:
    """Return Wilson's interval of k of total, which need not be whole: as many seeds as a variance is worth."""
    z = normal_quantile(confidence)
    above = k + z * z / 2 + z * np.sqrt(k * (total - k) / total + z * z / 4)
    low = np.divide(k * k / total, above, out=np.zeros(above.shape), where=k > 0)  # the smaller root by Vieta
    high = np.where(k == total, 1.0, above / (total + z * z))
    return Interval(low, np.minimum(high, 1.0))


def relative_risk(cases_a: int, n_a: int, cases_b: int, n_b: int, confidence: float = 0.95) -> Estimate:
    """Return the ratio of two independent proportions, (cases_a / n_a) / (cases_b / n_b).

    The interval holds the ratios r for which p_a - r p_b is within z standard errors of 0, each standard error being
    that of the two proportions that are the likeliest of those with this ratio.

    Parameters
    ----------
    cases_a, n_a
        Seeds of one kind, and how many of them are cases. With none of a kind there is nothing to estimate: None.
    cases_b, n_b
        Those of the other kind.
    confidence
        As in `fastgrok.statistics`.

    Notes
    -----
    Miettinen, Nurminen, "Comparative analysis of two rates", 1985: a score interval, as that of Wilson is of one
    proportion. No case among b: the ratio is None, and its interval open above.

    Examples
    --------
    >>> [round(x, 3) for x in relative_risk(30, 100, 10, 100)]
    [3.0, 1.584, 5.799]
    """
    z = normal_quantile(confidence)
    for cases, n, name in ((cases_a, n_a, "cases_a"), (cases_b, n_b, "cases_b")):
        k, total = integers(name, cases, "an integer"), integers(name.replace("cases", "n"), n, "an integer")
        if k.ndim or total.ndim or not 0 <= k <= total:
            raise InvalidExperiment(name, cases, f"an integer from 0 to {short_repr(n)}")
    if not n_a or not n_b or not (cases_a or cases_b):
        return NO_ESTIMATE
    score = functools.partial(_score_of_ratio, *(int(x) for x in (cases_a, n_a, cases_b, n_b)))
    low = _ratio_with_score(score, z) if cases_a else 0.0
    if not cases_b:
        return Estimate(None, low, None)
    value = (cases_a / n_a) / (cases_b / n_b)
    return Estimate(value, min(low, value), max(_ratio_with_score(score, -z), value))


def _score_of_ratio(cases_a: int, n_a: int, cases_b: int, n_b: int, log_ratio: float) -> float:
    """Return by how many standard errors p_a - r p_b is above 0, r being a ratio; it falls as r grows."""
    r, n, cases = math.exp(log_ratio), n_a + n_b, cases_a + cases_b
    half = (r * (n_a + cases_b) + cases_a + n_b) / 2
    p_b = cases / (half + math.sqrt(max(half**2 - n * r * cases, 0.0)))  # of n r p**2 - 2 half p + cases = 0
    p_a = min(r * p_b, 1.0)
    variance = (p_a * (1 - p_a) / n_a + r**2 * p_b * (1 - p_b) / n_b) * n / (n - 1)
    apart = cases_a / n_a - r * cases_b / n_b
    return apart / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, apart) if apart else 0.0


def _ratio_with_score(score: Callable[[float], float], wanted: float) -> float:
    """Return the ratio that has this score."""
    from scipy.optimize import brentq

    low = high = 0.0
    while score(low) <= wanted:
        low -= 1 - low
    while score(high) >= wanted:
        high += 1 + high
    return math.exp(brentq(lambda x: score(x) - wanted, low, high))


def _checked(successes: ArrayLike, n: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both as numbers, which must be counts."""
    expected = f"integers from 0 to n = {short_repr(n)}"
    total, k = integers("n", n, "integers, 1 or more"), integers("successes", successes, expected)
    if not np.all(total >= 1):
        raise InvalidExperiment("n", n, "integers, 1 or more")
    try:
        k, total = np.broadcast_arrays(k, total)
    except ValueError:
        raise InvalidExperiment("n", n, "one number, or one for each of successes") from None
    if not np.all((k >= 0) & (k <= total)):
        raise InvalidExperiment("successes", successes, expected)
    return k.astype(np.float64), total.astype(np.float64)


def _plain(low: NDArray[np.float64], high: NDArray[np.float64]) -> Interval:
    """Return the interval of one proportion as plain numbers."""
    return Interval(low, high) if np.ndim(low) else Interval(float(low), float(high))


def normal_quantile(confidence: float) -> float:
    """Return z such that a standard normal is within z of 0 with this probability: 1.96 for 0.95."""
    if not (isinstance(confidence, int | float | np.floating) and 0 < confidence < 1):
        raise InvalidExperiment("confidence", confidence, "a number greater than 0 and less than 1")
    return -NormalDist().inv_cdf((1 - float(confidence)) / 2)
