"""Losses where a trapped network ends, found from the data; seeds on them, and clusters of final losses."""

import functools
import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgrok.datasets import Dataset
from fastgrok.errors import InvalidExperiment
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.known_plateaus import has_known_plateaus
from fastgrok.spec.losses import Loss, check_targets
from fastgrok.spec.variables import MAX_PLATEAU_EXAMPLES
from fastgrok.statistics.arguments import checked
from fastgrok.statistics.attainable import LEAST_SUMS, distinct_examples, entropy
from fastgrok.statistics.counts import Counts
from fastgrok.statistics.histogram import loss_centers, loss_edges
from fastgrok.statistics.proportion import Estimate, rate

TOLERANCE = 0.05
"""A loss is near a plateau within this share of the largest plateau, the loss of the best constant output."""

_EQUAL = 1e-9  # losses that differ by less, relative to the largest, are one plateau
_DIGITS = 13  # significant, kept of a plateau's loss, so that it is the same on every CPU
_LEAST_PROMINENCE = 0.01  # of the seeds counted: what rises less above the valleys beside it is no cluster


class Plateau(NamedTuple):
    """A loss at which a network can be trapped.

    Parameters
    ----------
    loss
        The mean loss over the examples.
    merged
        The fewest examples, of those whose targets differ, that get an output in common with another target.
    name
        What it is called.
    """

    loss: float
    merged: int
    name: str


@checked
@functools.lru_cache(maxsize=256)
def plateaus(data: Dataset, loss: Loss) -> tuple[Plateau, ...]:
    """Return the losses of the best outputs that do not tell some of the examples apart, ascending.

    Over all partitions of the examples into groups: each group's output is its mean target, for absolute_error their
    median, and for huber what is between the two.

    Parameters
    ----------
    data
        At most 8 examples that differ: all partitions of them are tried.
    loss
        The loss's name, as in `Experiment`.

    Notes
    -----
    A ReLU network that is trapped gives the same output to all examples of some groups, and gradient descent then
    finds their mean target. On XOR these are 0, 1/8, 1/6 and 1/4 (squared error), or 0, (1/2) ln 2, (3/4) H(1/3) and
    ln 2 (cross-entropy), rounded to 13 digits. Not every partition is within reach of every network.

    Examples
    --------
    >>> import fastgrok as fg
    >>> [(round(p.loss, 4), p.name) for p in plateaus(fg.datasets.xor(), "squared_error")][:2]
    [(0.0, 'all told apart'), (0.125, '2 of 4 not told apart')]
    """
    if not has_known_plateaus(data):
        expected = f"at most {MAX_PLATEAU_EXAMPLES} examples that differ, to try every partition of them"
        raise InvalidExperiment("data", data, expected)
    check_targets("data.y", loss, data.y)
    rows = distinct_examples(data)
    n = len(rows.first)
    costs, mixed = _groups(data.y[rows.first], rows.weights, loss)
    total = int(rows.weights.sum())
    fewest: dict[float, int] = {}  # loss -> examples not told apart
    for groups in _partitions(_equal_inputs(data.X[rows.first])):
        value = float(f"{sum(costs[group] for group in groups) / total:.{_DIGITS}g}")
        merged = sum(mixed[group] for group in groups)
        fewest[value] = min(fewest.get(value, n), merged)
    return tuple(Plateau(value, merged, _name(merged, n)) for value, merged in _distinct(fewest))


@checked
def nearest_plateau(
    losses: ArrayLike, plateaus: Sequence[Plateau], tolerance: float = TOLERANCE
) -> NDArray[np.float64]:
    """Return the plateau on which each seed sits: its loss, or NaN where none is near.

    Parameters
    ----------
    losses
        `loss_final` of each seed; any shape.
    plateaus
        What `plateaus` returns.
    tolerance
        How far from a plateau a loss may be, as a share of the largest plateau, 0 or more.

    Notes
    -----
    Updates example by example with a constant learning rate circle around a plateau, the wider the larger the rate,
    and never sit on it. Of two plateaus within the tolerance the nearer one is taken.

    Examples
    --------
    >>> import fastgrok as fg
    >>> nearest_plateau([0.1252, 0.02, 0.1649], plateaus(fg.datasets.xor(), "squared_error")).round(4).tolist()
    [0.125, nan, 0.1667]
    """
    if not plateaus:
        raise InvalidExperiment("plateaus", plateaus, "one or more of them")
    if not tolerance >= 0:
        raise InvalidExperiment("tolerance", tolerance, "a number of 0 or more")
    values = np.asarray(losses, dtype=np.float64)
    atoms, middles = _atoms(tuple(plateaus))
    nearest = atoms[middles.searchsorted(values)]
    return np.where(np.abs(values - nearest) <= tolerance * atoms[-1], nearest, np.nan)


@functools.lru_cache(maxsize=256)
def _atoms(plateaus: tuple[Plateau, ...]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the losses of plateaus, and the middles between two of them."""
    atoms = np.array([plateau.loss for plateau in plateaus])
    return atoms, (atoms[1:] + atoms[:-1]) / 2


def _groups(targets: NDArray[np.float64], weights: NDArray[np.int64], loss: Loss) -> tuple[list[float], list[int]]:
    """Return, for each set of examples (a bit each), its summed loss at its best output, and its size if mixed.

    weights: how often each occurs, (n,).
    """
    n = len(targets)
    inside = ((np.arange(1 << n)[:, None] >> np.arange(n)) & 1).astype(bool)
    members = inside * weights
    size = np.maximum(members.sum(axis=1), 1)[:, None]
    mean = (members[:, :, None] * targets).sum(axis=1) / size  # not by BLAS, whose order of sums is the CPU's
    if loss in LEAST_SUMS:
        cost = np.array([LEAST_SUMS[loss](np.repeat(targets, row, axis=0)) for row in members])
    elif loss == "cross_entropy":
        cost = size * entropy(mean)
    elif loss == "binary_cross_entropy":
        cost = size * np.maximum(entropy(mean) + entropy(1 - mean), 0.0)
    else:
        apart = targets[None] - mean[:, None]
        cost = (members[:, :, None] * apart**2).sum(axis=1) * (0.5 if loss == "half_squared_error" else 1.0)
    spans = [np.ptp(targets[row], axis=0).max() if row.any() else 0.0 for row in inside]
    mixed = np.where(np.array(spans) > 0, inside.sum(axis=1), 0)
    return cost.sum(axis=1).tolist(), mixed.tolist()


def _equal_inputs(X: NDArray[np.float64]) -> list[int]:
    """Return the sets of examples whose inputs are equal, a bit for each example."""
    sets: dict[bytes, int] = {}
    for k, row in enumerate(X):
        sets[row.tobytes()] = sets.get(row.tobytes(), 0) | 1 << k
    return list(sets.values())


def _partitions(sets: list[int]) -> list[list[int]]:
    """Return every way to unite sets into groups."""
    partitions: list[list[int]] = [[]]
    for united in sets:
        partitions = [
            grown
            for groups in partitions
            for grown in (
                [*groups, united],
                *([*groups[:k], groups[k] | united, *groups[k + 1 :]] for k in range(len(groups))),
            )
        ]
    return partitions


def _distinct(fewest: dict[float, int]) -> list[tuple[float, int]]:
    """Return the losses, ascending, those that differ by rounding once."""
    distinct: list[tuple[float, int]] = []
    for value, merged in sorted(fewest.items()):
        if distinct and value - distinct[-1][0] <= _EQUAL * max(fewest):
            distinct[-1] = (distinct[-1][0], min(distinct[-1][1], merged))
        else:
            distinct.append((value, merged))
    return distinct


def _name(merged: int, n: int) -> str:
    """Say how many examples a network does not tell apart."""
    return f"{merged} of {n} not told apart" if merged else "all told apart"


class PlateauShare(NamedTuple):
    """Seeds on one plateau.

    Parameters
    ----------
    plateau
        The plateau; None: seeds that did not converge and are near none, those whose loss is no number among them.
    n, share
        How many, and their share of all seeds.
    """

    plateau: Plateau | None
    n: int
    share: Estimate

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers by their names: loss, merged, name of the plateau; n, rate, rate_low, rate_high."""
        known = {"loss": None, "merged": None, "name": "none"} if self.plateau is None else self.plateau._asdict()
        value, low, high = self.share
        return {**known, "n": self.n, "rate": value, "rate_low": low, "rate_high": high}


@checked
def plateau_shares(
    counts: Counts, plateaus: Sequence[Plateau], confidence: float = 0.95, tolerance: float = TOLERANCE
) -> list[PlateauShare]:
    """Return the share of seeds that did not converge and sit on each plateau, and of those on none.

    Parameters
    ----------
    counts
        As in `fastgrok.statistics`; without a criterion no seed converges. A seed's loss is taken for the middle of
        its bin, at most 0.8 % away. Shares are of all seeds, those that converged among them.
    plateaus
        What the function `plateaus` returns.
    confidence
        As in `fastgrok.statistics`.
    tolerance
        As for `nearest_plateau`.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=1000)
    >>> counts = fg.run(exp, seeds=100).counts[0]
    >>> rows = plateau_shares(counts, plateaus(exp.data, exp.loss))
    >>> sum(row.n for row in rows) == counts.n - counts.n_converged
    True
    """
    losses = counts.losses.rest
    nearest = nearest_plateau(loss_centers(losses.values), plateaus, tolerance)
    seeds = [int(losses.counts[nearest == plateau.loss].sum()) for plateau in plateaus]
    rows = [PlateauShare(p, n, rate(n, counts.n, confidence)) for p, n in zip(plateaus, seeds, strict=True)]
    rest = counts.n - counts.n_converged - sum(seeds)
    return [*rows, PlateauShare(None, rest, rate(rest, counts.n, confidence))]


@checked
def occupied_plateaus(
    counts: Counts, experiment: Experiment, confidence: float = 0.95
) -> tuple[PlateauShare, ...] | None:
    """Return the share of seeds at each known plateau of an experiment's data that holds some; None: none is known.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=1000)
    >>> [share.plateau.loss for share in occupied_plateaus(fg.run(exp, seeds=500).counts[0], exp)][:2]
    [0.0625, 0.08333333333333]
    """
    data = experiment.data
    if not has_known_plateaus(data):
        return None
    shares = plateau_shares(counts, plateaus(data, experiment.loss), confidence)
    return tuple(share for share in shares if share.n and share.plateau is not None and share.plateau.merged)


class Cluster(NamedTuple):
    """Seeds whose final losses lie together.

    Parameters
    ----------
    n, share
        How many, and their share of all seeds.
    low, peak, high
        The least loss, that of most, and the largest, to a bin.
    plateau
        The plateau that the peak is near; None: none.
    """

    n: int
    share: Estimate
    low: float
    peak: float
    high: float
    plateau: Plateau | None


@checked
def loss_clusters(
    counts: Counts, plateaus: Sequence[Plateau] = (), confidence: float = 0.95, tolerance: float = TOLERANCE
) -> list[Cluster]:
    """Return where the final losses of the seeds that did not converge lie together, ascending.

    Peaks of the histogram of losses that rise above the valleys beside them by 1 % of these seeds, cut at the lowest
    bin between two.

    Parameters
    ----------
    counts
        As in `fastgrok.statistics`; without a criterion no seed converges, and all are taken.
    plateaus
        What to name them by; what the function `plateaus` returns, or nothing.
    confidence, tolerance
        As for `plateau_shares`.

    Notes
    -----
    The bins are those of `loss_bins`. What lies between peaks belongs to the cluster on its side of the cut.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 3, 1), fg.datasets.xor(), bias_init="same", epochs=2000)
    >>> clusters = loss_clusters(fg.run(exp, seeds=500).counts[0], plateaus(exp.data, exp.loss))
    >>> [cluster.plateau.merged for cluster in clusters]
    [2, 3, 4]
    """
    from scipy.signal import find_peaks

    losses = counts.losses.rest
    if not losses.n:
        return []
    first = int(losses.values[0])
    dense = np.zeros(int(losses.values[-1]) - first + 3, np.int64)  # with an empty bin at either end
    dense[losses.values - first + 1] = losses.counts
    peaks = find_peaks(dense, prominence=max(_LEAST_PROMINENCE * losses.n, 1))[0]
    valleys = [int(a + np.argmin(dense[a:b])) for a, b in itertools.pairwise(peaks)]
    clusters = []
    for peak, start, end in zip(peaks, [0, *valleys], [*valleys, len(dense)], strict=True):
        inside = np.flatnonzero(dense[start:end]) + start + first - 1
        n = int(dense[start:end].sum())
        top = float(loss_centers(np.array([peak + first - 1]))[0])
        lows, highs = loss_edges(inside)
        near = _near(top, plateaus, tolerance)
        clusters.append(Cluster(n, rate(n, counts.n, confidence), float(lows[0]), top, float(highs[-1]), near))
    return clusters


def _near(loss: float, plateaus: Sequence[Plateau], tolerance: float) -> Plateau | None:
    """Return the plateau that is near a loss."""
    nearest = float(nearest_plateau(loss, plateaus, tolerance)) if plateaus else None
    return next((plateau for plateau in plateaus if plateau.loss == nearest), None)
