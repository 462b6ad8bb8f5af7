"""A store as its user sees it: how far it is, what came out, and its rows."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fastgrok.engine.arguments import ExecutionOptions
from fastgrok.engine.notices import progress_bar
from fastgrok.errors import InvalidExperiment, warn
from fastgrok.explain.replay import replay
from fastgrok.results.advice import advice
from fastgrok.results.layout import layout
from fastgrok.results.provenance import total_drivers
from fastgrok.results.table import Row, as_frame, as_html
from fastgrok.spec.axes import Axis, Configuration, index_of
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.variables import EPOCH, SEED
from fastgrok.statistics.counts import Counts
from fastgrok.statistics.sweep import Rows
from fastgrok.store import rows
from fastgrok.store.growth import create_or_grow, grow, grown, opened, planned, sized, still_holding
from fastgrok.store.limits import check_shards
from fastgrok.store.manifest import ALL, Specification, manifest_name, read_specification
from fastgrok.store.merging import check_rows, copy
from fastgrok.store.missing import Missing, missing
from fastgrok.store.scheduler import complete
from fastgrok.store.shards import Piece, by_configuration
from fastgrok.store.shrinking import shrink
from fastgrok.store.storage import Storage, open_storage
from fastgrok.store.survey import (
    Status,
    Survey,
    WorkEstimate,
    counted,
    estimate_of,
    needed,
    shared_sidecars,
    survey,
    survey_of,
    table_rows,
    title,
)
from fastgrok.store.verify import Verification, check_same, verify

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow.dataset as ds
    import xarray as xr


class Store:
    """A sweep on disk; made by `sweep(..., store=)` and by `open_store`. Files are read when a method needs them.

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
        self._surveyed: Survey | None = None
        self._shared: tuple[Specification, dict[str, list[str]]] | None = None  # of this specification

    @property
    def path(self) -> str:
        """Where it is."""
        return self._storage.root

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The fields that vary, empty for one configuration."""
        return self.specification.axes

    @property
    def configurations(self) -> Sequence[Configuration]:
        """One for each point of the sweep, in the order of the product of the axes."""
        return self.specification.configurations

    @property
    def drivers(self) -> dict[str, int]:
        """How many training runs each driver did, as far as the shards say: those of fastgrok 0.1.0 do not."""
        return total_drivers(piece.part.drivers or {} for piece in self._survey().pieces)

    def _survey(self) -> Survey:
        return self._surveyed or survey(self._storage, self.specification)

    def _whole(self, seeds: range | None = None) -> Survey:
        """Return what the sidecars say; raise if shards are bad that may have some of the seeds, None: any."""
        survey_ = self._survey()
        asked = needed(survey_.bad, self.specification, survey_.pieces, seeds=seeds)
        bad = {name: problem for name, problem in survey_.bad.items() if name in asked}
        survey_._replace(bad=bad).check_whole(self.path)
        return survey_

    def snapshot(self) -> Store:
        """Return the store with the shards that it has now, whatever others add to it."""
        store = Store(self._storage, self.specification, interrupted=self.interrupted)
        store._surveyed = self._survey()
        return store

    def status(self) -> Status:
        """Return how far it is, from the sidecars alone."""
        return Status.of(self.specification, self._survey())

    def overview(self) -> tuple[Status, list[Row]]:
        """Return `status()` and `rows()`, and read each sidecar once for both."""
        survey_ = self._survey()
        return Status.of(self.specification, survey_), table_rows(self.specification, survey_.pieces)

    def resume(
        self,
        executor: Executor | None = None,
        *,
        part_of: tuple[int, int] | None = None,
        threads: int | None = None,
        specialize: bool | None = None,
        progress: bool | None = None,
    ) -> Store:
        """Make what is missing, and return the store.

        Parameters
        ----------
        executor, part_of
            As for `fastgrok.sweep`; the parts of several processes are disjoint.
        threads, specialize, progress
            As for `fastgrok.run`; threads without an executor.

        Raises
        ------
        InvalidExperiment
            If an argument is invalid.
        StoreError
            If a shard cannot be written, or was trained before with other bits.
        """
        options = ExecutionOptions(threads, specialize, None, None, progress, executor, part_of).checked()
        return self.make(self.specification, options)

    def make(self, requested: Specification, options: ExecutionOptions) -> Store:
        """Make what is missing of what is asked for, as `sweep(..., store=)` does, and return the store."""
        self.specification.check_version()
        left = self.missing(requested, options)
        otherwise = f"or `fastgrok shrink {self.path}`, after which what is done is all that is planned"
        check_shards(left.n_shards, len(requested.seeds), otherwise)
        with progress_bar(left.n_runs, options.progress) as advance:
            self.interrupted = complete(self._storage.root, self.specification, list(left), options, advance)
        if not self.interrupted:  # if somebody made the plan smaller meanwhile, what was made is still part of it
            self.specification = still_holding(self._storage, self.specification, requested)
        return self

    def missing(self, requested: Specification, options: ExecutionOptions) -> Missing:
        """Return the shards that `make` would make."""
        left = missing(self.specification, self._survey().pieces, requested)
        return left if options.part_of is None else left.part(*options.part_of)

    @property
    def counts(self) -> list[Counts]:
        """What became of the seeds of each configuration that are there, in whole numbers; no row is read."""
        return counted(self.specification, self._survey().pieces)

    @property
    def n_missing(self) -> int:
        """Training runs that are still to be done."""
        return self.specification.n_runs - sum(counts.n for counts in self.counts)

    def rows(self) -> list[Row]:
        """Return a row for each configuration: its network, its data, its label on each axis, its summary."""
        return table_rows(self.specification, self._survey().pieces)

    def summary(self) -> pd.DataFrame:
        """Return one row for each configuration, as `Result.summary` does; from the counts alone, no row is read."""
        survey_ = self._survey()
        if survey_.bad:
            warn(f"{self.path}: {survey_.summed_up}, and not among the seeds", UserWarning)
        rows = table_rows(self.specification, survey_.pieces)
        return as_frame(rows, [advice(row) for row in rows])

    def windows(self, also: Sequence[str] = ()) -> Iterator[list[Rows]]:
        """Return the rows of all configurations, some seeds after others: see `fastgrok.statistics.sweep`.

        Parameters
        ----------
        also
            Result variables to read besides those that say who converged and when.
        """
        return rows.windows(self._storage, self.specification, self._whole().pieces, also)

    def dataset(self, config: int | Mapping[str, Any] | None = None, seeds: range | None = None) -> xr.Dataset:
        """Return the rows of all configurations, or of one.

        Parameters
        ----------
        config
            None: all of them. Of one its place in `summary()`, or its labels, as many as tell it from the others,
            such as {"init": "HeNormal()"}; of a list of points also the number of one, as in {"point": 1}.
        seeds
            Which seeds; None: all.

        Returns
        -------
        The dataset of `Result.dataset`: the whole grid by its axes, or one configuration with dimension `seed` and
        its labels as coordinates without a dimension. What a store lacks of a grid is flagged as in the result of an
        interrupted sweep.

        Raises
        ------
        InvalidExperiment
            If there is no such configuration, or several, or the store is not for all of these seeds, or it has the
            rows of failures alone, which are other seeds in each configuration.
        """
        if config is None and self.axes:
            if self.specification.rows != ALL:
                expected = "one configuration: of rows='failures' each has the rows of other seeds"
                raise InvalidExperiment("config", None, expected)
            wanted = self._wanted(seeds)
            return rows.to_grid(self._storage, self.specification, self._whole(wanted).pieces, wanted)
        return self._one(config, seeds)

    def _one(self, config: int | Mapping[str, Any] | None, seeds: range | None) -> xr.Dataset:
        """Return the rows of one configuration."""
        configuration, wanted, pieces = self._chosen(config, seeds)
        return rows.to_dataset(self._storage, self.specification, configuration, pieces, wanted)

    def experiment(self, config: int | Mapping[str, Any] | None = None) -> Experiment:
        """Return the experiment of one configuration.

        Parameters
        ----------
        config
            As for `dataset`; None: the only one.

        Raises
        ------
        InvalidExperiment
            If there is no such configuration, or several.
        """
        return self._configuration(config).experiment

    def replay(
        self,
        config: int | Mapping[str, Any] | None,
        seed: int | Sequence[int],
        *,
        every: str = EPOCH,
        record_at: str | Sequence[int] | None = None,
        progress: bool | None = None,
    ) -> xr.Dataset:
        """Train a seed of one configuration again, with its whole history: see `fastgrok.replay`.

        Parameters
        ----------
        config
            As for `dataset`; None: the only one.
        seed
            One seed, or several; they need not be among those of the store.
        every, record_at, progress
            As for `fastgrok.replay`.

        Raises
        ------
        InvalidExperiment
            If an argument is invalid.
        StoreError
            If a seed comes out with other bits than its row has.
        """
        labels, experiment = self._configuration(config)
        trace = replay(experiment, seed, every=every, record_at=record_at, progress=progress)
        several = [trace.isel({SEED: k}) for k in range(trace.sizes[SEED])] if SEED in trace.dims else [trace]
        for each in several:
            number = int(each[SEED])
            if number in self.specification.seeds:
                rows, format_ = self._one(config, range(number, number + 1)), self.specification.format
                check_same(each, rows, self.path, format_)
        return trace.assign_attrs({f"label_{path}": label for path, label in labels.items()}, store=self.path)

    def params(
        self, config: int | Mapping[str, Any] | None = None, seeds: range | None = None
    ) -> tuple[NDArray[np.uint64], list[NDArray[Any]]]:
        """Return trained parameters of one configuration, of a store with `keep_params=True`.

        Parameters
        ----------
        config, seeds
            As for `dataset`; config None: the only one.

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
        configuration, wanted, pieces = self._chosen(config, seeds)
        return rows.to_params(self._storage, configuration, pieces, wanted)

    def _chosen(self, config: Any, seeds: Any) -> tuple[Configuration, range, list[Piece]]:
        """Return a configuration, the seeds that are asked for, and its pieces of shards."""
        configuration, wanted = self._configuration(config), self._wanted(seeds)
        id_ = configuration.experiment.id
        if self._surveyed is not None:
            return configuration, wanted, by_configuration(self._whole(wanted).pieces)[id_]
        if self._shared is None or self._shared[0] is not self.specification:
            self._shared = self.specification, shared_sidecars(self.specification)
        survey_ = survey_of(self._storage, self.specification, id_, wanted, self._shared[1].get(id_, []))
        survey_.check_whole(self.path)
        return configuration, wanted, survey_.pieces

    def _wanted(self, seeds: Any) -> range:
        """Return the seeds that are asked for."""
        known = self.specification.seeds
        wanted = known if seeds is None else seeds
        if not isinstance(wanted, range) or wanted.step != 1:
            raise InvalidExperiment("seeds", seeds, "None, or a range of seeds with step 1")
        if wanted.start < known.start or wanted.stop > known.stop:
            raise InvalidExperiment("seeds", seeds, f"some of the seeds of the store, {known}")
        return wanted

    def _configuration(self, config: Any) -> Configuration:
        """Return one configuration."""
        return self.configurations[index_of(self.configurations, config)]

    def arrow(self) -> ds.Dataset:
        """Return all committed rows as a pyarrow dataset, which DuckDB and polars read as it is.

        Columns are the axes, `experiment_id`, `seed`, and the result variables; what only some configurations have
        is null in the others.

        Raises
        ------
        StoreError
            If a file is not what was written, or bad by now. Each is read for that before the dataset is returned.
        """
        return rows.to_arrow(self._storage, self._whole().pieces)

    def verify(self, sample: int = 100, seed: int | None = None) -> Verification:
        """Read everything again, train some rows again, and remove what is left of killed writers.

        Parameters
        ----------
        sample
            Rows that are trained again, to the same bits.
        seed
            Of their choice; None: another one each time.

        Raises
        ------
        InvalidExperiment
            If an argument is invalid.

        Notes
        -----
        A shard whose file is not what was committed is marked in its sidecar, so that it is bad from then on, and
        `resume` makes it again.
        """
        return verify(self._storage, self.specification, sample, seed)

    def content_hash(self) -> str:
        """Return the SHA-256 of all rows, configuration by configuration and seed by seed.

        It does not depend on the shards, nor on who made them. Reads everything.
        """
        digest, reader = hashlib.sha256(), rows.Reader(self._storage)
        by_id = by_configuration(self._whole().pieces)
        for id_ in self.specification.by_id:
            digest.update(f"{id_}:{rows.rows_hash(reader, by_id[id_])};".encode())
        return digest.hexdigest()

    def merge(self, other: Store | str | os.PathLike[str]) -> Store:
        """Copy the shards of another store of the same sweep into this one, and return it.

        Parameters
        ----------
        other
            For the same experiment and axes, or its path; its seeds and values may be others, as for `sweep(...,
            store=)`.

        Raises
        ------
        InvalidExperiment
            If it is for another sweep.
        StoreError
            If a shard of both is not the same, or one of the other store is not what was written; what is copied by
            then is whole.
        """
        other = other if isinstance(other, Store) else self._opened(other)
        pieces = other._whole().pieces
        self.specification = grow(self._storage, sized(other.specification, self.specification, None))
        copy(other._storage, self._storage, self.specification, pieces, self._survey().pieces)
        return self

    def shrink(self) -> Store:
        """Plan no more than the seeds, and the values of each axis, of which there are shards, and return the store.

        The way back where a store was asked for too much: nothing that is done is lost, and `resume` makes less.

        Raises
        ------
        InvalidExperiment
            If nothing is done, or another version of fastgrok made the store.
        StoreError
            If it cannot be read or written.

        Examples
        --------
        >>> import fastgrok as fg, tempfile
        >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     store = fg.sweep(exp, 8, store=folder, progress=False)
        ...     _ = fg.sweep(exp, 10**6, store=folder, part_of=(1000, 1000), progress=False)  # nothing of it yet
        ...     store.shrink().specification.seeds
        range(0, 8)
        """
        self.specification = shrink(self._storage)
        return self

    @classmethod
    def _opened(cls, path: Any) -> Store:
        """Return the store at a path."""
        storage = open_storage(path)
        specification = read_specification(storage)
        if specification is None:
            raise InvalidExperiment("other", path, "a Store, or the path of one")
        return cls(storage, specification)

    def __repr__(self) -> str:
        status, table = self.overview()
        paths = [axis.path for axis in self.axes]
        lines = [title(self.path, self.specification, status), *layout(table, paths).lines]
        return "<" + "\n  ".join(lines) + ">"

    def _repr_html_(self) -> str:
        import html

        status, table = self.overview()
        return f"<p>{html.escape(title(self.path, self.specification, status))}</p>{as_html(table)}"


def open_store(path: str | os.PathLike[str]) -> Store:
    """Open a store.

    Parameters
    ----------
    path
        A directory, or a URL that fsspec knows.

    Raises
    ------
    InvalidExperiment
        If there is no store.
    StoreError
        If _store.json cannot be read, or is damaged.

    Examples
    --------
    >>> open_store("/nowhere")
    Traceback (most recent call last):
    fastgrok.errors.InvalidExperiment: store = '/nowhere': expected a directory that holds _store.json
    """
    storage = open_storage(path)
    return Store(storage, opened(storage, os.fspath(path)))


def made_store(path: str | os.PathLike[str], requested: Specification, *, shard_size: int | None) -> Store:
    """Return the store of a sweep, made if there is none, grown if more is asked for than it holds."""
    storage = open_storage(path)
    return Store(storage, create_or_grow(storage, os.fspath(path), requested, shard_size))


def estimate_in(
    path: str | os.PathLike[str], requested: Specification, options: ExecutionOptions, shard_size: int | None
) -> WorkEstimate:
    """Return what is still to be done of a sweep into a store that may be there, and write nothing."""
    storage = open_storage(path)
    left = Store(storage, planned(storage, requested, shard_size)).missing(requested, options)
    return estimate_of(requested, left.n_seeds, left.n_shards)


def merged_store(path: str | os.PathLike[str], others: Sequence[Store]) -> Store:
    """Return the store of several stores' sweep, made if there is none, with the shards of all of them."""
    ordered = sorted((other.snapshot() for other in others), key=lambda other: other.specification.seeds.start)
    whole = ordered[0].specification
    for other in ordered[1:]:
        whole = grown(whole, sized(other.specification, whole, None))
    for other in ordered if manifest_name(open_storage(path)) is None else ():  # else a new store would be left empty
        check_rows(other._storage, other._whole().pieces)
    store = made_store(path, whole, shard_size=None)
    for other in ordered:
        store.merge(other)
    return store
