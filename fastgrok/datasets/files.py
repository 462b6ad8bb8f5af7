"""Reading CSV and NPZ files; errors name line and column."""

import csv
import io
import itertools
import math
import os
from collections.abc import Iterator
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from fastgrok.datasets.arrays import MAX_ROWS
from fastgrok.errors import InvalidExperiment

MAX_CLASSES = 4096
"""Classes of a target column at most: the widest layer."""

_BLOCK = 2**30  # bytes that pyarrow parses at a time: no row may be longer


def checked_path(path: str | os.PathLike[str]) -> str:
    """Return the path of an existing file."""
    name = os.fspath(path) if isinstance(path, str | os.PathLike) else None
    if not isinstance(name, str):
        raise InvalidExperiment("path", path, "the path of a file")
    try:
        exists = os.path.isfile(name)
    except ValueError as error:  # a NUL or a lone surrogate in it
        raise InvalidExperiment("path", name, "the path of a file") from error
    if not exists:
        raise InvalidExperiment("path", name, "an existing file")
    return name


def read_npz(path: str | os.PathLike[str], *keys: str) -> list[NDArray[Any]]:
    """Return some arrays of an NPZ file; pickled objects are never loaded."""
    name = checked_path(path)
    try:
        with open(name, "rb") as file:
            return _arrays(name, file, keys)
    except InvalidExperiment:
        raise
    except Exception as error:  # a damaged zip file raises nearly anything, a MemoryError included
        why = str(error) or type(error).__name__
        raise InvalidExperiment("path", name, f"an NPZ file of plain numbers ({why})") from error


def _arrays(name: str, file: Any, keys: tuple[str, ...]) -> list[NDArray[Any]]:
    """Read the arrays of an open file."""
    loaded = np.load(file, allow_pickle=False)
    if not isinstance(loaded, np.lib.npyio.NpzFile):
        raise InvalidExperiment("path", name, "an NPZ file with named arrays, and this is one array (NPY)")
    with loaded:
        for key in keys:
            if not isinstance(key, str) or key not in loaded.files:
                raise InvalidExperiment(f"{name}: key", key, f"a key that is there: {', '.join(loaded.files)}")
        return [loaded[key] for key in keys]


class Columns(NamedTuple):
    """Inputs and targets of a CSV file, and the names of their columns."""

    X: NDArray[np.float64]
    y: NDArray[np.float64]
    target_names: list[str]
    feature_names: list[str]


def read_csv(
    path: str | os.PathLike[str],
    target: str | list[str],
    features: str | list[str] | None = None,
    classes: bool | None = None,
    delimiter: str = ",",
) -> Columns:
    """Read the columns of a CSV file, as `Dataset.from_csv` describes."""
    name = checked_path(path)
    if not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '\r\n"\0' or not delimiter.isascii():
        raise InvalidExperiment("delimiter", delimiter, "one ASCII character, neither a quote nor a line's end")
    if classes is not None and not isinstance(classes, bool):
        raise InvalidExperiment("classes", classes, "True, False or None")
    table = _Table(name, delimiter)
    targets = _chosen(name, table.header, "target", target)
    if classes and len(targets) > 1:
        raise InvalidExperiment("target", target, "one column where classes=True")
    inputs = _inputs(name, table.header, features, targets)
    if classes or (classes is None and len(targets) == 1 and _number(table.texts(targets[0])[0].as_py()) is None):
        X = table.numbers(inputs)
        return Columns(X, *table.one_hot(targets[0], numbers_too=bool(classes)), inputs)
    values = table.numbers([*inputs, *targets])
    return Columns(values[:, : len(inputs)], values[:, len(inputs) :], targets, inputs)


def _chosen(name: str, header: list[str], field: str, columns: Any) -> list[str]:
    """Return the chosen columns as a list, if the header has each once."""
    chosen = list(columns) if isinstance(columns, list | tuple) else [columns]
    for column in chosen:
        if not isinstance(column, str) or not column or column not in header:
            raise InvalidExperiment(field, column, f"a column of {name}: {', '.join(map(repr, header))}")
        if chosen.count(column) > 1:
            raise InvalidExperiment(field, columns, "columns that differ")
    if not chosen:
        raise InvalidExperiment(field, columns, "a column at least")
    return chosen


def _inputs(name: str, header: list[str], features: Any, targets: list[str]) -> list[str]:
    """Return the columns of the inputs."""
    if features is not None:
        inputs = _chosen(name, header, "features", features)
        for column in inputs:
            if column in targets:
                raise InvalidExperiment("features", column, "columns that are not the target")
        return inputs
    inputs = [column for column in header if column not in targets]
    if "" in inputs:
        number = header.index("") + 1
        expected = f"the columns to use: column {number} of {name} has no name in the header"
        raise InvalidExperiment("features", None, expected)
    if not inputs:
        raise InvalidExperiment("features", None, f"a column beside the target, and {name} has none")
    return inputs


def _number(text: str) -> float | None:
    """Read a decimal number; None if it is something else."""
    if "_" in text or not text.isascii():  # Python would read 1_000, and digits of other scripts
        return None
    try:
        return float(text)
    except ValueError:
        return None


class _Table:
    """A CSV file as pyarrow reads it: the texts of each column."""

    def __init__(self, name: str, delimiter: str) -> None:
        self.name = name
        self.delimiter = delimiter
        try:
            with open(name, "rb") as file:
                self.content = file.read()
            str(self.content, "utf-8")
        except OSError as error:
            raise InvalidExperiment("path", name, f"a file that can be read ({error.strerror})") from error
        except UnicodeDecodeError as error:
            line = self.content.count(b"\n", 0, error.start) + 1
            expected = f"a CSV file: text in UTF-8 ({error.reason} at byte {error.start}, line {line})"
            raise InvalidExperiment("path", name, expected) from None
        self.header = self._header()
        self.columns = self._columns()

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield line number and texts of each row that is not blank: slowly, for the header and for errors."""
        text = io.TextIOWrapper(io.BytesIO(self.content), "utf-8-sig", newline="")
        reader = csv.reader(text, delimiter=self.delimiter, strict=True)
        try:
            yield from ((reader.line_num, row) for row in reader if row)
        except csv.Error as error:
            where = f"{self.name}, line {reader.line_num}"
            raise InvalidExperiment(where, str(error), "rows of a CSV file") from error

    def _header(self) -> list[str]:
        """Return the names in the first row."""
        line, row = next(self._rows(), (0, []))
        if not row:
            raise InvalidExperiment("path", self.name, "a header and rows, and the file is empty")
        header = [column.strip() for column in row]
        for column in header:
            if column and header.count(column) > 1:
                expected = "column names that differ, and this one is there twice"
                raise InvalidExperiment(f"{self.name}, line {line}", column, expected)
        return header

    def _columns(self) -> Any:
        """Return the rows below the header as a pyarrow table of texts."""
        import pyarrow as pa
        import pyarrow.csv

        if b'"' in self.content:  # pyarrow takes quotes that are never closed, and text behind one that is
            for _ in self._rows():
                pass
        width = len(self.header)
        names = [str(k) for k in range(width)]  # a header may leave a name blank
        try:
            table = pyarrow.csv.read_csv(
                pa.BufferReader(self.content),
                pyarrow.csv.ReadOptions(use_threads=False, block_size=_BLOCK, column_names=names),
                pyarrow.csv.ParseOptions(delimiter=self.delimiter, newlines_in_values=True),
                pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
            ).slice(1)
        except pa.ArrowInvalid as error:
            for line, row in self._rows():
                if len(row) != width:
                    expected = f"{width} values, as in the header, and there are {len(row)}"
                    raise InvalidExperiment(f"{self.name}, line {line}", row, expected) from None
            raise InvalidExperiment("path", self.name, f"rows of a CSV file ({error})") from error
        if not len(table):
            raise InvalidExperiment("path", self.name, "rows below the header, and there are none")
        if len(table) > MAX_ROWS:
            raise InvalidExperiment("path", self.name, f"at most {MAX_ROWS:,} rows, and there are {len(table):,}")
        return table

    def texts(self, column: str) -> Any:
        """Return the texts of a column."""
        return self.columns.column(self.header.index(column))

    def _fail(self, row: int, column: str, accepted: str) -> NoReturn:
        """Raise for the text in a row, from 0 below the header, and a column."""
        text = self.texts(column)[row].as_py()
        line, _ = next(itertools.islice(self._rows(), row + 1, None), (f"{row + 2} without blank ones", []))
        raise InvalidExperiment(f"{self.name}, line {line}, column {column!r}", text, accepted)

    def numbers(self, columns: list[str]) -> NDArray[np.float64]:
        """Return columns of finite numbers, shape (n_rows, n_columns)."""
        import pyarrow as pa
        import pyarrow.compute

        values = np.empty((len(self.columns), len(columns)))
        for k, column in enumerate(columns):
            texts = self.texts(column)
            try:
                values[:, k] = pyarrow.compute.cast(texts, pa.float64()).to_numpy()
            except pa.ArrowInvalid:  # blanks around a number; or no number
                numbers = map(_number, texts.to_pylist())
                values[:, k] = [math.nan if number is None else number for number in numbers]
        wrong = np.argwhere(~np.isfinite(values))
        if len(wrong):
            self._fail(int(wrong[0, 0]), columns[wrong[0, 1]], "a finite number")
        return values

    def one_hot(self, column: str, *, numbers_too: bool) -> tuple[NDArray[np.float64], list[str]]:
        """Return one output for each class of a column, and the classes; sorted, numbers as numbers."""
        import pyarrow.compute

        encoded = pyarrow.compute.utf8_trim_whitespace(self.texts(column)).combine_chunks().dictionary_encode()
        codes, classes = encoded.indices.to_numpy(), encoded.dictionary.to_pylist()
        for code, name in enumerate(classes):  # in the order of their first rows
            expected = "" if name else "a class, and it is blank"
            if not numbers_too and _number(name) is not None:
                expected = "a class as in the rows before (classes=True takes numbers for classes too)"
            elif code == MAX_CLASSES:
                expected = f"at most {MAX_CLASSES} classes in a column"
            if expected:
                self._fail(int(np.argmax(codes == code)), column, expected)
        if len(classes) < 2:
            expected = f"two classes at least, and {self.name} has only {classes[0]!r}"
            raise InvalidExperiment("target", column, expected)
        values = {name: _number(name) for name in classes}
        ordered = all(value is not None and not math.isnan(value) for value in values.values())
        names = sorted(values, key=lambda name: (values[name] if ordered else 0, name))
        rank = {name: k for k, name in enumerate(names)}
        return np.eye(len(names))[np.array([rank[name] for name in classes])[codes]], names
