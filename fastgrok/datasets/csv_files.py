"""CSV files as tables; errors name line and column."""

import collections
import csv
import io
import itertools
import os
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.datasets.arrays import MAX_ROWS
from fastgrok.datasets.classes import Label, as_number, by_text
from fastgrok.datasets.columns import Columns, Options, read_columns
from fastgrok.datasets.csv_text import (
    are_numbers,
    checked_delimiter,
    declared_delimiter,
    found_delimiter,
    is_grouped,
    is_number,
    one_blank,
    read_text,
)
from fastgrok.datasets.table import Kind, Table
from fastgrok.errors import InvalidExperiment

ABSENT = ("", "?", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NAN", "-nan", "NULL", "null", "<NA>", ".")
"""Texts that stand for a missing value."""

_TRUTH = ("true", "false")
_BLOCK = 2**30  # bytes that pyarrow parses at a time: no row may be longer


class Format(NamedTuple):
    """How a CSV file is written; None: that is found."""

    delimiter: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    header: bool | None = None


class CsvTable(Table):
    """A CSV file as pyarrow reads it: the texts of each column."""

    def __init__(self, path: str | os.PathLike[str], form: Format, names: set[str]) -> None:
        delimiter = checked_delimiter(form.delimiter)
        if form.decimal is not None and not (isinstance(form.decimal, str) and form.decimal in (".", ",")):
            raise InvalidExperiment("decimal", form.decimal, "None, '.' or ','")
        if form.header is not None and not isinstance(form.header, bool):
            raise InvalidExperiment("header", form.header, "True, False or None")
        self.name = os.fspath(path) if isinstance(path, str | os.PathLike) else str(path)
        text, declared = declared_delimiter(read_text(path, form.encoding))
        self._delimiter = delimiter or declared or found_delimiter(text, names if form.header is not False else set())
        if form.decimal == "," == self._delimiter:
            raise InvalidExperiment("decimal", ",", "'.' where a comma is between the values")
        self._decimal = form.decimal
        self._content = one_blank(text, self._delimiter).encode("utf-8", "surrogatepass")
        self._has_header = form.header is not False
        self.header = self._header(form.header)
        self._columns = self._read()
        self._places = {name: place for place, name in reversed(list(enumerate(self.header)))}  # of several the first
        self.n_rows = len(self._columns)

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield line number and texts of each row that is not blank: slowly, for the header and for errors."""
        text = io.TextIOWrapper(io.BytesIO(self._content), "utf-8", newline="")
        reader = csv.reader(text, delimiter=self._delimiter, strict=True)
        try:
            yield from ((reader.line_num, row) for row in reader if row)
        except csv.Error as error:
            where = f"{self.name}, line {reader.line_num}"
            raise InvalidExperiment(where, str(error), "rows of a CSV file") from error

    def _header(self, header: bool | None) -> list[str]:
        """Return the names in the first row, or x0, x1, ... where there is no header."""
        line, row = next(self._rows(), (0, []))
        if not row:
            raise InvalidExperiment("path", self.name, "a header and rows, and the file is empty")
        if header is False:
            return [f"x{k}" for k in range(len(row))]
        where = f"{self.name}, line {line}"
        if header is None and are_numbers(row):
            expected = (
                "a header with the names of the columns, and these are values: header=False reads a file without"
            )
            raise InvalidExperiment(where, row, f"{expected} one; header=True takes them for names")
        names = [column.strip() for column in row]
        for column, count in collections.Counter(names).items():
            if column and count > 1:
                expected = "column names that differ, and this one is there twice (header=False if they are values)"
                raise InvalidExperiment(where, column, expected)
        return names

    def _read(self) -> Any:
        """Return the rows below the header as a pyarrow table of texts."""
        import pyarrow as pa
        import pyarrow.csv

        if b'"' in self._content:  # pyarrow takes quotes that are never closed, and text behind one that is
            for _ in self._rows():
                pass
        width = len(self.header)
        names = [str(k) for k in range(width)]  # a header may leave a name blank
        try:
            table = pyarrow.csv.read_csv(
                pa.BufferReader(self._content),
                pyarrow.csv.ReadOptions(use_threads=False, block_size=_BLOCK, column_names=names),
                pyarrow.csv.ParseOptions(delimiter=self._delimiter, newlines_in_values=True),
                pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
            ).slice(int(self._has_header))
        except pa.ArrowInvalid as error:
            for line, row in self._rows():
                if len(row) != width:
                    expected = f"{width} values, as in the {'header' if self._has_header else 'first row'}"
                    expected += f", and there are {len(row)}{self._other_delimiter()}"
                    raise InvalidExperiment(f"{self.name}, line {line}", row, expected) from None
            raise InvalidExperiment("path", self.name, f"rows of a CSV file ({error})") from error
        if not len(table):
            raise InvalidExperiment("path", self.name, "rows below the header, and there are none")
        if len(table) > MAX_ROWS:
            raise InvalidExperiment("path", self.name, f"at most {MAX_ROWS:,} rows, and there are {len(table):,}")
        return self._without_blank_end(table)

    def _other_delimiter(self) -> str:
        """Return the end of a sentence that offers the delimiter that the rows seem to have, if it is another."""
        found = found_delimiter(self._content.decode("utf-8", "surrogatepass"), set())
        return f"; delimiter={found!r} is what they seem to have" if found != self._delimiter else ""

    def _without_blank_end(self, table: Any) -> Any:
        """Leave out a last column that a delimiter at the end of each line makes: without a name and values."""
        import pyarrow.compute as compute

        last = len(self.header) - 1
        if not last or (self._has_header and self.header[last]):
            return table
        if compute.any(compute.not_equal(compute.utf8_trim_whitespace(table.column(last)), "")).as_py():
            return table
        self.header = self.header[:last]
        return table.select(range(last))

    def _texts(self, column: str) -> Any:
        """Return the texts of a column as they are written."""
        return self._columns.column(self._places[column])

    def _trimmed(self, column: str) -> Any:
        """Return the texts of a column without blanks around them, null where one stands for a missing value."""
        import pyarrow as pa
        import pyarrow.compute as compute

        texts = compute.utf8_trim_whitespace(self._texts(column)).combine_chunks()
        texts = pa.concat_arrays(texts.chunks) if isinstance(texts, pa.ChunkedArray) else texts
        absent = compute.is_in(texts, value_set=pa.array(ABSENT, pa.string()))
        return compute.if_else(absent, pa.scalar(None, pa.string()), texts)

    def _is_number(self, text: str) -> bool:
        """Whether a text is a number with the decimal mark of this file."""
        if self._decimal == ",":
            return is_number(text, ",") and "." not in text
        return is_number(text, "," if self._decimal is None and self._delimiter != "," else None)

    def kind(self, column: str) -> Kind:
        import pyarrow.compute as compute

        first = self._texts(column)[0].as_py().strip()
        if first in ABSENT:
            texts = self._trimmed(column)
            there = compute.index(compute.is_valid(texts), True).as_py()
            first = "0" if there < 0 else texts[there].as_py()
        if self._is_number(first):
            return "number"
        return "truth" if first.lower() in _TRUTH else "word"

    def numbers(self, column: str, hint: str = "") -> NDArray[np.float64]:
        import pyarrow as pa
        import pyarrow.compute as compute

        if self._decimal != ",":
            try:
                return np.array(compute.cast(self._texts(column), pa.float64()).to_numpy())
            except pa.ArrowInvalid:  # a missing value, blanks around a number; or no number
                pass
        texts = self._trimmed(column)
        for decimal in (".", ",") if self._decimal is None and self._delimiter != "," else (self._decimal or ".",):
            if decimal == "," != self._decimal:
                self._check_not_grouped(column, texts.to_pylist())
            values, wrong = _parsed(texts.to_pylist(), decimal)
            if wrong is None:
                return values
        row = self._first_wrong(texts.to_pylist())
        number = "a finite number" + (" (with decimal=',')" if self._decimal == "," else "")
        comma = "; decimal=',' and another delimiter where a comma is the decimal point"
        text = texts[row].as_py()
        self.fail(row, column, number + (comma if is_number(text, ",") and self._decimal != "," else hint))

    def _check_not_grouped(self, column: str, texts: list[str | None]) -> None:
        """Raise where every comma of a column of numbers may stand between thousands as well as be a decimal mark."""
        grouped = [text is not None and is_grouped(text) for text in texts]
        others = [None if skipped else text for text, skipped in zip(texts, grouped, strict=True)]
        if any(grouped) and _parsed(others, ".")[1] is None:
            expected = "a number whose comma has one meaning: decimal=',' if it is the decimal point, and no commas"
            self.fail(grouped.index(True), column, f"{expected} in the file if they stand between thousands")

    def _first_wrong(self, texts: list[str | None]) -> int:
        """Return the first row that is no number; where points and commas are mixed, the first of the rarer kind."""
        for row, text in enumerate(texts):
            if text is not None and not self._is_number(text):
                return row
        return _parsed(texts, ".")[1] or 0

    def labels(self, column: str, known: Sequence[Label] = ()) -> list[Label | None]:
        encoded = self._trimmed(column).dictionary_encode()
        words = encoded.dictionary.to_pylist()
        meant = by_text(known)
        numbers = [word for word in words if word not in meant and self._is_number(word)]
        if known or len(numbers) == len(words):  # of labels that are not known, numbers among words are words
            decimal = "," if any("," in word for word in numbers) else "."
            values = _parsed(numbers, decimal)[0].tolist()
            meant |= {word: int(x) if x.is_integer() else x for word, x in zip(numbers, values, strict=True)}
        labels = [meant.get(word, word) for word in words]
        return [None if code is None else labels[code] for code in encoded.indices.to_pylist()]

    def row_name(self, row: int) -> str:
        place = row + int(self._has_header)
        line, _ = next(itertools.islice(self._rows(), place, None), (f"{place + 1} without blank ones", []))
        return f"line {line}"

    def value(self, row: int, column: str) -> Any:
        return self._texts(column)[row].as_py()


def _parsed(texts: list[str | None], decimal: str) -> tuple[NDArray[np.float64], int | None]:
    """Return numbers, NaN for None, and the first row that is no number; None: all are."""
    values = np.full(len(texts), np.nan)
    for row, text in enumerate(texts):
        if text is None:
            continue
        if decimal == ",":
            text = "?" if "." in text else text.replace(",", ".", 1)
        number = as_number(text)
        if number is None:
            return values, row
        values[row] = number
    return values, None


def read_csv(path: str | os.PathLike[str], form: Format, options: Options) -> Columns:
    """Read the columns of a CSV file, as `Dataset.from_csv` describes."""
    target = options.target
    names = {name for name in (target if isinstance(target, list | tuple) else [target]) if isinstance(name, str)}
    table = CsvTable(path, form, names)
    if form.header is False:
        places = {
            name: _by_place(table, name, getattr(options, name)) for name in ("target", "features", "categorical")
        }
        options = options._replace(**places)
    return read_columns(table, options)


def _by_place(table: CsvTable, field: str, columns: Any) -> Any:
    """Return columns that are named by their places, from 0 or back from -1, by their names."""
    if isinstance(columns, list | tuple):
        return [_by_place(table, field, column) for column in columns]
    if not isinstance(columns, int) or isinstance(columns, bool):
        return columns
    if not -len(table.header) <= columns < len(table.header):
        raise InvalidExperiment(field, columns, f"a column of {table.name}, which has {len(table.header)}")
    return table.header[columns]
