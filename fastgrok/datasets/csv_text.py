"""The text of a CSV file: its encoding, what is between its values, and what is no CSV file at all."""

import csv
import io
import itertools
import os
import re
from typing import Any

from fastgrok.datasets.classes import as_number
from fastgrok.datasets.memory import check_fits
from fastgrok.datasets.npz import checked_path
from fastgrok.errors import InvalidExperiment

DELIMITERS = ",;\t| "
"""Characters between values that are looked for, in this order; a blank stands for any number of them."""

_COPIES = 6  # of a file while it is read: its bytes, its text, its columns
_SAMPLE = 20  # rows that are looked at to find the delimiter
_DECIMAL_COMMA = re.compile(r"[-+]?[0-9]*,[0-9]+(?:[eE][-+]?[0-9]+)?", re.ASCII)
_THOUSANDS = re.compile(r"[-+]?[1-9][0-9]{0,2}(?:,[0-9]{3})+", re.ASCII)

_FRAMES = "read it with pandas.read_{}, then Dataset.from_frame"
_OTHERS = {
    b"PK\x03\x04": f"and this is a spreadsheet or a zip file: save the sheet as CSV, or {_FRAMES.format('excel')}",
    b"\xd0\xcf\x11\xe0": f"and this is an old spreadsheet: save the sheet as CSV, or {_FRAMES.format('excel')}",
    b"PAR1": f"and this is Parquet: {_FRAMES.format('parquet')}",
    b"\x1f\x8b": "and this one is compressed: unpack it first (gunzip)",
    b"BZh": "and this one is compressed: unpack it first (bunzip2)",
    b"\xfd7zXZ": "and this one is compressed: unpack it first (unxz)",
    b"ARROW1": f"and this is Arrow: {_FRAMES.format('feather')}",
    b"\x93NUMPY": "and this is an array of NumPy (NPY): fg.Dataset(X, y) takes arrays",
    b"%PDF": "and this is a PDF",
}
"""What a file that is no text begins with."""


def read_text(path: str | os.PathLike[str], encoding: str | None) -> str:
    """Return the text of a file; None: UTF-8, or UTF-16 that begins with its mark."""
    name = checked_path(path)
    try:
        with open(name, "rb") as file:
            check_fits("path", name, _COPIES * os.fstat(file.fileno()).st_size, "a smaller file")
            content = file.read()
    except OSError as error:
        raise InvalidExperiment("path", name, f"a file that can be read ({error.strerror})") from error
    for start, what in _OTHERS.items():
        if content.startswith(start):
            raise InvalidExperiment("path", name, f"a CSV file, {what}")
    text = _decoded(name, content, encoding)
    first = text.lstrip()[:15].lower()
    if first.startswith(("<!doctype", "<html", "<?xml")):
        raise InvalidExperiment("path", name, "a CSV file, and this is a web page: download the raw file")
    if first.startswith(("{", '[{"', "[[")):
        expected = f"a CSV file, and this is JSON: {_FRAMES.format('json')}"
        raise InvalidExperiment("path", name, expected)
    if not first:
        raise InvalidExperiment("path", name, "a header and rows, and the file is empty")
    return text


def _decoded(name: str, content: bytes, encoding: str | None) -> str:
    """Return content as text."""
    if encoding is not None and not isinstance(encoding, str):
        raise InvalidExperiment("encoding", encoding, "None, or a name such as 'utf-8', 'cp1252' or 'utf-16'")
    found = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = content.decode(encoding or found)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        where = f"{error.reason} at byte {error.start}, line {line}"
        if encoding is not None:
            raise InvalidExperiment("encoding", encoding, f"that of {name} ({where})") from None
        expected = f"a CSV file: text in UTF-8 ({where}); encoding='cp1252' reads that of older Windows programs"
        raise InvalidExperiment("path", name, expected) from None
    except (LookupError, ValueError) as error:
        accepted = "a text encoding that Python knows, such as 'utf-8', 'cp1252' or 'utf-16'"
        raise InvalidExperiment("encoding", encoding, accepted) from error
    if encoding is None and "\0" in text[:1000]:
        little = content[1:2] == b"\0"
        expected = (
            f"a CSV file: text; encoding='utf-16-{'le' if little else 'be'}' if this is UTF-16 without its mark"
        )
        raise InvalidExperiment("path", name, expected)
    return text.removeprefix("\ufeff")


def checked_delimiter(value: Any) -> str | None:
    """Return the character between values, None if it is to be found."""
    if value is None:
        return None
    if not isinstance(value, str) or len(value) != 1 or value in '\r\n"\0' or not value.isascii():
        raise InvalidExperiment("delimiter", value, "one ASCII character, neither a quote nor a line's end")
    return value


def declared_delimiter(text: str) -> tuple[str, str | None]:
    """Return a text without the line `sep=;` that spreadsheets write, and what it says."""
    match = re.match(r"sep=(.)\r?\n", text)
    return (text, None) if match is None else (text[match.end() - 1 :], match[1])


def found_delimiter(text: str, names: set[str]) -> str:
    """Return the character between values that fits the first rows best; `names` are columns of the header."""
    sample = "".join(itertools.islice(io.StringIO(text), 2 * _SAMPLE))
    best = max(DELIMITERS[:-1], key=lambda delimiter: _fit(sample, delimiter, names))
    for delimiter in (best, " "):  # blanks stand beside other delimiters, too
        if len(next(iter(_split(sample, delimiter)), [])) > 1:
            return delimiter
    return ","


def _fit(sample: str, delimiter: str, names: set[str]) -> tuple[bool, bool, int, bool, int]:
    """Return how well a delimiter fits.

    In this order: has it the names, are rows of one length, how many values are numbers, are all, how long are rows.
    """
    rows = _split(sample, delimiter)
    width = len(rows[0]) if rows else 0
    if width < 2:
        return False, False, 0, False, 0
    numeric = sum(is_number(cell, None if delimiter == "," else ",") for row in rows for cell in row)
    has_names = bool(names) and names <= {cell.strip() for cell in rows[0]}
    return has_names, all(len(row) == width for row in rows), numeric, numeric == sum(map(len, rows)), width


def _split(sample: str, delimiter: str) -> list[list[str]]:
    """Return the first rows; fewer where one is no row."""
    rows = []
    try:
        for row in csv.reader(io.StringIO(one_blank(sample, delimiter), newline=""), delimiter=delimiter):
            rows += [row] if row else []
            if len(rows) == _SAMPLE:
                break
    except csv.Error:
        pass
    return rows


def one_blank(text: str, delimiter: str) -> str:
    """Return a text with one blank where there are several, if blanks are between its values."""
    if delimiter != " ":
        return text
    return re.sub(r"^[ \t]+|[ \t]+$", "", re.sub(r"[ \t]+", " ", text), flags=re.MULTILINE)


def is_number(text: str, decimal: str | None = None) -> bool:
    """Whether a text is a number, with a decimal point, or with the character that `decimal` is."""
    stripped = text.strip()
    if as_number(stripped) is not None:
        return True
    return decimal == "," and _DECIMAL_COMMA.fullmatch(stripped) is not None


def is_grouped(text: str) -> bool:
    """Whether each comma of a number may stand between thousands: before three digits, and not behind a lone 0."""
    return _THOUSANDS.fullmatch(text) is not None


def are_numbers(row: list[str]) -> bool:
    """Whether a first row holds numbers, and so is no header.

    Names may be numbers, as pixels and years are: whole, beside another name, and increasing.
    """
    cells = [cell.strip() for cell in row]
    numbers = [as_number(cell.replace(",", ".")) for cell in cells if is_number(cell, ",")]
    if not numbers:
        return False
    values = [value for value in numbers if value is not None]
    whole = all(value.is_integer() for value in values)
    increasing = all(a < b for a, b in itertools.pairwise(values))
    others = [cell for cell in cells if cell and not is_number(cell, ",")]
    return not (others and whole and increasing and (len(values) > 1 or values[0] > 999 or len(others) > 1))
