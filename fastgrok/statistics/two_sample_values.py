"""A continuous outcome of two configurations on seeds of their own: by how much it differs, how often better."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.statistics.arguments import checked
from fastgrok.statistics.medians import difference_of_medians
from fastgrok.statistics.proportion import NO_ESTIMATE, Estimate, normal_quantile


@checked
def independent_mean_difference(a: NDArray[np.float64], b: NDArray[np.float64], confidence: float = 0.95) -> Estimate:
    """Return the mean of a less that of b, with Welch's interval.

    Parameters
    ----------
    a, b
        The outcome of each seed with a, and of each of other seeds with b. If one is not finite there is no mean:
        None.
    confidence
        As in `fastgrok.statistics`.

    Notes
    -----
    Welch, "The generalization of 'Student's' problem when several different population variances are involved", 1947.
    With fewer than two seeds, or where no seed differs from another, the interval is open.

    Examples
    --------
    >>> [round(x, 3) for x in independent_mean_difference(np.array([3.0, 5, 8]), np.array([1.0, 4, 5]))]
    [2.0, -3.309, 7.309]
    """
    from scipy.stats import t

    normal_quantile(confidence)
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if not len(a) or not len(b) or not (np.isfinite(a).all() and np.isfinite(b).all()):
        return NO_ESTIMATE
    value = float(a.mean() - b.mean())
    if min(len(a), len(b)) < 2:
        return Estimate(value, None, None)
    error, df = _welch(float(a.var(ddof=1)) / len(a), float(b.var(ddof=1)) / len(b), len(a), len(b))
    if not error:
        return Estimate(value, None, None)
    half = float(t.ppf(0.5 + confidence / 2, df)) * error
    return Estimate(value, value - half, value + half)


@checked
def independent_median_difference(
    a: NDArray[np.float64], b: NDArray[np.float64], confidence: float = 0.95
) -> Estimate:
    """Return the median of a less that of b, each on seeds of its own.

    Parameters
    ----------
    a, b, confidence
        As for `independent_mean_difference`. What is not finite is infinite: a median that is so has no difference.

    Notes
    -----
    As `median_difference` has it, with numbers of seeds below the two medians that are drawn independently.

    Examples
    --------
    >>> independent_median_difference(np.arange(100.0) + 30, np.arange(100.0))
    Estimate(value=30.0, low=16.0, high=44.0)
    """
    normal_quantile(confidence)
    if not len(a) or not len(b):
        return NO_ESTIMATE
    ordered = [np.sort(np.asarray(x, np.float64)) for x in (a, b)]
    return difference_of_medians(ordered[0], ordered[1], 0.0, confidence)


class BetterTest(NamedTuple):
    """How often a seed does better with a than another one with b, and whether that is half of the time.

    Parameters
    ----------
    probability
        That a seed does better, ties half.
    p_value
        The probability of one as far from a half if it is a half.
    """

    probability: Estimate
    p_value: float


@checked
def independent_probability_better(
    a: NDArray[np.float64], b: NDArray[np.float64], confidence: float = 0.95, *, larger_is_better: bool = False
) -> BetterTest:
    """Return the probability that a seed does better with a than another seed with b, ties half, and its test.

    Parameters
    ----------
    a, b, confidence
        As for `independent_mean_difference`; what is not finite may be infinite.
    larger_is_better
        As for `spread`.

    Notes
    -----
    Brunner, Munzel, "The nonparametric Behrens-Fisher problem", 2000, of the seeds and two more in each sample, as
    good as the best and as bad as the worst of all, as Agresti and Caffo (2000) add them to two rates: where no seed
    of one sample does better than any of the other the variance would be 0. Where all do alike, one is better and
    one is worse. Of two outcomes alone, such as solved or not, it is (1 + d) / 2, d the difference of their rates.

    Examples
    --------
    >>> test = independent_probability_better(np.array([1.0, 2, 3, 4]), np.array([3.0, 5, 6, 7]))
    >>> round(test.probability.value, 3), round(test.p_value, 3)
    (0.906, 0.238)
    """
    from scipy.stats import t

    normal_quantile(confidence)
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if not len(a) or not len(b):
        return BetterTest(Estimate(None, 0.0, 1.0), 1.0)
    value = float(_placed(a, b, larger_is_better=larger_is_better).mean())
    ends = [min(a.min(), b.min()), max(a.max(), b.max())]
    more = [np.concatenate([x, ends if ends[0] < ends[1] else [-np.inf, np.inf]]) for x in (a, b)]
    placed = [_placed(*pair, larger_is_better=larger_is_better) for pair in (more, more[::-1])]
    centre, m, n = float(placed[0].mean()), *map(len, more)
    error, df = _welch(float(placed[0].var(ddof=1)) / m, float(placed[1].var(ddof=1)) / n, m, n)
    half = float(t.ppf(0.5 + confidence / 2, df)) * error
    p = float(2 * t.sf(abs(centre - 0.5) / error, df))
    return BetterTest(Estimate(value, max(centre - half, 0.0), min(centre + half, 1.0)), p)


def _placed(x: NDArray[np.float64], others: NDArray[np.float64], *, larger_is_better: bool) -> NDArray[np.float64]:
    """Return for each seed of x the share of the others that it does better than, ties half."""
    ordered = np.sort(others)
    below = np.searchsorted(ordered, x, side="left") + np.searchsorted(ordered, x, side="right")
    share = below / (2 * len(others))
    return share if larger_is_better else 1 - share


def _welch(a: float, b: float, m: int, n: int) -> tuple[float, float]:
    """Return the standard error of a sum of two numbers with these variances, and its degrees of freedom."""
    total = a + b
    return total**0.5, total**2 / (a * a / (m - 1) + b * b / (n - 1)) if total else float(m + n - 2)
