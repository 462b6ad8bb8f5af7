"""Two configurations on the same seeds, in whole numbers that parts add up to exactly."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgrok.errors import InvalidExperiment
from fastgrok.statistics.arguments import integers
from fastgrok.statistics.histogram import Histogram, Tally

_EPOCH_BITS = 4
_FIRST = 1023 << _EPOCH_BITS
_SIZE = 1024  # bins of an epoch, which is an int64: 63 powers of two, 16 bins each, and one for no epoch


class Table(NamedTuple):
    """Seeds by whether they converge with a and with b.

    Parameters
    ----------
    both, only_a, only_b, neither
        Seeds that converge with a and with b, with a alone, with b alone, with neither.
    """

    both: int
    only_a: int
    only_b: int
    neither: int

    @classmethod
    def of(cls, a: ArrayLike, b: ArrayLike, counts: ArrayLike = 1) -> Self:
        """Count seeds.

        Parameters
        ----------
        a, b
            Whether each converges with a, and with b.
        counts
            How many seeds each stands for.

        Examples
        --------
        >>> Table.of([True, True, False], [True, False, False])
        Table(both=1, only_a=1, only_b=0, neither=1)
        """
        with_a, with_b = np.asarray(a, dtype=bool), np.asarray(b, dtype=bool)
        cells = (with_a & with_b, with_a & ~with_b, ~with_a & with_b, ~with_a & ~with_b)
        return cls(*(int((cell * np.asarray(counts)).sum()) for cell in cells))

    @property
    def n(self) -> int:
        """Seeds."""
        return sum(self)


@dataclass(frozen=True)
class PairedCounts(Tally):
    """What two configurations, a and b, made of the same seeds.

    Parameters
    ----------
    joint
        1024 x the bin of the epoch with a + the bin of the epoch with b -> seeds; see `epoch_bins`.

    Notes
    -----
    It says which seeds converge with both (`table`), and how much alike the epochs are, which decides how wide the
    interval of a paired estimate is. The bins of epochs are at most 6 % wide; the estimates themselves come from the
    exact epochs of `Counts`. `x + y` counts the seeds of both parts, exactly and in any order.

    Examples
    --------
    >>> PairedCounts.of([5, -1, 7], [-1, -1, 9]).table
    Table(both=1, only_a=1, only_b=0, neither=1)
    """

    joint: Histogram

    @classmethod
    def of(cls, epochs_a: ArrayLike, epochs_b: ArrayLike) -> Self:
        """Count the seeds of two configurations.

        Parameters
        ----------
        epochs_a, epochs_b
            `epochs_to_converge` of each seed with a and with b, in the same order; -1 where it does not converge.

        Raises
        ------
        InvalidExperiment
            If the lengths differ, or an epoch is no integer.
        """
        a, b = integers("epochs_a", epochs_a), integers("epochs_b", epochs_b)
        if a.ndim != 1 or a.shape != b.shape:
            raise InvalidExperiment("epochs_b", epochs_b, f"{a.size} epochs, one for each seed of a")
        return cls.of_bins(epoch_bins(a), epoch_bins(b))

    @classmethod
    def of_bins(cls, a: NDArray[np.int64], b: NDArray[np.int64]) -> Self:
        """Count the seeds of two configurations whose epochs have been sorted into bins.

        Parameters
        ----------
        a, b
            What `epoch_bins` returns for each.
        """
        return cls(Histogram.of(a * _SIZE + b))

    @property
    def n(self) -> int:
        """Seeds."""
        return self.joint.n

    @cached_property
    def table(self) -> Table:
        """How many converge with both, with one alone, with neither."""
        return Table.of(self.joint.values // _SIZE > 0, self.joint.values % _SIZE > 0, self.joint.counts)


class Influence(NamedTuple):
    """How much each seed moves an estimate: its epoch decides.

    The mean over seeds is 0, and the variance of the estimate is that of what a seed adds, divided by n. In a
    `covariance` all that do not converge add their mean: that they may end early together is left out.
    """

    epochs: Histogram  # epoch -> seeds that converge after it
    at: NDArray[np.float64]  # what a seed adds that converges after each of these epochs
    otherwise: float  # what a seed adds that does not, in the mean over these
    n: int  # seeds, those that do not converge among them
    spread: float = 0.0  # variance of what those add that do not

    def variance(self) -> float:
        """Return the variance of what a seed adds."""
        left = self.n - self.epochs.n
        return float(self.epochs.counts @ np.square(self.at) + left * (self.otherwise**2 + self.spread)) / self.n

    def total(self) -> float:
        """Return the sum of what the seeds add."""
        return float(self.epochs.counts @ self.at) + (self.n - self.epochs.n) * self.otherwise

    def of_bins(self) -> NDArray[np.float64]:
        """Return what a seed adds in the mean over each bin of epochs."""
        bins = epoch_bins(self.epochs.values)
        sums = np.bincount(bins, self.epochs.counts * self.at, _SIZE)
        seeds = np.bincount(bins, self.epochs.counts, _SIZE)
        means = np.divide(sums, seeds, out=np.zeros(_SIZE), where=seeds > 0)
        means[0] = self.otherwise
        return means


def covariance(paired: PairedCounts, a: Influence, b: Influence) -> float:
    """Return the covariance, over seeds, of what a seed adds to an estimate of a and to one of b."""
    with_a, with_b = _by_bins(paired, a, b)
    return float(paired.joint.counts @ (with_a * with_b)) / paired.n


def apart_by_bins(paired: PairedCounts, a: Influence, b: Influence) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return half of what a seed adds with a less what it adds with b, in the mean over a pair of bins, and seeds."""
    with_a, with_b = _by_bins(paired, a, b)
    return (with_a - with_b) / 2, paired.joint.counts


def _by_bins(paired: PairedCounts, a: Influence, b: Influence) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what a seed adds with a and with b in the mean over each pair of bins that holds seeds."""
    return a.of_bins()[paired.joint.values // _SIZE], b.of_bins()[paired.joint.values % _SIZE]


def epoch_bins(epochs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the bin of each epoch, 16 to a power of two and at most 6 % wide; 0 for no epoch (-1)."""
    bits = np.maximum(epochs, 1).astype(np.float64).view(np.int64) >> (52 - _EPOCH_BITS)
    return np.where(epochs >= 1, bits - _FIRST + 1, 0)
