"""How many times as long one configuration takes as another on the same seeds."""

import math

import numpy as np
from numpy.typing import NDArray

from fastgrok.statistics.arguments import checked, checked_cutoffs
from fastgrok.statistics.counts import Counts
from fastgrok.statistics.medians import ends_of_draws, ranks_of_medians
from fastgrok.statistics.paired import Influence, PairedCounts, covariance
from fastgrok.statistics.proportion import NO_ESTIMATE, Estimate, normal_quantile
from fastgrok.statistics.restarts import chosen_cutoff, expected_epochs, expected_epochs_influence
from fastgrok.statistics.survival import ROUNDING, Survival, quantiles, seeds_worth, survival_curve


@checked
def ratio_of_medians(a: Counts, b: Counts, paired: PairedCounts, confidence: float = 0.95) -> Estimate:
    """Return the median epochs to convergence with a, divided by those with b.

    Parameters
    ----------
    a, b, paired, confidence
        As in `fastgrok.statistics`.

    Raises
    ------
    InvalidExperiment
        If there are no seeds, or there is no criterion.

    Notes
    -----
    Epochs are whole numbers, and medians of many seeds are known better than to one, so that a normal interval of the
    logarithm, however narrow, may lie beside the ratio. This one is of ratios of epochs: how many seeds converge by
    the true median is binomial(n, 1/2), as for `quantile`, and the two numbers are correlated as the early halves of
    the seeds are. Drawn 4,000 times, with a generator of fixed seed, they give the epochs by which so many have
    converged, and these the ratios. Where seeds were censored before, n is as many as the variance of the curve is
    worth, as for `band`.

    A median that was not reached leaves nothing, one whose upper end was not leaves the ratio open on a side. Where
    it may be earlier than the first epoch at which a seed converges, it may be 1.

    Examples
    --------
    >>> a, b = [20, 30, 40, 60, -1, 80], [10, 15, 21, 30, -1, 40]
    >>> counts = [Counts.of_epochs(epochs, until=100) for epochs in (a, b)]
    >>> ratio_of_medians(*counts, PairedCounts.of(a, b)).value
    1.904...
    """
    normal_quantile(confidence)
    curves = survival_curve(a), survival_curve(b)
    if not all(len(curve.time) for curve in curves):  # no seed converges with one
        return NO_ESTIMATE
    with_a, with_b = (_half_influence(*each) for each in zip((a, b), curves, strict=True))
    spread = math.sqrt(with_a.variance() * with_b.variance())
    alike = min(max(covariance(paired, with_a, with_b) / spread, -1.0), 1.0) if spread else 0.0
    return ratio_of_curves(curves, alike, confidence)


def ratio_of_curves(curves: tuple[Survival, Survival], alike: float, confidence: float) -> Estimate:
    """Return the ratio of the medians of two curves; alike: see `ranks_of_medians`."""
    median_a, median_b = (quantiles(curve, 0.5)[0] for curve in curves)
    if median_a is None or median_b is None:
        return NO_ESTIMATE
    n = _worth(curves[0], median_a), _worth(curves[1], median_b)
    ranks = ranks_of_medians(n, alike)
    first, second = (_epochs_at(curve, rank / size) for curve, rank, size in zip(curves, ranks, n, strict=True))
    with np.errstate(invalid="ignore"):
        low, high = ends_of_draws(first / second, confidence)
    value = median_a / median_b
    return Estimate(value, min(low, value) if low > 0 else None, max(high, value) if math.isfinite(high) else None)


def _worth(curve: Survival, epoch: int) -> int:
    """Return as how many seeds the curve is worth at an epoch at which some converge."""
    return round(float(seeds_worth(curve)[np.searchsorted(curve.time, epoch)]))


def _epochs_at(curve: Survival, shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the epochs by which these shares of seeds have converged: 1 for 0, infinity where there is none."""
    places = np.searchsorted(1 - curve.share, shares - ROUNDING)
    return np.where(shares > 0, np.append(curve.time.astype(np.float64), np.inf)[places], 1.0)


def _half_influence(counts: Counts, curve: Survival) -> Influence:
    """Return how much each seed moves the share that has converged by the epoch at which it is nearest to a half."""
    epoch = curve.time[np.argmin(abs(curve.share - 0.5))]  # with few epochs it may be far from that by the median
    converged = counts.converged.values <= epoch
    share = int(counts.converged.counts[converged].sum()) / counts.n
    return Influence(counts.converged, converged.astype(np.float64) - share, -share, counts.n)


@checked
def ratio_of_expected(
    a: Counts,
    b: Counts,
    paired: PairedCounts,
    confidence: float = 0.95,
    cutoffs: tuple[int | None, int | None] = (None, None),
) -> Estimate:
    """Return the epochs that a success costs with a, divided by those with b, each with a cut-off of its own.

    Parameters
    ----------
    a, b, paired, confidence
        As in `fastgrok.statistics`.
    cutoffs
        Of a and of b, as for `expected_epochs`. None: the best one; the last one where too few converge for a choice.

    Raises
    ------
    InvalidExperiment
        If there are no seeds, there is no criterion, or seeds were not seen up to a cut-off.

    Notes
    -----
    `expected_epochs` at the cut-off, or at the `best_cutoff`. The interval is that of the difference of x and y, the
    logarithms of the two, from their own intervals (Zou, Donner, "Construction of confidence limits about effect
    measures: a general approach", 2008):

    - low: x - y - sqrt((x - x_low)**2 + (y_high - y)**2 - 2 c), and
    - high: x - y + sqrt((x_high - x)**2 + (y - y_low)**2 - 2 c),

    c being z**2 times the covariance of x and y by the delta method, which knows of the seeds of the sample alone:
    what the two intervals allow for those that it does not hold is taken for independent. None: no seed converges
    with one of them, or an end is open.

    Examples
    --------
    >>> a, b = [20, 30, 40, 60, -1, 80], [10, 15, 20, 30, -1, 40]
    >>> counts = [Counts.of_epochs(epochs, until=100) for epochs in (a, b)]
    >>> ratio_of_expected(*counts, PairedCounts.of(a, b)).value
    1.53...
    """
    z = normal_quantile(confidence)
    both = zip((a, b), checked_cutoffs(cutoffs), strict=True)
    ends = [chosen_cutoff(x) if cutoff is None else cutoff for x, cutoff in both]
    cost_a, cost_b = (expected_epochs(*each, confidence) for each in zip((a, b), ends, strict=True))
    if cost_a.value is None or cost_b.value is None:
        return NO_ESTIMATE
    with_a, with_b = (expected_epochs_influence(*each)[0] for each in zip((a, b), ends, strict=True))
    return ratio_of_costs(cost_a, cost_b, z**2 * covariance(paired, with_a, with_b) / a.n)


def ratio_of_costs(a: Estimate, b: Estimate, common: float = 0.0) -> Estimate:
    """Return a / b with the interval of `ratio_of_expected`; common: its c, 0 on seeds of their own."""
    if a.value is None or b.value is None:
        return NO_ESTIMATE
    (x, x_low, x_high), (y, y_low, y_high) = (
        [math.inf if end is None else math.log(end) for end in cost] for cost in (a, b)
    )
    below = math.sqrt(max((x - x_low) ** 2 + (y_high - y) ** 2 - 2 * common, 0.0))
    above = math.sqrt(max((x_high - x) ** 2 + (y - y_low) ** 2 - 2 * common, 0.0))
    ends = (math.exp(x - y + d) if math.isfinite(d) else None for d in (-below, above))
    return Estimate(math.exp(x - y), *ends)
