"""Means of what lies between two bounds, with intervals that allow for seeds of a kind that a sample does not hold.

A normal interval rests on the variance of a sample. Where one seed in a thousand takes twenty times as long, a sample
of two hundred mostly holds none of these, and neither its mean nor its variance knows of them. Here the seeds of a
sample have unknown weights, the spacings of uniform numbers, and one seed more counts at a bound: the upper one for
the upper end, and the lower one for the lower end. Of a share this is the interval of Clopper and Pearson.

Gaffke, "Three test statistics for a nonparametric one-sided hypothesis on the mean of a nonnegative variable", 2005;
Phan, Thomas, Learned-Miller, "Towards practical mean bounds for small samples", 2021. Under censoring the weights are
those of Fay, Brittain, Proschan, "Pointwise confidence intervals for a survival distribution with small samples or
heavy censoring", 2013. The first three moments of such a mean are exact, and its quantile is that of the shifted
gamma distribution that has them (Pearson's type III).
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_SYMMETRIC = 1e-3  # skewness below which two terms of Cornish and Fisher are within 1e-6 of the gamma distribution
_FAR = 1e9  # times an estimate: an end beyond is open


class Moments(NamedTuple):
    """Mean, variance and third central moment of a random number."""

    mean: float
    variance: float
    third: float

    def quantile(self, share: float) -> float:
        """Return the quantile of Pearson's type III distribution with these moments."""
        from scipy.special import gammaincinv, ndtri

        if self.variance <= 0:
            return self.mean
        deviation = math.sqrt(self.variance)
        skewness = self.third / deviation**3
        if abs(skewness) < _SYMMETRIC:
            z = float(ndtri(share))
            standard = z + (z * z - 1) * skewness / 6
        else:
            shape = 4 / skewness**2
            place = float(gammaincinv(shape, share if skewness > 0 else 1 - share))
            standard = math.copysign((place - shape) / math.sqrt(shape), (place - shape) * skewness)
        return self.mean + deviation * standard


def of_stretches(lengths: NDArray[np.float64], left: NDArray[np.float64], gone: NDArray[np.float64]) -> Moments:
    """Return the moments of the area under a curve that falls from 1 by factors that are beta(left, gone).

    `lengths` are those of the stretches before, between and after the factors: (n + 1,); `left` and `gone` (n,).
    """
    total = left + gone
    first = left / total
    second = first * (left + 1) / (total + 1)
    third = second * (left + 2) / (total + 2)
    shares = [np.concatenate([[1.0], np.cumprod(power)]) for power in (first, second, third)]
    # of the area after each factor, as a share of the curve there: x = length + factor * (x of the next)
    mean = _from_here_on(lengths, shares[0])
    squares = lengths * (2 * mean - lengths)
    square = _from_here_on(squares, shares[1])
    cubes = lengths**2 * (3 * mean - 2 * lengths) + 3 * lengths * (square - squares)
    cube = float(shares[2] @ cubes)
    m, s = float(mean[0]), float(square[0])
    return Moments(m, s - m * m, cube - 3 * m * s + 2 * m**3)


def _from_here_on(terms: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sum of terms x shares from each place on, divided by the share there; 0 where that is 0."""
    sums = np.cumsum((terms * shares)[::-1])[::-1]
    return np.divide(sums, shares, out=np.zeros(len(sums)), where=shares > 0)


class Costs(NamedTuple):
    """Seeds, what each costs, and whether it fails, to find the cost of a success."""

    seeds: NDArray[np.float64]
    spent: NDArray[np.float64]
    fails: NDArray[np.float64]

    def end(self, value: float, extra: tuple[float, float], share: float) -> float | None:
        """Return the end of the interval of (mean of spent) / (1 - mean of fails); None: it is open.

        It is the cost e at which, with one seed more, `extra`, the mean of spent + e x fails is below e for this
        share of the weights.
        """
        from scipy.optimize import brentq

        beyond = self._quantiles(extra, share)
        if share < 0.5:
            return float(brentq(beyond, 0.0, value)) if beyond(0.0) > 0 else 0.0
        high = 2 * value
        while beyond(high) > 0:
            high *= 2
            if high > _FAR * value:
                return None
        return float(brentq(beyond, value, high))

    def _quantiles(self, extra: tuple[float, float], share: float) -> Callable[[float], float]:
        """Return a function of e: by how much the quantile of the mean of spent + e x fails is above e."""
        seeds = np.append(self.seeds, 1.0)
        spent, fails = (np.append(x, more) for x, more in zip((self.spent, self.fails), extra, strict=True))
        n = float(seeds.sum())
        mean, mean_fails = (float(seeds @ x) / n for x in (spent, fails))
        u, v = spent - mean, fails - mean_fails
        squares = [float(seeds @ each) / n for each in (u * u, 2 * u * v, v * v)]
        cubes = [float(seeds @ each) / n for each in (u * u * u, 3 * u * u * v, 3 * u * v * v, v * v * v)]

        def beyond(e: float) -> float:
            square, cube = (sum(x * e**power for power, x in enumerate(each)) for each in (squares, cubes))
            return (
                Moments(mean + e * mean_fails, square / (n + 1), 2 * cube / ((n + 1) * (n + 2))).quantile(share) - e
            )

        return beyond
