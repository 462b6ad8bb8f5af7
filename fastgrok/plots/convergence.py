"""How many seeds converge: by each epoch, and over two axes of a sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.errors import InvalidExperiment, hint, one_line, one_of
from fastgrok.plots.labels import Counted, checked_sweep, counted, seeds_title, trained
from fastgrok.plots.style import axes_or_new, heat_map, legend_below, line_styles, write_cells
from fastgrok.results.result import Result
from fastgrok.spec.words import axis_named
from fastgrok.statistics.counts import Counts
from fastgrok.statistics.proportion import Estimate, rate, wilson
from fastgrok.statistics.survival import band, survival_curve
from fastgrok.statistics.text import percent
from fastgrok.store import Store

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DIGITS = 12  # one minus a share that was rounded is the plain share again, to the digits of a percentage
_WIDTH = 24  # characters of a label at most


class ConvergenceCurve(NamedTuple):
    """The share of the seeds of one configuration that have converged by each epoch."""

    name: str  # the configuration
    n: int  # its seeds
    epochs: NDArray[np.int64]  # (n_steps,), 0, the epochs at which seeds converge, and the last epoch
    share: NDArray[np.float64]  # (n_steps,)
    low: NDArray[np.float64]  # (n_steps,), lower end of its interval at each epoch alone
    high: NDArray[np.float64]  # (n_steps,), upper end


def convergence_curves(result: Result | Store, confidence: float = 0.95) -> list[ConvergenceCurve]:
    """Return the convergence curve of each configuration of which a seed is finished.

    Parameters
    ----------
    result, confidence
        See `fastgrok.plots`; of an experiment with a criterion of convergence. The interval is that at each epoch.

    Notes
    -----
    See `fastgrok.statistics.survival_curve` and `band`. Seeds that diverge count as never converging.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> result = fg.run(exp, seeds=100)
    >>> float(convergence_curves(result)[0].share[-1]) == result.summaries[0].rate
    True
    """
    return [_curve(config, confidence) for config in trained(result)]


def _curve(config: Counted, confidence: float) -> ConvergenceCurve:
    """Return the curve of one configuration, with its first and its last epoch."""
    curve = survival_curve(config.counts)
    low, high = band(curve, confidence)
    start, converged = wilson(0, config.counts.n, confidence), np.round(1 - curve.share, _DIGITS)
    steps = ((0, curve.time), (0.0, converged), (start.low, 1 - high), (start.high, 1 - low))
    epochs, shares, lows, highs = (np.concatenate([[first], values]) for first, values in steps)
    end = config.configuration.experiment.epochs if curve.last is None else curve.last
    if end > epochs[-1]:
        epochs = np.append(epochs, end)
        shares, lows, highs = (np.append(values, values[-1]) for values in (shares, lows, highs))
    return ConvergenceCurve(config.name, config.counts.n, epochs, shares, lows, highs)


def convergence(result: Result | Store, ax: Axes | None = None) -> Axes:
    """Draw the share of seeds that have converged by each epoch, with its interval, for each configuration.

    Parameters
    ----------
    result, ax
        See `fastgrok.plots`; of an experiment with a criterion of convergence.

    Notes
    -----
    One minus Kaplan and Meier's estimate. The legend says how many have converged in the end.

    Examples
    --------
    >>> import fastgrok as fg, matplotlib.figure
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> ax = fg.plots.convergence(fg.run(exp, seeds=100), matplotlib.figure.Figure().add_subplot())
    >>> ax.get_xlabel()
    'epoch'
    """
    curves, ax = convergence_curves(result), axes_or_new(ax)
    for curve, line in zip(curves, line_styles(), strict=False):
        final = percent(Estimate(*(float(values[-1]) for values in (curve.share, curve.low, curve.high))))
        ax.step(curve.epochs, curve.share, where="post", label=f"{curve.name}: {final}", **line._asdict())
        style: dict[str, Any] = {"step": "post", "facecolor": line.color, "alpha": 0.2, "linewidth": 0}
        ax.fill_between(curve.epochs, curve.low, curve.high, **style)
    ax.set(xlabel="epoch", ylabel="converged (share of seeds)")
    ax.set_title(seeds_title([curve.n for curve in curves], each=len(curves) > 1))
    ax.set_ylim(0, 1)
    ax.set_xlim(left=0)
    legend_below(ax, "converged in the end [95 %]")
    return ax


class RateTable(NamedTuple):
    """Convergence rates over two axes."""

    rows: str  # the path of one axis
    columns: str  # the path of the other
    row_labels: tuple[Any, ...]  # what stands for the values of the first
    column_labels: tuple[Any, ...]  # what stands for those of the other
    n: NDArray[np.int64]  # (n_rows, n_columns), seeds
    rates: list[list[Estimate]]  # n_rows lists of n_columns


def rate_table(
    result: Result | Store, rows: str | None = None, columns: str | None = None, confidence: float = 0.95
) -> RateTable:
    """Return how often seeds converge for each pair of values of two axes.

    Parameters
    ----------
    result, confidence
        See `fastgrok.plots`; a sweep with a criterion of convergence.
    rows
        The path of one axis; None: the first that is not `columns`.
    columns
        The path of another; None: the first that is not `rows`.

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
    rows, columns = axis_named(rows, axes), axis_named(columns, axes)
    for field, path, other in (("rows", rows, None), ("columns", columns, rows)):
        others = [name for name in axes if name != other]
        if path is not None and path not in others:
            raise InvalidExperiment(field, path, one_of(others) + hint(path, others))
    rows = rows if rows is not None else next(path for path in axes if path != columns)
    columns = columns if columns is not None else next(path for path in axes if path != rows)
    cells: dict[tuple[Any, Any], Counts] = {}
    for (labels, _), counts in counted(result):
        counts.check_criterion()
        key = (labels[rows], labels[columns])
        cells[key] = cells.get(key, Counts.empty()) + counts
    table = [[cells[row, column] for column in axes[columns].labels] for row in axes[rows].labels]
    n = np.array([[cell.n for cell in row] for row in table])
    rates = [[rate(cell.n_converged, cell.n, confidence) for cell in row] for row in table]
    return RateTable(rows, columns, axes[rows].labels, axes[columns].labels, n, rates)


def rates(
    result: Result | Store, rows: str | None = None, columns: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw how often seeds converge for each pair of values of two axes, with the interval in each cell.

    Parameters
    ----------
    result, ax
        See `fastgrok.plots`; a sweep with a criterion of convergence.
    rows, columns
        See `rate_table`, which is what is drawn.

    Examples
    --------
    >>> import fastgrok as fg, matplotlib.figure
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> result = fg.sweep(exp, 100, {"optimizer.lr": [0.01, 0.1], "init": [fg.Uniform(), fg.Normal()]})
    >>> fg.plots.rates(result, ax=matplotlib.figure.Figure().add_subplot()).get_xlabel()
    'init'
    """
    table, ax = rate_table(result, rows, columns), axes_or_new(ax)
    values = np.array([[np.nan if cell.value is None else cell.value for cell in row] for row in table.rates])
    image = heat_map(values, ax, "cividis", 0, 1)
    texts = [[_rate_text(cell) for cell in row] for row in table.rates]
    write_cells(texts, ~(values <= 0.5), ax, fontsize="small")
    row_names, column_names = (list(map(_short, labels)) for labels in (table.row_labels, table.column_labels))
    ax.set_xticks(range(len(column_names)), column_names)
    ax.set_yticks(range(len(row_names)), row_names)
    if max(map(len, column_names)) * len(column_names) > 50:
        ax.tick_params("x", rotation=30)
        for label in ax.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")
    ax.set(xlabel=table.columns, ylabel=table.rows, title=seeds_title(table.n.ravel().tolist(), each=True))
    ax.figure.colorbar(image, ax=ax, label="converged (share of seeds)")
    return ax


def _rate_text(cell: Estimate) -> str:
    """Return a rate, and its interval on the next line."""
    if cell.value is None:
        return "no seeds"
    estimate, _, interval = percent(cell, unit="").partition(" [")
    return f"{estimate} %\n[{interval}"


def _short(label: Any) -> str:
    """Return a label that fits beside a row."""
    text = one_line(label)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"
