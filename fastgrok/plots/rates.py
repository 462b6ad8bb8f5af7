"""How often seeds converge, over two axes of a sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.errors import InvalidExperiment, one_of
from fastgrok.plots.configurations import checked_sweep, counted
from fastgrok.plots.style import axes_or_new, ink
from fastgrok.results.result import Result
from fastgrok.statistics.counts import Counts
from fastgrok.statistics.proportion import Estimate, rate
from fastgrok.statistics.text import one_line, percent
from fastgrok.store import Store

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH = 24  # characters of a label at most


class RateTable(NamedTuple):
    """Convergence rates over two axes."""

    rows: str  # the path of one axis
    columns: str  # the path of the other
    row_labels: tuple[Any, ...]  # what stands for the values of the first
    column_labels: tuple[Any, ...]  # what stands for those of the other
    n: NDArray[np.int64]  # (n_rows, n_columns), seeds
    rates: list[list[Estimate]]


def rate_table(
    result: Result | Store, rows: str | None = None, columns: str | None = None, confidence: float = 0.95
) -> RateTable:
    """
    Return how often seeds converge for each pair of values of two axes.

    Parameters
    ----------
    result
        What `sweep` or `open_store` returns.
    rows
        The path of one axis; None: the first that is not `columns`.
    columns
        The path of another; None: the first that is not `rows`.
    confidence
        The probability that an interval covers a rate, between 0 and 1.

    Raises
    ------
    InvalidExperiment
        If there are no two such axes, or there is no criterion by which a seed converges.

    Notes
    -----
    Wilson's intervals. Where there are more than two axes the seeds of all values of the others are counted together.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> result = fg.sweep(exp, 8, {"optimizer.lr": [0.01, 0.1], "init": [fg.HeNormal(), fg.HeUniform()]})
    >>> rate_table(result).n.tolist()
    [[8, 8], [8, 8]]
    """
    axes = {axis.path: axis for axis in checked_sweep(result).axes}
    if len(axes) < 2:
        expected = "one with two axes or more; `convergence` draws any"
        raise InvalidExperiment("result", list(axes), expected)
    for field, path, other in (("rows", rows, None), ("columns", columns, rows)):
        others = [one for one in axes if one != other]
        if path is not None and path not in others:
            raise InvalidExperiment(field, path, one_of(others))
    rows = rows if rows is not None else next(path for path in axes if path != columns)
    columns = columns if columns is not None else next(path for path in axes if path != rows)
    cells: dict[tuple[Any, Any], Counts] = {}
    for one in counted(result):
        one.counts.check_criterion()
        key = (one.configuration.labels[rows], one.configuration.labels[columns])
        cells[key] = cells.get(key, Counts.empty()) + one.counts
    found = [[cells[row, column] for column in axes[columns].labels] for row in axes[rows].labels]
    n = np.array([[counts.n for counts in row] for row in found])
    rates = [[rate(counts.n_converged, counts.n, confidence) for counts in row] for row in found]
    return RateTable(rows, columns, axes[rows].labels, axes[columns].labels, n, rates)


def rates(
    result: Result | Store, rows: str | None = None, columns: str | None = None, ax: Axes | None = None
) -> Axes:
    """
    Draw how often seeds converge for each pair of values of two axes, with the 95 % interval in each cell.

    Parameters
    ----------
    result
        What `sweep` or `open_store` returns.
    rows
        The path of one axis; None: the first that is not `columns`.
    columns
        The path of another; None: the first that is not `rows`.
    ax
        Where to draw; None: in a new figure.

    Raises
    ------
    InvalidExperiment
        If there are no two such axes, or there is no criterion by which a seed converges.

    Notes
    -----
    Where there are more than two axes the seeds of all values of the others are counted together.
    """
    table, ax = rate_table(result, rows, columns), axes_or_new(ax)
    values = np.array([[np.nan if cell.value is None else cell.value for cell in row] for row in table.rates])
    image = ax.imshow(values, cmap="cividis", vmin=0, vmax=1, aspect="auto", interpolation="none")
    for (row, column), value in np.ndenumerate(values):
        estimate, _, interval = f"{percent(table.rates[row][column], unit='')} ".partition("[")
        text = "no seeds" if np.isnan(value) else f"{estimate.strip()} %\n[{interval.strip()}"
        color = "black" if np.isnan(value) else ink(value)
        ax.text(column, row, text, ha="center", va="center", color=color, fontsize="small")
    ax.set_xticks(range(len(table.column_labels)), list(map(_short, table.column_labels)))
    ax.set_yticks(range(len(table.row_labels)), list(map(_short, table.row_labels)))
    if max(len(_short(label)) for label in table.column_labels) * len(table.column_labels) > 50:
        ax.tick_params("x", rotation=30)
        for label in ax.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")
    least, most = int(table.n.min()), int(table.n.max())
    ax.set(xlabel=table.columns, ylabel=table.rows)
    ax.set_title(f"{least:,} seeds each" if least == most else f"{least:,} to {most:,} seeds each")
    ax.figure.colorbar(image, ax=ax, label="converged (share of seeds)")
    return ax


def _short(label: Any) -> str:
    """Return a label that fits beside a row."""
    text = one_line(label)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"
