"""Frames of pandas and polars, and tables of pyarrow, as tables."""

import collections
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgrok.datasets.arrays import MAX_ROWS
from fastgrok.datasets.classes import Label, by_text
from fastgrok.datasets.table import Kind, Table
from fastgrok.errors import InvalidExperiment


def arrow_table(frame: Any) -> Any:
    """Return a frame as a pyarrow table, without the index that one of pandas has."""
    import pyarrow as pa

    expected = "a frame of pandas or polars, or a table of pyarrow, with columns of numbers, words or truth values"
    root = type(frame).__module__.partition(".")[0]
    try:
        if isinstance(frame, pa.Table):
            return frame
        if root == "pandas":
            named = frame.rename(columns=str)
            return pa.Table.from_pandas(named, preserve_index=False)
        if hasattr(frame, "__arrow_c_stream__"):
            return pa.table(frame)
    except Exception as error:  # a column of anything, which pyarrow refuses in many ways
        raise InvalidExperiment("frame", frame, f"{expected} ({error})") from error
    raise InvalidExperiment("frame", frame, expected)


class FrameTable(Table):
    """A frame of pandas or polars, or a table of pyarrow."""

    def __init__(self, frame: Any) -> None:
        table = arrow_table(frame)
        self.name = "frame"
        self.header = [str(name) for name in table.column_names]
        self.n_rows = table.num_rows
        for name, count in collections.Counter(self.header).items():
            if count > 1:
                raise InvalidExperiment("frame", name, "column names that differ, and this one is there twice")
        if not self.n_rows:
            raise InvalidExperiment("frame", frame, "rows, and there are none")
        if self.n_rows > MAX_ROWS:
            raise InvalidExperiment("frame", frame, f"at most {MAX_ROWS:,} rows, and there are {self.n_rows:,}")
        self._columns = dict(zip(self.header, map(_plain, table.columns), strict=True))

    def kind(self, column: str) -> Kind:
        import pyarrow.types as types

        if self._is_blank(column):
            return "number"
        kind = self._columns[column].type
        if types.is_boolean(kind):
            return "truth"
        if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
            return "word"
        if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind):
            return "number"
        self.fail(0, column, f"numbers, words or truth values, and the column holds {kind}")

    def _is_blank(self, column: str) -> bool:
        """Whether a column holds nothing but missing values: of whatever type, they are missing numbers."""
        return bool(self._columns[column].null_count == self.n_rows)

    def numbers(self, column: str, hint: str = "") -> NDArray[np.float64]:
        import pyarrow as pa
        import pyarrow.compute

        if self._is_blank(column):
            return np.full(self.n_rows, np.nan)
        if self.kind(column) != "number":
            first = next(k for k, label in enumerate(self._columns[column].to_pylist()) if label is not None)
            self.fail(first, column, f"a finite number{hint}")
        cast = pyarrow.compute.cast(self._columns[column], pa.float64(), safe=False)
        return np.array(cast.to_numpy(zero_copy_only=False) if len(cast) else [], dtype=np.float64)

    def labels(self, column: str, known: Sequence[Label] = ()) -> list[Label | None]:
        labels: list[Label | None]
        if self.kind(column) != "number":
            labels = [None if label == "" else label for label in self._columns[column].to_pylist()]
        else:
            numbers = self.numbers(column).tolist()
            labels = [None if x != x else int(x) if x.is_integer() else x for x in numbers]
        same, meant = set(known), by_text(known)
        return [label if label is None or label in same else meant.get(str(label), label) for label in labels]

    def row_name(self, row: int) -> str:
        return f"row {row}"

    def value(self, row: int, column: str) -> Any:
        return self._columns[column][row].as_py()


def _plain(column: Any) -> Any:
    """Return a column as one array, of categories their values; words of a number's dtype `object` stay words."""
    import pyarrow as pa

    whole = column.combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = pa.concat_arrays(whole.chunks) if whole.num_chunks else pa.array([], whole.type)
    return whole.dictionary_decode() if pa.types.is_dictionary(whole.type) else whole


def is_frame(value: Any) -> bool:
    """Whether a value has columns with names, as frames and tables do."""
    return hasattr(value, "columns") and (hasattr(value, "iloc") or hasattr(value, "__arrow_c_stream__"))
