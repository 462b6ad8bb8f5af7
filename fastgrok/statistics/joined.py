"""Two results or stores as one sweep with an axis `result`: what they have in common, to be compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.errors import InvalidExperiment
from fastgrok.spec.axes import Axis, Configuration
from fastgrok.statistics.counts import Counts
from fastgrok.statistics.scope import what_differs, whose_seeds
from fastgrok.statistics.sweep import Rows, Sweep

RESULT = "result"
"""The axis that says which of the two it is."""

LEAST_COMMON = 0.5
"""The share of the seeds of the smaller one from which on those that both have are compared, and no others."""


class Side(NamedTuple):
    """One of the two, with the configurations that both have."""

    sweep: Sweep
    places: list[int]  # of its configurations, in the order of those of the first
    seeds: NDArray[np.uint64]  # that it has, in the order of its windows


class Joined(NamedTuple):
    """Two sweeps as one: paired on the seeds that both have, or side by side where they have none."""

    axes: Sequence[Axis]
    configurations: Sequence[Configuration]
    sides: tuple[Side, Side]
    common: NDArray[np.uint64]  # seeds of both; none: two samples

    @property
    def counts(self) -> Sequence[Counts]:
        """What became of the finished seeds of each configuration: of those that both have, where there are some."""
        if not len(self.common):
            return [side.sweep.counts[place] for side in self.sides for place in side.places]
        counts = [Counts.empty()] * len(self.configurations)
        for window in self.windows():
            for k, (rows, each) in enumerate(zip(window, self.configurations, strict=True)):
                columns = {name: column[rows.finished] for name, column in rows.metrics.items()}
                counts[k] += Counts.of(columns, each.experiment)
        return counts

    @property
    def n_missing(self) -> int:
        """Training runs that are not finished."""
        return sum(side.sweep.n_missing for side in self.sides)

    def notes(self, *, independent: bool) -> tuple[str, str]:
        """Say on which seeds the two are compared, and what differs; independent: whether as two samples."""
        half = len(self.configurations) // 2
        experiments = [each.experiment for each in self.configurations]
        pairs = list(zip(experiments[:half], experiments[half:], strict=True))
        return whose_seeds(len(self.common), independent=independent), what_differs(pairs)

    def snapshot(self) -> Joined:
        """Return it: both are snapshots."""
        return self

    def windows(self, also: Sequence[str] = ()) -> Iterator[Sequence[Rows]]:
        """Yield the rows of the seeds that both have, at once; without any, those of one and then of the other."""
        if len(self.common):
            yield [rows for side in self.sides for rows in _rows(side, also, self.common)]
            return
        for k, side in enumerate(self.sides):
            for window in side.sweep.windows(also):
                own = [window[place] for place in side.places]
                absent = [rows._replace(finished=np.zeros(len(rows.finished), bool)) for rows in own]
                yield [*absent, *own] if k else [*own, *absent]


def joined(a: Sweep, b: Sweep, names: tuple[str, str]) -> Joined:
    """Return two results as one sweep."""
    labels = [[dict(each.labels) for each in sweep.configurations] for sweep in (a, b)]
    if any(each not in labels[1] for each in labels[0]) or len(labels[0]) != len(labels[1]):
        paths = [[axis.path for axis in sweep.axes] for sweep in (a, b)]
        expected = f"one whose configurations are those of the first, with the axes {paths[0]} and the same values"
        raise InvalidExperiment("axis", paths[1], expected if paths[0] else "a run beside a run, without axes")
    sides = (
        Side(a, list(range(len(labels[0]))), _seeds(a)),
        Side(b, [labels[1].index(each) for each in labels[0]], _seeds(b)),
    )
    configurations = [
        Configuration(
            {RESULT: name, **side.sweep.configurations[place].labels}, side.sweep.configurations[place].experiment
        )
        for name, side in zip(names, sides, strict=True)
        for place in side.places
    ]
    axes = [Axis(RESULT, names, names), *a.axes]
    return Joined(axes, configurations, sides, _common(*(side.seeds for side in sides)))


def _common(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the seeds that both have, none where none is in common."""
    for name, seeds in (("a", a), ("b", b)):
        if len(np.unique(seeds)) < len(seeds):
            expected = "a result with each seed once: rows of one seed, from other parameters, cannot be told apart"
            raise InvalidExperiment(name, "a seed that occurs again", expected)
    common = np.intersect1d(a, b)
    if 0 < len(common) < LEAST_COMMON * min(len(a), len(b)):
        expected = f"seeds of which half or more, or none, are those of the other, and {len(common):,} are"
        raise InvalidExperiment("seeds", f"{len(a):,} and {len(b):,} seeds", expected)
    return common


def _seeds(sweep: Sweep) -> NDArray[np.uint64]:
    """Return the seeds of a sweep, in the order of its windows."""
    return np.concatenate([window[0].seeds for window in sweep.windows()])


def _rows(side: Side, also: Sequence[str], seeds: NDArray[np.uint64]) -> list[Rows]:
    """Return the rows of some seeds in the configurations of one side, in the order of the seeds."""
    order = np.argsort(side.seeds, kind="stable")
    places = order[np.searchsorted(side.seeds[order], seeds)]
    windows = list(side.sweep.windows(also))
    found = []
    for k in side.places:
        parts = [window[k] for window in windows]
        metrics: Mapping[str, Any] = {
            name: np.concatenate([part.metrics[name] for part in parts])[places] for name in parts[0].metrics
        }
        found.append(Rows(metrics, np.concatenate([part.finished for part in parts])[places], seeds))
    return found
