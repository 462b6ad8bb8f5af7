"""Seeds in clusters, such as shuffles, that are a sample themselves: intervals that hold for other ones, too."""

import math
from collections.abc import Sequence

import numpy as np

from fastgrok.errors import InvalidExperiment
from fastgrok.statistics.arguments import checked
from fastgrok.statistics.proportion import Estimate, normal_quantile, wilson_of_shares
from fastgrok.statistics.stratified import PooledCounts

LEAST_CLUSTERS = 3
"""Clusters at least: with two a t of one degree of freedom would say next to nothing."""


@checked
def clustered_difference(
    seeds: PooledCounts, clusters: Sequence[PooledCounts], confidence: float = 0.95
) -> tuple[Estimate, float]:
    """Return by how much more often seeds converge with a than with b, for other seeds and other clusters, and its p.

    Parameters
    ----------
    seeds
        What each seed does in all clusters together.
    clusters
        What each seed does in each cluster, three or more.
    confidence
        As in `fastgrok.statistics`.

    Notes
    -----
    Every seed is trained in every cluster: what it does in two clusters is not independent, nor is what two seeds do
    in one. Cameron, Gelbach, Miller, "Robust inference with multiway clustering", 2011: the variances of the sums
    over seeds and over clusters, less that of the sum over both, and no less than the larger of these. The degrees of
    freedom of Student's t are Satterthwaite's: few where it is the clusters that vary, many where it is the seeds.
    Two seeds are added, one for a and one for b (Bonett, Price, 2012).

    Examples
    --------
    >>> one = PooledCounts.of_sums([1, 0, 1, 0, 0, -1, 1, 0], pairs=[1] * 8)
    >>> two = PooledCounts.of_sums([3, 0, 3, 0, 0, -3, 3, 0], pairs=[3] * 8)
    >>> [round(x, 2) for x in clustered_difference(two, [one] * 3)[0]]
    [0.25, -0.47, 0.97]
    """
    from scipy.stats import t

    normal_quantile(confidence)
    _check_clusters(clusters)
    if not seeds.pairs:
        return Estimate(None, -1.0, 1.0), 1.0
    value = seeds.differences.total() / seeds.pairs
    added = 2 * (seeds.pairs / seeds.seeds) ** 2  # a seed of all strata for either side
    variance, df = _variance(seeds, clusters, value)
    error = math.sqrt(variance + added) / seeds.pairs
    half = float(t.ppf(0.5 + confidence / 2, df)) * error
    return Estimate(value, max(value - half, -1.0), min(value + half, 1.0)), float(2 * t.sf(abs(value) / error, df))


@checked
def clustered_rate(seeds: PooledCounts, clusters: Sequence[PooledCounts], confidence: float = 0.95) -> Estimate:
    """Return how often seeds converge, for other seeds and other clusters.

    Parameters
    ----------
    seeds, clusters, confidence
        As for `clustered_difference`; of the strata in which a seed was trained, those in which it converges.

    Notes
    -----
    Wilson's interval, with the t of `clustered_difference`, of as many seeds as its variance is worth.

    Examples
    --------
    >>> one = PooledCounts.of_sums([1, 0, 1, 1], pairs=[1] * 4)
    >>> two = PooledCounts.of_sums([3, 0, 3, 3], pairs=[3] * 4)
    >>> [round(x, 2) for x in clustered_rate(two, [one] * 3)]
    [0.75, 0.13, 0.98]
    """
    from scipy.stats import t

    normal_quantile(confidence)
    _check_clusters(clusters)
    value = seeds.differences.total() / max(seeds.pairs, 1)
    variance, df = _variance(seeds, clusters, value)
    return _wilson(seeds, value, variance, float(t.ppf(0.5 + confidence / 2, df)))


@checked
def pooled_rate(seeds: PooledCounts, confidence: float = 0.95) -> Estimate:
    """Return how often seeds converge in the mean over strata, a seed with all of its strata one observation.

    Parameters
    ----------
    seeds, confidence
        As for `clustered_rate`.

    Examples
    --------
    >>> [round(x, 2) for x in pooled_rate(PooledCounts.of_sums([4, 0, 4, 4], pairs=[4] * 4))]
    [0.75, 0.26, 0.96]
    """
    z, value = normal_quantile(confidence), seeds.differences.total() / max(seeds.pairs, 1)
    return _wilson(seeds, value, _over_seeds(seeds, value), z)


def _wilson(seeds: PooledCounts, value: float, variance: float, z: float) -> Estimate:
    """Return a rate with Wilson's interval of as many seeds as the variance of its sum is worth."""
    if not seeds.pairs:
        return Estimate(None, 0.0, 1.0)
    spread = value * (1 - value) * seeds.pairs**2
    worth = min(spread / variance, float(seeds.pairs)) if variance > 0 else float(seeds.seeds)
    share, of = np.array([value * worth]), np.array([worth])
    low, high = wilson_of_shares(share, of, math.erf(z / math.sqrt(2)))
    return Estimate(value, float(low[0]), float(high[0]))


def _check_clusters(clusters: Sequence[PooledCounts]) -> None:
    if len(clusters) < LEAST_CLUSTERS:
        raise InvalidExperiment("clusters", len(clusters), f"{LEAST_CLUSTERS} or more")


def _variance(seeds: PooledCounts, clusters: Sequence[PooledCounts], value: float) -> tuple[float, float]:
    """Return the variance of the sum over all, and its degrees of freedom."""
    n, k = seeds.seeds, len(clusters)
    by_seed = _over_seeds(seeds, value)
    by_cluster = sum((each.differences.total() - value * each.pairs) ** 2 for each in clusters) * k / (k - 1)
    variance = max(by_seed + by_cluster - sum(_squares(each, value) for each in clusters), by_seed, by_cluster)
    parts = by_seed**2 / max(n - 1, 1) + by_cluster**2 / (k - 1)
    return variance, max(variance**2 / parts, k - 1) if parts else k - 1


def _over_seeds(seeds: PooledCounts, value: float) -> float:
    """Return the variance of a sum over independent seeds."""
    return _squares(seeds, value) * seeds.seeds / max(seeds.seeds - 1, 1)


def _squares(counts: PooledCounts, value: float) -> float:
    """Return the sum over seeds of (d - value m)**2."""
    squares = int(counts.differences.counts @ counts.differences.values**2)
    return max(squares - 2 * value * counts.products + value**2 * counts.pair_squares, 0.0)
