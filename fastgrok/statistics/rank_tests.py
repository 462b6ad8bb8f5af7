"""Whether seeds take equally long to converge with several configurations."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.errors import InvalidExperiment
from fastgrok.statistics.arguments import checked
from fastgrok.statistics.counts import Counts
from fastgrok.statistics.paired import Influence, PairedCounts, covariance
from fastgrok.statistics.survival import survival_curve


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

    Examples
    --------
    >>> a, b = Counts.of_epochs([2, 3, 5, -1], until=9), Counts.of_epochs([4, 6, -1, -1], until=9)
    >>> round(logrank([a, b]).p_value, 3)
    0.309
    """
    from scipy.stats import chi2

    if isinstance(configurations, Counts) or len(configurations) < 2:
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
    return ChiSquared(statistic, df, float(chi2.sf(statistic, df)))


@checked
def paired_logrank(a: Counts, b: Counts, paired: PairedCounts) -> ChiSquared:
    """Test whether seeds converge at the same rate with two configurations on the same seeds.

    The score is that of `logrank`, up to the first epoch at which a seed of either was last seen without having
    converged. Its variance is that of the sum of what each seed adds to it with a and with b.

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
    Lin, Wei, "The robust inference for the Cox proportional hazards model", 1989, whose clusters are the seeds. What
    a seed adds is its martingale residual, weighted by the share at risk with the other configuration; the covariance
    is taken over the bins of epochs of `PairedCounts`. Up to that epoch every seed of both was seen: of runs of 100
    and of 1,000 epochs the first 100 are compared. A seed that can no longer converge stays at risk for ever.

    Examples
    --------
    >>> a, b = [2, 3, 5, -1], [4, 6, -1, -1]
    >>> counts = [Counts.of_epochs(epochs, until=9) for epochs in (a, b)]
    >>> round(paired_logrank(*counts, PairedCounts.of(a, b)).p_value, 3)
    0.082
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
    with_a = _residuals(a, epochs, at_risk[1] / n, d / n)
    with_b = _residuals(b, epochs, at_risk[0] / n, d / n)
    # a and b pull in opposite directions
    variance = with_a.variance() + with_b.variance() - 2 * covariance(paired, with_a, with_b)
    if variance <= 0 or not score:
        return ChiSquared(0.0, 1, 1.0)
    statistic = score**2 / (variance * a.n)
    return ChiSquared(statistic, 1, float(chi2.sf(statistic, 1)))


def _residuals(
    counts: Counts, epochs: NDArray[np.int64], weight: NDArray[np.float64], hazard: NDArray[np.float64]
) -> Influence:
    """Return what each seed adds to the score: weight where it converges, less weight x hazard up to there."""
    expected = np.cumsum(weight * hazard)
    last = float(expected[-1]) if len(expected) else 0.0
    converged = counts.converged.values <= (epochs[-1] if len(epochs) else 0)
    places = np.searchsorted(epochs, counts.converged.values[converged])
    at = np.full(len(converged), -last)  # of a seed that converges later
    at[converged] = weight[places] - expected[places]
    left = counts.n - counts.converged.n
    mean = (float(counts.converged.counts @ at) - left * last) / counts.n
    return Influence(counts.converged, at - mean, -last - mean, counts.n)


def _at_all_epochs(configurations: Sequence[Counts]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the seeds at risk at each epoch at which any converges, and those that do: (k, n_epochs) each."""
    curves = [survival_curve(counts) for counts in configurations]
    epochs = np.unique(np.concatenate([curve.time for curve in curves]))
    at_risk, events = np.zeros((2, len(curves), len(epochs)), np.int64)
    for k, (counts, curve) in enumerate(zip(configurations, curves, strict=True)):
        events[k, np.searchsorted(epochs, curve.time)] = curve.events
        at_risk[k] = counts.n - counts.censored.n_below(epochs) - (np.cumsum(events[k]) - events[k])
    return at_risk, events
