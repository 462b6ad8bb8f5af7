"""A proportion and its interval."""

from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgrok.errors import InvalidExperiment


class Interval(NamedTuple):
    """The ends of an interval."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]


def wilson(successes: ArrayLike, n: ArrayLike, confidence: float = 0.95) -> Interval:
    """
    Return Wilson's score interval of a proportion.

    (p + z**2 / (2 n) -+ z sqrt(p (1 - p) / n + z**2 / (4 n**2))) / (1 + z**2 / n) with p = successes / n.

    Parameters
    ----------
    successes
        How many of n, 0 to n; any shape.
    n
        How many there are, 1 or more; broadcast against `successes`.
    confidence
        The probability that the interval covers the proportion, between 0 and 1.

    Raises
    ------
    InvalidExperiment
        If a number is outside of its limits.

    Notes
    -----
    Wilson, "Probable inference, the law of succession, and statistical inference", 1927. Exactly 0 is the
    low end for no success and exactly 1 the high end for n of n. The other end of a rare event is computed
    without cancellation.

    Examples
    --------
    >>> low, high = wilson(0, 10)
    >>> float(low), round(float(high), 4)
    (0.0, 0.2775)
    """
    k, total = np.asarray(successes, dtype=np.float64), np.asarray(n, dtype=np.float64)
    if not np.all(np.isfinite(total) & (total >= 1)):
        raise InvalidExperiment("n", n, "numbers at least 1")
    if not np.all((k >= 0) & (k <= total)):
        raise InvalidExperiment("successes", successes, "numbers from 0 to n")
    z = _normal_quantile(confidence)
    above = k + z * z / 2 + z * np.sqrt(k * (total - k) / total + z * z / 4)
    low = np.divide(k * k / total, above, out=np.zeros(above.shape), where=k > 0)  # the smaller root by Vieta
    high = np.where(k == total, 1.0, above / (total + z * z))
    return Interval(low, np.minimum(high, 1.0))


def _normal_quantile(confidence: float) -> float:
    """Return z such that a standard normal is within z of 0 with this probability."""
    if not (isinstance(confidence, int | float | np.floating) and 0 < confidence < 1):
        raise InvalidExperiment("confidence", confidence, "a number greater than 0 and less than 1")
    return -NormalDist().inv_cdf((1 - float(confidence)) / 2)
