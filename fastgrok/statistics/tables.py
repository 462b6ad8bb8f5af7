"""Tables of strings as lines of text, as wide as they are or as a terminal is."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from fastgrok.errors import one_line

if TYPE_CHECKING:
    import pandas as pd


class Cells(NamedTuple):
    """A table of strings."""

    header: list[str]
    body: list[list[str]]
    n_labels: int  # columns from this one on hold numbers


def table(header: Sequence[str], body: Sequence[Sequence[Any]], n_labels: int = 1) -> str:
    """Return an aligned table; a cell of several lines becomes one."""
    return "\n".join(
        aligned(Cells([*map(one_line, header)], [[one_line(cell) for cell in row] for row in body], n_labels))
    )


def aligned(table: Cells, rule: str = "-") -> Iterable[str]:
    """Yield the lines of a table: labels to the left, numbers to the right."""
    lines = [table.header, *table.body]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, [rule * width for width in widths])
    for line in lines:
        padded = (
            cell.ljust(width) if k < table.n_labels else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        yield "  ".join(padded).rstrip()


def fitted(table: Cells, width: int, rule: str = "-") -> list[str]:
    """Return the lines of a table that is no wider than a terminal; no number is ever broken."""
    lines = list(aligned(table, rule))
    if max(map(len, lines)) <= width:
        return lines
    groups = _groups(table, width)
    if len(table.body) == 1 or not groups:
        return _blocks(table)
    parts: list[str] = []
    for group in groups:
        columns = [*range(table.n_labels), *group]
        header, *body = ([line[k] for k in columns] for line in [table.header, *table.body])
        parts += [*[""] * bool(parts), *aligned(Cells(header, body, table.n_labels), rule)]
    return parts


def _groups(table: Cells, width: int) -> list[list[int]]:
    """Return which columns stand beside the labels in each part of a table; none if one does not fit."""
    widths = [max(map(len, column)) for column in zip(table.header, *table.body, strict=True)]
    room = width - sum(size + 2 for size in widths[: table.n_labels])
    groups: list[list[int]] = []
    left = -1
    for k in range(table.n_labels, len(widths)):
        if widths[k] > room:
            return []
        if widths[k] > left:
            groups.append([])
            left = room
        groups[-1].append(k)
        left -= widths[k] + 2
    return groups


def _blocks(table: Cells) -> list[str]:
    """Return each row as lines of a name and a value, with a blank line between two rows."""
    names = max(map(len, table.header))
    lines: list[str] = []
    for row in table.body:
        values = max(map(len, row[table.n_labels :]))
        lines.extend([""] * bool(lines))
        for k, (name, value) in enumerate(zip(table.header, row, strict=True)):
            lines.append(f"{name:{names}}  {value if k < table.n_labels else value.rjust(values)}")
    return lines


def cells_as_html(table: Cells) -> str:
    """Return a table of strings in HTML."""
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in table.header)
    body = ("".join(f"<td>{html.escape(cell)}</td>" for cell in line) for line in table.body)
    lines = "".join(f"<tr>{line}</tr>" for line in body)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"


class Printed:
    """What is printed as a title, tables each with what it is, and sentences below them."""

    def _title(self) -> str:
        """Return the first line."""
        raise NotImplementedError

    def _sections(self) -> list[tuple[str, Cells]]:
        """Return the tables, each with what it is."""
        raise NotImplementedError

    def _notes(self) -> list[str]:
        """Return the sentences below the tables."""
        raise NotImplementedError

    def as_text(self, width: int | None = None) -> str:
        """Return the tables and the sentences below them as lines.

        Parameters
        ----------
        width
            Characters of a line, as a terminal has them; None: as many as it takes.
        """
        lines = [self._title()]
        for title, cells in self._sections():
            lines.extend([title, *(aligned(cells) if width is None else fitted(cells, width - 2)), ""])
        for sentence in self._notes():
            lines.extend([sentence] if width is None else textwrap.wrap(sentence, width - 2, subsequent_indent="  "))
        return "\n  ".join(lines).replace("\n  \n", "\n\n")

    def __repr__(self) -> str:
        return f"<{self.as_text()}>"

    def _repr_html_(self) -> str:
        parts = [f"<p>{html.escape(title)}</p>{cells_as_html(cells)}" for title, cells in self._sections()]
        parts.extend(f"<p>{html.escape(line)}</p>" for line in self._notes())
        return f"<p>{html.escape(self._title())}</p>{''.join(parts)}"


def record_frame(records: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return rows as numbers; where every row has an interval as `_low` and `_high`, what is missing is NaN."""
    import pandas as pd

    names = {name for record in records for name in record}
    ends = {name for name in names if f"{name}_low" in names}
    numeric = [name for name in names if name in ends or name.removesuffix("_low").removesuffix("_high") in ends]
    return pd.DataFrame(records).astype(dict.fromkeys(numeric, "float64"))
