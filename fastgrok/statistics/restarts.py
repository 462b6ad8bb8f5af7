"""Epochs that a success costs when every attempt is cut off, and where to cut."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.errors import InvalidExperiment
from fastgrok.statistics.counts import Counts
from fastgrok.statistics.paired import Influence
from fastgrok.statistics.proportion import Estimate, normal_quantile


class BestCutoff(NamedTuple):
    """
    After how many epochs to give a seed up and start anew.

    Parameters
    ----------
    cutoff
        The epoch, and from the earliest to the latest that may be as good. None: no seed converges.
    expected
        Epochs that a success costs with the best of them.
    """

    cutoff: Estimate
    expected: Estimate


def expected_epochs(counts: Counts, cutoff: int | None = None, confidence: float = 0.95) -> Estimate:
    """
    Return the mean number of epochs until a seed converges when each is given up after some epochs.

    E(t) = (mean over seeds of min(T, t)) / (share of seeds with T <= t), T being the epochs to convergence.

    Parameters
    ----------
    counts
        Of one configuration.
    cutoff
        t, 1 or more and at most the epoch at which the first seed is censored. None: that epoch.
    confidence
        The probability that the interval covers the mean, between 0 and 1.

    Raises
    ------
    InvalidExperiment
        If seeds were not seen up to the cut-off.

    Notes
    -----
    Luby, Sinclair, Zuckerman, "Optimal speedup of Las Vegas algorithms", 1993. New seeds are tried until one
    converges: each costs t epochs but the last, which costs those it takes to converge. A seed that diverges is
    given up at the cut-off like any other. The interval is the normal one of log E, by the delta method.
    None stands for what is not finite, since no seed converges by then.

    Examples
    --------
    >>> counts = Counts.of_epochs([2, 4, -1], until=9)
    >>> expected_epochs(counts).value, expected_epochs(counts, 2).value
    (7.5, 6.0)
    """
    limit = last_cutoff(counts)
    if cutoff is None:
        cutoff = limit
    if isinstance(cutoff, bool) or not 1 <= cutoff <= limit:
        raise InvalidExperiment(
            "cutoff", cutoff, f"an epoch from 1 to {limit}, when the first seed is lost from sight"
        )
    z = normal_quantile(confidence)
    if not np.any(counts.converged.values <= cutoff):
        return Estimate(None, None, None)
    influence, value = expected_epochs_influence(counts, cutoff)
    spread = float(np.exp(z * np.sqrt(influence.variance() / counts.n)))
    return Estimate(value, value / spread, value * spread)


def expected_epochs_influence(counts: Counts, cutoff: int) -> tuple[Influence, float]:
    """
    Return how much each seed moves log E(cutoff), and E(cutoff).

    Parameters
    ----------
    counts
        Of one configuration, with a seed that converges by then.
    cutoff
        As for `expected_epochs`.
    """
    epochs, seeds = counts.converged.values, counts.converged.counts
    spent, met = np.minimum(epochs, cutoff), epochs <= cutoff
    mean = (int(seeds @ spent) + (counts.n - int(seeds.sum())) * cutoff) / counts.n
    share = int(seeds @ met) / counts.n
    at = spent / mean - met / share
    return Influence(counts.converged, at, cutoff / mean, counts.n), mean / share


def best_cutoff(counts: Counts, confidence: float = 0.95) -> BestCutoff:
    """
    Return the cut-off with which a success costs the fewest epochs.

    Parameters
    ----------
    counts
        Of one configuration.
    confidence
        The probability that the interval covers, between 0 and 1.

    Raises
    ------
    InvalidExperiment
        If there are no seeds.

    Notes
    -----
    E(t) of `expected_epochs` is smallest just after a seed has converged, so these epochs are tried. E is flat near
    its minimum: many cut-offs are nearly as good, and the best one of a sample jumps among them. The interval goes
    from the first to the last cut-off whose log E is no more than z standard errors of the difference above the
    least. It covers more often than it says. The interval of `expected` is that of a cut-off fixed beforehand.

    Examples
    --------
    >>> counts = Counts.of_epochs([2, 4, -1], until=9)
    >>> best_cutoff(counts).cutoff
    Estimate(value=4, low=2, high=4)
    """
    limit = last_cutoff(counts)
    z = normal_quantile(confidence)
    tried = counts.converged.values <= limit
    if not tried.any():
        return BestCutoff(Estimate(None, None, None), Estimate(None, None, None))
    epochs, seeds = counts.converged.values[tried], counts.converged.counts[tried].astype(np.float64)
    met = np.cumsum(seeds) / counts.n
    first = np.cumsum(seeds * epochs) / counts.n
    second = np.cumsum(seeds * epochs.astype(np.float64) ** 2) / counts.n
    mean = first + epochs * (1 - met)
    expected = mean / met
    best = int(np.argmin(expected))
    errors = np.sqrt(_variances(epochs, met, first, second, mean, best) / counts.n)
    good = np.flatnonzero(np.log(expected / expected[best]) <= z * errors)
    chosen = int(epochs[best])
    return BestCutoff(
        Estimate(chosen, int(epochs[good[0]]), int(epochs[good[-1]])), expected_epochs(counts, chosen, confidence)
    )


def _variances(
    epochs: NDArray[np.int64],
    met: NDArray[np.float64],
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    mean: NDArray[np.float64],
    best: int,
) -> NDArray[np.float64]:
    """Return the variance over seeds of what one adds to log E(t) - log E(best), for each epoch t tried.

    A seed adds min(T, t) / mean - (T <= t) / met. `met`, `first` and `second` are the means over seeds of T**0, T
    and T**2 where T <= t, and products of two such terms are sums of these.
    """
    places = np.arange(len(epochs))
    lower, upper = np.minimum(places, best), np.maximum(places, best)

    def product(i: NDArray[np.int64], j: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the mean over seeds of the product of what is added at epochs i and at j, i <= j."""
        t, u = epochs[i], epochs[j]
        spent = second[i] + t * (first[j] - first[i]) + t * u * (1.0 - met[j])
        spent_met = first[i] + t * (met[j] - met[i])  # min(T, t) where T <= u
        met_spent = first[i]  # min(T, u) where T <= t
        return (
            spent / (mean[i] * mean[j])
            - spent_met / (mean[i] * met[j])
            - met_spent / (met[i] * mean[j])
            + met[i] / (met[i] * met[j])
        )

    fixed = np.full(len(epochs), best)
    variances = product(places, places) + product(fixed, fixed) - 2 * product(lower, upper)
    return np.maximum(variances, 0.0)


def last_cutoff(counts: Counts) -> int:
    """
    Return the last epoch up to which every seed was seen.

    Parameters
    ----------
    counts
        Of one configuration.

    Raises
    ------
    InvalidExperiment
        If there are no seeds.
    """
    if not counts.n:
        raise InvalidExperiment("counts", counts, "counts of one seed or more")
    for seen, place in ((counts.censored, 0), (counts.converged, -1)):
        if len(seen.values):
            return max(int(seen.values[place]), 1)
    return 1
