"""The rows of a store: as a dataset, as pyarrow sees them, for comparisons, and their hash."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from fastgrok.engine.arguments import check_memory
from fastgrok.engine.params import split
from fastgrok.engine.training import TrainingOutput
from fastgrok.errors import InvalidExperiment, StoreError
from fastgrok.results import provenance
from fastgrok.results.arrays import outcome_codes
from fastgrok.results.dataset import to_dataset as labelled
from fastgrok.results.files import DAMAGE, OUTCOME, PARAMS, fill_plateau, variable_columns
from fastgrok.results.hashes import column_hashes
from fastgrok.spec.axes import Configuration, axes_to_plain
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.recording import shapes
from fastgrok.spec.variables import SEED, VARIABLES
from fastgrok.statistics.sweep import Rows
from fastgrok.store.manifest import ALL, Specification
from fastgrok.store.shards import Piece, Shard, Sidecar, by_configuration, by_shard, checked_rows
from fastgrok.store.storage import Storage
from fastgrok.store.tables import own_columns

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.dataset as ds
    import pyarrow.parquet as pq
    import xarray as xr

_COMPARED = (OUTCOME, "epochs_run", "epochs_to_converge", "stopped_early")
_IN_MEMORY = 2**22  # rows of all configurations at a time, some 20 bytes each
_LEAST = 2**12  # seeds at a time
_WHY = 160  # characters of another library's message


class Reader:
    """Reads the rows of shards, and keeps those of the last one: its configurations are often read in a row.

    Notes
    -----
    This thread reads alone. Those of pyarrow would let go of Python's bytes when they please, and one that does so
    while the interpreter leaves ends the process with "terminate called without an active exception".
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._last: tuple[Any, pa.Table] | None = None

    def read(self, piece: Piece, columns: Sequence[str] | None = None) -> pa.Table:
        """Return the rows of one configuration in a shard."""
        key = piece.shard, columns
        if self._last is None or self._last[0] != key:
            data = checked_rows(self._storage, piece.sidecar)
            self._last = key, table_of(self._storage, piece.sidecar, data, columns)
        return piece.rows_of(self._last[1])

    def reading(self, piece: Piece) -> AbstractContextManager[None]:
        """Let an error about what is made of the rows of a shard name the shard."""
        return reading(self._storage, piece.shard)


def table_of(storage: Storage, sidecar: Sidecar, data: bytes, columns: Sequence[str] | None = None) -> pa.Table:
    """Return the rows of the file of a shard, of its configurations' own columns or those that are named."""
    import pyarrow as pa

    with reading(storage, sidecar.shard):
        file = _opened(data)
        table = file.read(columns or own_columns(file.schema_arrow), use_threads=False)
        if table.num_rows != (n := sum(part.n_rows for part in sidecar.parts)):
            raise ValueError(f"there are {table.num_rows:,} and not {n:,}")
        return pa.Table.from_arrays(table.columns, schema=_with_nulls(table.schema))


def _opened(data: bytes) -> pq.ParquetFile:
    import pyarrow as pa
    import pyarrow.parquet as pq

    return pq.ParquetFile(pa.BufferReader(data), pre_buffer=False)


def schema_of(storage: Storage, sidecar: Sidecar, data: bytes) -> pa.Schema:
    """Return the columns of the file of a shard, but those that stand there for other configurations."""
    import pyarrow as pa

    with reading(storage, sidecar.shard):
        whole = _opened(data).schema_arrow
        own = pa.schema([whole.field(name) for name in own_columns(whole)], metadata=whole.metadata)
        return _with_nulls(own)


def _with_nulls(schema: pa.Schema) -> pa.Schema:
    """Return columns that may have nulls: in a shard none has, beside others those that these lack are null."""
    import pyarrow as pa

    return pa.schema([field.with_nullable(True) for field in schema], metadata=schema.metadata)


@contextmanager
def reading(storage: Storage, shard: Shard) -> Iterator[None]:
    """Turn an error about rows that are what was written, and not what the store says, into one of the store."""
    import pyarrow as pa

    try:
        yield
    except (*DAMAGE, pa.ArrowException) as error:
        why = " ".join(f"{type(error).__name__}: {error}".split())[:_WHY]
        message = f"{storage.root}/{shard.rows_name} has other rows than the store says ({why})"
        raise StoreError(f"{message}: `fastgrok verify {storage.root}` says more") from error


def to_arrow(storage: Storage, pieces: Sequence[Piece]) -> ds.Dataset:
    """Return shards as one pyarrow dataset, when all of their files are what was written.

    That is now, since pyarrow's threads can call nothing of Python's when a scan comes to a file. Of a shard some of
    whose configurations are in other shards, too, the rows of the rest are read here.
    """
    import pyarrow as pa
    import pyarrow.dataset as ds

    root, files = storage.arrow()
    schemas: dict[str, pa.Schema] = {}
    paths, rest = [], []
    for shard, own in by_shard(pieces).items():
        sidecar = own[0].sidecar
        data = checked_rows(storage, sidecar)
        if shard.experiment_ids[0] not in schemas:
            columns = schema_of(storage, sidecar, data).remove_metadata()
            schemas |= dict.fromkeys(shard.experiment_ids, columns)  # of one shard all have the same
        if len(own) == len(shard.experiment_ids):
            paths.append(f"{root}/{shard.rows_name}")
        else:
            table = table_of(storage, sidecar, data)
            rest += [piece.rows_of(table) for piece in own]
    whole = pa.unify_schemas(list(schemas.values()), promote_options="permissive") if schemas else pa.schema([])
    dataset = ds.dataset(paths, schema=whole, format="parquet", filesystem=files)
    if not rest:
        return dataset
    table = pa.concat_tables([_cast(table, whole) for table in rest])
    return ds.dataset([dataset, ds.dataset(table)])


def _cast(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return a table with the columns of a schema, null where it has not one."""
    import pyarrow as pa

    arrays = [
        table[field.name].cast(field.type) if field.name in table.column_names else pa.nulls(len(table), field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def to_dataset(
    storage: Storage,
    specification: Specification,
    configuration: Configuration,
    pieces: Sequence[Piece],
    seeds: range,
) -> xr.Dataset:
    """Return rows of one configuration as a labelled dataset."""
    inside, reader = _within(pieces, seeds), Reader(storage)
    rows = [(piece, _rows_of(reader, piece, seeds)) for piece in inside]
    n = sum(len(table) for _, table in rows)
    output, first = TrainingOutput.blank(configuration.experiment, specification.recording, n), 0
    for piece, table in rows:
        with reader.reading(piece):
            _fill(configuration, output, table, slice(first, first + len(table)))
        first += len(table)
    present = np.concatenate([np.empty(0, np.uint64), *(table[SEED].to_numpy() for _, table in rows)])
    attrs = _attrs(specification, configuration, inside)
    return labelled(present, [], [configuration], [output], attrs).assign_coords(dict(configuration.labels))


def to_grid(storage: Storage, specification: Specification, pieces: Sequence[Piece], seeds: range) -> xr.Dataset:
    """Return the rows of all configurations as one labelled dataset, by the axes; what is missing is flagged."""
    experiments = [configuration.experiment for configuration in specification.configurations]
    check_memory(experiments, len(seeds), specification.recording, copies=0)
    by_id, reader, outputs = by_configuration(pieces), Reader(storage), []
    for configuration in specification.configurations:
        output = TrainingOutput.blank(configuration.experiment, specification.recording, len(seeds))
        output.finished[:] = False
        for piece in _within(by_id[configuration.experiment.id], seeds):
            table = reader.read(piece)
            first, stop = max(piece.shard.first, seeds.start), min(piece.shard.stop, seeds.stop)
            rows = slice(first - seeds.start, stop - seeds.start)
            with reader.reading(piece):
                _fill(configuration, output, table.slice(first - piece.shard.first, stop - first), rows)
            output.finished[rows] = True
        outputs.append(output)
    numbers = np.uint64(seeds.start) + np.arange(len(seeds), dtype=np.uint64)
    axes = {"axes_json": json.dumps(axes_to_plain(specification.axes), default=str)}
    attrs = _attrs(specification, Configuration({}, specification.experiment), _within(pieces, seeds)) | axes
    return labelled(numbers, specification.axes, specification.configurations, outputs, attrs)


def _within(pieces: Sequence[Piece], seeds: range) -> list[Piece]:
    """Return those of the pieces in which some of the seeds are."""
    return [piece for piece in pieces if piece.shard.first < seeds.stop and piece.shard.stop > seeds.start]


def _rows_of(reader: Reader, piece: Piece, seeds: range) -> pa.Table:
    """Return the rows of seeds in a piece."""
    import pyarrow as pa

    table = reader.read(piece)
    with reader.reading(piece):
        present = table[SEED].to_numpy()
        return table.filter(pa.array((present >= seeds.start) & (present < seeds.stop)))


def to_params(
    storage: Storage, configuration: Configuration, pieces: Sequence[Piece], seeds: range
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return seeds and the trained parameters of each, layer by layer."""
    experiment, reader = configuration.experiment, Reader(storage)
    numbers, flat = [np.empty(0, np.uint64)], [np.empty((0, experiment.n_params), experiment.dtype)]
    for piece in _within(pieces, seeds):
        table = _rows_of(reader, piece, seeds)
        with reader.reading(piece):
            numbers.append(table[SEED].to_numpy())
            flat.append(table[PARAMS].combine_chunks().flatten().to_numpy().reshape(len(table), experiment.n_params))
    return np.concatenate(numbers), split(experiment.network, np.concatenate(flat))


def _attrs(specification: Specification, configuration: Configuration, pieces: Sequence[Piece]) -> dict[str, Any]:
    """Return where rows come from."""
    made_by: dict[str, set[str]] = {}
    for piece in pieces:
        for name, version in piece.sidecar.versions.items():
            made_by.setdefault(f"{name}_version", set()).add(version)
    return {
        "experiment_json": configuration.experiment.to_json(),
        "experiment_id": configuration.experiment.id,
        **{f"label_{path}": label for path, label in configuration.labels.items()},
        **{name: ", ".join(sorted(versions)) for name, versions in made_by.items()},
        "drivers": json.dumps(provenance.total_drivers(piece.part.drivers or {} for piece in pieces)),
        "rows": specification.rows,
        "time": provenance.now(),
    }


def _fill(configuration: Configuration, output: TrainingOutput, table: pa.Table, rows: slice = slice(None)) -> None:
    """Fill rows of the result variables of a configuration from a table of as many."""
    columns = variable_columns(configuration, output)
    absent = {"plateau"} & set(output.metrics) - set(table.column_names)
    for name in output.metrics.keys() - absent:
        for column, index in columns[name]:
            values = outcome_codes(table[column]) if name == OUTCOME else table[column]
            output.metrics[name][cast(Any, (rows, *index))] = np.asarray(values)
    if absent:
        fill_plateau(configuration, output, rows)


def rows_hash(reader: Reader, pieces: Sequence[Piece]) -> str:
    """Return the SHA-256 of the rows of a configuration by its seeds, however they are cut into shards."""
    hashes: dict[str, Any] = {}
    for piece in sorted(pieces, key=lambda piece: piece.shard.first):
        hashes = column_hashes(reader.read(piece), hashes)
    return ";".join(f"{name}:{hashed.hexdigest()}" for name, hashed in hashes.items())


def windows(
    storage: Storage, specification: Specification, pieces: Sequence[Piece], also: Sequence[str] = ()
) -> Iterator[list[Rows]]:
    """Return the rows that comparisons need, window by window."""
    if specification.rows != ALL:
        expected = "'all', when the store is made: a comparison needs the rows of the same seeds"
        raise InvalidExperiment("rows", specification.rows, expected)
    return _windows(storage, specification, pieces, (*_COMPARED, *also))


def _windows(
    storage: Storage, specification: Specification, pieces: Sequence[Piece], names: Sequence[str]
) -> Iterator[list[Rows]]:
    """Yield the rows of some seeds after others, in all configurations."""
    by_id = by_configuration(pieces)
    first = min((piece.shard.first for piece in pieces), default=specification.seeds.start)
    stop = max((piece.shard.stop for piece in pieces), default=first + 1)
    size = max(_LEAST, _IN_MEMORY // len(specification.configurations))
    reader = Reader(storage)
    for start in range(first, stop, size):
        seeds = range(start, min(start + size, stop))
        yield [
            _window(reader, specification, experiment, by_id[experiment.id], seeds, names)
            for _, experiment in specification.configurations
        ]


def _window(
    reader: Reader,
    specification: Specification,
    experiment: Experiment,
    pieces: Sequence[Piece],
    seeds: range,
    names: Sequence[str],
) -> Rows:
    """Return the rows of some seeds in one configuration."""
    lengths = shapes(experiment, specification.recording, len(seeds))
    columns = {name: np.zeros(lengths[name], VARIABLES[name].dtype) for name in names if name in lengths}
    finished = np.zeros(len(seeds), np.bool_)
    for piece in pieces:
        first, stop = max(piece.shard.first, seeds.start), min(piece.shard.stop, seeds.stop)
        if first >= stop:
            continue
        target = slice(first - seeds.start, stop - seeds.start)
        table = reader.read(piece, list(columns)).slice(first - piece.shard.first, stop - first)
        with reader.reading(piece):
            for name, column in columns.items():
                column[target] = outcome_codes(table[name]) if name == OUTCOME else table[name].to_numpy()
        finished[target] = True
    return Rows(columns, finished, np.uint64(seeds.start) + np.arange(len(seeds), dtype=np.uint64))
