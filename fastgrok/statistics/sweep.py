"""A sweep as statistics and pictures see it, whether it is in memory or on disk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from fastgrok.spec.axes import Axis, Configuration
from fastgrok.statistics.counts import Counts


class Rows(NamedTuple):
    """The rows of some seeds in one configuration."""

    metrics: Mapping[str, NDArray[Any]]  # result variables, one row a seed, as `Counts.of` takes them
    finished: NDArray[np.bool_]  # (n_seeds,): rows that are not finished mean nothing
    seeds: NDArray[np.uint64]  # (n_seeds,), which seed each row is of; the same in all configurations


class Sweep(Protocol):
    """What `Result` and `Store` have in common."""

    @property
    def axes(self) -> Sequence[Axis]:
        """The fields that vary, empty for a run."""

    @property
    def configurations(self) -> Sequence[Configuration]:
        """The points of the sweep, in the order of the product of the axes."""

    @property
    def counts(self) -> Sequence[Counts]:
        """What became of the finished seeds of each configuration, in whole numbers."""

    @property
    def n_missing(self) -> int:
        """Training runs that are not finished."""

    def snapshot(self) -> Sweep:
        """Return the sweep as it is now, whatever others add to it: counts and rows of the same seeds."""

    def windows(self, also: Sequence[str] = ()) -> Iterable[Sequence[Rows]]:
        """Yield the rows of all configurations for some seeds, then for the next seeds, until all were there.

        also: result variables besides those of `Counts.of` that decide who converged and when; of a configuration
        that does not have one, it is not there.
        """
