"""Correlations at the end of training: a row for each unit, and beside them the correlation that a layer uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.errors import one_line
from fastgrok.explain.correlation import ROWS, Correlation, LayerCorrelation, strongest_of_units
from fastgrok.plots.labels import check_explanation
from fastgrok.plots.style import apart, axes_or_new, heat_map, write_cells
from fastgrok.statistics.text import fixed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DARK = 0.55  # |r| from which on a cell is dark
_MAX_NAMES = 40  # rows that have names and numbers
_MAX_LARGE = 12  # rows whose numbers are not smaller
_ROW_HEIGHT = 0.24  # inches, in a figure of its own
_NOTE_HEIGHT = 48  # points: four lines


class CorrelationTable(NamedTuple):
    """The strongest correlations of each unit at the end."""

    rows: list[tuple[int, int]]  # layer and unit
    columns: list[str]  # the two things that are correlated, as in the text of a `Correlation`
    r: NDArray[np.float64]  # (n_rows, n_columns); nan: something is constant, or the layer has no such correlation
    applicable: NDArray[np.bool_]  # (n_rows, n_columns), whether the layer has such a correlation
    starts: list[int]  # the first row of each layer
    layers: tuple[LayerCorrelation, ...]


def correlation_table(found: Correlation) -> CorrelationTable:
    """Return the strongest correlations of each unit at the end, a row for each unit.

    Parameters
    ----------
    found
        See `fastgrok.plots`.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor())
    >>> found = correlation_table(fg.explain.correlation(fg.replay(exp, seed=1)))
    >>> found.r.shape, found.rows[-1], found.starts
    ((5, 5), (2, 0), [0, 4])
    """
    check_explanation("found", found, Correlation)
    parts = {layer.layer: strongest_of_units(found, layer.layer) for layer in found.layers}
    columns = list(dict.fromkeys(name for part in parts.values() for name in part))
    rows: list[tuple[int, int]] = []
    starts = []
    for k, part in parts.items():
        starts.append(len(rows))
        rows += [(k, unit) for unit in range(min(len(part[columns[0]]), ROWS))]
    r = [[parts[k][name][unit] if name in parts[k] else np.nan for name in columns] for k, unit in rows]
    applicable = [[name in parts[k] for name in columns] for k, _ in rows]
    return CorrelationTable(rows, columns, np.array(r), np.array(applicable), starts, found.layers)


def correlation(found: Correlation, ax: Axes | None = None) -> Axes:
    """Draw the strongest correlations of each unit at the end, and beside the rows the correlation that a layer uses.

    Parameters
    ----------
    found, ax
        See `fastgrok.plots`.

    Returns
    -------
    The axes. Hatched cells have no r, since something is constant; in empty cells a layer has no such correlation.
    Up to 40 rows have numbers in their cells.

    Examples
    --------
    >>> import fastgrok as fg, matplotlib.figure
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor())
    >>> ax = matplotlib.figure.Figure().add_subplot()
    >>> fg.plots.correlation(fg.explain.correlation(fg.replay(exp, seed=1)), ax).get_title()
    'Strongest correlation of each unit'
    """
    table = correlation_table(found)
    ax = axes_or_new(ax, 2 + _ROW_HEIGHT * len(table.rows))
    size = "small" if len(table.rows) <= _MAX_LARGE else "x-small"
    image = heat_map(table.r, ax, "PuOr", -1, 1)
    _hatch(table, ax)
    ax.set_xticks(
        range(len(table.columns)), [name.replace(" if ", "\nif ") for name in table.columns], fontsize="small"
    )
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    if len(table.rows) <= _MAX_NAMES:
        texts = [[fixed(r, 2) if np.isfinite(r) else "" for r in row] for row in table.r]
        write_cells(texts, ~(np.abs(table.r) > _DARK), ax, fontsize=size)
        ax.set_yticks(range(len(table.rows)), [f"layer {k}: unit {unit}" for k, unit in table.rows], fontsize=size)
    else:
        ax.set_yticks(table.starts, [f"layer {layer.layer}" for layer in table.layers])
    _draw_layers(table, found, ax)
    ax.set_title("Strongest correlation of each unit")
    ax.figure.colorbar(image, ax=ax, label="r (hatched: something is constant)", location="bottom", aspect=40)
    return ax


def _hatch(table: CorrelationTable, ax: Axes) -> None:
    """Hatch the cells that have no r."""
    from matplotlib.patches import Rectangle

    style: dict[str, Any] = {"facecolor": "none", "edgecolor": "grey", "hatch": "///", "linewidth": 0}
    for row, column in np.argwhere(table.applicable & np.isnan(table.r)):
        ax.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, **style))


def _draw_layers(table: CorrelationTable, found: Correlation, ax: Axes) -> None:
    """Draw a line between layers, and write beside the rows of each the correlation that it uses."""
    data, linears = found.experiment.data, found.experiment.network.linears
    texts, middles = [], []
    for layer, start, end in zip(table.layers, table.starts, [*table.starts[1:], len(table.rows)], strict=True):
        if start:
            ax.axhline(start - 0.5, color="black", linewidth=2)
        lines = [f"layer {layer.layer}: {layer.found}", f"since {layer.since}"]
        if layer.unit is not None and layer.target is not None:
            lines.append(f"unit {layer.unit}, {one_line(data.target_names[layer.target])}: r = {layer.r:.2f}")
        width = linears[layer.layer - 1].fan_out
        if width > ROWS:
            lines.append(f"(the first {ROWS} of {width:,} units)")
        texts.append("\n".join(lines))
        middles.append((start + end - 1) / 2)
    gap = _NOTE_HEIGHT / (72 * ax.bbox.height / ax.figure.dpi)
    style: dict[str, Any] = {"ha": "left", "va": "center", "fontsize": "small", "annotation_clip": False}
    for text, place in zip(texts, apart(middles, 0, len(table.rows), gap), strict=True):
        ax.annotate(text, (1.02, place), xycoords=("axes fraction", "data"), **style)
