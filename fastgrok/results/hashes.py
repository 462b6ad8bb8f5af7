"""What rows and datasets hold, as a SHA-256: the same however a library writes them."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgrok.results.arrays import from_array, in_one_piece, outcome_codes

if TYPE_CHECKING:
    import pyarrow as pa
    import xarray as xr


def table_hash(table: pa.Table) -> str:
    """Return the SHA-256 of the values of a table, column by column; equal rows have equal ones, however stored."""
    return table_hashes(table, [table.num_rows])[0]


def table_hashes(table: pa.Table, lengths: Sequence[int]) -> list[str]:
    """Return the SHA-256 of so many rows of a table after others."""
    ends = list(itertools.pairwise(itertools.accumulate(lengths, initial=0)))
    columns = {name: _value_hashes(_values(column), ends) for name, column in hashed_columns(table).items()}
    texts = ("".join(f"{name}:{hashes[k]};" for name, hashes in columns.items()) for k in range(len(ends)))
    return [hashlib.sha256(text.encode()).hexdigest() for text in texts]


def _value_hashes(values: np.ndarray, ends: Sequence[tuple[int, int]]) -> list[str]:
    """Return the SHA-256 of some rows after others; what configurations begin with is often the same."""
    content, hashes = b"", [hashlib.sha256().hexdigest()]
    data, size = values.reshape(-1).view(np.uint8).data, values.itemsize * math.prod(values.shape[1:])
    for first, stop in ends:
        before, content = content, data[first * size : stop * size].tobytes()
        hashes.append(hashes[-1] if content == before else hashlib.sha256(content).hexdigest())
    return hashes[1:]


def column_hashes(table: pa.Table, begun: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the SHA-256 of the values of each column but text, going on with those of the rows before."""
    hashes = {} if begun is None else begun
    for name, column in hashed_columns(table).items():
        hashes.setdefault(name, hashlib.sha256()).update(_values(column).data)
    return hashes


def hashed_columns(table: pa.Table) -> dict[str, pa.ChunkedArray]:
    """Return the columns but text, by their names."""
    import pyarrow as pa

    both = zip(table.schema, table.columns, strict=True)
    return {field.name: column for field, column in both if not pa.types.is_string(field.type)}


def _values(column: pa.ChunkedArray) -> np.ndarray:
    """Return the values of a column, row by row; outcomes by their codes."""
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        return outcome_codes(column)
    array = in_one_piece(column)
    if pa.types.is_fixed_size_list(array.type) or pa.types.is_list(array.type):
        flat = from_array(array.flatten())
        return flat.reshape(len(array), -1) if len(array) and flat.size % len(array) == 0 else flat.reshape(-1, 1)
    return from_array(array)


def digest_of(hashes: Mapping[str, Any], text: bytes) -> str:
    """Return the SHA-256 of columns of which these are the hashes, and of what a file says beside them."""
    both = "".join(f"{name}:{each.hexdigest()};" for name, each in hashes.items())
    return hashlib.sha256(both.encode() + text).hexdigest()


def dataset_hash(dataset: xr.Dataset) -> str:
    """Return the SHA-256 of the variables and attributes of a dataset as a file gives it back."""
    hashed = hashlib.sha256(_attributes(dataset.attrs))
    for name, variable in sorted((str(name), variable) for name, variable in dataset.variables.items()):
        values = np.asarray(variable.values)
        about = [name, list(map(str, variable.dims)), values.dtype.kind, list(values.shape)]
        content = json.dumps(values.tolist()).encode() if values.dtype.kind in "OUS" else values.tobytes()
        hashed.update(json.dumps(about).encode() + _attributes(variable.attrs) + content)
    return hashed.hexdigest()


def _attributes(attrs: Mapping[Any, Any]) -> bytes:
    """Return attributes as text, however a library has the numbers among them."""
    plain = {str(name): np.asarray(value).tolist() for name, value in attrs.items()}
    return json.dumps(plain, sort_keys=True, default=str).encode()
