"""What is in a store: shards that are whole, what is wrong with others, what they add up to, and what is to do."""

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
from fastgrok.store.shards import FOLDER, Shard, Sidecar, by_configuration, marked, missing
from fastgrok.store.storage import Storage

_NAME = re.compile(rf"{FOLDER}/([^/]+)/([0-9]{{1,20}})-([0-9]{{1,20}})\.(?:json|parquet)", re.ASCII)


class Survey(NamedTuple):
    """What the sidecars of a store say."""

    sidecars: list[Sidecar]  # the shards that are whole, disjoint
    problems: list[str]  # what is wrong with the files of others; `resume` makes those shards again
    strays: list[str]  # what is wrong with files that no shard of this store needs

    def check_whole(self, root: str) -> None:
        """Raise if there are problems."""
        if self.problems:
            more = f", and {len(self.problems) - 1:,} more are bad" if len(self.problems) > 1 else ""
            hint = f"`fastgrok resume {root}` makes bad shards again"
            raise StoreError(f"{root} is damaged: {self.problems[0]}{more}; {hint}")


def survey(storage: Storage, specification: Specification, only: str | None = None) -> Survey:
    """Read the sidecars of a store, each once.

    Notes
    -----
    Shards of one configuration that overlap, as two sweeps may leave them that were asked for different seeds at
    once, are counted once: the longer of two that begin with the same seed, the earlier of others.
    """
    by_id: dict[str, list[Sidecar]] = {id_: [] for id_ in ([only] if only else specification.by_id)}
    wrong: dict[str, str] = {}
    for name in names(storage, ".json", only):
        if name.split("/")[1] not in by_id:
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
            by_id[sidecar.shard.experiment_id].append(sidecar)
    sidecars = [sidecar for several in by_id.values() for sidecar in _disjoint(several)]
    is_needed = needed(wrong, specification, sidecars)
    problems = [problem for name, problem in wrong.items() if name in is_needed]
    return Survey(sidecars, problems, [problem for name, problem in wrong.items() if name not in is_needed])


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
    for sidecar in sorted(sidecars, key=lambda sidecar: (sidecar.shard.first, -sidecar.shard.stop)):
        if sidecar.shard.first >= end:
            end = sidecar.shard.stop
            yield sidecar


def needed(files: Iterable[str], specification: Specification, sidecars: Sequence[Sidecar]) -> set[str]:
    """Return the files of shards whose seeds the store does not all have: these shards are made again."""
    shards = {name: shard for name in files if (shard := _shard(name)) and shard.experiment_id in specification.by_id}
    by_id, seeds = by_configuration(sidecars), specification.seeds
    return {
        name
        for name, shard in shards.items()
        if _has_gap(by_id[shard.experiment_id], max(shard.first, seeds.start), min(shard.stop, seeds.stop))
    }


def _shard(name: str) -> Shard | None:
    """Return the shard that a file belongs to by its name, None if it is no shard's."""
    match = _NAME.fullmatch(name)
    return None if match is None else Shard(match[1], int(match[2]), int(match[3]))


def _has_gap(sidecars: Iterable[Sidecar], first: int, stop: int) -> bool:
    """Whether disjoint shards leave out a seed between two."""
    shards = [sidecar.shard for sidecar in sidecars]
    inside = sum(max(min(shard.stop, stop) - max(shard.first, first), 0) for shard in shards)
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
    def of(cls, specification: Specification, state: Survey) -> Self:
        """Add up what the sidecars say."""
        sidecars = state.sidecars
        done = sum(sidecar.counts.n for sidecar in sidecars)
        left = missing(specification, sidecars)
        n_left = sum(shard.n_seeds for shard in left)
        seconds = sum(sidecar.seconds for sidecar in sidecars)
        return cls(
            n_configurations=len(specification.configurations),
            n_seeds=len(specification.seeds),
            n_runs=specification.n_runs,
            n_done=done,
            n_shards=len(sidecars),
            n_missing=len(left),
            seed_epochs=sum(sidecar.counts.seed_epochs for sidecar in sidecars),
            seconds=seconds,
            seconds_left=seconds / done * n_left if done else None,
            n_bytes=sum(sidecar.n_bytes for sidecar in sidecars),
            problems=state.problems,
            strays=state.strays,
        )


def counted(specification: Specification, sidecars: Sequence[Sidecar]) -> list[Counts]:
    """Return what became of the seeds of each configuration."""
    counts = dict.fromkeys(specification.by_id, Counts.empty())
    for sidecar in sidecars:
        counts[sidecar.shard.experiment_id] += sidecar.counts
    return list(counts.values())


def table_rows(specification: Specification, sidecars: Sequence[Sidecar]) -> list[Row]:
    """Return a row for each configuration: its network, its data, its label on each axis, its summary."""
    seconds = dict.fromkeys(specification.by_id, 0.0)
    for sidecar in sidecars:
        seconds[sidecar.shard.experiment_id] += sidecar.seconds
    return [
        Row(configuration, summarise(counts, seconds[configuration.experiment.id]), len(specification.seeds))
        for configuration, counts in zip(specification.configurations, counted(specification, sidecars), strict=True)
    ]


def title(path: str, specification: Specification, status: Status) -> str:
    """Return the first line of a store's table: what it holds, and how far it is."""
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
    work = [(specification.by_id[id_].experiment, n) for id_, n in n_seeds.items()]
    flops = sum(n * flops_per_epoch(experiment) * experiment.epochs for experiment, n in work)
    return Estimate(
        n_configurations=len(specification.configurations),
        n_seeds=len(specification.seeds),
        n_runs=sum(n_seeds.values()),
        n_shards=n_shards,
        seed_epochs=sum(n * experiment.epochs for experiment, n in work),
        seconds=flops / (cpu_count() * training.GENERAL_FLOPS),
        n_bytes=sum(n * row_bytes(specification, experiment) for experiment, n in work),
    )
