"""Results in files: Parquet, one row a configuration and seed, or NetCDF."""

from __future__ import annotations

import errno
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
from fastgrok.results.arrays import as_lists, label_array, to_array
from fastgrok.results.hashes import column_hashes, dataset_hash, digest_of
from fastgrok.spec.axes import Axis, Configuration
from fastgrok.spec.network import Network, relu_layers
from fastgrok.spec.recording import Recording, sizes
from fastgrok.spec.variables import (
    ABSENT,
    EPOCH,
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

DIGEST_KEY = "fastgrok_sha256"
"""The key of the SHA-256 of what a file holds: in a Parquet file's metadata, or an attribute of NetCDF."""

RESULT_KEY = "result_json"
"""The attribute of a file that holds what `fastgrok.load` needs besides the rows and the experiment, as JSON."""

PARAMS = "params"
"""The column of the trained parameters."""

BAD_PATH = {errno.EACCES, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG}
BAD_PATH |= {errno.ENOENT, errno.ENOTDIR, errno.EPERM, errno.EROFS}
"""What an OSError says of a path that will not do. Others, as of a full disk, are no fault of what was asked for."""

DAMAGE = (ArithmeticError, AttributeError, LookupError, MemoryError, OSError, RuntimeError, TypeError, ValueError)
"""What comes of a file that is not what it seems: pyarrow, h5py and JSON raise all of these, RecursionError, too."""

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
        if isinstance(error, InvalidExperiment) or getattr(error, "errno", errno.EPERM) not in BAD_PATH:
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
        hashes: dict[str, Any] = {}
        with pq.ParquetWriter(temporary, whole) as writer:
            for configuration, output in zip(configurations, outputs, strict=True):
                if output.finished.any():
                    table = to_table([configuration], [output], seeds, schema)
                    if kept is not None and output.params is not None:
                        rows = as_lists(output.finished_rows(output.params))
                        table = table.append_column(kept, rows.cast(kept.type))
                    hashes = column_hashes(table, hashes)
                    writer.write_table(table)
            writer.add_key_value_metadata({DIGEST_KEY: digest_of(hashes, schema.metadata[METADATA_KEY.encode()])})

    _atomically(path, write)


def _params_field(outputs: Sequence[TrainingOutput]) -> pa.Field | None:
    """Return the column of trained parameters, None where they were not kept; networks may differ in their number."""
    import pyarrow as pa

    kinds = {output.params.dtype for output in outputs if output.params is not None}
    if not kinds:
        return None
    kind = pa.list_(pa.from_numpy_dtype(max(kinds, key=lambda kind: kind.itemsize)))
    return pa.field(PARAMS, kind, metadata={"long_name": "trained parameters, layer by layer: weight, then bias"})


def table_schema(
    axes: Sequence[Axis],
    configurations: Sequence[Configuration],
    outputs: Sequence[TrainingOutput],
    attrs: Mapping[str, Any],
) -> pa.Schema:
    """Return the columns and the metadata of a Parquet file."""
    import pyarrow as pa

    fields = [pa.field(axis.path, label_array(axis.labels).type) for axis in axes]
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
    columns[OUTCOME] = pa.DictionaryArray.from_arrays(to_array(columns[OUTCOME]), label_array(OUTCOMES))
    missing = {pa.float64(): np.nan, pa.bool_(): False}
    constants = [{**each.labels, "experiment_id": each.experiment.id} for each in configurations]
    arrays = []
    for field in schema:
        if field.name in columns:
            column = columns[field.name]
            array = column if isinstance(column, pa.Array) else to_array(column)
        else:
            array = label_array(
                [each.get(field.name, missing.get(field.type, ABSENT)) for each in constants], lengths
            )
        arrays.append(array if array.type == field.type else array.cast(field.type))
    return pa.Table.from_arrays(arrays, schema=schema)


def _joined(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Return the rows of arrays as one array, the array itself if there is one."""
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def read_parquet(path: Path) -> pa.Table:
    """Return the rows of a file that `write_parquet` wrote; ValueError unless they are what was written."""
    import pyarrow.parquet as pq

    table = pq.ParquetFile(path).read(use_threads=False)
    metadata = table.schema.metadata or {}
    said, beside = (metadata.get(key.encode(), b"") for key in (DIGEST_KEY, METADATA_KEY))
    hashes = column_hashes(table) if table.num_rows else {}
    if said and said.decode() != digest_of(hashes, beside):  # files of before do not say
        raise ValueError(f"its {DIGEST_KEY} is another one")
    return table


def write_netcdf(path: Path, dataset: xr.Dataset) -> None:
    """Write a dataset as NetCDF 4, with the SHA-256 of what a reader finds in it."""
    encoding = {str(name): {"_FillValue": None} for name in [*dataset.data_vars, *dataset.coords]}

    def write(temporary: str) -> None:
        import h5netcdf

        try:
            dataset.to_netcdf(temporary, engine="h5netcdf", encoding=encoding)
            digest = dataset_hash(_loaded(temporary))
            with h5netcdf.File(temporary, "r+") as file:
                file.attrs[DIGEST_KEY] = digest
        except RuntimeError as error:  # what HDF5 says of a full disk, now and then
            raise OSError(str(error)) from error

    _atomically(path, write)


def read_netcdf(path: str | os.PathLike[str]) -> xr.Dataset:
    """Return what is in a file that `write_netcdf` wrote; ValueError unless it is what was written."""
    if not Path(path).is_file():
        raise FileNotFoundError(errno.ENOENT, "no such file", str(path))
    dataset = _loaded(path)
    said = dataset.attrs.pop(DIGEST_KEY, None)
    if said is not None and said != dataset_hash(dataset):  # files of before do not say
        raise ValueError(f"its {DIGEST_KEY} is another one")
    return dataset


def _loaded(path: str | os.PathLike[str]) -> xr.Dataset:
    import xarray as xr

    with xr.open_dataset(path, engine="h5netcdf") as file:
        return file.load()


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
    writer = f"{place_of_processes()}-{os.getpid()}-{secrets.token_hex(4)}"
    start = os.fsencode(target.name)[:100].decode(errors="ignore")  # of a name that may be as long as one can be
    temporary = target.with_name(f".{start}.{writer}{TEMPORARY}")
    try:
        yield temporary
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def place_of_processes() -> str:
    """Return where the number of a process means that process: a machine since it started, and a PID namespace.

    Linux says both; elsewhere it is the name of the machine.
    """
    try:
        namespace = os.stat("/proc/self/ns/pid").st_ino
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()[:8]
    except OSError:
        return host_name()
    return f"{host_name()}-{boot}-{namespace}"


@functools.cache
def host_name() -> str:
    """Return the name of this machine, without dots."""
    return socket.gethostname().replace(".", "_")
