"""Arrays of NumPy as those of Arrow, and back, without a copy where that can be, and without pandas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgrok.spec.variables import FORMER_OUTCOMES, OUTCOMES

if TYPE_CHECKING:
    import pyarrow as pa


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


def label_array(labels: Sequence[Any], times: Sequence[int] | None = None) -> pa.Array:
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
