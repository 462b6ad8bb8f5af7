"""A summary table on a terminal, in a pipe, or in a notebook."""

import html
from collections.abc import Sequence
from typing import TextIO

from fastgrok.display.rows import Row, aligned, cells


def as_text(rows: Sequence[Row]) -> str:
    """
    Return the table in plain characters, as wide as it is.

    Parameters
    ----------
    rows
        One configuration each.
    """
    return "\n".join(aligned(cells(rows)))


def as_html(rows: Sequence[Row]) -> str:
    """
    Return the table in HTML.

    Parameters
    ----------
    rows
        One configuration each.
    """
    table = cells(rows)
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in table.header)
    body = ("".join(f"<td>{html.escape(cell)}</td>" for cell in line) for line in table.body)
    lines = "".join(f"<tr>{line}</tr>" for line in body)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"


def print_table(rows: Sequence[Row], file: TextIO) -> None:
    """
    Print the table: folded to its width on a terminal, in plain characters and whole lines anywhere else.

    Parameters
    ----------
    rows
        One configuration each.
    file
        Where to, such as `sys.stdout`.
    """
    if not file.isatty():
        print(as_text(rows), file=file, flush=True)
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    content = cells(rows)
    table = Table(box=box.SIMPLE_HEAD)
    for k, name in enumerate(content.header):
        table.add_column(Text(name), justify="left" if k < content.n_labels else "right", overflow="fold")
    for line in content.body:
        table.add_row(*map(Text, line))
    Console(file=file).print(table)
