"""Cells of a summary table: what each number looks like."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from fastgrok.schema import OUTCOMES
from fastgrok.statistics.proportion import Estimate
from fastgrok.statistics.summary import Summary

_TIMING = ["time", "seed-epochs/s"]

NOT_REACHED = "not reached"
"""Stands for a quantile that more seeds would have had to reach."""


class Row(NamedTuple):
    """
    One configuration.

    Parameters
    ----------
    labels
        What it is called on each axis.
    summary
        What became of its seeds.
    asked
        Seeds that were asked for; None: those that the summary counts.
    """

    labels: Mapping[str, Any]
    summary: Summary
    asked: int | None = None


class Cells(NamedTuple):
    """A table of strings; columns from `n_labels` on hold numbers."""

    header: list[str]
    body: list[list[str]]
    n_labels: int


def cells(rows: Sequence[Row], *, timing: bool = True) -> Cells:
    """
    Return a summary as strings: labels, seeds, the rate with its interval, the median, outcomes, time, speed.

    Parameters
    ----------
    rows
        One configuration each, with the same labels. Outcomes that no seed has are left out.
    timing
        Whether there are columns of time and speed.

    Examples
    --------
    >>> cells([]).header
    ['n', 'converged [95 %]', 'median epochs', 'time', 'seed-epochs/s']
    """
    labels = list(rows[0].labels) if rows else []
    outcomes = [name for name in OUTCOMES if any(row.summary.outcomes[name] for row in rows)]
    header = [*labels, "n", "converged [95 %]", "median epochs", *outcomes, *_TIMING[: 2 * timing]]
    body = [
        [
            *(one_line(row.labels[name]) for name in labels),
            count(row),
            rate(row.summary),
            median(row.summary),
            *(f"{row.summary.outcomes[name]:,}" for name in outcomes),
            *[duration(row.summary.seconds), speed(row.summary.seed_epochs_per_second)][: 2 * timing],
        ]
        for row in rows
    ]
    return Cells(header, body, len(labels))


def one_line(label: Any) -> str:
    """
    Return a label on one line, without what a terminal would take for a command.

    Parameters
    ----------
    label
        Anything.
    """
    return "".join(c if c.isprintable() else "?" for c in " ".join(str(label).split()))


def count(row: Row) -> str:
    """
    Return how many seeds were finished, and of how many where some are missing.

    Parameters
    ----------
    row
        One configuration.
    """
    n = row.summary.n
    return f"{n:,}" if row.asked in (None, n) else f"{n:,} of {row.asked:,}"


def rate(summary: Summary) -> str:
    """
    Return the share that converged with its interval, in percent, with the decimals that the interval warrants.

    Parameters
    ----------
    summary
        Of one configuration.
    """
    if summary.rate is None or summary.rate_low is None or summary.rate_high is None:
        return "-"
    return percent(Estimate(summary.rate, summary.rate_low, summary.rate_high))


def percent(share: Estimate, *, unit: str = " %", digits: int = 0) -> str:
    """
    Return a share with its interval, in percent, with the decimals that the interval warrants.

    Parameters
    ----------
    share
        From -1 to 1.
    unit
        What stands after the share.
    digits
        Decimals beyond those that tell the ends of the interval apart.

    Examples
    --------
    >>> percent(Estimate(0.0312, 0.0257, 0.0367), digits=1)
    '3.1 % [2.6, 3.7]'
    """
    value, low, high = share
    if value is None or low is None or high is None:
        return "-"
    width = 100 * (high - low)
    decimals = min(max(-math.floor(math.log10(width)), 0) + digits, 6) if width > 0 else digits
    shown = [f"{round(100 * x, decimals) + 0.0:.{decimals}f}" for x in (value, low, high)]
    return f"{shown[0]}{unit} [{shown[1]}, {shown[2]}]"


def median(summary: Summary) -> str:
    """
    Return the epochs by which half of all seeds had converged.

    Parameters
    ----------
    summary
        Of one configuration.
    """
    if summary.converged is None or not summary.n:
        return "-"
    return NOT_REACHED if summary.epochs_median is None else f"{summary.epochs_median:,}"


def outcomes(summary: Summary) -> str:
    """
    Return how many seeds had each outcome that there was.

    Parameters
    ----------
    summary
        Of one configuration.
    """
    return ", ".join(f"{count:,} {name}" for name, count in summary.outcomes.items() if count)


def duration(seconds: float) -> str:
    """
    Return a time to three digits.

    Parameters
    ----------
    seconds
        Any time.

    Examples
    --------
    >>> duration(0.01234), duration(12.34), duration(4000)
    ('0.0123 s', '12.3 s', '1:06:40')
    """
    if seconds >= 600:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
    return f"{seconds:.3g} s"


def speed(per_second: float | None) -> str:
    """
    Return a number of seed-epochs per second to three digits.

    Parameters
    ----------
    per_second
        None for a run that took no time, 0 for one that did nothing.

    Examples
    --------
    >>> speed(123_456_789), speed(950)
    ('123 M', '950')
    """
    if not per_second:
        return "-"
    for factor, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if per_second >= factor:
            return f"{per_second / factor:.3g}{unit}"
    return f"{per_second:.3g}"


def total(rows: Sequence[Row]) -> str:
    """
    Return the time and the speed of several configurations together.

    Parameters
    ----------
    rows
        One configuration each.
    """
    seconds = sum(row.summary.seconds for row in rows)
    epochs = sum(row.summary.seed_epochs for row in rows)
    return f"{duration(seconds)}, {speed(epochs / seconds if seconds > 0 else None)} seed-epochs/s"


def aligned(table: Cells, rule: str = "-") -> Iterable[str]:
    """
    Yield the lines of a table: labels to the left, numbers to the right.

    Parameters
    ----------
    table
        What `cells` returns.
    rule
        The character below the header.

    Examples
    --------
    >>> list(aligned(Cells(["init", "n"], [["Zeros()", "8"]], 1)))
    ['init     n', '-------  -', 'Zeros()  8']
    """
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
    """
    Return the lines of a table that is no wider than a terminal; no number is ever broken.

    Parameters
    ----------
    table
        What `cells` returns.
    width
        Characters of a line. What does not fit side by side comes in several tables, each with the labels; a
        single row, and one whose labels leave no place beside them, as a block with one line for each column.
    rule
        The character below a header.

    Examples
    --------
    >>> fitted(Cells(["init", "n"], [["Zeros()", "8"]], 1), 9)
    ['init  Zeros()', 'n     8']
    """
    lines = list(aligned(table, rule))
    if max(map(len, lines)) <= width:
        return lines
    groups = _groups(table, width)
    if len(table.body) == 1 or not groups:
        return _blocks(table)
    labels = range(table.n_labels)
    pieces = []
    for group in groups:
        chosen = [*labels, *group]
        header, *body = ([line[k] for k in chosen] for line in [table.header, *table.body])
        pieces.append("\n".join(aligned(Cells(header, body, table.n_labels), rule)))
    return "\n\n".join(pieces).splitlines()


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
