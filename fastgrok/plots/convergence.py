"""How many seeds converge: by each epoch, and over two axes of a sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from fastgrok import statistics
from fastgrok.errors import InvalidExperiment, checked_choice, one_line
from fastgrok.plots.labels import Counted, checked_sweep, counted, seeds_title, trained
from fastgrok.plots.style import axes_or_new, heat_map, legend_below, line_styles, write_cells
from fastgrok.results.result import Result
from fastgrok.spec.words import axis_named
from fastgrok.statistics.bands import simultaneous_band
from fastgrok.statistics.clusters import pooled_rate
from fastgrok.statistics.comparison_pooled import Sums
from fastgrok.statistics.proportion import Estimate, rate, wilson
from fastgrok.statistics.survival import survival_curve
from fastgrok.statistics.text import percent
from fastgrok.store import Store

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BandName = Literal["pointwise", "simultaneous"]
"""What a band around a curve holds: its share at each epoch, or all of it."""

_DIGITS = 12  # one minus a share that was rounded is the plain share again, to the digits of a percentage
_WIDTH = 24  # characters of a label at most


class ConvergenceCurve(NamedTuple):
    """The share of the seeds of one configuration that have converged by each epoch."""

    name: str  # the configuration
    n: int  # its seeds
    epochs: NDArray[np.int64]  # (n_steps,), 0, the epochs at which seeds converge, and the last epoch
    share: NDArray[np.float64]  # (n_steps,)
    low: NDArray[np.float64]  # (n_steps,), lower end of its interval at each epoch, or of its band
    high: NDArray[np.float64]  # (n_steps,), upper end
    final: Estimate  # the share in the end, with the interval of that epoch


def convergence_curves(
    result: Result | Store, confidence: float = 0.95, band: BandName = "pointwise"
) -> list[ConvergenceCurve]:
    """Return the convergence curve of each configuration of which a seed is finished.

    Parameters
    ----------
    result, confidence
        See `fastgrok.plots`; of an experiment with a criterion of convergence.
    band
        "pointwise": the interval at each epoch by itself; "simultaneous": a band that holds the whole curve.

    Notes
    -----
    See `fastgrok.statistics`: `survival_curve`, and `band` or `simultaneous_band`. Seeds that diverge count as never
    converging.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> result = fg.run(exp, seeds=100)
    >>> float(convergence_curves(result)[0].share[-1]) == result.summaries[0].rate
    True
    """
    checked_choice("band", band, get_args(BandName))
    return [_curve(config, confidence, band) for config in trained(result)]


def _curve(config: Counted, confidence: float, kind: BandName) -> ConvergenceCurve:
    """Return the curve of one configuration, with its first and its last epoch."""
    curve = survival_curve(config.counts)
    at_each = statistics.band(curve, confidence)
    low, high = at_each if kind == "pointwise" else simultaneous_band(curve, confidence)
    start, converged = wilson(0, config.counts.n, confidence), np.round(1 - curve.share, _DIGITS)
    first = start.high if kind == "pointwise" or not len(low) else 1 - low[0]  # before any has converged
    steps = ((0, curve.time), (0.0, converged), (start.low, 1 - high), (first, 1 - low))
    epochs, shares, lows, highs = (np.concatenate([[first], values]) for first, values in steps)
    end = config.configuration.experiment.epochs if curve.last is None else curve.last
    if end > epochs[-1]:
        epochs = np.append(epochs, end)
        shares, lows, highs = (np.append(values, values[-1]) for values in (shares, lows, highs))
    ends = (start.low, start.high) if not len(converged) else (1 - at_each.high[-1], 1 - at_each.low[-1])
    final = Estimate(float(shares[-1]), *map(float, ends))
    return ConvergenceCurve(config.name, config.counts.n, epochs, shares, lows, highs, final)


def convergence(result: Result | Store, ax: Axes | None = None, band: BandName = "pointwise") -> Axes:
    """Draw the share of seeds that have converged by each epoch, with its interval, for each configuration.

    Parameters
    ----------
    result, ax
        See `fastgrok.plots`; of an experiment with a criterion of convergence.
    band
        See `convergence_curves`: "simultaneous" is for what is read off the whole curve, as where two cross.

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
    curves, ax = convergence_curves(result, band=band), axes_or_new(ax)
    for curve, line in zip(curves, line_styles(), strict=False):
        label = f"{curve.name}: {percent(curve.final)}"
        ax.step(curve.epochs, curve.share, where="post", label=label, **line._asdict())
        style: dict[str, Any] = {"step": "post", "facecolor": line.color, "alpha": 0.2, "linewidth": 0}
        ax.fill_between(curve.epochs, curve.low, curve.high, **style)
    ax.set(xlabel="epoch", ylabel="converged (share of seeds)")
    whole = "" if band == "pointwise" else "; bands of 95 % hold at all epochs at once"
    ax.set_title(f"{seeds_title([curve.n for curve in curves], each=len(curves) > 1)}{whole}")
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
    Wilson's intervals. Where there are more than two axes the mean over the others is taken: a seed with all of their
    values is one observation, and `n` counts it once. The rows of a store are read for that.

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
        if path is not None:
            checked_choice(field, path, [name for name in axes if name != other])
    rows = rows if rows is not None else next(path for path in axes if path != columns)
    columns = columns if columns is not None else next(path for path in axes if path != rows)
    cells = (
        _pooled_cells(result, rows, columns, confidence)
        if len(axes) > 2
        else _cells(result, rows, columns, confidence)
    )
    table = [[cells[row, column] for column in axes[columns].labels] for row in axes[rows].labels]
    n = np.array([[n for n, _ in row] for row in table])
    estimates = [[estimate for _, estimate in row] for row in table]
    return RateTable(rows, columns, axes[rows].labels, axes[columns].labels, n, estimates)


_Cells = dict[tuple[Any, Any], tuple[int, Estimate]]  # labels on two axes -> seeds, and their rate


def _cells(result: Result | Store, rows: str, columns: str, confidence: float) -> _Cells:
    """Return the rates of the configurations of two axes."""
    cells: _Cells = {}
    for (labels, _), counts in counted(result):
        counts.check_criterion()
        cells[labels[rows], labels[columns]] = (counts.n, rate(counts.n_converged, counts.n, confidence))
    return cells


def _pooled_cells(result: Result | Store, rows: str, columns: str, confidence: float) -> _Cells:
    """Return the rates in the mean over other axes."""
    sweep, sums = result.snapshot(), Sums()
    for _, counts in counted(sweep):
        counts.check_criterion()
    labels = [configuration.labels for configuration in sweep.configurations]
    for window in sweep.windows():
        for each, of in zip(labels, window, strict=True):
            met = (of.metrics["epochs_to_converge"] >= 0).astype(np.int32)
            sums.add((each[rows], each[columns]), None, met, of.finished)
        sums.close()
    return {key: (seeds.seeds, pooled_rate(seeds, confidence)) for key, (seeds, _) in sums.pooled.items()}


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
