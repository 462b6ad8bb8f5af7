"""The table of a sweep as one reads it: what varies, and few numbers beside it; one configuration as a block."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import NamedTuple, TextIO

from fastgrok.errors import one_line
from fastgrok.results.table import AT_PLATEAU, QUANTILES, TIMING, Row, cells, short_name, total
from fastgrok.spec.variables import LARGER_IS_BETTER
from fastgrok.spec.words import word_of_path
from fastgrok.statistics.tables import Cells, aligned, fitted
from fastgrok.statistics.text import plural

_GAP = 2  # blanks between two columns


class Layout(NamedTuple):
    """A table that is laid out."""

    lines: list[str]
    left_out: list[str] = []  # noqa: RUF012  # the continuous outcomes for which there is no room


def print_table(rows: Sequence[Row], axes: Sequence[str], file: TextIO, of: str | None = None) -> list[str]:
    """Print what became of a sweep, and return the continuous outcomes for which a terminal has no room.

    axes: the paths of what varies; of: the continuous outcome that is shown in full, None for the medians of all
    """
    width, rule = None, "-"
    if file.isatty():
        width = shutil.get_terminal_size().columns
        rule = "─" if "utf" in (file.encoding or "").lower() else "-"
    laid_out = layout(rows, axes, width, of, rule)
    print("\n".join(laid_out.lines), file=file, flush=True)
    return laid_out.left_out


def layout(
    rows: Sequence[Row], axes: Sequence[str], width: int | None = None, of: str | None = None, rule: str = "-"
) -> Layout:
    """Return the lines: a block for one configuration, else a table of one line for each.

    width: of the terminal; None in a pipe: the table alone, whole lines and all columns
    """
    if not axes and len(rows) == 1:
        return Layout(_block(rows[0], width, of, rule))
    whole = _named(cells(rows, axes))
    if width is None:
        return Layout(list(aligned(_picked(whole, _wanted(whole, rows, of)), rule)))
    wanted, left_out = _fitting(whole, rows, width, of)
    table, title = _picked(whole, wanted), _title(rows)
    if of is not None:  # said once, above
        title += f", {short_name(of)} over seeds"
        table = table._replace(header=[name.removeprefix(f"{short_name(of)}, ") for name in table.header])
    return Layout([title, "", *fitted(table, width, rule), "", total(rows)], left_out)


def _named(table: Cells) -> Cells:
    """Return the table with its labels under the words of their axes."""
    labels = [word_of_path(path) for path in table.header[: table.n_labels]]
    return table._replace(header=[*labels, *table.header[table.n_labels :]])


def _title(rows: Sequence[Row]) -> str:
    """Say what all rows have in common, and how many there are."""
    networks = dict.fromkeys(row.labels["network"] for row in rows)
    data = dict.fromkeys(row.labels["data"] for row in rows)
    network = next(iter(networks)) if len(networks) == 1 else "several networks"
    on = one_line(next(iter(data))) if len(data) == 1 else "several datasets"
    each = "" if len(rows) == 1 else f"{plural(len(rows), 'configuration')} of "
    return f"{network} on {on}: {each}{plural(_requested(rows[0]), 'seed')}"


def _requested(row: Row) -> int:
    """Return how many seeds were asked for."""
    return row.summary.n if row.requested is None else row.requested


def _columns_of(name: str) -> list[str]:
    """Return the headings of a continuous outcome."""
    return [f"{short_name(name)}, {which}" for which in QUANTILES]


_ALL_CONTINUOUS = {heading for name in LARGER_IS_BETTER for heading in _columns_of(name)}


def _wanted(table: Cells, rows: Sequence[Row], of: str | None) -> list[str]:
    """Return the headings of what is shown where there is room: of continuous outcomes medians, or one in full."""
    shown = {_columns_of(name)[0] for name in LARGER_IS_BETTER} if of is None else set(_columns_of(of))
    twice = _twice(rows)
    return [name for name in table.header if name not in twice and (name not in _ALL_CONTINUOUS or name in shown)]


def _twice(rows: Sequence[Row]) -> set[str]:
    """Return the headings that say again what others do: seeds that converged, beside their rate, if none went on."""
    both = [(row.summary.converged, row.summary.outcomes["converged"]) for row in rows]
    return {"converged"} if all(met == ended for met, ended in both) else set()


def _fitting(table: Cells, rows: Sequence[Row], width: int, of: str | None) -> tuple[list[str], list[str]]:
    """Return the headings for a terminal, and the continuous outcomes for which it has no room.

    What varies, who converged and the outcomes stand in any case, in parts where they must; what is asked for, too.
    Of the rest validation data come first, and accuracies where the targets are classes.
    """
    wanted = [name for name in _wanted(table, rows, of) if name not in TIMING]
    if all(row.summary.n == _requested(rows[0]) for row in rows):
        wanted.remove("n")  # the title says it
    labels = table.header[: table.n_labels]
    asked = [] if of is None else _columns_of(of)
    widths = dict(zip(table.header, _widths(table, "" if of is None else f"{short_name(of)}, "), strict=True))
    outcomes = [name for name in wanted if name not in _ALL_CONTINUOUS and not name.startswith(AT_PLATEAU)]
    first = [*labels, *asked] if asked else outcomes
    rest = [name for name in wanted if name not in first]
    telling = "accuracy" if any(row.configuration.experiment.data.classes for row in rows) else "loss"
    rest.sort(key=lambda name: (not name.startswith("validation"), telling not in name))
    taken = list(first)
    for name in rest:
        if sum(widths[each] + _GAP for each in [*taken, name]) - _GAP <= width:
            taken.append(name)
    left_out = [name.partition(",")[0] for name in rest if name in _ALL_CONTINUOUS and name not in taken]
    return [name for name in wanted if name in taken], left_out


def _widths(table: Cells, unsaid: str) -> list[int]:
    """Return the characters of each column; its heading is shown without what is not said again."""
    header = [name.removeprefix(unsaid) for name in table.header]
    return [max(map(len, column)) for column in zip(header, *table.body, strict=True)]


def _picked(table: Cells, names: Sequence[str]) -> Cells:
    """Return some columns of a table."""
    places = [table.header.index(name) for name in names]
    header, *body = ([line[k] for k in places] for line in [table.header, *table.body])
    return Cells(header, body, sum(place < table.n_labels for place in places))


def _block(row: Row, width: int | None, of: str | None, rule: str) -> list[str]:
    """Return one configuration: its outcomes, then how losses and accuracies scatter, then the time."""
    table = cells([row], [])
    by_name = dict(zip(table.header, table.body[0], strict=True))
    unsaid = {*_ALL_CONTINUOUS, *TIMING, *_twice([row]), *({"n"} if row.summary.n == _requested(row) else ())}
    said = {name: cell for name, cell in by_name.items() if name not in unsaid}
    left, right = max(map(len, said)), max(map(len, said.values()))
    lines = [_title([row]), "", *(f"{name:{left}}  {cell:>{right}}" for name, cell in said.items())]
    found = [name for name in (LARGER_IS_BETTER if of is None else [of]) if name in row.summary.continuous]
    if found:
        body = [[short_name(name), *(by_name[heading] for heading in _columns_of(name))] for name in found]
        scatter = Cells(["over seeds", *QUANTILES], body, 1)
        lines += ["", *(aligned(scatter, rule) if width is None else fitted(scatter, width, rule))]
    return [*lines, "", total([row])]
