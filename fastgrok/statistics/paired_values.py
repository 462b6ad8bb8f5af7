"""A continuous outcome of two configurations on the same seeds: by how much it differs, how often it is better."""

import numpy as np
from numpy.typing import NDArray

from fastgrok.statistics.arguments import check_alike, checked
from fastgrok.statistics.differences import risk_difference
from fastgrok.statistics.medians import difference_of_medians
from fastgrok.statistics.paired import Table
from fastgrok.statistics.proportion import NO_ESTIMATE, Estimate, normal_quantile
from fastgrok.statistics.stratified import PooledCounts

_RESAMPLES = 2_000  # as rliable's examples have it
_GROUPS = 100  # of neighbouring seeds, of which those of a sample are drawn
_TRIMMED = 0.25  # of the seeds, at either end


@checked
def mean_difference(a: NDArray[np.float64], b: NDArray[np.float64], confidence: float = 0.95) -> Estimate:
    """Return the mean of a - b over seeds, with the interval of the paired t.

    Parameters
    ----------
    a, b
        The outcome of each seed with a and with b, in the same order. If one is not finite there is no mean: None.
    confidence
        As in `fastgrok.statistics`.

    Examples
    --------
    >>> [round(x, 3) for x in mean_difference(np.array([3.0, 5, 8]), np.array([1.0, 4, 5]))]
    [2.0, -0.484, 4.484]
    """
    check_alike(a=a, b=b)
    return pooled_mean_difference(apart(np.asarray(a), np.asarray(b)), np.ones(len(a)), confidence)


def pooled_mean_difference(sums: NDArray[np.float64], pairs: NDArray[np.float64], confidence: float) -> Estimate:
    """Return the sum of differences divided by the pairs: sums and pairs of each seed over strata, (n_seeds,) each.

    A seed is one observation: the interval is that of a ratio of two sums over seeds, with Student's t.
    """
    from scipy.stats import t

    normal_quantile(confidence)
    n, total = len(sums), float(pairs.sum())
    if not total or not np.isfinite(sums).all():
        return NO_ESTIMATE
    value = float(sums.sum()) / total
    if n < 2:
        return Estimate(value, None, None)
    square = float(np.square(sums - value * pairs).sum()) * n / (n - 1)
    half = float(t.ppf(0.5 + confidence / 2, n - 1)) * square**0.5 / total
    return Estimate(value, value - half, value + half)


@checked
def median_difference(a: NDArray[np.float64], b: NDArray[np.float64], confidence: float = 0.95) -> Estimate:
    """Return the median of a over seeds less that of b, with an interval for seeds that are common.

    Parameters
    ----------
    a, b, confidence
        As for `mean_difference`. What is not finite is infinite: a median that is so has no difference.

    Notes
    -----
    How many seeds lie below a true median is binomial(n, 1/2), as for the interval of `order_quantile`, and the two
    numbers are correlated as the seeds below the two medians are. Drawn 4,000 times, with a generator of fixed
    seed, they give ranks, these values, and their differences the interval: no density is estimated. A rank below the
    first or above the last seed leaves the difference open: with 4 seeds or fewer.

    Examples
    --------
    >>> x = np.arange(100.0)
    >>> median_difference(x + 1, x)
    Estimate(value=1.0, low=1.0, high=1.0)
    """
    normal_quantile(confidence)
    check_alike(a=a, b=b)
    if not len(a):
        return NO_ESTIMATE
    both = [np.asarray(x, np.float64) for x in (a, b)]
    ordered, middle = [np.sort(x) for x in both], (len(a) - 1) // 2
    low_a, low_b = (_lower_half(x, each[middle]) for x, each in zip(both, ordered, strict=True))
    return difference_of_medians(ordered[0], ordered[1], _correlation(low_a, low_b), confidence)


@checked
def probability_better(table: Table, confidence: float = 0.95) -> Estimate:
    """Return the probability that a seed does better with a than with b, ties half.

    Parameters
    ----------
    table
        Seeds that do better with a (only_a), better with b (only_b), and as well with both.
    confidence
        As in `fastgrok.statistics`.

    Notes
    -----
    It is (1 + d) / 2 with d of `risk_difference`, and so is its interval, which covers at least as often as it says.

    Examples
    --------
    >>> [round(x, 3) for x in probability_better(Table(both=20, only_a=60, only_b=20, neither=0))]
    [0.7, 0.612, 0.777]
    """
    return halved(risk_difference(table, confidence))


def halved(difference: Estimate) -> Estimate:
    """Return (1 + d) / 2 of a difference of two shares and its interval."""
    return Estimate(*(None if d is None else (1 + d) / 2 for d in difference))


def better_table(a: NDArray[np.float64], b: NDArray[np.float64], *, larger_is_better: bool) -> Table:
    """Return how many seeds do better with a (only_a) and with b (only_b); `both` has the ties."""
    signs = better(a, b, larger_is_better=larger_is_better)
    only_a, only_b = int((signs > 0).sum()), int((signs < 0).sum())
    return Table(both=len(signs) - only_a - only_b, only_a=only_a, only_b=only_b, neither=0)


def better(a: NDArray[np.float64], b: NDArray[np.float64], *, larger_is_better: bool) -> NDArray[np.int32]:
    """Return 1 for each seed that does better with a, -1 for one that does better with b, 0 for a tie."""
    sign = (a > b).astype(np.int32) - (a < b)
    return sign if larger_is_better else -sign


def pooled_better(signs: NDArray[np.int32], pairs: NDArray[np.int32], confidence: float) -> tuple[Estimate, float]:
    """Return the probability of doing better over strata, and its p-value; signs and pairs summed for each seed."""
    counts = PooledCounts.of_sums(signs, pairs)
    return halved(counts.difference(confidence)), counts.p_value()


@checked
def interquartile_mean(values: NDArray[np.float64], confidence: float = 0.95) -> Estimate:
    """Return the mean of the middle half of the seeds, with a bootstrap interval over seeds.

    A quarter of the seeds, rounded down, is left out at either end.

    Parameters
    ----------
    values
        The outcome of each seed. What is not finite is infinite; with that in the middle half: None.
    confidence
        As in `fastgrok.statistics`.

    Notes
    -----
    Agarwal and others, "Deep reinforcement learning at the edge of the statistical precipice", 2021 (rliable): the
    mean that `scipy.stats.trim_mean(values, 0.25)` gives, and percentiles of 2,000 resamples, from a generator of
    fixed seed. Of more than 100 seeds groups of neighbours are drawn, each with its mean. Of few seeds percentiles
    are too narrow: farther ones are taken, by as much as Student's t, with the seeds of the middle half less one for
    degrees of freedom, is wider than the normal distribution (Hesterberg, "What teachers should know about the
    bootstrap", 2015). The interval is open where that of a median would be: of 5 seeds or fewer.

    Examples
    --------
    >>> interquartile_mean(np.array([0.0, 1, 2, 90])).value
    1.5
    """
    normal_quantile(confidence)
    n = len(values)
    if not n:
        return NO_ESTIMATE
    ordered = np.sort(np.asarray(values, np.float64))
    ordered[np.isnan(ordered)] = np.inf
    cut = int(_TRIMMED * n)
    value = float(ordered[cut : n - cut].mean())
    if not np.isfinite(value):
        return NO_ESTIMATE
    groups = _groups(ordered)
    sizes, means = np.array([len(each) for each in groups]), np.array([each.mean() for each in groups])
    last = np.random.default_rng(0).multinomial(n, sizes / n, _RESAMPLES).cumsum(axis=1)
    kept = np.diff(np.clip(last, cut, n - cut), axis=1, prepend=cut)
    is_finite = np.isfinite(means)
    used = kept.any(axis=0) & is_finite
    resampled = kept[:, used] @ means[used] / (n - 2 * cut)
    for infinity in (-np.inf, np.inf):  # not by the product: 0 times an infinity is no number
        resampled[kept[:, means == infinity].any(axis=1)] = infinity
    tail = (1 - float(confidence)) / 2
    if 0.5**n > tail:
        return Estimate(value, None, None)
    low, high = (float(x) if np.isfinite(x) else None for x in _quantiles(resampled, _farther(tail, n, n - 2 * cut)))
    return Estimate(value, low, high)


def _farther(tail: float, n: int, n_kept: int) -> float:
    """Return the tail of resamples that is as far out as Student's t of the seeds kept has this one."""
    from scipy.stats import norm, t

    return float(norm.cdf(t.ppf(tail, n_kept - 1) * (n / (n - 1)) ** 0.5))


def _groups(ordered: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Return groups of neighbours among ascending values (n,); those that are infinite are groups of their own."""
    ends = np.cumsum([len(each) for each in np.array_split(ordered, min(len(ordered), _GROUPS))])
    finite = np.flatnonzero(np.isfinite(ordered))
    return np.split(ordered, np.setdiff1d(np.union1d(ends, [finite[0], finite[-1] + 1]), [0, len(ordered)]))


def _quantiles(values: NDArray[np.float64], tail: float) -> NDArray[np.float64]:
    """Return both ends, which are infinite where more than such a tail is; nothing is interpolated."""
    wanted: NDArray[np.float64] = np.quantile(values, [tail, 1 - tail], method="inverted_cdf")
    return wanted


def apart(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a - b; infinity less infinity is no number."""
    with np.errstate(invalid="ignore"):
        return a - b


def _lower_half(x: NDArray[np.float64], median: float) -> NDArray[np.bool_]:
    """Return which seeds are below the median, those that have it among them if so it is nearer to a half."""
    below, at_most = x < median, x <= median
    return below if below.sum() + at_most.sum() >= len(x) else at_most


def _correlation(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Return the correlation of two flags over seeds; 0 if one is the same for all."""
    p, q = float(a.mean()), float(b.mean())
    spread = (p * (1 - p) * q * (1 - q)) ** 0.5
    return min(max((float((a & b).mean()) - p * q) / spread, -1.0), 1.0) if spread else 0.0
