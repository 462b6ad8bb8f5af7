"""How a continuous outcome, a loss or an accuracy, scatters over seeds: quantiles by order statistics."""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.errors import InvalidExperiment
from fastgrok.spec.variables import LARGER_IS_BETTER, Outcome
from fastgrok.statistics.arguments import check_alike, checked
from fastgrok.statistics.counts import Counts
from fastgrok.statistics.histogram import INFINITE, Histogram, accuracies, loss_bins, loss_centers, loss_edges
from fastgrok.statistics.proportion import NO_ESTIMATE, Estimate, normal_quantile

LOW, HIGH = 0.05, 0.95
"""The shares of seeds that the outer quantiles of a `Spread` cut off."""


class Spread(NamedTuple):
    """How a continuous outcome scatters over seeds; None is a number that is not finite, or an end that is open.

    Parameters
    ----------
    n
        Seeds.
    best, worst
        Of the seeds that were trained; they have no interval, and each lies further out the more seeds there are.
    low, median, high
        The 5 % quantile, the median and the 95 % quantile over seeds, each with its interval. Quantile p is the
        value of the seed of rank ceil(n p), so that low <= high whichever way is better.
    """

    n: int
    best: float | None
    low: Estimate
    median: Estimate
    high: Estimate
    worst: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers by their names: n, best, worst, and low, median, high with `_low` and `_high`."""
        row: dict[str, Any] = {"n": self.n, "best": self.best}
        for name, value in (("q05", self.low), ("median", self.median), ("q95", self.high)):
            row |= {name: value.value, f"{name}_low": value.low, f"{name}_high": value.high}
        return row | {"worst": self.worst}


NO_SPREAD = Spread(0, None, NO_ESTIMATE, NO_ESTIMATE, NO_ESTIMATE, None)
"""That of no seeds."""


@checked
def spread(
    values: NDArray[np.float64], counts: NDArray[np.int64], *, larger_is_better: bool, confidence: float = 0.95
) -> Spread:
    """Return how values scatter that occur so often each.

    Parameters
    ----------
    values
        Distinct, ascending, (n_values,); inf stands for what is not finite.
    counts
        How many seeds have each.
    larger_is_better
        Whether the largest value is the best, as of an accuracy, or the worst, as of a loss.
    confidence
        As in `fastgrok.statistics`.

    Examples
    --------
    >>> spread(np.array([0.5, 0.75, 1.0]), np.array([2, 5, 3]), larger_is_better=True).median
    Estimate(value=0.75, low=0.5, high=1.0)
    """
    check_alike(values=values, counts=counts)
    n = int(np.sum(counts))
    if not n:
        normal_quantile(confidence)
        return NO_SPREAD
    ends = _finite(values[0]), _finite(values[-1])
    best, worst = ends[::-1] if larger_is_better else ends
    low, median, high = (order_quantile(values, counts, share, confidence) for share in (LOW, 0.5, HIGH))
    return Spread(n, best, low, median, high, worst)


@checked
def spreads(counts: Counts, confidence: float = 0.95) -> dict[str, Spread]:
    """Return how the continuous outcomes scatter over seeds, by the names of their variables.

    Parameters
    ----------
    counts, confidence
        As in `fastgrok.statistics`. A loss is taken for the middle of its bin, at most 0.8 % away, and intervals end
        at edges of bins; one that is not finite is worse than all others. Accuracies are exact.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> list(spreads(fg.run(exp, seeds=100).counts[0]))
    ['loss_final', 'accuracy_final']
    """
    losses = counts.losses.all
    if losses.n or counts.outcomes[Outcome.DIVERGED]:
        losses += Histogram.of(np.full(counts.n - losses.n, INFINITE))
    counted = {
        "loss_final": (losses, _loss_values),
        "accuracy_final": (counts.accuracies, accuracies),
        "loss_validation_final": (counts.losses_validation, _loss_values),
        "accuracy_validation_final": (counts.accuracies_validation, accuracies),
    }
    found = {}
    for name, (histogram, values) in counted.items():
        if histogram.n:
            better = LARGER_IS_BETTER[name]
            each = spread(values(histogram.values), histogram.counts, larger_is_better=better, confidence=confidence)
            found[name] = each if better else _to_edges(each)
    return found


def _to_edges(each: Spread) -> Spread:
    """Return the spread of losses with intervals that go from edge to edge of the bins in which they end."""
    low, median, high = (
        Estimate(x.value, *(None if end is None else _edges(end)[k] for k, end in enumerate(x[1:])))
        for x in (each.low, each.median, each.high)
    )
    return each._replace(low=low, median=median, high=high)


def _edges(loss: float) -> tuple[float, float]:
    """Return the edges of the bin of a loss."""
    low, high = loss_edges(loss_bins(np.array([loss])))
    return float(low[0]), float(high[0])


def _loss_values(bins: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the losses of bins; infinity is no middle of a bin."""
    infinite = bins >= INFINITE
    return np.where(infinite, np.inf, loss_centers(np.where(infinite, 0, bins)))


@checked
def order_quantile(
    values: NDArray[np.float64], counts: NDArray[np.int64], share: float, confidence: float = 0.95
) -> Estimate:
    """Return a quantile over seeds, with an interval between two order statistics.

    Of n values, sorted, the one of rank ceil(n p), and those of ranks l and u: the largest l with P(B < l) <=
    (1 - confidence) / 2 and the least u with P(B >= u) <= (1 - confidence) / 2, where B is binomial(n, p).

    Parameters
    ----------
    values, counts
        As for `spread`.
    share
        The share p of seeds whose value is at most the quantile, from 0 to 1.
    confidence
        As in `fastgrok.statistics`.

    Notes
    -----
    Wilks, "Order statistics", 1948. No distribution is assumed: the interval covers at least as often as it says,
    and more often where many seeds have the same value. An end is None where there are too few seeds for it.

    Examples
    --------
    >>> order_quantile(np.arange(1.0, 101.0), np.ones(100, int), 0.5)
    Estimate(value=50.0, low=40.0, high=61.0)
    """
    from scipy.stats import binom

    normal_quantile(confidence)
    if not 0 <= share <= 1:
        raise InvalidExperiment("share", share, "a number from 0 to 1")
    check_alike(values=values, counts=counts)
    n, tail = int(np.sum(counts)), (1 - float(confidence)) / 2
    if not n:
        return NO_ESTIMATE
    last = np.cumsum(counts)  # the rank, from 1, of the last seed with each value
    lower = int(binom.ppf(tail, n, share))
    lower -= lower > 0 and float(binom.cdf(lower - 1, n, share)) > tail
    upper = int(binom.ppf(1 - tail, n, share)) + 1
    rank = max(math.ceil(n * share - 1e-9), 1)

    def at(place: int) -> float | None:
        return _finite(values[np.searchsorted(last, place)]) if 1 <= place <= n else None

    return Estimate(at(rank), at(lower), at(upper))


def _finite(value: float) -> float | None:
    """Return a number, None if it is not finite."""
    return float(value) if math.isfinite(value) else None
