"""A store as its user sees it: how far it is, what came out, and its rows."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok import arguments
from fastgrok.display.numbers import one_line
from fastgrok.display.rows import Row, as_frame
from fastgrok.display.table import as_html, as_text
from fastgrok.errors import InvalidExperiment, StoreError
from fastgrok.experiment import Experiment
from fastgrok.grid import Point, chosen
from fastgrok.schema import EPOCH, SEED
from fastgrok.statistics.counts import Counts
from fastgrok.statistics.summary import summarise
from fastgrok.store import rows, verifying
from fastgrok.store.completing import complete
from fastgrok.store.replaying import check_same
from fastgrok.store.shards import Sidecar, committed, missing, part
from fastgrok.store.specification import Specification
from fastgrok.store.storage import Storage, open_storage
from fastgrok.store.verifying import Verification
from fastgrok.store.work import STORE, read_specification
from fastgrok.trace import replay

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow.dataset as ds
    import xarray as xr


class Status(NamedTuple):
    """
    How far a store is.

    Parameters
    ----------
    n_configurations
        Points of the sweep.
    n_seeds
        Seeds of each.
    n_runs
        Training runs in all.
    n_done
        Those that are committed.
    n_shards
        Shards that are committed.
    n_missing
        Shards that are still to be made.
    seed_epochs
        Epochs run, all seeds together.
    seconds
        Of one thread, that training them took.
    seconds_left
        What the rest takes one thread at that rate; None before anything is done.
    n_bytes
        Of the rows.
    problems
        What is wrong with files that are there; `resume` makes those shards again.
    """

    n_configurations: int
    n_seeds: int
    n_runs: int
    n_done: int
    n_shards: int
    n_missing: int
    seed_epochs: int
    seconds: float
    seconds_left: float | None
    n_bytes: int
    problems: list[str]


class Store:
    """
    A sweep on disk; made by `sweep(..., store=)` and by `open_store`. Nothing is read before it is asked for.

    Parameters
    ----------
    storage
        Its files.
    specification
        What it holds when it is complete.
    interrupted
        Whether Ctrl-C ended the sweep that made it.

    Examples
    --------
    >>> import fastgrok as fg, tempfile
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = fg.sweep(exp, 8, {"optimizer.lr": [0.01, 0.1]}, store=folder, progress=False)
    ...     [int(n) for n in store.summary()["n"]]
    [8, 8]
    """

    def __init__(self, storage: Storage, specification: Specification, *, interrupted: bool = False) -> None:
        self._storage = storage
        self.specification = specification
        self.interrupted = interrupted

    @property
    def path(self) -> str:
        """Where it is."""
        return self._storage.root

    def _sidecars(self) -> list[Sidecar]:
        return committed(self._storage, self.specification)[0]

    def status(self) -> Status:
        """Return how far it is, from the sidecars alone."""
        there, problems = committed(self._storage, self.specification)
        wanted = self.specification
        done = sum(one.counts.n for one in there)
        left = missing(wanted, there)
        n_left = sum(shard.n_seeds for shard in left)
        seconds = sum(one.seconds for one in there)
        return Status(
            n_configurations=len(wanted.points),
            n_seeds=len(wanted.seeds),
            n_runs=wanted.n_runs,
            n_done=done,
            n_shards=len(there),
            n_missing=len(left),
            seed_epochs=sum(one.counts.seed_epochs for one in there),
            seconds=seconds,
            seconds_left=seconds / done * n_left if done else None,
            n_bytes=sum(one.n_bytes for one in there),
            problems=problems,
        )

    def resume(
        self,
        executor: Executor | None = None,
        *,
        part_of: tuple[int, int] | None = None,
        threads: int | None = None,
        specialize: bool | None = None,
        progress: bool | None = None,
    ) -> Store:
        """
        Make what is missing, and return the store.

        Parameters
        ----------
        executor
            Whose workers train and write; None: threads of this process.
        part_of
            (i, n): only the i-th of n parts of the work, i from 1; the parts of several processes are disjoint.
        threads
            Threads, without an executor; None: one for each CPU that the process may use.
        specialize
            Whether to compile a driver for each network; None: where that saves time.
        progress
            Whether to show a bar on stderr; None: if it is a terminal.

        Raises
        ------
        InvalidExperiment
            If an argument will not do.
        StoreError
            If a shard cannot be written, or was trained before with other bits.
        """
        from fastgrok.display.progress import progress_bar

        check_executor(executor)
        self.specification.check_version()
        if part_of is not None and not 1 <= part_of[0] <= part_of[1]:
            raise InvalidExperiment("part_of", part_of, "None, or (i, n) with i from 1 to n")
        arguments.checked_integer("threads", threads, arguments.MAX_THREADS)
        arguments.checked_flag("specialize", specialize)
        arguments.checked_flag("progress", progress)
        left = missing(self.specification, self._sidecars())
        shards = left if part_of is None else part(left, self.specification, *part_of)
        with progress_bar(sum(shard.n_seeds for shard in shards), progress) as advance:
            self.interrupted = complete(
                self._storage.root,
                self.specification,
                shards,
                executor,
                threads=threads,
                specialize=specialize,
                advance=advance,
            )
        return self

    @property
    def counts(self) -> list[Counts]:
        """What became of the seeds of each configuration that are there, in whole numbers; no row is read."""
        return [counts for counts, _ in self._totals()]

    def _totals(self) -> list[tuple[Counts, float]]:
        """Return the counts of each configuration, and the seconds that training it took one thread."""
        counts = dict.fromkeys(self.specification.by_id, Counts.empty())
        seconds = dict.fromkeys(counts, 0.0)
        for one in self._sidecars():
            counts[one.shard.experiment_id] += one.counts
            seconds[one.shard.experiment_id] += one.seconds
        return list(zip(counts.values(), seconds.values(), strict=True))

    def rows(self) -> list[Row]:
        """Return a row for each configuration: its network, its data, its label on each axis, its summary."""
        return [
            Row(
                {"network": str(point.experiment.network), "data": point.experiment.data.name, **point.labels},
                summarise(counts, seconds),
                len(self.specification.seeds),
            )
            for point, (counts, seconds) in zip(self.specification.points, self._totals(), strict=True)
        ]

    def summary(self) -> pd.DataFrame:
        """Return one row for each configuration, as `Result.summary` does; from the counts alone, no row is read."""
        return as_frame(self.rows())

    def dataset(self, config: int | Mapping[str, Any] | None = None, seeds: range | None = None) -> xr.Dataset:
        """
        Return the rows of one configuration.

        Parameters
        ----------
        config
            Its place in `summary()`, or its labels, as many as tell it from the others, such as {"init":
            "HeNormal()"}; None: the only one.
        seeds
            Which of its seeds; None: all that are there.

        Returns
        -------
        The dataset of `Result.dataset`, with dimension `seed`.

        Raises
        ------
        InvalidExperiment
            If there is no such configuration, or several.
        """
        point, wanted, there = self._chosen(config, seeds)
        return rows.to_dataset(self._storage, self.specification, point, there, wanted)

    def experiment(self, config: int | Mapping[str, Any] | None = None) -> Experiment:
        """
        Return the experiment of one configuration.

        Parameters
        ----------
        config
            As for `dataset`.

        Raises
        ------
        InvalidExperiment
            If there is no such configuration, or several.
        """
        return self._point(config).experiment

    def replay(
        self,
        config: int | Mapping[str, Any] | None,
        seed: int | Sequence[int],
        *,
        every: str = EPOCH,
        record_at: str | Sequence[int] | None = None,
    ) -> xr.Dataset:
        """
        Train a seed of one configuration again, with its whole history: see `fastgrok.replay`.

        Parameters
        ----------
        config
            As for `dataset`.
        seed
            One seed, or several; they need not be among those of the store.
        every
            As for `fastgrok.replay`.
        record_at
            As for `fastgrok.replay`.

        Raises
        ------
        InvalidExperiment
            If an argument will not do.
        StoreError
            If a seed comes out with other bits than its row has.
        """
        point = self._point(config)
        trace = replay(point.experiment, seed, every=every, record_at=record_at)
        for one in [trace] if SEED not in trace.dims else [trace.isel({SEED: k}) for k in range(trace.sizes[SEED])]:
            number = int(one[SEED])
            check_same(one, self.dataset(config, range(number, number + 1)), self.path)
        return trace.assign_attrs({f"label_{path}": label for path, label in point.labels.items()}, store=self.path)

    def params(
        self, config: int | Mapping[str, Any] | None = None, seeds: range | None = None
    ) -> tuple[NDArray[np.uint64], list[NDArray[Any]]]:
        """
        Return trained parameters of one configuration, of a store with `keep_params=True`.

        Parameters
        ----------
        config
            As for `dataset`.
        seeds
            As for `dataset`.

        Returns
        -------
        The seeds, and one array for each of `network.param_shapes`, with a leading axis of their length: what
        `predict` takes.

        Raises
        ------
        InvalidExperiment
            If they were not kept, or there is no such configuration.
        """
        if not self.specification.keep_params:
            raise InvalidExperiment("keep_params", False, "True, when the store is made: the parameters are not kept")
        point, wanted, there = self._chosen(config, seeds)
        return rows.to_params(self._storage, point, there, wanted)

    def _chosen(self, config: Any, seeds: Any) -> tuple[Point, range, list[Sidecar]]:
        """Return a configuration, the seeds that are asked for, and its shards."""
        point = self._point(config)
        wanted = self.specification.seeds if seeds is None else seeds
        if not isinstance(wanted, range) or wanted.step != 1:
            raise InvalidExperiment("seeds", seeds, "None, or a range of seeds with step 1")
        return point, wanted, [one for one in self._sidecars() if one.shard.experiment_id == point.experiment.id]

    def _point(self, config: Any) -> Point:
        """Return one configuration."""
        points = self.specification.points
        return points[chosen(points, config)]

    def arrow(self) -> ds.Dataset:
        """
        Return all committed rows as a pyarrow dataset, which DuckDB and polars read as it is.

        Columns are the axes, `experiment_id`, `seed`, and the result variables; what only some configurations have
        is null in the others.
        """
        return rows.to_arrow(self._storage, self._sidecars())

    def verify(self, sample: int = 100, seed: int | None = None) -> Verification:
        """
        Read everything again, train some rows again, and remove what is left of killed writers.

        Parameters
        ----------
        sample
            Rows that are trained again, to the same bits.
        seed
            Of their choice; None: another one each time.

        Notes
        -----
        A shard whose file is not what was committed loses its sidecar, so that `resume` makes it again.
        """
        return verifying.verify(self._storage, self.specification, sample, seed)

    def content_hash(self) -> str:
        """
        Return the SHA-256 of all rows, configuration by configuration and seed by seed.

        It does not depend on the shards, nor on who made them. Reads everything.
        """
        digest = hashlib.sha256()
        there: dict[str, list[Sidecar]] = {id_: [] for id_ in self.specification.by_id}
        for one in self._sidecars():
            there[one.shard.experiment_id].append(one)
        for id_, sidecars in there.items():
            digest.update(f"{id_}:{rows.content_hash(self._storage, sidecars)};".encode())
        return digest.hexdigest()

    def merge(self, other: Store) -> Store:
        """
        Copy the shards of another store of the same sweep into this one, and return it.

        Parameters
        ----------
        other
            For the same experiment and axes; its seeds and values may be others, as for `sweep(..., store=)`.

        Raises
        ------
        InvalidExperiment
            If it is for another sweep.
        StoreError
            If a shard of both is not the same.
        """
        self._grow(dataclasses.replace(other.specification, shard_size=self.specification.shard_size))
        rows.copy(other._storage, self._storage, other._sidecars())
        return self

    def _grow(self, asked: Specification) -> None:
        """Let it hold more."""
        while (newest := read_specification(self._storage)) is not None:  # another process may let it grow, too
            self.specification = newest.merged(asked)
            if self.specification == newest:
                return
            self._storage.write(STORE, self.specification.to_json().encode())
        raise StoreError(f"{self.path} holds no {STORE}: was the store removed?")

    def __repr__(self) -> str:
        return f"<{self._title()}\n  " + "\n  ".join(as_text(self.rows()).splitlines()) + ">"

    def _repr_html_(self) -> str:
        import html

        return f"<p>{html.escape(self._title())}</p>{as_html(self.rows())}"

    def _title(self) -> str:
        """Say what there is."""
        status, exp = self.status(), self.specification.experiment
        points = " x ".join(f"{len(axis.values)} {one_line(axis.path)}" for axis in self.specification.axes)
        done = "complete" if not status.n_missing else f"{status.n_done:,} of {status.n_runs:,} runs are there"
        what = f"{points + ' x ' if points else ''}{status.n_seeds:,} seeds"
        return f"fastgrok.Store {self.path}: {exp.network} on {' '.join(exp.data.name.split())}, {what}, {done}"


def check_executor(executor: Any) -> None:
    """
    Raise unless it is None or an executor.

    Parameters
    ----------
    executor
        Any value.

    Raises
    ------
    InvalidExperiment
        If it is something else.
    """
    if executor is not None and not isinstance(executor, Executor):
        expected = "None, or a concurrent.futures.Executor, such as Client(...).get_executor() of Dask"
        raise InvalidExperiment("executor", executor, expected)


def open_store(path: str | os.PathLike[str]) -> Store:
    """
    Open a store.

    Parameters
    ----------
    path
        A directory, or a URL that fsspec knows.

    Raises
    ------
    InvalidExperiment
        If there is no store.

    Examples
    --------
    >>> open_store("/nowhere")
    Traceback (most recent call last):
    fastgrok.errors.InvalidExperiment: store = '/nowhere': expected a directory that holds store.json
    """
    storage = open_storage(path)
    specification = read_specification(storage)
    if specification is None:
        raise InvalidExperiment("store", os.fspath(path), f"a directory that holds {STORE}")
    return Store(storage, specification)


def made_store(path: str | os.PathLike[str], asked: Specification, *, shard_size: int | None) -> Store:
    """
    Return the store of a sweep, made if there is none, grown if more is asked for than it holds.

    Parameters
    ----------
    path
        A directory, or a URL that fsspec knows.
    asked
        What is asked for.
    shard_size
        What was said of it; None: that of the store.

    Raises
    ------
    InvalidExperiment
        If the directory holds something else, or a store for another sweep: the error says what differs.
    """
    storage = open_storage(path)
    text = asked.to_json()
    try:
        Specification.from_json(text)
    except InvalidExperiment as error:
        expected = "something that a store can read back from JSON, such as a scheme or arrays instead of a function"
        raise InvalidExperiment(error.field, error.value, expected) from error
    try:
        if not storage.is_empty() and storage.size(STORE) is None:
            raise InvalidExperiment("store", os.fspath(path), "a store, or a directory that is empty or not there")
        made = storage.create(STORE, text.encode())
    except OSError as error:
        expected = f"a directory that can be written to ({error.strerror or error})"
        raise InvalidExperiment("store", os.fspath(path), expected) from error
    if made:
        return Store(storage, asked)
    store = open_store(path)
    if shard_size is None:
        asked = dataclasses.replace(asked, shard_size=store.specification.shard_size)
    store._grow(asked)
    return store
