"""A summary table on a terminal, in a pipe, or in a notebook."""

import shutil
from collections.abc import Sequence
from typing import TextIO

from fastgrok.results.rows import Row, cells, total
from fastgrok.statistics.tables import aligned, cells_as_html, fitted


def as_text(rows: Sequence[Row]) -> str:
    """Return the table in plain characters, as wide as it is."""
    return "\n".join(aligned(cells(rows)))


def as_html(rows: Sequence[Row]) -> str:
    """Return the table in HTML."""
    return cells_as_html(cells(rows))


def print_table(rows: Sequence[Row], labels: Sequence[str], file: TextIO) -> None:
    """Print the table: fitted to the width of a terminal, in plain characters and whole lines anywhere else."""
    text = "\n".join(aligned(cells(rows, labels)))
    if file.isatty():
        rule = "─" if "utf" in (file.encoding or "").lower() else "-"
        text = "\n".join(_for_terminal(rows, labels, shutil.get_terminal_size().columns, rule))
    print(text, file=file, flush=True)


def _for_terminal(rows: Sequence[Row], labels: Sequence[str], width: int, rule: str) -> list[str]:
    """Return lines that fit; where several rows do not, time and speed are those of all of them, at the end."""
    lines = fitted(cells(rows, labels), width, rule)
    if len(rows) == 1 or lines == list(aligned(cells(rows, labels), rule)):
        return lines
    return [*fitted(cells(rows, labels, timing=False), width, rule), "", total(rows)]
