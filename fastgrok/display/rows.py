"""Cells of a summary table: what each number looks like."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from fastgrok.schema import OUTCOMES
from fastgrok.statistics.summary import Summary

NOT_REACHED = "not reached"
"""Stands for a quantile that more seeds would have had to reach."""


class Row(NamedTuple):
    """One configuration: what it is called on each axis, and what became of its seeds."""

    labels: Mapping[str, Any]
    summary: Summary


class Cells(NamedTuple):
    """A table of strings; columns from `n_labels` on hold numbers."""

    header: list[str]
    body: list[list[str]]
    n_labels: int


def cells(rows: Sequence[Row]) -> Cells:
    """
    Return a summary as strings: labels, seeds, the rate with its interval, the median, outcomes, time, speed.

    Parameters
    ----------
    rows
        One configuration each, with the same labels. Outcomes that no seed has are left out.

    Examples
    --------
    >>> cells([]).header
    ['n', 'converged [95 % interval]', 'median epochs', 'time', 'seed-epochs/s']
    """
    labels = list(rows[0].labels) if rows else []
    outcomes = [name for name in OUTCOMES if any(row.summary.outcomes[name] for row in rows)]
    header = [*labels, "n", "converged [95 % interval]", "median epochs", *outcomes, "time", "seed-epochs/s"]
    body = [
        [
            *(_line(row.labels[name]) for name in labels),
            f"{row.summary.n:,}",
            rate(row.summary),
            median(row.summary),
            *(f"{row.summary.outcomes[name]:,}" for name in outcomes),
            duration(row.summary.seconds),
            speed(row.summary.seed_epochs_per_second),
        ]
        for row in rows
    ]
    return Cells(header, body, len(labels))


def _line(label: Any) -> str:
    return " ".join(str(label).split())


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
    width = 100 * (summary.rate_high - summary.rate_low)
    decimals = min(max(-math.floor(math.log10(width)), 0), 6)
    share, low, high = (f"{100 * x:.{decimals}f}" for x in (summary.rate, summary.rate_low, summary.rate_high))
    return f"{share} % [{low}, {high}]"


def median(summary: Summary) -> str:
    """
    Return the epochs by which half of all seeds had converged.

    Parameters
    ----------
    summary
        Of one configuration.
    """
    if summary.converged is None:
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
        None for a run that took no time.

    Examples
    --------
    >>> speed(123_456_789), speed(950)
    ('123 M', '950')
    """
    if per_second is None:
        return "-"
    for factor, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if per_second >= factor:
            return f"{per_second / factor:.3g}{unit}"
    return f"{per_second:.3g}"


def aligned(table: Cells) -> Iterable[str]:
    """
    Yield the lines of a table: labels to the left, numbers to the right.

    Parameters
    ----------
    table
        What `cells` returns.

    Examples
    --------
    >>> list(aligned(Cells(["init", "n"], [["Zeros()", "8"]], 1)))
    ['init     n', '-------  -', 'Zeros()  8']
    """
    lines = [table.header, *table.body]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, ["-" * width for width in widths])
    for line in lines:
        padded = (
            cell.ljust(width) if k < table.n_labels else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        yield "  ".join(padded).rstrip()
