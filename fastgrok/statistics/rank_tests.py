"""Whether seeds take equally long to converge with several configurations."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.errors import InvalidExperiment
from fastgrok.statistics.arguments import checked
from fastgrok.statistics.counts import Counts
from fastgrok.statistics.paired import Influence, PairedCounts, apart_by_bins, covariance
from fastgrok.statistics.survival import survival_curve

_FEW = 20  # seeds of which all choices of signs are counted: half a million; of fewer none is chi-squared
_DEALS = 50_000  # ways to deal seeds to configurations that are counted: those of 9 and 9
_ROUNDING = 1e-9  # more than rounding makes of a difference of two residuals


class ChiSquared(NamedTuple):
    """The result of a chi-squared test.

    Parameters
    ----------
    statistic, df
        What is chi-squared distributed if there is no difference, and its degrees of freedom.
    p_value
        The probability of a statistic as large.
    """

    statistic: float
    df: int
    p_value: float


@checked
def logrank(configurations: Sequence[Counts]) -> ChiSquared:
    """Test whether seeds converge at the same rate with k configurations, each on seeds of its own.

    At each epoch the events of a configuration are compared with (all events) x (its seeds at risk) / (all at risk).

    Parameters
    ----------
    configurations
        Counts of two or more, each of one seed or more.

    Raises
    ------
    InvalidExperiment
        If there are fewer.

    Notes
    -----
    Mantel, "Evaluation of survival data and two new rank order statistics", 1966; events of one epoch are ties, with
    the hypergeometric covariance. It takes the configurations for independent. On the same seeds, where what is easy
    for one is easy for the other, they vary less against each other than it assumes: it rejects too seldom.
    `paired_logrank` is for two of these. A seed that can no longer converge stays at risk for ever.

    Of few seeds the statistic is larger than chi-squared too often: of 5 and 60 it came to p <= 0.01 in 3.4 % of
    samples that do not differ. Where one configuration has fewer than 20, and all were seen for as many epochs, the
    p-value is that of dealing the seeds to the configurations at random (Peto, Peto, "Asymptotically efficient rank
    invariant test procedures", 1972): counted up to 50,000 ways, as of 9 and 9; beyond, chi-squared with the variance
    of the deals.

    Examples
    --------
    >>> a, b = Counts.of_epochs([2, 3, 5, -1], until=9), Counts.of_epochs([4, 6, -1, -1], until=9)
    >>> round(logrank([a, b]).p_value, 3)
    0.314
    """
    from scipy.stats import chi2

    if len(configurations) < 2:
        raise InvalidExperiment("configurations", configurations, "counts of two configurations or more")
    at_risk, events = _at_all_epochs(configurations)
    n, d = at_risk.sum(axis=0), events.sum(axis=0)
    share = at_risk / n
    score = (events - d * share).sum(axis=1)[:-1]
    weight = d * (n - d) / np.maximum(n - 1, 1)
    covariances = np.diag(share @ weight) - (share * weight) @ share.T
    inner = covariances[:-1, :-1]
    df = len(configurations) - 1
    statistic = float(score @ np.linalg.pinv(inner, hermitian=True) @ score)
    if min(counts.n for counts in configurations) < _FEW and _seen_alike(configurations):
        epochs = np.unique(np.concatenate([counts.converged.values for counts in configurations]))
        return ChiSquared(statistic, df, _dealt([_residuals(counts, epochs, d / n) for counts in configurations]))
    return ChiSquared(statistic, df, float(chi2.sf(statistic, df)))


@checked
def paired_logrank(a: Counts, b: Counts, paired: PairedCounts) -> ChiSquared:
    """Test whether seeds converge at the same rate with two configurations on the same seeds.

    The score is that of `logrank`, up to the first epoch at which a seed of either was last seen without having
    converged. It is a sum over seeds, d = (m_a - m_b) / 2, where m is what is seen of a seed with a or b, 1 if it
    converges, less what is expected, the sum of (all events) / (all at risk) over the epochs up to there. The
    statistic is (sum of d)**2 / (sum of d**2).

    Parameters
    ----------
    a, b, paired
        As in `fastgrok.statistics`.

    Raises
    ------
    InvalidExperiment
        If the numbers of seeds differ, there are none, or there is no criterion.

    Notes
    -----
    O'Brien, Fleming, "A paired Prentice-Wilcoxon test for censored paired data", 1987, with the scores of the logrank
    test. If nothing depends on which of the two is a, each d may have either sign. Where at most 20 of them are no 0
    the p-value counts all choices of signs (Fisher, "The design of experiments", 1935); beyond, the statistic is
    chi-squared. The sum of squares is not taken about the mean, as it is not in Lin, Wei, "The robust inference for
    the Cox proportional hazards model", 1989: about the mean, seeds that agree in what is quicker leave no variance.
    So the statistic is at most the number of seeds.

    Which epochs go together is known by the bins of `PairedCounts`, and d is exact in the mean over a bin. Up to the
    last epoch compared every seed of both was seen: of runs of 100 and of 1,000 epochs the first 100 are compared. A
    seed that can no longer converge stays at risk for ever.

    Examples
    --------
    >>> a, b = [2, 3, 5, -1], [4, 6, -1, -1]
    >>> counts = [Counts.of_epochs(epochs, until=9) for epochs in (a, b)]
    >>> paired_logrank(*counts, PairedCounts.of(a, b)).p_value
    0.25
    """
    from scipy.stats import chi2

    if not a.n == b.n == paired.n:
        raise InvalidExperiment("paired", paired.n, f"counts of the same seeds; there are {a.n} of a and {b.n} of b")
    at_risk, events = _at_all_epochs([a, b])
    epochs = np.union1d(a.converged.values, b.converged.values)
    seen = epochs <= min((int(x.censored.values[0]) for x in (a, b) if x.censored.n), default=np.inf)
    epochs, at_risk, events = epochs[seen], at_risk[:, seen], events[:, seen]
    n, d = at_risk.sum(axis=0), events.sum(axis=0)
    score = float((events[0] - d * at_risk[0] / n).sum())
    with_a, with_b = (_residuals(counts, epochs, d / n) for counts in (a, b))
    squares = (with_a.variance() + with_b.variance() - 2 * covariance(paired, with_a, with_b)) / 4 * a.n
    if squares <= 0 or not score:
        return ChiSquared(0.0, 1, 1.0)
    statistic = score**2 / squares
    apart, seeds = apart_by_bins(paired, with_a, with_b)
    differing = abs(apart) > _ROUNDING
    if seeds[differing].sum() <= _FEW:
        p = _signs_counted_out(np.repeat(apart[differing], seeds[differing]))
    else:
        p = float(chi2.sf(statistic, 1))
    return ChiSquared(statistic, 1, p)


def _seen_alike(configurations: Sequence[Counts]) -> bool:
    """Whether how long a seed was seen says nothing of its configuration: to one epoch, with no event after it."""
    limits = np.unique(np.concatenate([counts.censored.values for counts in configurations]))
    last = max(int(counts.converged.values.max(initial=0)) for counts in configurations)
    return len(limits) == 0 or (len(limits) == 1 and last <= limits[0])


def _dealt(residuals: Sequence[Influence]) -> float:
    """Return how often sums of residuals lie as far apart if seeds are dealt to the configurations at random."""
    from scipy.special import gammaln
    from scipy.stats import chi2, permutation_test

    sizes = np.array([each.n for each in residuals])
    squares = sum(each.n * each.variance() for each in residuals)
    if squares <= 0:
        return 1.0

    def apart(*samples: NDArray[np.float64], axis: int = -1) -> NDArray[np.float64]:
        """Return what is chi-squared if there are many seeds, with all that rounding makes different made alike."""
        between = sum(sample.sum(axis=axis) ** 2 / sample.shape[axis] for sample in samples)
        return np.asarray(np.round(between * (sizes.sum() - 1) / squares, 9))

    if gammaln(sizes.sum() + 1) - gammaln(sizes + 1).sum() > np.log(_DEALS):
        sums = np.array([each.total() for each in residuals])
        return float(chi2.sf(float((sums**2 / sizes).sum()) * (sizes.sum() - 1) / squares, len(sizes) - 1))
    seeds = [np.append(np.repeat(x.at, x.epochs.counts), np.full(x.n - x.epochs.n, x.otherwise)) for x in residuals]
    found = permutation_test(seeds, apart, n_resamples=_DEALS, vectorized=True, alternative="greater", axis=-1)
    return float(found.pvalue)


def _residuals(counts: Counts, epochs: NDArray[np.int64], hazard: NDArray[np.float64]) -> Influence:
    """Return the martingale residual of each seed: 1 if it converges, less the hazard up to there.

    Their mean over the seeds of a and of b is 0; that over one of them is what the test is about.
    """
    expected = np.cumsum(hazard)
    last = float(expected[-1]) if len(expected) else 0.0
    converged = counts.converged.values <= (epochs[-1] if len(epochs) else 0)
    at = np.full(len(converged), -last)  # of a seed that converges later
    at[converged] = 1 - expected[np.searchsorted(epochs, counts.converged.values[converged])]
    return Influence(counts.converged, at, -last, counts.n)


def _signs_counted_out(differences: NDArray[np.float64]) -> float:
    """Return P(abs(sum of s d) >= abs(sum of d)), each s being 1 or -1 with probability 1/2."""
    sums = differences[:1]
    for difference in differences[1:]:
        sums = np.concatenate([sums - difference, sums + difference])  # the first sign does not matter
    return float(np.mean(abs(sums) >= abs(differences.sum()) * (1 - _ROUNDING)))


def _at_all_epochs(configurations: Sequence[Counts]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the seeds at risk at each epoch at which any converges, and those that do: (k, n_epochs) each."""
    curves = [survival_curve(counts) for counts in configurations]
    epochs = np.unique(np.concatenate([curve.time for curve in curves]))
    at_risk, events = np.zeros((2, len(curves), len(epochs)), np.int64)
    for k, (counts, curve) in enumerate(zip(configurations, curves, strict=True)):
        events[k, np.searchsorted(epochs, curve.time)] = curve.events
        at_risk[k] = counts.n - counts.censored.n_below(epochs) - (np.cumsum(events[k]) - events[k])
    return at_risk, events
