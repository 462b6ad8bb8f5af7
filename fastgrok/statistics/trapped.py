"""Seeds on the plateaus of their data, and clusters of final losses, named by them."""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from fastgrok.statistics.arguments import checked
from fastgrok.statistics.counts import Counts
from fastgrok.statistics.loss_bins import loss_centers, loss_edges
from fastgrok.statistics.plateaus import TOLERANCE, Plateau, nearest_plateau
from fastgrok.statistics.proportion import Estimate, rate

_LEAST_PROMINENCE = 0.01  # of the seeds counted: what rises less above the valleys beside it is no cluster


class PlateauShare(NamedTuple):
    """
    Seeds on one plateau.

    Parameters
    ----------
    plateau
        The plateau; None: seeds that did not converge and are near none, those whose loss is no number among them.
    n
        How many.
    share
        Of all seeds.
    """

    plateau: Plateau | None
    n: int
    share: Estimate


@checked
def plateau_shares(
    counts: Counts, plateaus: Sequence[Plateau], confidence: float = 0.95, tolerance: float = TOLERANCE
) -> list[PlateauShare]:
    """
    Return the share of seeds that did not converge and sit on each plateau, and of those on none.

    Parameters
    ----------
    counts
        Of one configuration; without a criterion no seed converges. A seed's loss is taken for the middle of its bin,
        at most 0.8 % away. Shares are of all seeds, those that converged among them.
    plateaus
        What the function `plateaus` returns.
    confidence
        The probability that an interval covers a share, between 0 and 1.
    tolerance
        As for `nearest_plateau`.

    Raises
    ------
    InvalidExperiment
        If the counts are something else, such as a list of them.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=1000)
    >>> counts = fg.run(exp, seeds=100).counts[0]
    >>> from fastgrok.statistics.plateaus import plateaus
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


class Cluster(NamedTuple):
    """
    Seeds whose final losses lie together.

    Parameters
    ----------
    n
        How many.
    share
        Of all seeds.
    low
        The least loss, to a bin.
    peak
        The loss of most.
    high
        The largest loss, to a bin.
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
    """
    Return where the final losses of the seeds that did not converge lie together, ascending.

    Peaks of the histogram of losses that rise above the valleys beside them by 1 % of these seeds, cut at the lowest
    bin between two.

    Parameters
    ----------
    counts
        Of one configuration; without a criterion no seed converges, and all are taken.
    plateaus
        What to name them by; what the function `plateaus` returns, or nothing.
    confidence
        The probability that an interval covers a share, between 0 and 1.
    tolerance
        As for `nearest_plateau`.

    Raises
    ------
    InvalidExperiment
        If the counts are something else, such as a list of them.

    Notes
    -----
    The bins are those of `loss_bins`. What lies between peaks belongs to the cluster on its side of the cut.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 3, 1), fg.datasets.xor(), bias_init="same", epochs=2000)
    >>> from fastgrok.statistics.plateaus import plateaus
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
    if not plateaus:
        return None
    nearest = float(nearest_plateau(loss, plateaus, tolerance))
    return next((plateau for plateau in plateaus if plateau.loss == nearest), None)
