"""What the sidecars of a store add up to: exact counts, the rows of its table, and its title."""

from __future__ import annotations

from collections.abc import Sequence

from fastgrok.results.rows import Row
from fastgrok.statistics.counts import Counts
from fastgrok.statistics.summary import summarise
from fastgrok.statistics.text import one_line
from fastgrok.store.shards import Sidecar
from fastgrok.store.specification import Specification
from fastgrok.store.status import Status


def counted(specification: Specification, there: Sequence[Sidecar]) -> list[Counts]:
    """Return what became of the seeds of each configuration."""
    counts = dict.fromkeys(specification.by_id, Counts.empty())
    for one in there:
        counts[one.shard.experiment_id] += one.counts
    return list(counts.values())


def rows(specification: Specification, there: Sequence[Sidecar]) -> list[Row]:
    """Return a row for each configuration: its network, its data, its label on each axis, its summary."""
    seconds = dict.fromkeys(specification.by_id, 0.0)
    for one in there:
        seconds[one.shard.experiment_id] += one.seconds
    return [
        Row(configuration, summarise(counts, seconds[configuration.experiment.id]), len(specification.seeds))
        for configuration, counts in zip(specification.configurations, counted(specification, there), strict=True)
    ]


def title(path: str, specification: Specification, status: Status) -> str:
    """Say what a store holds and how far it is."""
    exp = specification.experiment
    points = " x ".join(f"{len(axis.values)} {one_line(axis.path)}" for axis in specification.axes)
    done = "complete" if not status.n_missing else f"{status.n_done:,} of {status.n_runs:,} runs are there"
    what = f"{points + ' x ' if points else ''}{status.n_seeds:,} seeds"
    return f"fastgrok.Store {path}: {exp.network} on {' '.join(exp.data.name.split())}, {what}, {done}"
