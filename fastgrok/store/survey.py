"""What is in a store: shards that are whole, what is wrong with others, what they add up to, and what is to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Self

from fastgrok.engine import training
from fastgrok.engine.kernel_params import flops_per_epoch
from fastgrok.engine.threads import cpu_count
from fastgrok.errors import InvalidExperiment, StoreError
from fastgrok.results.table import Row
from fastgrok.statistics.counts import Counts
from fastgrok.statistics.summary import summarise
from fastgrok.statistics.text import one_line
from fastgrok.store.manifest import Specification, row_bytes
from fastgrok.store.shards import FOLDER, Shard, Sidecar, marked, missing
from fastgrok.store.storage import Storage

_NAME = re.compile(rf"{FOLDER}/([^/]+)/([0-9]{{1,20}})-([0-9]{{1,20}})\.(?:json|parquet)", re.ASCII)


class Survey(NamedTuple):
    """What the sidecars of a store say."""

    there: list[Sidecar]  # the shards that are whole, disjoint
    problems: list[str]  # what is wrong with the files of others; `resume` makes those shards again
    strays: list[str]

    def check_whole(self, root: str) -> None:
        """Raise if there are problems."""
        if self.problems:
            more = f", and {len(self.problems) - 1:,} more are bad" if len(self.problems) > 1 else ""
            hint = f"`fastgrok resume {root}` makes bad shards again"
            raise StoreError(f"{root} is damaged: {self.problems[0]}{more}; {hint}")


def survey(storage: Storage, specification: Specification, only: str | None = None) -> Survey:
    """
    Read the sidecars of a store, each once.

    Notes
    -----
    Shards of one configuration that overlap, as two sweeps may leave them that were asked for different seeds at
    once, are counted once: the longer of two that begin with the same seed, the earlier of others.
    """
    found: dict[str, list[Sidecar]] = {id_: [] for id_ in ([only] if only else specification.by_id)}
    wrong: dict[str, str] = {}
    for name in names(storage, ".json", only):
        if name.split("/")[1] not in found:
            wrong[name] = f"{name} is of no configuration of this store"
            continue
        try:
            text = storage.read(name)
            if (problem := marked(text)) is None:
                sidecar = Sidecar.from_json(text)
                problem = _problem(storage, name, sidecar)
        except (InvalidExperiment, OSError) as error:
            problem = f"{name} cannot be read ({error})"
        if problem:
            wrong[name] = problem
        else:
            found[sidecar.shard.experiment_id].append(sidecar)
    there = [one for sidecars in found.values() for one in _disjoint(sidecars)]
    is_needed = needed(wrong, specification, there)
    problems = [problem for name, problem in wrong.items() if name in is_needed]
    return Survey(there, problems, [problem for name, problem in wrong.items() if name not in is_needed])


def names(storage: Storage, suffix: str, only: str | None = None) -> list[str]:
    """Return the names of files where the shards of a store are."""
    try:
        return storage.names(FOLDER, suffix, only)
    except OSError as error:
        raise StoreError(f"{storage.root}/{FOLDER} cannot be read ({error})") from error


def _problem(storage: Storage, name: str, sidecar: Sidecar) -> str | None:
    """Return what is wrong with a sidecar or its rows."""
    shard = sidecar.shard
    if shard.sidecar_name != name:
        return f"{name} is the sidecar of another shard, {shard.rows_name}"
    if (size := storage.size(shard.rows_name)) != sidecar.n_bytes:
        return f"{shard.rows_name} has {size or 0:,} bytes and not {sidecar.n_bytes:,}"
    if sidecar.counts.n != shard.n_seeds:
        return f"{name} counts {sidecar.counts.n:,} seeds and not {shard.n_seeds:,}"
    return None


def _disjoint(sidecars: Iterable[Sidecar]) -> Iterator[Sidecar]:
    """Yield those that begin after the end of all before."""
    end = 0
    for one in sorted(sidecars, key=lambda one: (one.shard.first, -one.shard.stop)):
        if one.shard.first >= end:
            end = one.shard.stop
            yield one


def needed(files: Iterable[str], specification: Specification, there: Sequence[Sidecar]) -> set[str]:
    """Return those files that are of shards of which the store has not all seeds: these shards are made again."""
    shards = {name: shard for name in files if (shard := _shard(name)) and shard.experiment_id in specification.by_id}
    ranges: dict[str, list[tuple[int, int]]] = {shard.experiment_id: [] for shard in shards.values()}
    for one in there:
        if one.shard.experiment_id in ranges:
            ranges[one.shard.experiment_id].append((one.shard.first, one.shard.stop))
    seeds = specification.seeds
    return {
        name
        for name, shard in shards.items()
        if _has_gap(ranges[shard.experiment_id], max(shard.first, seeds.start), min(shard.stop, seeds.stop))
    }


def _shard(name: str) -> Shard | None:
    """Return the shard whose file has a name, None if it is none's."""
    match = _NAME.fullmatch(name)
    return None if match is None else Shard(match[1], int(match[2]), int(match[3]))


def _has_gap(ranges: Iterable[tuple[int, int]], first: int, stop: int) -> bool:
    """Whether ranges, disjoint, leave something out between two numbers."""
    inside = sum(max(min(end, stop) - max(start, first), 0) for start, end in ranges)
    return inside < stop - first


class Status(NamedTuple):
    """How far a store is."""

    n_configurations: int  # points of the sweep
    n_seeds: int  # seeds of each
    n_runs: int  # training runs in all
    n_done: int  # those that are committed
    n_shards: int  # shards that are committed
    n_missing: int  # shards that are still to be made
    seed_epochs: int  # epochs run, all seeds together
    seconds: float  # of one thread, that training them took
    seconds_left: float | None  # what the rest takes one thread at that rate; None before anything is done
    n_bytes: int  # of the rows
    problems: list[str]  # what is wrong with files that are there; `resume` makes those shards again
    strays: list[str]  # files that no shard of this store is made of, or needed for. They are left alone

    @classmethod
    def of(cls, specification: Specification, found: Survey) -> Self:
        """Find out how far a store is."""
        there = found.there
        done = sum(one.counts.n for one in there)
        left = missing(specification, there)
        n_left = sum(shard.n_seeds for shard in left)
        seconds = sum(one.seconds for one in there)
        return cls(
            n_configurations=len(specification.configurations),
            n_seeds=len(specification.seeds),
            n_runs=specification.n_runs,
            n_done=done,
            n_shards=len(there),
            n_missing=len(left),
            seed_epochs=sum(one.counts.seed_epochs for one in there),
            seconds=seconds,
            seconds_left=seconds / done * n_left if done else None,
            n_bytes=sum(one.n_bytes for one in there),
            problems=found.problems,
            strays=found.strays,
        )


def counted(specification: Specification, there: Sequence[Sidecar]) -> list[Counts]:
    """Return what became of the seeds of each configuration."""
    counts = dict.fromkeys(specification.by_id, Counts.empty())
    for one in there:
        counts[one.shard.experiment_id] += one.counts
    return list(counts.values())


def table_rows(specification: Specification, there: Sequence[Sidecar]) -> list[Row]:
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


class Estimate(NamedTuple):
    """What a sweep will take, roughly: no seed is known to stop early."""

    n_configurations: int  # points of the sweep
    n_seeds: int  # seeds of each
    n_runs: int  # training runs that are still to be done
    n_shards: int  # files of their rows
    seed_epochs: int  # epochs, all seeds together, if none stops early
    seconds: float  # that they take on so many threads as this process may use
    n_bytes: int  # of the rows, before they are compressed


def estimate(specification: Specification) -> Estimate:
    """Return what a sweep will take."""
    first, size = specification.seeds.start, specification.shard_size
    cells = (specification.seeds.stop - 1) // size - first // size + 1
    n_seeds = dict.fromkeys(specification.by_id, len(specification.seeds))
    return estimate_of(specification, n_seeds, cells * len(n_seeds))


def estimate_of(specification: Specification, n_seeds: Mapping[str, int], n_shards: int) -> Estimate:
    """Return what it takes to train so many seeds of each configuration."""
    both = [(specification.by_id[id_].experiment, n) for id_, n in n_seeds.items()]
    flops = sum(n * flops_per_epoch(one) * one.epochs for one, n in both)
    return Estimate(
        n_configurations=len(specification.configurations),
        n_seeds=len(specification.seeds),
        n_runs=sum(n_seeds.values()),
        n_shards=n_shards,
        seed_epochs=sum(n * one.epochs for one, n in both),
        seconds=flops / (cpu_count() * training.GENERAL_FLOPS),
        n_bytes=sum(n * row_bytes(specification, one) for one, n in both),
    )
