"""What is in a store: shards that are whole, what is wrong with others, what they add up to, and what is to do."""

import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Self

from fastgrok.engine.choice import thread_seconds
from fastgrok.engine.threads import cpu_count
from fastgrok.errors import InvalidExperiment, StoreError, one_line
from fastgrok.results.table import Row
from fastgrok.spec.words import word_of_path
from fastgrok.statistics.counts import Counts
from fastgrok.statistics.plateaus import occupied_plateaus
from fastgrok.statistics.summary import summarise
from fastgrok.store.manifest import Specification, row_bytes
from fastgrok.store.missing import missing, n_shards
from fastgrok.store.shards import (
    FOLDER,
    GROUP,
    SIDECAR,
    Piece,
    Shard,
    Sidecar,
    by_configuration,
    marked,
)
from fastgrok.store.storage import Storage

_NAME = re.compile(rf"{FOLDER}/([^/]+)/{SIDECAR}?([0-9]{{1,20}})-([0-9]{{1,20}})\.(?:json|parquet)", re.ASCII)


class Survey(NamedTuple):
    """What the sidecars of a store say."""

    pieces: list[Piece]  # the configurations of shards that are whole, disjoint
    bad: dict[str, str]  # sidecars of others, and what is wrong with them; `resume` makes these shards again
    strays: list[str]  # what is wrong with files that no shard of this store needs

    @property
    def problems(self) -> list[str]:
        """What is wrong with shards."""
        return list(self.bad.values())

    @property
    def summed_up(self) -> str:
        """The first of the problems, and how many more there are."""
        more = f", and {len(self.bad) - 1:,} more are bad" if len(self.bad) > 1 else ""
        return f"{self.problems[0]}{more}"

    def check_whole(self, root: str) -> None:
        """Raise if there are problems."""
        if self.bad:
            hint = f"`fastgrok resume {root}` makes bad shards again"
            raise StoreError(f"{root} is damaged: {self.summed_up}; {hint}")


def survey(storage: Storage, specification: Specification) -> Survey:
    """Read the sidecars of a store, each once.

    Notes
    -----
    Shards of one configuration that overlap, as two sweeps may leave them that were asked for different seeds at
    once, are counted once: the longer of two that begin with the same seed, the earlier of others.
    """
    by_id: dict[str, list[Piece]] = {id_: [] for id_ in specification.by_id}
    wrong: dict[str, str] = {}
    for name in names(storage, ".json"):
        folder = name.split("/")[1]
        found: Sidecar | str | None = f"{name} is of no configuration of this store"
        if folder in by_id or folder.startswith(GROUP):
            found = _sidecar(storage, name)
        if isinstance(found, Sidecar):
            pieces = [piece for piece in found.pieces() if piece.experiment_id in by_id]
            for piece in pieces:
                by_id[piece.experiment_id].append(piece)
            found = None if pieces else f"{name} is of no configuration of this store"
        if found is not None:
            wrong[name] = found
    pieces = [piece for several in by_id.values() for piece in _disjoint(several)]
    is_needed = needed(wrong, specification, pieces)
    bad = {name: problem for name, problem in wrong.items() if name in is_needed}
    return Survey(pieces, bad, [problem for name, problem in wrong.items() if name not in is_needed])


def shared_sidecars(specification: Specification) -> dict[str, list[str]]:
    """Return the sidecars of each configuration that shares shards, as a store has them that is made at once."""
    names_: dict[str, list[str]] = {}
    for ids, first, stop, _ in missing(specification, ()).gaps:
        for id_ in ids if len(ids) > 1 else ():  # each gap of several is one shard
            names_.setdefault(id_, []).append(Shard(ids, first, stop).sidecar_name)
    return names_


def survey_of(
    storage: Storage, specification: Specification, experiment_id: str, seeds: range, shared: Sequence[str]
) -> Survey:
    """Return what the sidecars of one configuration say; read are its own and those of groups, not the rest.

    Where its seeds are in its own and in those shared ones that are planned for it, no others are read.
    """
    looked_at = [*names(storage, ".json", experiment_id), *shared]
    pieces, wrong = _those_of(storage, looked_at, experiment_id)
    if _has_gap(_disjoint(pieces), seeds.start, seeds.stop):
        others = [name for name in names(storage, ".json", f"{GROUP}*") if name not in shared]
        more, wrong_too = _those_of(storage, others, experiment_id)
        pieces, wrong = pieces + more, wrong | wrong_too
    pieces = list(_disjoint(pieces))
    is_needed = needed(wrong, specification, pieces, [experiment_id], seeds)
    return Survey(pieces, {name: problem for name, problem in wrong.items() if name in is_needed}, [])


def _those_of(storage: Storage, names_: Iterable[str], experiment_id: str) -> tuple[list[Piece], dict[str, str]]:
    """Return the pieces of one configuration in the shards of some sidecars, and what is wrong with others."""
    found = {name: _sidecar(storage, name) for name in names_}
    whole = [sidecar for sidecar in found.values() if isinstance(sidecar, Sidecar)]
    pieces = [piece for sidecar in whole for piece in sidecar.pieces() if piece.experiment_id == experiment_id]
    return pieces, {name: problem for name, problem in found.items() if isinstance(problem, str)}


def names(storage: Storage, suffix: str, folders: str = "*") -> list[str]:
    """Return the names of files where the shards of a store are, or in those folders alone that match a pattern."""
    try:
        return storage.names(FOLDER, suffix, folders)
    except OSError as error:
        raise StoreError(f"{storage.root}/{FOLDER} cannot be read ({error})") from error


def _sidecar(storage: Storage, name: str) -> Sidecar | str | None:
    """Return a sidecar, or what is wrong with it or its rows; None where there is none."""
    try:
        text = storage.read(name)
        if (problem := marked(text)) is not None:
            return problem
        sidecar = _parsed(text)
        return _problem(storage, name, sidecar) or sidecar
    except FileNotFoundError:
        return None
    except (InvalidExperiment, OSError) as error:
        return f"{name} cannot be read ({error})"


@functools.lru_cache(maxsize=4)
def _parsed(text: bytes) -> Sidecar:
    """Return a sidecar; whoever asks for one configuration after the other reads that of their shard every time."""
    return Sidecar.from_json(text)


def _problem(storage: Storage, name: str, sidecar: Sidecar) -> str | None:
    """Return what is wrong with a sidecar or its rows."""
    shard = sidecar.shard
    if name not in shard.sidecar_names:
        return f"{name} is the sidecar of another shard, {shard.rows_name}"
    if (size := storage.size(shard.rows_name)) != sidecar.n_bytes:
        return f"{shard.rows_name} has {size or 0:,} bytes and not {sidecar.n_bytes:,}"
    for part in sidecar.parts:
        if part.counts.n != shard.n_seeds:
            return f"{name} counts {part.counts.n:,} seeds and not {shard.n_seeds:,}"
        if part.n_rows not in (part.counts.n, part.counts.n - part.counts.n_converged):  # all, or failures
            return f"{name} says that there are {part.n_rows:,} rows, and counts {part.counts.n:,}"
    return None


def _disjoint(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Yield those that begin after the end of all before."""
    end = 0
    for piece in sorted(pieces, key=lambda piece: (piece.shard.first, -piece.shard.stop)):
        if piece.shard.first >= end:
            end = piece.shard.stop
            yield piece


def needed(
    files: Iterable[str],
    specification: Specification,
    pieces: Sequence[Piece],
    ids: Sequence[str] | None = None,
    seeds: range | None = None,
) -> set[str]:
    """Return the files of shards whose seeds the store does not all have: these shards are made again.

    ids, seeds: those alone that are asked for; all of the store otherwise
    """
    by_id, seeds = by_configuration(pieces), specification.seeds if seeds is None else seeds
    found = set()
    for name in files:
        if (place := place_of(name, specification)) is None:
            continue
        first, stop = max(place[1], seeds.start), min(place[2], seeds.stop)
        if any(_has_gap(by_id[id_], first, stop) for id_ in place[0] if ids is None or id_ in ids):
            found.add(name)
    return found


def place_of(name: str, specification: Specification) -> tuple[Sequence[str], int, int] | None:
    """Return of which configurations and seeds a file is by its name, None if it is of none of the store's.

    Which configurations a group has, the name of its folder does not say: it may be any.
    """
    if (match := _NAME.fullmatch(name)) is None:
        return None
    ids = [match[1]] if match[1] in specification.by_id else []
    if match[1].startswith(GROUP):
        ids = list(specification.by_id)
    return ids, int(match[2]), int(match[3])


def _has_gap(pieces: Iterable[Piece], first: int, stop: int) -> bool:
    """Whether disjoint pieces leave out a seed between two."""
    shards = [piece.shard for piece in pieces]
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
        parts = [piece.part for piece in state.pieces]
        done = sum(part.counts.n for part in parts)
        left = missing(specification, state.pieces)
        seconds = sum(part.seconds for part in parts)
        files = {piece.shard: piece.sidecar.n_bytes for piece in state.pieces}
        return cls(
            n_configurations=len(specification.configurations),
            n_seeds=len(specification.seeds),
            n_runs=specification.n_runs,
            n_done=done,
            n_shards=len(files),
            n_missing=left.n_shards,
            seed_epochs=sum(part.counts.seed_epochs for part in parts),
            seconds=seconds,
            seconds_left=seconds / done * left.n_runs if done else None,
            n_bytes=sum(files.values()),
            problems=state.problems,
            strays=state.strays,
        )


def counted(specification: Specification, pieces: Sequence[Piece]) -> list[Counts]:
    """Return what became of the seeds of each configuration."""
    counts = dict.fromkeys(specification.by_id, Counts.empty())
    for piece in pieces:
        counts[piece.experiment_id] += piece.part.counts
    return list(counts.values())


def table_rows(specification: Specification, pieces: Sequence[Piece]) -> list[Row]:
    """Return a row for each configuration: its network, its data, its label on each axis, its summary."""
    seconds = dict.fromkeys(specification.by_id, 0.0)
    for piece in pieces:
        seconds[piece.experiment_id] += piece.part.seconds
    return [
        Row(
            configuration,
            summarise(counts, seconds[configuration.experiment.id]),
            len(specification.seeds),
            occupied_plateaus(counts, configuration.experiment),
        )
        for configuration, counts in zip(specification.configurations, counted(specification, pieces), strict=True)
    ]


def title(path: str, specification: Specification, status: Status) -> str:
    """Return the first line of a store's table: what it holds, and how far it is."""
    exp = specification.experiment
    points = " x ".join(f"{len(axis.values)} {word_of_path(axis.path)}" for axis in specification.axes)
    done = "complete" if not status.n_missing else f"{status.n_done:,} of {status.n_runs:,} runs are there"
    done += f", {len(status.problems):,} shards are bad" if status.problems else ""
    what = f"{points + ' x ' if points else ''}{status.n_seeds:,} seeds"
    return f"fastgrok.Store {one_line(path)}: {exp.network} on {one_line(exp.data.name)}, {what}, {done}"


class WorkEstimate(NamedTuple):
    """What a sweep will take, roughly: no seed is known to stop early."""

    n_configurations: int  # points of the sweep
    n_seeds: int  # seeds of each
    n_runs: int  # training runs that are still to be done
    n_shards: int  # files of their rows
    seed_epochs: int  # epochs, all seeds together, if none stops early
    seconds: float  # that they take on so many threads as this process may use
    n_bytes: int  # of the rows, before they are compressed


def estimate(specification: Specification) -> WorkEstimate:
    """Return what a sweep will take."""
    n_seeds = dict.fromkeys(specification.by_id, len(specification.seeds))
    return estimate_of(specification, n_seeds, n_shards(specification))


def estimate_of(specification: Specification, n_seeds: Mapping[str, int], n_shards: int) -> WorkEstimate:
    """Return what it takes to train so many seeds of each configuration."""
    work = [(specification.by_id[id_].experiment, n) for id_, n in n_seeds.items()]
    return WorkEstimate(
        n_configurations=len(specification.configurations),
        n_seeds=len(specification.seeds),
        n_runs=sum(n_seeds.values()),
        n_shards=n_shards,
        seed_epochs=sum(n * experiment.epochs for experiment, n in work),
        seconds=sum(thread_seconds(experiment, specification.recording, n) for experiment, n in work) / cpu_count(),
        n_bytes=sum(n * row_bytes(specification, experiment) for experiment, n in work),
    )
