"""What is in a store: shards that are whole, what is wrong with others, and files that are none of its own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from fastgrok.errors import InvalidExperiment, StoreError
from fastgrok.store.shards import FOLDER, Shard, Sidecar, marked
from fastgrok.store.specification import Specification
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
