"""A summary, one configuration a row: as the cells of a table, and as a data frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from fastgrok.spec.axes import Configuration
from fastgrok.spec.variables import OUTCOMES
from fastgrok.statistics.proportion import Estimate
from fastgrok.statistics.summary import Summary
from fastgrok.statistics.tables import Cells
from fastgrok.statistics.text import NOT_REACHED, duration, one_line, percent, speed

if TYPE_CHECKING:
    import pandas as pd

_TIMING = ["time", "seed-epochs/s"]
_FIRST = ("n", "converged", "rate", "rate_low", "rate_high", "epochs_median")
_COUNTS = ("converged", "epochs_q25", "epochs_median", "epochs_q75")


class Row(NamedTuple):
    """One configuration."""

    configuration: Configuration
    summary: Summary  # what became of its seeds
    asked: int | None = None  # seeds that were asked for; None: those that the summary counts

    @property
    def labels(self) -> dict[str, Any]:
        """Its network, its data, and its label on each axis."""
        experiment, labels = self.configuration.experiment, self.configuration.labels
        return {"network": str(experiment.network), "data": experiment.data.name, **labels}


def as_frame(rows: Sequence[Row]) -> pd.DataFrame:
    """Return a summary as numbers: labels, then the fields of `Summary`, n, the rate and the median first."""
    import pandas as pd

    first = dict.fromkeys(_FIRST)
    frame = pd.DataFrame([{**row.labels, **first, **row.summary.to_dict()} for row in rows])
    floats = ("rate", "rate_low", "rate_high", "seed_epochs_per_second")
    return frame.astype(dict.fromkeys(_COUNTS, "Int64") | dict.fromkeys(floats, "float64"))


def cells(rows: Sequence[Row], labels: Sequence[str] | None = None, *, timing: bool = True) -> Cells:
    """
    Return a summary as strings: labels, seeds, the rate with its interval, the median, outcomes, time, speed.

    Examples
    --------
    >>> cells([]).header
    ['n', 'converged [95 %]', 'median epochs', 'time', 'seed-epochs/s']
    """
    if labels is None:
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


def count(row: Row) -> str:
    """Return how many seeds were finished, and of how many where some are missing."""
    n = row.summary.n
    return f"{n:,}" if row.asked in (None, n) else f"{n:,} of {row.asked:,}"


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


def outcomes(summary: Summary) -> str:
    """Return how many seeds had each outcome that there was."""
    return ", ".join(f"{count:,} {name}" for name, count in summary.outcomes.items() if count)


def total(rows: Sequence[Row]) -> str:
    """Return the time and the speed of several configurations together."""
    seconds = sum(row.summary.seconds for row in rows)
    epochs = sum(row.summary.seed_epochs for row in rows)
    return f"{duration(seconds)}, {speed(epochs / seconds if seconds > 0 else None)} seed-epochs/s"
