"""One shard: train it, and commit it. This is what an executor runs, wherever that is."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import Executor, Future
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgrok.engine import training
from fastgrok.engine.arguments import ExecutionOptions
from fastgrok.engine.training import TrainingOutput
from fastgrok.errors import InvalidExperiment, StoreError
from fastgrok.results import provenance
from fastgrok.results.files import OUTCOME, table_schema, to_table
from fastgrok.spec.axes import Configuration
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.variables import NEVER, OUTCOMES, SEED
from fastgrok.statistics.counts import Counts
from fastgrok.store.shards import Shard, Sidecar
from fastgrok.store.specification import FAILURES, Specification
from fastgrok.store.storage import Storage, open_storage

if TYPE_CHECKING:
    import pyarrow as pa

STORE = "store.json"
"""The file that says what a store holds. It changes only where more is asked for."""

_REMEMBERED = 8  # stores at a time

PARAMS = "params"
"""The column of the trained parameters."""

_FEW_VALUES = {OUTCOME, "accuracy_final", "accuracy_validation_final", "plateau"}  # of many rows


def read_specification(storage: Storage) -> Specification | None:
    """Return what a store holds when it is complete, None where there is no store."""
    try:
        return Specification.from_json(storage.read(STORE))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StoreError(f"{storage.root}/{STORE} cannot be read ({error})") from error
    except InvalidExperiment as error:
        hint = "move it away, and the same sweep into this store writes it again and trains no shard twice"
        raise StoreError(f"{storage.root}/{STORE} is damaged ({error}): {hint}") from error


def make_shard(
    root: str, digest: str, shard: Shard, specialize: bool, ticket: str, writers: Executor | None = None
) -> Future[None] | None:
    """Train the seeds of a shard in this thread, and commit them."""
    storage = open_storage(root)
    if _committed(storage, shard) is not None:  # by another process, since this one looked
        return None
    specification = _specification(root, digest, shard.experiment_id)
    configuration = specification.by_id[shard.experiment_id]
    output = train(specification, configuration.experiment, shard, specialize)
    seeds = np.arange(shard.first, shard.stop, dtype=np.uint64)
    table = rows_table(specification, configuration, output, seeds)
    data = _parquet(table)
    sidecar = Sidecar(
        shard=shard,
        n_rows=table.num_rows,
        n_bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        content=content_hash(table),
        counts=Counts.of(output.finished_metrics, configuration.experiment),
        seconds=output.seconds,
        versions=dict(provenance.versions()),
    )
    if writers is not None:
        return writers.submit(commit, storage, sidecar, data)
    commit(storage, sidecar, data)
    return None


def train(
    specification: Specification, experiment: Experiment, shard: Shard, specialize: bool | None
) -> TrainingOutput:
    """Train the seeds of a shard, in one thread beside this one."""
    output = training.train(
        experiment,
        np.arange(shard.first, shard.stop, dtype=np.uint64),
        ExecutionOptions(specialize=specialize, threads=1),
        keep_params=specification.keep_params,
        recording=specification.recording,
    )
    if output.interrupted:  # Ctrl-C reaches worker processes, too; what is finished by then is no whole shard
        raise KeyboardInterrupt
    return output


_known: dict[tuple[str, str], Specification] = {}


def remember(root: str, specification: Specification) -> str:
    """Spare the tasks of this process reading a specification, and return what names it."""
    digest = hashlib.sha256(specification.to_json().encode()).hexdigest()
    _keep(root, digest, specification)
    return digest


def _specification(root: str, digest: str, experiment_id: str) -> Specification:
    """Return the specification of a store as whoever gave the task knows it, or as it has grown since."""
    known = _known.get((root, digest))
    if known is None:
        known = read_specification(open_storage(root))
        if known is None or experiment_id not in known.by_id:
            raise StoreError(f"{root} no longer holds what it did: was the store removed?")
        _keep(root, digest, known)
    return known


def _keep(root: str, digest: str, specification: Specification) -> None:
    """Keep a specification, and not many of them."""
    if len(_known) >= _REMEMBERED:
        _known.clear()
    _known[root, digest] = specification


def rows_table(
    specification: Specification, configuration: Configuration, output: TrainingOutput, seeds: np.ndarray
) -> pa.Table:
    """Return the rows that a store keeps: result variables, labels, and parameters where they are kept."""
    import pyarrow as pa

    schema = table_schema(
        specification.axes, [configuration], [output], {"experiment_id": configuration.experiment.id}
    )
    table = to_table(configuration, output, seeds, schema)
    flat = output.params
    if flat is not None:
        values = pa.FixedSizeListArray.from_arrays(pa.array(flat.ravel()), flat.shape[1])
        table = table.append_column(
            pa.field(PARAMS, values.type, metadata={"long_name": "trained parameters"}), values
        )
    if specification.rows == FAILURES:
        table = table.filter(pa.array(output.metrics["epochs_to_converge"] == NEVER))
    return table


def content_hash(table: pa.Table) -> str:
    """Return the SHA-256 of the values of a table, column by column; equal rows have equal ones, however stored."""
    digest = hashlib.sha256()
    for name, hashed in column_hashes(table).items():
        digest.update(f"{name}:{hashed.hexdigest()};".encode())
    return digest.hexdigest()


def column_hashes(table: pa.Table, begun: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the SHA-256 of the values of each column but text, going on with those of the rows before."""
    import pyarrow as pa

    hashes = {} if begun is None else begun
    for field, column in zip(table.schema, table.columns, strict=True):
        if not pa.types.is_string(field.type):
            hashes.setdefault(field.name, hashlib.sha256()).update(_values(column))
    return hashes


def _values(column: pa.ChunkedArray) -> Any:
    """Return the values of a column as bytes; outcomes by their codes."""
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        return outcome_codes(column).data
    array = _whole(column)
    if pa.types.is_fixed_size_list(array.type):
        array = array.flatten()
    return np.ascontiguousarray(array.to_numpy(zero_copy_only=False)).data


def _whole(column: pa.ChunkedArray) -> pa.Array:
    """Return a column in one piece; most are."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def outcome_codes(column: pa.ChunkedArray) -> np.ndarray:
    """Return the codes of outcomes, of which a column has the names."""
    array = _whole(column if column.num_chunks == 1 else column.unify_dictionaries())
    codes = np.array([OUTCOMES.index(name) for name in array.dictionary.to_pylist()], np.int8)
    found: np.ndarray = codes[array.indices.to_numpy()]
    return found


def _parquet(table: pa.Table) -> bytes:
    """Return a table as the bytes of a Parquet file; the same table gives the same bytes.

    Whole numbers are written by their differences and floats byte by byte, and then LZ4 will do: as many bytes as
    plain values take with Zstandard, and 0.76 instead of 1.15 ms for 1,000 rows.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    encodings = {}
    for field in table.schema:
        if pa.types.is_integer(field.type):
            encodings[field.name] = "DELTA_BINARY_PACKED"
        elif pa.types.is_floating(field.type) and field.name not in _FEW_VALUES:
            encodings[field.name] = "BYTE_STREAM_SPLIT"
        elif field.name == PARAMS:
            encodings[f"{PARAMS}.list.element"] = "BYTE_STREAM_SPLIT"
    few = [field.name for field in table.schema if pa.types.is_string(field.type) or field.name in _FEW_VALUES]
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        compression="lz4",
        use_dictionary=few,
        column_encoding=encodings,
        write_statistics=[SEED],
    )
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


def commit(storage: Storage, sidecar: Sidecar, rows: bytes) -> None:
    """Put the rows of a shard in their place, and then the sidecar."""
    if _is_there(storage, sidecar):
        return
    text = sidecar.to_json().encode()
    storage.write(sidecar.shard.rows_name, rows)
    if not storage.create(sidecar.shard.sidecar_name, text):
        _is_there(storage, sidecar)
        storage.write(sidecar.shard.sidecar_name, text)


def _is_there(storage: Storage, new: Sidecar) -> bool:
    """Whether a shard is committed; raise if its sidecar says that it holds something else."""
    old = _read_sidecar(storage, new.shard)
    if old is not None and (old.content, old.counts) != (new.content, new.counts):
        raise StoreError(
            f"{new.shard.rows_name} was trained twice and is not the same: by {json.dumps(old.versions)} and by "
            f"{json.dumps(new.versions)}. Please report this: the bits of a seed must not depend on who trains it"
        )
    return _committed(storage, new.shard) is not None


def _committed(storage: Storage, shard: Shard) -> Sidecar | None:
    """Return the sidecar of a shard whose rows are there."""
    there = _read_sidecar(storage, shard)
    return there if there is not None and storage.size(shard.rows_name) == there.n_bytes else None


def _read_sidecar(storage: Storage, shard: Shard) -> Sidecar | None:
    """Return the sidecar of a shard, None if there is none that can be read."""
    try:
        found = Sidecar.from_json(storage.read(shard.sidecar_name))
        return found if found.shard == shard and found.counts.n == shard.n_seeds else None
    except (InvalidExperiment, FileNotFoundError):
        return None
