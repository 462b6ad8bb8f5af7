"""Results in files: Parquet, one row a configuration and seed, or NetCDF."""

from __future__ import annotations

import functools
import importlib.util
import itertools
import json
import os
import secrets
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from fastgrok.engine.metrics import plateau
from fastgrok.engine.training import TrainingOutput, joined_metrics
from fastgrok.errors import InvalidExperiment
from fastgrok.spec.axes import Axis, Configuration
from fastgrok.spec.network import Network, relu_layers
from fastgrok.spec.recording import Recording, sizes
from fastgrok.spec.variables import (
    ABSENT,
    EPOCH,
    FORMER_OUTCOMES,
    HIDDEN_LAYER,
    LAYER,
    OUTCOMES,
    SEED,
    UNIT,
    VARIABLES,
)

if TYPE_CHECKING:
    import pyarrow as pa
    import xarray as xr

OUTCOME = "outcome"
"""The variable that is written to Parquet by the names of its values, and to NetCDF as codes with CF flags."""

PARQUET, NETCDF = ".parquet", ".nc"

TEMPORARY = ".tmp"
"""How the names of files end that are still being written."""

NETCDF_LIBRARIES = ("h5netcdf", "h5py")
"""What writing NetCDF needs."""

METADATA_KEY = "fastgrok"
"""The key of a Parquet file's metadata that holds the provenance, as JSON."""

RESULT_KEY = "result_json"
"""The attribute of a file that holds what `fastgrok.load` needs besides the rows and the experiment, as JSON."""

PARAMS = "params"
"""The column of the trained parameters."""

_REMEMBERED = 1024  # of what is the same for many configurations


def checked_target(path: str | os.PathLike[str], field: str = "path") -> Path:
    """Return the path of a file that a result can be written to, before any work is spent on it.

    field: what an error calls it.
    """
    name = os.fspath(path) if isinstance(path, str | os.PathLike) else None
    if not isinstance(name, str) or "\0" in name or Path(name).suffix not in (PARQUET, NETCDF):
        raise InvalidExperiment(field, path if name is None else name, "a path that ends in .parquet or .nc")
    target = Path(name)
    if target.suffix == NETCDF and not all(map(importlib.util.find_spec, NETCDF_LIBRARIES)):
        expected = f"pip install {' '.join(NETCDF_LIBRARIES)} for NetCDF, or a .parquet path"
        raise InvalidExperiment(field, name, expected)
    try:
        if target.is_dir():
            raise InvalidExperiment(field, name, "a file, and this is a directory")
        with tempfile.TemporaryFile(dir=target.parent):
            return target
    except (OSError, ValueError) as error:
        if isinstance(error, InvalidExperiment):
            raise
        why = getattr(error, "strerror", None) or error
        raise InvalidExperiment(field, name, f"a path in a directory that can be written to ({why})") from error


def write_parquet(
    path: Path,
    seeds: NDArray[np.uint64],
    axes: Sequence[Axis],
    configurations: Sequence[Configuration],
    outputs: Sequence[TrainingOutput],
    attrs: Mapping[str, Any],
) -> None:
    """Write one row for each configuration and finished seed, one row group a configuration."""
    import pyarrow.parquet as pq

    schema = table_schema(axes, configurations, outputs, attrs)
    kept = _params_field(outputs)
    whole = schema if kept is None else schema.append(kept)

    def write(temporary: str) -> None:
        with pq.ParquetWriter(temporary, whole) as writer:
            for configuration, output in zip(configurations, outputs, strict=True):
                if output.finished.any():
                    table = to_table([configuration], [output], seeds, schema)
                    if kept is not None and output.params is not None:
                        rows = as_lists(output.finished_rows(output.params))
                        table = table.append_column(kept, rows.cast(kept.type))
                    writer.write_table(table)

    _atomically(path, write)


def _params_field(outputs: Sequence[TrainingOutput]) -> pa.Field | None:
    """Return the column of trained parameters, None where they were not kept; networks may differ in their number."""
    import pyarrow as pa

    kinds = {output.params.dtype for output in outputs if output.params is not None}
    if not kinds:
        return None
    kind = pa.list_(pa.from_numpy_dtype(max(kinds, key=lambda kind: kind.itemsize)))
    return pa.field(PARAMS, kind, metadata={"long_name": "trained parameters, layer by layer: weight, then bias"})


def as_lists(flat: np.ndarray) -> pa.Array:
    """Return the rows of an array as lists."""
    import pyarrow as pa

    ends = to_array(np.arange(len(flat) + 1, dtype=np.int32) * np.int32(flat.shape[1]))
    return pa.ListArray.from_arrays(ends, to_array(flat.ravel()))


def as_fixed_lists(flat: np.ndarray) -> pa.Array:
    """Return the rows of an array as lists of one length."""
    import pyarrow as pa

    return pa.FixedSizeListArray.from_arrays(to_array(flat.ravel()), flat.shape[1])


def outcome_codes(column: pa.ChunkedArray) -> np.ndarray:
    """Return the codes of outcomes, of which a column has the names."""
    array = in_one_piece(column if column.num_chunks == 1 else column.unify_dictionaries())
    names = [FORMER_OUTCOMES.get(name, name) for name in array.dictionary.to_pylist()]
    codes = np.array([OUTCOMES.index(name) for name in names], np.int8)
    values: np.ndarray = codes[from_array(array.indices)]
    return values


def in_one_piece(column: pa.ChunkedArray) -> pa.Array:
    """Return a column in one piece; most are."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def table_schema(
    axes: Sequence[Axis],
    configurations: Sequence[Configuration],
    outputs: Sequence[TrainingOutput],
    attrs: Mapping[str, Any],
) -> pa.Schema:
    """Return the columns and the metadata of a Parquet file."""
    import pyarrow as pa

    fields = [pa.field(axis.path, _label_array(axis.labels).type) for axis in axes]
    fields.append(pa.field("experiment_id", pa.string()))
    fields.append(pa.field(SEED, pa.uint64()))
    known = [variable_columns(*both) for both in zip(configurations, outputs, strict=True)]
    for name in VARIABLES:
        columns = dict.fromkeys(column for elements in known for column, _ in elements.get(name, ()))
        fields.extend(_field(name, column) for column in columns)
    return pa.schema(fields, metadata={METADATA_KEY: json.dumps(dict(attrs))})


@functools.lru_cache(maxsize=_REMEMBERED)
def _field(name: str, column: str) -> pa.Field:
    """Return the name, type and metadata of a column of a variable."""
    import pyarrow as pa

    variable = VARIABLES[name]
    note = {"long_name": variable.meaning, "units": variable.units}
    if name == OUTCOME:
        return pa.field(column, pa.dictionary(pa.int8(), pa.string()), metadata=note)
    note |= {key: json.dumps(value) for key, value in variable.attrs.items()}
    return pa.field(column, pa.from_numpy_dtype(np.dtype(variable.dtype)), metadata=note)


_Elements = tuple[tuple[str, tuple[int, ...]], ...]


def fill_plateau(configuration: Configuration, output: TrainingOutput, rows: Any) -> None:
    """Work out the plateaus of some rows: older files lack them where examples occur several times."""
    outcome, loss = (output.metrics[name][rows] for name in (OUTCOME, "loss_final"))
    output.metrics["plateau"][rows] = plateau(configuration.experiment, outcome, loss)["plateau"]


def variable_columns(configuration: Configuration, output: TrainingOutput) -> dict[str, _Elements]:
    """Return the columns of each variable: one, with its index, for each element of its dimensions but `seed`."""
    known = _elements(configuration.experiment.network, output.recording)
    return {name: known[name] for name in output.metrics}


@functools.lru_cache(maxsize=_REMEMBERED)
def _elements(network: Network, recording: Recording) -> dict[str, _Elements]:
    """Return the columns of every variable for a network: many configurations of a sweep share one."""
    lengths = sizes(network, recording)
    suffixes = {
        HIDDEN_LAYER: [layer.column("") for layer in relu_layers(network)],
        LAYER: [f"_{k + 1}" for k in range(lengths[LAYER])],
        UNIT: [f"_unit{k}" for k in range(lengths[UNIT])],
        EPOCH: [f"_epoch{epoch}" for epoch in recording.at or ()],
    }
    elements: dict[str, _Elements] = {}
    for name, variable in VARIABLES.items():
        choices = itertools.product(*(list(enumerate(suffixes[dim])) for dim in variable.dims[1:]))
        elements[name] = tuple(
            (name + "".join(suffix for _, suffix in element), tuple(index for index, _ in element))
            for element in choices
        )
    return elements


def to_table(
    configurations: Sequence[Configuration],
    outputs: Sequence[TrainingOutput],
    seeds: NDArray[np.uint64],
    schema: pa.Schema,
) -> pa.Table:
    """Return the finished rows of configurations that have the same columns, one configuration after the other."""
    import pyarrow as pa

    own_seeds = [output.finished_rows(seeds) for output in outputs]
    lengths = [len(own) for own in own_seeds]
    columns: dict[str, Any] = {SEED: _joined(own_seeds)}
    metrics = joined_metrics(outputs)
    for name, elements in variable_columns(configurations[0], outputs[0]).items():
        values = _joined([each[name] for each in metrics])
        columns |= {column: values[cast(Any, (slice(None), *index))] for column, index in elements}
    columns[OUTCOME] = pa.DictionaryArray.from_arrays(to_array(columns[OUTCOME]), _label_array(OUTCOMES))
    missing = {pa.float64(): np.nan, pa.bool_(): False}
    constants = [{**each.labels, "experiment_id": each.experiment.id} for each in configurations]
    arrays = []
    for field in schema:
        if field.name in columns:
            column = columns[field.name]
            array = column if isinstance(column, pa.Array) else to_array(column)
        else:
            array = _label_array(
                [each.get(field.name, missing.get(field.type, ABSENT)) for each in constants], lengths
            )
        arrays.append(array if array.type == field.type else array.cast(field.type))
    return pa.Table.from_arrays(arrays, schema=schema)


def _joined(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Return the rows of arrays as one array, the array itself if there is one."""
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def to_array(values: np.ndarray) -> pa.Array:
    """Return numbers or bools as an Arrow array of their type, without a copy where that can be.

    `pyarrow.array` and `pyarrow.scalar` would import pandas: 30 MB, and a third of a second.
    """
    import pyarrow as pa

    values = np.ascontiguousarray(values)
    data = np.packbits(values, bitorder="little") if values.dtype == np.bool_ else values
    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), [None, pa.py_buffer(data)])


def from_array(array: pa.Array) -> np.ndarray:
    """Return the numbers or bools of an Arrow array without nulls, as `to_array` takes them."""
    kind = np.dtype(array.type.to_pandas_dtype())
    data, rows = array.buffers()[1], slice(array.offset, array.offset + len(array))
    if array.null_count or data is None:
        values: np.ndarray = array.to_numpy(zero_copy_only=False)
        return values
    if kind == np.bool_:
        return np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")[rows].view(np.bool_)
    return np.frombuffer(data, kind)[rows]


def _label_array(labels: Sequence[Any], times: Sequence[int] | None = None) -> pa.Array:
    """Return the labels of an axis, numbers or texts, as an Arrow array, each so many times: a text is not looked at.

    times: once each without.
    """
    import pyarrow as pa

    times = [1] * len(labels) if times is None else times
    if not all(isinstance(label, str) for label in labels):
        return to_array(np.repeat(np.asarray(labels), times))
    texts = [label.encode() for label in labels]
    ends = np.zeros(sum(times) + 1, np.int32)
    np.cumsum(np.repeat(np.array([len(text) for text in texts], np.int32), times), dtype=np.int32, out=ends[1:])
    joined = b"".join(text * n for text, n in zip(texts, times, strict=True))
    return pa.Array.from_buffers(pa.string(), len(ends) - 1, [None, pa.py_buffer(ends), pa.py_buffer(joined)])


def write_netcdf(path: Path, dataset: xr.Dataset) -> None:
    """Write a dataset as NetCDF 4."""
    encoding = {str(name): {"_FillValue": None} for name in [*dataset.data_vars, *dataset.coords]}
    _atomically(path, lambda temporary: dataset.to_netcdf(temporary, engine="h5netcdf", encoding=encoding))


def with_params(dataset: xr.Dataset, shape: Sequence[int], outputs: Sequence[TrainingOutput]) -> xr.Dataset:
    """Return a dataset with the trained parameters where they were kept, NaN beyond those that a network has.

    shape: lengths of the axes, none for a run, which has its finished rows alone
    """
    kept = [output.params for output in outputs if output.params is not None]
    if not kept:
        return dataset
    kind = max((params.dtype for params in kept), key=lambda kind: kind.itemsize)
    most = max(params.shape[1] for params in kept)
    if not shape:
        rows = outputs[0].finished_rows(kept[0])
        return dataset.assign({PARAMS: ((SEED, "param"), rows)})
    whole = np.full((len(kept), len(outputs[0].finished), most), np.nan, kind)
    for k, params in enumerate(kept):
        whole[k, :, : params.shape[1]] = params
    dims = [*list(dataset[OUTCOME].dims)[:-1], SEED, "param"]
    return dataset.assign({PARAMS: (dims, whole.reshape(*shape, *whole.shape[1:]))})


def _atomically(path: Path, write: Callable[[str], object]) -> None:
    """Write a file: whole or not at all."""
    with temporary_beside(path) as temporary:
        write(str(temporary))
        os.replace(temporary, path)


@contextmanager
def temporary_beside(target: Path) -> Iterator[Path]:
    """Give the path of a temporary file whose name says who writes it; an error removes it.

    Within the context it is written and takes the target's place: so does every file of a result, a trace or a store.
    The cache of kernels, which imports no other room, has a few lines of its own.
    """
    writer = f"{host_name()}-{os.getpid()}-{secrets.token_hex(4)}"
    start = os.fsencode(target.name)[:100].decode(errors="ignore")  # of a name that may be as long as one can be
    temporary = target.with_name(f".{start}.{writer}{TEMPORARY}")
    try:
        yield temporary
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@functools.cache
def host_name() -> str:
    """Return the name of this machine, without dots."""
    return socket.gethostname().replace(".", "_")
