"""Two configurations on seeds of their own: by how much more often, and how much sooner, seeds converge with one."""

import math

import numpy as np

from fastgrok.errors import InvalidExperiment
from fastgrok.statistics.arguments import checked, checked_cutoffs, integers
from fastgrok.statistics.counts import Counts
from fastgrok.statistics.proportion import NO_ESTIMATE, Estimate, normal_quantile
from fastgrok.statistics.restarts import best_cutoff, expected_epochs
from fastgrok.statistics.survival import quantile, survival_curve
from fastgrok.statistics.two_sample_values import interval_of_difference

_LEVELS = 3  # of confidence, for each time that 1 - confidence goes into 1
_EDGE = 1e-12  # a difference of rates is not tried nearer to 1 than this


@checked
def independent_difference(
    converged_a: int, n_a: int, converged_b: int, n_b: int, confidence: float = 0.95
) -> Estimate:
    """Return by how much more often seeds converge with a than with b, each on seeds of its own.

    converged_a / n_a - converged_b / n_b; its interval holds the differences d that the score test of `independent_p`
    does not reject.

    Parameters
    ----------
    converged_a, n_a
        Seeds that converge with a, of how many. With none there is nothing to estimate: None, from -1 to 1.
    converged_b, n_b
        The same of b.
    confidence
        As in `fastgrok.statistics`.

    Notes
    -----
    Miettinen, Nurminen, "Comparative analysis of two rates", 1985. It has a width where no seed fails, and leaves 0
    out just where the test rejects. On the same seeds `risk_difference` is narrower.

    Examples
    --------
    >>> [round(x, 3) for x in independent_difference(80, 100, 65, 100)]
    [0.15, 0.026, 0.271]
    """
    z = normal_quantile(confidence)
    cells = _cells(converged_a, n_a, converged_b, n_b)
    if not cells[1] or not cells[3]:
        return Estimate(None, -1.0, 1.0)
    value = cells[0] / cells[1] - cells[2] / cells[3]
    return Estimate(value, -_end(cells[2:] + cells[:2], -value, z), _end(cells, value, z))


@checked
def independent_p(converged_a: int, n_a: int, converged_b: int, n_b: int, difference: float = 0.0) -> float:
    """Return the probability of rates as far apart as these if they differ by a given difference.

    Parameters
    ----------
    converged_a, n_a, converged_b, n_b
        As for `independent_difference`.
    difference
        That of the rates with a and with b under the hypothesis, greater than -1 and less than 1.

    Notes
    -----
    The score test, in which the variance is that of the likeliest rates that differ by so much, times n / (n - 1) for
    the n seeds of both; for a difference of 0 the chi-squared test without correction for continuity, which is what
    `seeds_needed` plans.

    Examples
    --------
    >>> round(independent_p(80, 100, 65, 100), 4)
    0.0178
    """
    cells = _cells(converged_a, n_a, converged_b, n_b)
    if not -1 < difference < 1:
        raise InvalidExperiment("difference", difference, "a number greater than -1 and less than 1")
    if not cells[1] or not cells[3]:
        return 1.0
    return math.erfc(abs(_score(cells, float(difference))) / math.sqrt(2))


_Cells = tuple[int, int, int, int]


def _cells(converged_a: int, n_a: int, converged_b: int, n_b: int) -> _Cells:
    """Return the four numbers, checked."""
    for name, converged, of, n in (("a", converged_a, "n_a", n_a), ("b", converged_b, "n_b", n_b)):
        if integers(of, n, "an integer").ndim or n < 0:
            raise InvalidExperiment(of, n, "an integer, 0 or more")
        if integers(f"converged_{name}", converged, "an integer").ndim or not 0 <= converged <= n:
            raise InvalidExperiment(f"converged_{name}", converged, f"an integer from 0 to {n}")
    return int(converged_a), int(n_a), int(converged_b), int(n_b)


def _score(cells: _Cells, d: float) -> float:
    """Return how many standard errors the difference of two rates is above d."""
    k, m, j, n = cells
    p, q = k / m, j / n
    above = p - q - d
    rate = _likeliest(p, q, n / m, d)
    variance = rate * (1 - rate) / m + max(rate - d, 0.0) * (1 - rate + d) / n
    variance *= (m + n) / (m + n - 1)
    if variance <= 0:
        return 0.0 if abs(above) < _EDGE else math.copysign(math.inf, above)
    return above / math.sqrt(variance)


def _likeliest(p: float, q: float, ratio: float, d: float) -> float:
    """Return the likeliest rate of a if that of b is less by d, the root of a cubic; ratio: seeds of b / of a."""
    a = 1 + ratio
    b = -(1 + ratio + p + ratio * q + d * (ratio + 2))
    c = d * d + d * (2 * p + ratio + 1) + p + ratio * q
    e = -p * d * (1 + d)
    v = (b / (3 * a)) ** 3 - b * c / (6 * a * a) + e / (2 * a)
    u = math.copysign(math.sqrt(max((b / (3 * a)) ** 2 - c / (3 * a), 0.0)), v)
    angle = (math.pi + math.acos(min(max(v / u**3 if u else 0.0, -1.0), 1.0))) / 3
    root = 2 * u * math.cos(angle) - b / (3 * a)
    return float(min(max(root, d, 0.0), 1.0, 1.0 + d))


def _end(cells: _Cells, value: float, z: float) -> float:
    """Return the largest difference that is no more than z standard errors above the one seen."""
    from scipy.optimize import brentq

    if value >= 1 - _EDGE or _score(cells, 1 - _EDGE) > -z:
        return 1.0
    return float(brentq(lambda d: _score(cells, d) + z, value, 1 - _EDGE, xtol=1e-12))


@checked
def independent_ratio_of_medians(a: Counts, b: Counts, confidence: float = 0.95) -> Estimate:
    """Return the median epochs to convergence with a, divided by those with b, each on seeds of its own.

    Parameters
    ----------
    a, b
        `Counts` of two configurations, of different seeds.
    confidence
        As in `fastgrok.statistics`.

    Raises
    ------
    InvalidExperiment
        If there are no seeds, or there is no criterion.

    Notes
    -----
    The ends of the intervals of a median at all levels of confidence, those of `quantile`, are a distribution of
    where the true one may be; the interval is that of the ratio of two numbers with these distributions, drawn
    independently. All of them are epochs, so that no interval is narrower than the steps between these. A median
    that was not reached leaves nothing.

    Examples
    --------
    >>> a, b = Counts.of_epochs(range(20, 60), until=90), Counts.of_epochs(range(10, 50), until=90)
    >>> [round(x, 2) for x in independent_ratio_of_medians(a, b)]
    [1.34, 1.03, 1.77]
    """
    normal_quantile(confidence)
    curves = [survival_curve(counts) for counts in (a, b)]
    medians = [quantile(curve, 0.5, confidence) for curve in curves]
    if any(median.value is None for median in medians):
        return NO_ESTIMATE
    n_levels = min(math.ceil(_LEVELS / (1 - confidence)), 1000)
    levels = ((k + 0.5) / n_levels for k in range(n_levels))
    intervals = np.array([[_closed(quantile(curve, 0.5, c)) for curve in curves] for c in levels])
    ends = intervals.transpose(1, 0, 2).reshape(2, -1)  # of each median
    low, high = interval_of_difference(np.log(ends), confidence)
    return Estimate(_ratio(medians), *(None if x is None else math.exp(x) for x in (low, high)))


def _ratio(medians: list[Estimate]) -> float:
    """Return the ratio of two medians that were reached."""
    return float(medians[0].value or 0.0) / float(medians[1].value or math.nan)


def _closed(estimate: Estimate) -> tuple[float, float]:
    """Return the ends of an interval, infinite where it is open above."""
    return math.inf if estimate.low is None else estimate.low, math.inf if estimate.high is None else estimate.high


@checked
def independent_ratio_of_expected(
    a: Counts, b: Counts, confidence: float = 0.95, cutoffs: tuple[int | None, int | None] = (None, None)
) -> Estimate:
    """Return the epochs that a success costs with a, divided by those with b, each on seeds of its own.

    Parameters
    ----------
    a, b, confidence
        As for `independent_ratio_of_medians`.
    cutoffs
        As for `ratio_of_expected`.

    Raises
    ------
    InvalidExperiment
        If there are no seeds, there is no criterion, or seeds were not seen up to a cut-off.

    Notes
    -----
    Zou, Donner, "Construction of confidence limits about effect measures: a general approach", 2008 (MOVER), of the
    logarithms of the intervals of `expected_epochs` at the cut-offs, or of `best_cutoff`: squares of the distances to
    their ends add up. None: no seed converges with one.

    Examples
    --------
    >>> a, b = Counts.of_epochs(range(20, 60), until=90), Counts.of_epochs(range(10, 50), until=90)
    >>> round(independent_ratio_of_expected(a, b).value, 3)
    1.339
    """
    costs = [
        best_cutoff(counts, confidence).expected if cutoff is None else expected_epochs(counts, cutoff, confidence)
        for counts, cutoff in zip((a, b), checked_cutoffs(cutoffs), strict=True)
    ]
    if any(cost.value is None for cost in costs):
        return NO_ESTIMATE
    (x, x_low, x_high), (y, y_low, y_high) = (
        [math.inf if end is None else math.log(end) for end in cost] for cost in costs
    )
    below, above = math.hypot(x - x_low, y_high - y), math.hypot(x_high - x, y - y_low)
    return Estimate(math.exp(x - y), *(math.exp(x - y + d) if math.isfinite(d) else None for d in (-below, above)))
