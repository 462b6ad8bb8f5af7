"""Reading CSV files, with the line and the column of what is wrong in them."""

import csv
import itertools
import math
import os
from array import array
from collections.abc import Iterator
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from fastgrok.datasets.arrays import MAX_ROWS
from fastgrok.datasets.paths import checked_path
from fastgrok.errors import InvalidExperiment

MAX_CLASSES = 4096
"""Classes of a target column at most: the widest layer."""


class Columns(NamedTuple):
    """What a CSV file holds: inputs, targets, and the names of their columns."""

    X: NDArray[np.float64]
    y: NDArray[np.float64]
    feature_names: list[str]
    target_names: list[str]


def read_csv(
    path: str | os.PathLike[str],
    target: str | list[str],
    features: str | list[str] | None = None,
    classes: bool | None = None,
    delimiter: str = ",",
) -> Columns:
    """
    Read the columns of a CSV file, as `Dataset.from_csv` describes.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "data.csv")
    >>> _ = path.write_text("a,b\\n1,2\\n3,4\\n")
    >>> read_csv(path, "b").X.tolist()
    [[1.0], [3.0]]
    """
    name = checked_path(path)
    if not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '\r\n"\0':
        raise InvalidExperiment("delimiter", delimiter, "one character that is neither a quote nor a line's end")
    if classes is not None and not isinstance(classes, bool):
        raise InvalidExperiment("classes", classes, "True, False or None")
    rows = _rows(name, delimiter)
    header = _header(name, rows)
    targets = _wanted(name, header, "target", target)
    if classes and len(targets) > 1:
        raise InvalidExperiment("target", target, "one column where classes=True")
    inputs = _inputs(name, header, features, targets)
    places = {column: header.index(column) for column in [*inputs, *targets]}
    body = _body(name, rows, len(header))
    first_line, first = next(body)
    if classes is None:
        classes = len(targets) == 1 and _number(first[places[targets[0]]]) is None
        mixed = False
    else:
        mixed = True
    found = _Classes(f"column {targets[0]!r}", mixed)
    numeric = inputs if classes else [*inputs, *targets]
    values = array("d")
    for line, row in itertools.chain([(first_line, first)], body):
        values.extend(_finite(name, line, column, row[places[column]]) for column in numeric)
        if classes:
            found.add(name, line, row[places[targets[0]]].strip())
    table = np.frombuffer(values, dtype=np.float64).reshape(-1, len(numeric))
    if classes:
        y, targets = found.one_hot(name, targets[0])
        return Columns(table, y, inputs, targets)
    return Columns(table[:, : len(inputs)], table[:, len(inputs) :], inputs, targets)


def _fail(name: str, where: str, value: Any, accepted: str) -> NoReturn:
    """Raise with the place in the file."""
    raise InvalidExperiment(f"{name}, {where}", value, accepted)


def _rows(name: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the line number and the values of every row that is not blank."""
    line = 0
    try:
        with open(name, encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=delimiter, strict=True)
            for row in reader:
                line = reader.line_num
                if row:
                    yield line, row
    except UnicodeDecodeError as error:
        message = f"text in UTF-8 ({error.reason} at byte {error.start})"
        if not line:
            raise InvalidExperiment("path", name, f"a CSV file: {message}") from None
        raise InvalidExperiment(
            f"{name}, after line {line}", error.object[error.start : error.end], message
        ) from None
    except csv.Error as error:
        raise InvalidExperiment(f"{name}, line {line + 1}", str(error), "rows of a CSV file") from error
    except OSError as error:
        raise InvalidExperiment("path", name, f"a file that can be read ({error.strerror})") from error


def _header(name: str, rows: Iterator[tuple[int, list[str]]]) -> list[str]:
    """Return the names in the first row."""
    line, row = next(rows, (0, []))
    if not row:
        raise InvalidExperiment("path", name, "a header and rows, and the file is empty")
    header = [column.strip() for column in row]
    for column in header:
        if column and header.count(column) > 1:
            _fail(name, f"line {line}", column, "column names that differ, and this one is there twice")
    return header


def _wanted(name: str, header: list[str], field: str, given: Any) -> list[str]:
    """Return the columns that are asked for, if they are there."""
    columns = list(given) if isinstance(given, list | tuple) else [given]
    for column in columns:
        if not isinstance(column, str) or not column or column not in header:
            there = ", ".join(repr(other) for other in header)
            raise InvalidExperiment(field, column, f"a column of {name}: {there}")
        if columns.count(column) > 1:
            raise InvalidExperiment(field, given, "columns that differ")
    if not columns:
        raise InvalidExperiment(field, given, "a column at least")
    return columns


def _inputs(name: str, header: list[str], features: Any, targets: list[str]) -> list[str]:
    """Return the columns of the inputs."""
    if features is not None:
        inputs = _wanted(name, header, "features", features)
        for column in inputs:
            if column in targets:
                raise InvalidExperiment("features", column, "columns that are not the target")
        return inputs
    inputs = [column for column in header if column not in targets]
    if "" in inputs:
        number = header.index("") + 1
        raise InvalidExperiment(
            "features", None, f"the columns to use: column {number} of {name} has no name in the header"
        )
    if not inputs:
        raise InvalidExperiment("features", None, f"a column beside the target, and {name} has none")
    return inputs


def _body(name: str, rows: Iterator[tuple[int, list[str]]], width: int) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows below the header, one at least, each as wide as the header."""
    count = 0
    for count, (line, row) in enumerate(rows, start=1):
        if len(row) != width:
            _fail(name, f"line {line}", row, f"{width} values, as in the header, and there are {len(row)}")
        if count > MAX_ROWS:
            _fail(name, f"line {line}", row, f"at most {MAX_ROWS:,} rows")
        yield line, row
    if not count:
        raise InvalidExperiment("path", name, "rows below the header, and there are none")


def _number(text: str) -> float | None:
    """Read a decimal number; None if it is something else."""
    if "_" in text or not text.isascii():  # Python would read 1_000, and digits of other scripts
        return None
    try:
        return float(text)
    except ValueError:
        return None


def _finite(name: str, line: int, column: str, text: str) -> float:
    """Read a finite number."""
    number = _number(text)
    if number is None or not math.isfinite(number):
        _fail(name, f"line {line}, column {column!r}", text, "a finite number")
    return number


class _Classes:
    """The classes of a column, numbered as they come; `mixed` if numbers may be among them."""

    def __init__(self, where: str, mixed: bool) -> None:
        self.where = where
        self.mixed = mixed
        self.numbers: dict[str, int] = {}
        self.codes = array("q")

    def add(self, name: str, line: int, text: str) -> None:
        """Take the class of one more row."""
        where = f"line {line}, {self.where}"
        if not text:
            _fail(name, where, text, "a class, and it is blank")
        if not self.mixed and _number(text) is not None:
            _fail(
                name,
                where,
                text,
                "a class as in the rows before (classes=True takes numbers for classes too)",
            )
        self.codes.append(self.numbers.setdefault(text, len(self.numbers)))
        if len(self.numbers) > MAX_CLASSES:
            _fail(name, where, text, f"at most {MAX_CLASSES} classes in a column")

    def one_hot(self, name: str, column: str) -> tuple[NDArray[np.float64], list[str]]:
        """Return one output for each class; numbers are sorted as numbers, anything else as text."""
        values = {text: _number(text) for text in self.numbers}
        ordered = all(value is not None and not math.isnan(value) for value in values.values())
        names = sorted(values, key=lambda text: (values[text] if ordered else 0, text))
        if len(names) < 2:
            raise InvalidExperiment("target", column, f"two classes at least, and {name} has only {names[0]!r}")
        place = np.argsort([self.numbers[text] for text in names])
        y = np.zeros((len(self.codes), len(names)))
        y[np.arange(len(y)), place[np.frombuffer(self.codes, dtype=np.int64)]] = 1
        return y, names
