"""The rows of a store: as a dataset, as pyarrow sees them, for comparisons, their hash, and copied elsewhere."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from fastgrok.engine.params import split
from fastgrok.engine.training import TrainingOutput
from fastgrok.errors import InvalidExperiment, StoreError
from fastgrok.results import provenance
from fastgrok.results.dataset import to_dataset as labelled
from fastgrok.results.files import OUTCOME, variable_columns
from fastgrok.spec.axes import Configuration
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.recording import shapes
from fastgrok.spec.variables import SEED, VARIABLES
from fastgrok.statistics.sweep import Rows
from fastgrok.store.manifest import ALL, Specification
from fastgrok.store.shards import Sidecar, by_configuration, commit
from fastgrok.store.storage import Storage
from fastgrok.store.tables import PARAMS, column_hashes, outcome_codes

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.dataset as ds
    import xarray as xr

_COMPARED = (OUTCOME, "epochs_run", "epochs_to_converge", "stopped_early")
_IN_MEMORY = 2**22  # rows of all configurations at a time, some 20 bytes each
_LEAST = 2**12  # seeds at a time


def read(storage: Storage, sidecar: Sidecar, columns: Sequence[str] | None = None) -> pa.Table:
    """Return the rows of a shard.

    Notes
    -----
    This thread reads alone. Those of pyarrow would let go of Python's bytes when they please, and one that does so
    while the interpreter leaves ends the process with "terminate called without an active exception".
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(pa.BufferReader(storage.read(sidecar.shard.rows_name)), pre_buffer=False)
        return file.read(columns, use_threads=False)
    except (pa.ArrowException, OSError) as error:
        message = f"{sidecar.shard.rows_name} cannot be read ({error}): `fastgrok verify {storage.root}` says more"
        raise StoreError(message) from error


def to_arrow(storage: Storage, sidecars: Sequence[Sidecar]) -> ds.Dataset:
    """Return shards as one pyarrow dataset."""
    import pyarrow as pa
    import pyarrow.dataset as ds

    root, files = storage.arrow()
    first: dict[str, Sidecar] = {}
    for sidecar in sidecars:
        first.setdefault(sidecar.shard.experiment_id, sidecar)
    schemas = [read(storage, sidecar).schema.remove_metadata() for sidecar in first.values()]
    schema = pa.unify_schemas(schemas, promote_options="permissive") if schemas else pa.schema([])  # of two dtypes
    paths = [f"{root}/{sidecar.shard.rows_name}" for sidecar in sidecars]
    return ds.dataset(paths, schema=schema, format="parquet", filesystem=files)


def to_dataset(
    storage: Storage,
    specification: Specification,
    configuration: Configuration,
    sidecars: Sequence[Sidecar],
    seeds: range,
) -> xr.Dataset:
    """Return rows of one configuration as a labelled dataset."""
    inside = _within(sidecars, seeds)
    table = _rows(storage, inside, seeds)
    n = 0 if table is None else table.num_rows
    output = TrainingOutput.blank(configuration.experiment, specification.recording, n)
    if table is not None:
        _fill(configuration, output, table)
    present = np.array([] if table is None else table[SEED].to_numpy(), np.uint64)
    attrs = _attrs(specification, configuration, inside)
    return labelled(present, [], [configuration], [output], attrs).assign_coords(dict(configuration.labels))


def _within(sidecars: Sequence[Sidecar], seeds: range) -> list[Sidecar]:
    """Return those of the shards in which some of the seeds are."""
    return [sidecar for sidecar in sidecars if sidecar.shard.first < seeds.stop and sidecar.shard.stop > seeds.start]


def _rows(storage: Storage, sidecars: Sequence[Sidecar], seeds: range) -> pa.Table | None:
    """Return the rows of seeds, None where there are no shards."""
    import pyarrow as pa

    tables = []
    for sidecar in sidecars:
        table = read(storage, sidecar)
        present = table[SEED].to_numpy()
        tables.append(table.filter(pa.array((present >= seeds.start) & (present < seeds.stop))))
    return pa.concat_tables(tables) if tables else None


def to_params(
    storage: Storage, configuration: Configuration, sidecars: Sequence[Sidecar], seeds: range
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return seeds and the trained parameters of each, layer by layer."""
    experiment, table = configuration.experiment, _rows(storage, _within(sidecars, seeds), seeds)
    if table is None:
        return np.empty(0, np.uint64), split(experiment.network, np.empty((0, experiment.n_params), experiment.dtype))
    flat = table[PARAMS].combine_chunks().flatten().to_numpy().reshape(-1, experiment.n_params)
    return table[SEED].to_numpy(), split(experiment.network, flat)


def _attrs(specification: Specification, configuration: Configuration, sidecars: Sequence[Sidecar]) -> dict[str, Any]:
    """Return where rows come from."""
    made_by: dict[str, set[str]] = {}
    for sidecar in sidecars:
        for name, version in sidecar.versions.items():
            made_by.setdefault(f"{name}_version", set()).add(version)
    return {
        "experiment_json": configuration.experiment.to_json(),
        "experiment_id": configuration.experiment.id,
        **{f"label_{path}": label for path, label in configuration.labels.items()},
        **{name: ", ".join(sorted(versions)) for name, versions in made_by.items()},
        "rows": specification.rows,
        "time": provenance.now(),
    }


def _fill(configuration: Configuration, output: TrainingOutput, table: pa.Table) -> None:
    """Fill the result variables of a configuration from a table of as many rows."""
    columns = variable_columns(configuration, output)
    for name, array in output.metrics.items():
        for column, index in columns[name]:
            values = outcome_codes(table[column]) if name == OUTCOME else table[column]
            array[cast(Any, (slice(None), *index))] = np.asarray(values)


def rows_hash(storage: Storage, sidecars: Sequence[Sidecar]) -> str:
    """Return the SHA-256 of the rows of a configuration by its seeds, however they are cut into shards."""
    hashes: dict[str, Any] = {}
    for sidecar in sorted(sidecars, key=lambda sidecar: sidecar.shard.first):
        hashes = column_hashes(read(storage, sidecar), hashes)
    return ";".join(f"{name}:{hashed.hexdigest()}" for name, hashed in hashes.items())


def copy(source: Storage, target: Storage, sidecars: Sequence[Sidecar]) -> None:
    """Commit shards of one store to another."""
    for sidecar in sidecars:
        try:
            _copy(source, target, sidecar)
        except OSError as error:
            name = f"{sidecar.shard.rows_name} of {source.root}"
            message = f"{name} could not be copied: {error}. What was before is whole"
            raise StoreError(message) from error


def _copy(source: Storage, target: Storage, sidecar: Sidecar) -> None:
    """Commit one shard to another store."""
    data = source.read(sidecar.shard.rows_name)
    if hashlib.sha256(data).hexdigest() != sidecar.sha256:
        name = f"{sidecar.shard.rows_name} of {source.root}"
        raise StoreError(f"{name} is not what was written: `fastgrok verify {source.root}` says more")
    commit(target, sidecar, data)


def windows(storage: Storage, specification: Specification, sidecars: Sequence[Sidecar]) -> Iterator[list[Rows]]:
    """Return the rows that comparisons need, window by window."""
    if specification.rows != ALL:
        expected = "'all', when the store is made: a comparison needs the rows of the same seeds"
        raise InvalidExperiment("rows", specification.rows, expected)
    return _windows(storage, specification, sidecars)


def _windows(storage: Storage, specification: Specification, sidecars: Sequence[Sidecar]) -> Iterator[list[Rows]]:
    """Yield the rows of some seeds after others, in all configurations."""
    by_id = by_configuration(sidecars)
    first = min([specification.seeds.start, *(sidecar.shard.first for sidecar in sidecars)])
    stop = max([specification.seeds.stop, *(sidecar.shard.stop for sidecar in sidecars)])
    size = max(_LEAST, _IN_MEMORY // len(specification.configurations))
    for start in range(first, stop, size):
        seeds = range(start, min(start + size, stop))
        yield [
            _window(storage, specification, experiment, by_id[experiment.id], seeds)
            for _, experiment in specification.configurations
        ]


def _window(
    storage: Storage, specification: Specification, experiment: Experiment, sidecars: Sequence[Sidecar], seeds: range
) -> Rows:
    """Return the rows of some seeds in one configuration."""
    lengths = shapes(experiment, specification.recording, len(seeds))
    columns = {name: np.zeros(lengths[name], VARIABLES[name].dtype) for name in _COMPARED if name in lengths}
    finished = np.zeros(len(seeds), np.bool_)
    for sidecar in sidecars:
        first, stop = max(sidecar.shard.first, seeds.start), min(sidecar.shard.stop, seeds.stop)
        if first >= stop:
            continue
        target = slice(first - seeds.start, stop - seeds.start)
        table = read(storage, sidecar, list(columns)).slice(first - sidecar.shard.first, stop - first)
        for name, column in columns.items():
            column[target] = outcome_codes(table[name]) if name == OUTCOME else table[name].to_numpy()
        finished[target] = True
    return Rows(columns, finished)
