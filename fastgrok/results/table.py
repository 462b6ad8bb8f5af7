"""A summary, one configuration a row: as a data frame, on a terminal, in a pipe, or in a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from fastgrok.errors import one_line
from fastgrok.spec.axes import Configuration
from fastgrok.spec.variables import LARGER_IS_BETTER, OUTCOMES
from fastgrok.statistics.plateaus import PlateauShare
from fastgrok.statistics.proportion import NO_ESTIMATE, Estimate
from fastgrok.statistics.proportion import rate as _statistics_rate
from fastgrok.statistics.spread import Spread
from fastgrok.statistics.summary import Summary
from fastgrok.statistics.tables import Cells, cells_as_html
from fastgrok.statistics.text import NOT_REACHED, duration, number, percent, quantity, quantity_of, speed

if TYPE_CHECKING:
    import pandas as pd

TIMING = ["time", "seed-epochs/s"]
"""The headings of what training took."""

QUANTILES = ("median [95 %]", "5 % [95 %]", "95 % [95 %]", "best to worst")
"""The headings of a continuous outcome, each after its name."""

AT_PLATEAU = "at "
"""How the heading of a known plateau begins: its loss follows."""

_DIGITS = 2  # of a loss, which is known to 0.8 % from what was counted
_FIRST = ("n", "converged", "rate", "rate_low", "rate_high", "epochs_median")
_LEAST_SHARE, _MOST_PLATEAUS = 0.01, 4  # of the seeds of a row at a plateau that has a column, and such columns
_COUNTS = ("converged", "epochs_q25", "epochs_median", "epochs_q75")


class Row(NamedTuple):
    """One configuration."""

    configuration: Configuration
    summary: Summary  # what became of its seeds
    requested: int | None = None  # seeds that were asked for; None: those that the summary counts
    plateaus: tuple[PlateauShare, ...] | None = None  # shares of seeds at those known plateaus that have some

    @property
    def labels(self) -> dict[str, Any]:
        """Its network, its data, and its label on each axis."""
        experiment, labels = self.configuration.experiment, self.configuration.labels
        return {"network": str(experiment.network), "data": experiment.data.name, **labels}

    @property
    def n(self) -> str:
        """How many seeds were finished, and of how many where some are missing."""
        n = self.summary.n
        return f"{n:,}" if self.requested in (None, n) else f"{n:,} of {self.requested:,}"


def as_frame(rows: Sequence[Row], advice: Sequence[Sequence[str]] = ()) -> pd.DataFrame:
    """Return a summary as numbers: labels, then the fields of `Summary`, n, the rate and the median first.

    advice: lines for each row; where there are some they are the last column.
    """
    import pandas as pd

    first = dict.fromkeys(_FIRST)
    frame = pd.DataFrame([{**row.labels, **first, **row.summary.to_dict()} for row in rows])
    floats = ["rate", "rate_low", "rate_high", "seed_epochs_per_second"]
    floats += [name for name in frame.columns if name.startswith(tuple(LARGER_IS_BETTER)) and name[-2:] != "_n"]
    counts = [*_COUNTS, *(f"{name}_n" for name in LARGER_IS_BETTER if f"{name}_n" in frame.columns)]
    if any(advice):
        frame["advice"] = ["\n".join(lines) for lines in advice]
    return frame.astype(dict.fromkeys(counts, "Int64") | dict.fromkeys(floats, "float64"))


def cells(rows: Sequence[Row], labels: Sequence[str] | None = None, *, timing: bool = True) -> Cells:
    """Return a summary as strings: labels, seeds, rate, median, outcomes, losses and accuracies, time, speed."""
    if labels is None:
        labels = list(rows[0].labels) if rows else []
    outcomes = [name for name in OUTCOMES if any(row.summary.outcomes[name] for row in rows)]
    continuous = [name for name in LARGER_IS_BETTER if any(name in row.summary.continuous for row in rows)]
    scatter = [f"{short_name(name)}, {which}" for name in continuous for which in QUANTILES]
    levels = _levels(rows)
    at = [f"{AT_PLATEAU}{number(level)} [95 %]" for level in levels]
    header = [*labels, "n", "converged [95 %]", "median epochs", *outcomes, *at, *scatter, *TIMING[: 2 * timing]]
    body = [
        [
            *(one_line(row.labels[name]) for name in labels),
            row.n,
            rate(row.summary),
            median(row.summary),
            *(f"{row.summary.outcomes[name]:,}" for name in outcomes),
            *(percent(_share_at(row, level)) for level in levels),
            *(cell for name in continuous for cell in _scatter(name, row.summary.continuous.get(name))),
            *[duration(row.summary.seconds), speed(row.summary.seed_epochs_per_second)][: 2 * timing],
        ]
        for row in rows
    ]
    return Cells(header, body, len(labels))


def _levels(rows: Sequence[Row]) -> list[float]:
    """Return the losses of the plateaus that have columns: the few that hold most seeds, where all rows know them."""
    if any(row.plateaus is None for row in rows):
        return []
    most: dict[float, float] = {}
    for row in rows:
        for each in row.plateaus or ():
            if each.plateau is not None and each.share.value is not None:
                most[each.plateau.loss] = max(most.get(each.plateau.loss, 0.0), each.share.value)
    by_share = sorted((level for level, share in most.items() if share >= _LEAST_SHARE), key=lambda x: -most[x])
    return sorted(by_share[:_MOST_PLATEAUS])


def _share_at(row: Row, level: float) -> Estimate:
    """Return the share of a configuration's seeds at a plateau."""
    found = (each.share for each in row.plateaus or () if each.plateau is not None and each.plateau.loss == level)
    return next(found, _statistics_rate(0, row.summary.n) if row.summary.n else NO_ESTIMATE)


def plateau_line(row: Row) -> str:
    """Return the shares of seeds at known plateaus in words: at plateaus: 31.0 % [29, 33] at 0.0625, ..."""
    shares = ", ".join(f"{percent(_share_at(row, level))} at {number(level)}" for level in _levels([row]))
    return f"at plateaus: {shares}" if shares else ""


def rate(summary: Summary) -> str:
    """Return the share that converged with its interval, in percent, with the decimals that the interval warrants."""
    if summary.rate is None or summary.rate_low is None or summary.rate_high is None:
        return "-"
    return percent(Estimate(summary.rate, summary.rate_low, summary.rate_high))


def median(summary: Summary) -> str:
    """Return the epochs by which half of all seeds had converged."""
    if summary.converged is None or not summary.n:
        return "-"
    return NOT_REACHED if summary.epochs_median is None else f"{summary.epochs_median:,}"


def short_name(name: str) -> str:
    """Return what a table calls a continuous outcome: loss, validation accuracy."""
    kind, *middle, _ = name.split("_")
    return " ".join([*middle, kind])


def _scatter(name: str, found: Spread | None) -> list[str]:
    """Return the median and the outer quantiles with their intervals, and the best and the worst seed."""
    if found is None or not found.n:
        return ["-"] * len(QUANTILES)
    digits = _DIGITS if name.startswith("loss") else 3
    ends = (quantity_of(end, digits, "not finite") for end in (found.best, found.worst))
    return [*(quantity(x, digits) for x in (found.median, found.low, found.high)), " to ".join(ends)]


def scatter_lines(summary: Summary) -> list[str]:
    """Return a line for each continuous outcome: loss: median 0.01 [0.008, 0.02], 5 % ..."""
    lines = []
    for name, found in summary.continuous.items():
        middle, low, high, ends = _scatter(name, found)
        lines.append(f"{short_name(name)}: median {middle}, 5 % {low}, 95 % {high}, best to worst seed {ends}")
    return lines


def outcomes(summary: Summary) -> str:
    """Return how many seeds had each outcome that there was."""
    return ", ".join(f"{count:,} {name}" for name, count in summary.outcomes.items() if count)


def total(rows: Sequence[Row]) -> str:
    """Return the time and the speed of several configurations together."""
    seconds = sum(row.summary.seconds for row in rows)
    epochs = sum(row.summary.seed_epochs for row in rows)
    return f"{duration(seconds)}, {speed(epochs / seconds if seconds > 0 else None)} seed-epochs/s"


def as_html(rows: Sequence[Row]) -> str:
    """Return the table in HTML."""
    return cells_as_html(cells(rows))
