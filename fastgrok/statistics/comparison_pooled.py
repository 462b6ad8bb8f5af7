"""What a comparison says in the mean over strata, and for other clusters."""

import collections
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgrok.statistics.clusters import clustered_difference, clustered_rate
from fastgrok.statistics.comparison_rows import Asked, ClusterRow, PooledRow
from fastgrok.statistics.proportion import Estimate
from fastgrok.statistics.stratified import PooledCounts
from fastgrok.statistics.sweep import Sweep

Pooled = tuple[PooledCounts, dict[Any, PooledCounts]]  # over all strata, and over those of each cluster
"""Counts over all strata, and over those of each cluster."""


class Sums:
    """Sums over strata of what each seed does, of one window of seeds after another."""

    def __init__(self) -> None:
        self.pooled: dict[Any, Pooled] = {}
        self._open: dict[tuple[Any, Any], NDArray[np.int32]] = {}  # of each seed: (2, n_seeds)

    def add(self, key: Any, cluster: Any, numbers: NDArray[np.integer], finished: NDArray[np.bool_]) -> None:
        """Add the numbers of the seeds of a window in one stratum; cluster: that of the stratum, None for none."""
        for place in [(key, None)] if cluster is None else [(key, None), (key, cluster)]:
            total, n_strata = self._open.setdefault(place, np.zeros((2, len(finished)), np.int32))
            total += finished * numbers
            n_strata += finished

    def close(self) -> None:
        """End a window."""
        for (key, cluster), sums in self._open.items():
            whole, parts = self.pooled.get(key, (PooledCounts.of_sums([], []), {}))
            new = PooledCounts.of_sums(*sums)
            if cluster is None:
                self.pooled[key] = (whole + new, parts)
            else:
                self.pooled[key] = (whole, {**parts, cluster: parts[cluster] + new if cluster in parts else new})
        self._open = {}


def cluster_rows(sweep: Sweep, axis: str, asked: Asked) -> list[ClusterRow]:
    """Return how often seeds converge with each value, for other clusters."""
    sums = Sums()
    labels = [configuration.labels for configuration in sweep.configurations]
    for window in sweep.windows():
        for each, rows in zip(labels, window, strict=True):
            met = rows.metrics["epochs_to_converge"] >= 0
            sums.add(each[axis], each[str(asked.clusters)], met.astype(np.int32), rows.finished)
        sums.close()
    counted = zip(labels, sweep.counts, strict=True)
    n_strata = collections.Counter(label[axis] for label, counts in counted if counts.n)
    return [
        ClusterRow(label, n_strata[label], seeds.seeds, clustered_rate(seeds, _some(parts), asked.confidence))
        for label, (seeds, parts) in sums.pooled.items()
        if seeds.pairs
    ]


def _some(parts: Mapping[Any, PooledCounts]) -> list[PooledCounts]:
    """Return the clusters in which there are seeds."""
    return [each for each in parts.values() if each.pairs]


def pooled_row(
    key: tuple[Any, Any], n_strata: int, seeds: PooledCounts, parts: Mapping[Any, PooledCounts], asked: Asked
) -> PooledRow:
    """Return how large an advantage is in the mean over strata; no p-value is adjusted yet."""
    clusters = _some(parts)

    def difference(confidence: float) -> Estimate:
        """Return the difference with an interval of some confidence."""
        if asked.clusters is None:
            return seeds.difference(confidence)
        return clustered_difference(seeds, clusters, confidence)[0]

    p = seeds.p_value() if asked.clusters is None else clustered_difference(seeds, clusters)[1]
    alike = asked.equivalence(difference)
    return PooledRow(*key, n_strata, seeds.seeds, difference(asked.confidence), p, p, alike, None, asked.clusters)
