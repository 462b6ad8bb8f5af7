"""Two configurations on seeds of their own: by how much more often, and how much sooner, seeds converge with one."""

import math

from fastgrok.errors import InvalidExperiment
from fastgrok.statistics.arguments import checked, checked_cutoffs, integers
from fastgrok.statistics.counts import Counts
from fastgrok.statistics.proportion import Estimate, normal_quantile
from fastgrok.statistics.ratios import ratio_of_costs, ratio_of_curves
from fastgrok.statistics.restarts import best_cutoff, expected_epochs
from fastgrok.statistics.survival import survival_curve

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
    As `ratio_of_medians` has it, with numbers of seeds that converge by the two true medians that are drawn
    independently. A median that was not reached leaves nothing.

    Examples
    --------
    >>> a, b = Counts.of_epochs(range(20, 60), until=90), Counts.of_epochs(range(10, 50), until=90)
    >>> [round(x, 2) for x in independent_ratio_of_medians(a, b)]
    [1.34, 1.03, 1.77]
    """
    normal_quantile(confidence)
    return ratio_of_curves((survival_curve(a), survival_curve(b)), 0.0, confidence)


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
    cost_a, cost_b = (
        best_cutoff(counts, confidence).expected if cutoff is None else expected_epochs(counts, cutoff, confidence)
        for counts, cutoff in zip((a, b), checked_cutoffs(cutoffs), strict=True)
    )
    return ratio_of_costs(cost_a, cost_b)
