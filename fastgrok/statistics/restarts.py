"""Epochs that a success costs when every attempt is cut off, and where to cut."""

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from fastgrok.errors import InvalidExperiment
from fastgrok.statistics.arguments import checked
from fastgrok.statistics.bounded import Costs
from fastgrok.statistics.counts import Counts
from fastgrok.statistics.histogram import Histogram
from fastgrok.statistics.paired import Influence
from fastgrok.statistics.proportion import NO_ESTIMATE, Estimate, normal_quantile

LEAST_CONVERGED = 10
"""Seeds that must have converged by a cut-off for it to be chosen."""

_LOWS = 9
"""Cut-offs, from the first to the last that may be as good, of which the least lower end is taken."""

_LUCK = 0.8
"""By how many standard errors of its difference to the last that may be as good the best of a sample is too small."""


class BestCutoff(NamedTuple):
    """After how many epochs to give a seed up and start anew.

    Parameters
    ----------
    cutoff
        The epoch, and from the earliest to the latest that may be as good: None above if never giving up may be so.
        None: fewer than 10 seeds converge, which is too few for a choice.
    expected
        Epochs that a success costs with the best of them; without a choice, if no seed is given up before the end.
    """

    cutoff: Estimate
    expected: Estimate


@checked
def expected_epochs(counts: Counts, cutoff: int | None = None, confidence: float = 0.95) -> Estimate:
    """Return the mean number of epochs until a seed converges when each is given up after some epochs.

    E(t) = (mean over seeds of min(T, t)) / (share of seeds that converge by t), T being the epoch at which a seed
    ends: that of its convergence, or at which it diverged or was stopped early.

    Parameters
    ----------
    counts, confidence
        As in `fastgrok.statistics`.
    cutoff
        t, 1 or more and at most the epoch at which the first seed is censored. None: that epoch, or the last at
        which one ends if none is censored, which a seed more may come after: of seeds that all converge say for how
        long they were trained.

    Raises
    ------
    InvalidExperiment
        If seeds were not seen up to the cut-off, or there is no criterion.

    Notes
    -----
    Luby, Sinclair, Zuckerman, "Optimal speedup of Las Vegas algorithms", 1993. New seeds are tried until one
    converges: each costs t epochs but the last, which costs those it takes to converge. A seed that diverges, or is
    stopped early, costs the epochs until then, and t at most. None stands for what is not finite, since no seed
    converges by then.

    E is the number e for which the mean over seeds of min(T, t), and e more for those that fail, is e. The interval
    holds those for which that mean has an interval with e in it: Gaffke, "Three test statistics for a nonparametric
    one-sided hypothesis on the mean of a nonnegative variable", 2005, with one seed more: for the upper end it fails
    after t epochs, for the lower end it converges at once. Where few seeds fail and a sample holds none of
    them it is not narrower for that, as a normal interval would be. It is open above where so few seeds converge that
    the share of those may be 0.

    Examples
    --------
    >>> counts = Counts.of_epochs([2, 4, -1], until=9)
    >>> expected_epochs(counts).value, expected_epochs(counts, 2).value
    (7.5, 6.0)
    """
    limit = last_cutoff(counts)
    if cutoff is None:
        cutoff = limit if limit is not None else int((counts.converged + counts.never).values.max(initial=1))
    if (
        isinstance(cutoff, bool)
        or not isinstance(cutoff, int | np.integer)
        or not 1 <= cutoff <= (cutoff if limit is None else limit)
    ):
        expected = "an epoch, 1 or more" + ("" if limit is None else f", and up to {limit}, while every seed is seen")
        raise InvalidExperiment("cutoff", cutoff, expected)
    normal_quantile(confidence)
    if not np.any(counts.converged.values <= cutoff):
        return NO_ESTIMATE
    return _estimate(counts, int(cutoff), confidence)


def _estimate(counts: Counts, cutoff: int, confidence: float, luck: float = 0.0) -> Estimate:
    """Return E(cutoff) with its interval, the upper end moved up by the expected bias of log E, `luck`."""
    met, fails = counts.converged.values <= cutoff, counts.never + counts.censored
    epochs = np.concatenate([counts.converged.values, fails.values])
    failed = np.concatenate([~met, np.ones(len(fails.values), np.bool_)]).astype(np.float64)
    seeds = np.concatenate([counts.converged.counts, fails.counts]).astype(np.float64)
    costs = Costs(seeds, np.minimum(epochs, cutoff).astype(np.float64), failed)
    value = float(seeds @ costs.spent / (seeds @ (1 - failed)))
    tail, bias = (1 - float(confidence)) / 2, float(np.exp(luck))
    low, high = costs.end(value, (1.0, 0.0), tail), costs.end(value, (cutoff, 1.0), 1 - tail)
    return Estimate(value, min(max(low or 0.0, 1.0), value), None if high is None else high * bias)


def expected_epochs_influence(counts: Counts, cutoff: int) -> tuple[Influence, float]:
    """Return how much each seed moves log E(cutoff), and E(cutoff)."""
    epochs, seeds = counts.converged.values, counts.converged.counts
    spent, converged = np.minimum(epochs, cutoff), epochs <= cutoff
    lost = np.minimum(counts.never.values, cutoff)
    left = counts.n - counts.converged.n
    wasted = int(counts.never.counts @ lost) + counts.censored.n * cutoff
    squares = float(counts.never.counts @ lost.astype(np.float64) ** 2) + counts.censored.n * float(cutoff) ** 2
    mean = (int(seeds @ spent) + wasted) / counts.n
    share = int(seeds @ converged) / counts.n
    each = wasted / max(left, 1)
    spread = max(squares / max(left, 1) - each**2, 0.0) / mean**2
    return Influence(counts.converged, spent / mean - converged / share, each / mean, counts.n, spread), mean / share


@checked
def best_cutoff(counts: Counts, confidence: float = 0.95) -> BestCutoff:
    """Return the cut-off with which a success costs the fewest epochs.

    Parameters
    ----------
    counts, confidence
        As in `fastgrok.statistics`.

    Raises
    ------
    InvalidExperiment
        If there are no seeds, or there is no criterion.

    Notes
    -----
    E(t) of `expected_epochs` is smallest just after a seed has converged, so these epochs are tried, and the last one
    up to which every seed was seen. A cut-off is chosen only among those by which 10 seeds or more have converged:
    the E of one or two lucky seeds that converge at once may be the least of a sample by far, and is that of nothing
    else. Where fewer do in the whole run there is no choice: the cut-off is None, and `expected` is that without one.

    E is flat near its minimum: many cut-offs are nearly as good, and the best one of a sample jumps among them. The
    interval goes from the first to the last cut-off, those by which fewer have converged among them, whose log E is
    no more than z + 0.8 standard errors of the difference above the least. It is open above where it is the length of
    the run that ends it: if it comes to the last epoch at which a seed converges, unless the run goes on for so long
    without another that even with z**2 more of them (Wilson's upper end for none) E would be larger at its end.

    The least E of a sample is too small, since it was chosen for that; the more so, the more its competitors vary: in
    simulations the mean of its logarithm was too small by 0.5 to 1.2 standard errors of the difference of log E
    between the best cut-off and the last that may be as good. Hence the 0.8. The interval of `expected` is that of a
    cut-off fixed beforehand, its upper end moved up by as much. The lower end is not moved: where a few failures
    alone tell the cut-offs apart the least E is not too small, and with both ends moved the interval covered 75 %. It
    is the least of those of nine cut-offs from the first to the last that may be as good, one of which is the best in
    truth: of few seeds that may be an epoch by which too few have converged to choose it. With that of the chosen one
    alone 88 % were covered of 50 seeds on ten epochs, and 11 of the other 12 missed by the lower end; now 98 %.

    Examples
    --------
    >>> counts = Counts.of_epochs([2] * 5 + [4] * 9 + [-1] * 10, until=90)
    >>> best_cutoff(counts).cutoff
    Estimate(value=4, low=2, high=4)
    """
    z = normal_quantile(confidence)
    last, epochs = _candidates(counts)
    if counts.converged.counts[counts.converged.values <= last].sum() < LEAST_CONVERGED:
        return BestCutoff(NO_ESTIMATE, expected_epochs(counts, last, confidence))
    converged = _Moments.of(counts.converged, epochs, counts.n)
    ended = _Moments.of(counts.converged + counts.never, epochs, counts.n)
    mean = ended.first + epochs * (1 - ended.share)
    expected = mean / converged.share
    enough = np.rint(converged.share * counts.n) >= LEAST_CONVERGED
    best = int(np.argmin(np.where(enough, expected, np.inf)))
    errors = np.sqrt(_variances(epochs, converged, ended, mean, best) / counts.n)
    good = np.flatnonzero(np.log(expected / expected[best]) <= (z + _LUCK) * errors)
    tried = {best, *good[np.linspace(0, len(good) - 1, min(len(good), _LOWS)).astype(int)].tolist()}
    latest = int(np.searchsorted(converged.share, converged.share[-1]))  # after the last that converged
    more = mean[-1] / (converged.share[-1] + z**2 / counts.n)
    bounded = good[-1] < latest or (good[-1] == latest and more > expected[latest])
    luck = _LUCK * float(errors[good[-1]])
    cutoff = Estimate(int(epochs[best]), int(epochs[good[0]]), int(epochs[good[-1]]) if bounded else None)
    found = _estimate(counts, int(epochs[best]), confidence, luck)
    lows = (_estimate(counts, int(epochs[k]), confidence).low or 0.0 for k in tried)
    return BestCutoff(cutoff, found._replace(low=min(lows)))


def chosen_cutoff(counts: Counts) -> int:
    """Return the best cut-off, or the last epoch where too few seeds converge for a choice."""
    best = best_cutoff(counts).cutoff.value
    return _candidates(counts)[0] if best is None else int(best)


def _candidates(counts: Counts) -> tuple[int, NDArray[np.int64]]:
    """Return the last epoch that a cut-off may be, and all that are tried: where a seed converges, and the last."""
    limit = last_cutoff(counts)
    last = limit if limit is not None else int((counts.converged + counts.never).values[-1])
    return last, np.union1d(counts.converged.values[counts.converged.values <= last], last)


class _Moments(NamedTuple):
    """Means over seeds of T**0, T and T**2 where T <= t, for each epoch t tried; T is the epoch of some event."""

    share: NDArray[np.float64]
    first: NDArray[np.float64]
    second: NDArray[np.float64]

    @classmethod
    def of(cls, events: Histogram, epochs: NDArray[np.int64], n: int) -> Self:
        """Return those of the events of n seeds."""
        places = np.searchsorted(events.values, epochs, side="right")
        powers = (events.counts * events.values.astype(np.float64) ** power for power in range(3))
        return cls(*(np.concatenate([[0.0], np.cumsum(power)])[places] / n for power in powers))


def _variances(
    epochs: NDArray[np.int64], converged: _Moments, ended: _Moments, mean: NDArray[np.float64], best: int
) -> NDArray[np.float64]:
    """Return the variance over seeds of what one adds to log E(t) - log E(best), for each epoch t tried.

    A seed adds min(T, t) / mean - (it converges by t) / share. `converged` is of the seeds that converge, `ended` of
    all that end, and products of two such terms are sums of these moments.
    """
    places = np.arange(len(epochs))
    lower, upper = np.minimum(places, best), np.maximum(places, best)

    def product(i: NDArray[np.int64], j: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the mean over seeds of the product of what is added at epochs i and at j, i <= j."""
        t, u = epochs[i], epochs[j]
        spent = ended.second[i] + t * (ended.first[j] - ended.first[i]) + t * u * (1.0 - ended.share[j])
        # min(T, t) where it converges by u, and min(T, u) where it converges by t
        spent_met = converged.first[i] + t * (converged.share[j] - converged.share[i])
        met_spent = converged.first[i]
        return (
            spent / (mean[i] * mean[j])
            - spent_met / (mean[i] * converged.share[j])
            - met_spent / (converged.share[i] * mean[j])
            + converged.share[i] / (converged.share[i] * converged.share[j])
        )

    fixed = np.full(len(epochs), best)
    variances = product(places, places) + product(fixed, fixed) - 2 * product(lower, upper)
    return np.maximum(variances, 0.0)


def last_cutoff(counts: Counts) -> int | None:
    """Return the last epoch up to which every seed was seen; None: there is no last one, since none was censored."""
    counts.check_criterion()
    if not counts.n:
        raise InvalidExperiment("counts", counts, "counts of one seed or more")
    return int(counts.censored.values[0]) if len(counts.censored.values) else None
