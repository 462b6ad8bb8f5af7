"""Heat maps of pressure: of each example on each weight, and the share of it that cancels over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.explain.pressure import Pressure, param_pressures, sign
from fastgrok.explain.text import param_names
from fastgrok.explain.trace_variables import STEP
from fastgrok.plots.graph import largest_size
from fastgrok.plots.labels import check_explanation
from fastgrok.plots.style import DEAD, axes_or_new, heat_map, write_cells
from fastgrok.spec.variables import EPOCH

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MAX_LABELS = 40  # rows that have names, and cells of a row that have signs


class Rows(NamedTuple):
    """A row for each weight and bias, layer by layer."""

    names: list[str]  # "1: light_0 -> unit 0": the layer before the colon
    values: NDArray[np.float64]  # (n_rows, n_columns)
    columns: NDArray[np.int64]  # (n_columns,), examples, epochs or steps
    borders: list[int]  # rows at which a further layer begins


def pressure_rows(found: Pressure) -> Rows:
    """Return the pressure of each example on each weight at one time.

    Parameters
    ----------
    found
        See `fastgrok.plots`.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> fg.plots.pressure_rows(fg.explain.pressure(fg.replay(exp, 42), at=0)).names[0]
    '1: x0 -> unit 0'
    """
    check_explanation("found", found, Pressure)
    parts = [np.array([row.examples for row in param_pressures(found, k)]) for k in _layers(found)]
    return _rows(found, parts, np.arange(found.experiment.data.n_examples))


def conflict_rows(found: Pressure) -> Rows:
    """Return how much of the pressure on each weight cancels at each time.

    Parameters
    ----------
    found
        See `fastgrok.plots`.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> fg.plots.conflict_rows(fg.explain.pressure(fg.replay(exp, 42))).values.shape
    (17, 87)
    """
    check_explanation("found", found, Pressure)
    totals = found.totals
    times = totals[_time(found)].values
    parts = []
    for k in _layers(found):
        names = [name for name in (f"conflict_weight_{k}", f"conflict_bias_{k}") if name in totals]
        parts.append(np.concatenate([totals[name].values.reshape(len(times), -1).T for name in names]))
    return _rows(found, parts, times)


def pressure(found: Pressure, ax: Axes | None = None) -> Axes:
    """Draw the pressure of each example on each weight at one time: a cell each, with its sign.

    Parameters
    ----------
    found, ax
        See `fastgrok.plots`.

    Examples
    --------
    >>> import fastgrok as fg, matplotlib.figure
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> ax = matplotlib.figure.Figure().add_subplot()
    >>> fg.plots.pressure(fg.explain.pressure(fg.replay(exp, 42), at=0), ax).get_xlabel()
    'example'
    """
    rows, ax = pressure_rows(found), axes_or_new(ax)
    largest = largest_size([rows.values])
    image = heat_map(rows.values, ax, "PuOr", -largest, largest)
    if max(rows.values.shape) <= _MAX_LABELS:
        signs = [[sign(value).replace("-", "−") for value in row] for row in rows.values]
        write_cells(signs, ~(np.abs(rows.values) > 0.6 * largest), ax)
    _label(ax, rows)
    if len(rows.columns) <= _MAX_LABELS:
        ax.set_xticks(rows.columns)
    ax.set(xlabel="example", title=f"Pressure at {found.at}")
    ax.figure.colorbar(image, ax=ax, label="pressure: − down, + up")
    return ax


def conflict(found: Pressure, ax: Axes | None = None) -> Axes:
    """Draw how much of the pressure on each weight cancels at each time; grey where there is no pressure.

    Parameters
    ----------
    found, ax
        See `fastgrok.plots`.

    Examples
    --------
    >>> import fastgrok as fg, matplotlib.figure
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> ax = matplotlib.figure.Figure().add_subplot()
    >>> fg.plots.conflict(fg.explain.pressure(fg.replay(exp, 42)), ax).get_xlabel()
    'epoch'
    """
    import matplotlib as mpl

    rows, ax = conflict_rows(found), axes_or_new(ax)
    colours = mpl.colormaps["cividis"].with_extremes(bad=DEAD)
    edges = _edges(rows.columns.astype(np.float64))
    image = ax.pcolormesh(edges, np.arange(len(rows.names) + 1) - 0.5, rows.values, cmap=colours, vmin=0, vmax=1)
    ax.invert_yaxis()
    _label(ax, rows, "w")
    ax.set(xlabel=_time(found), title="Conflicting pressure")
    ax.figure.colorbar(image, ax=ax, label="share that cancels (grey: no pressure)")
    return ax


def _layers(found: Pressure) -> range:
    return range(1, len(found.experiment.network.linears) + 1)


def _time(found: Pressure) -> str:
    return STEP if STEP in found.totals.dims else EPOCH


def _rows(found: Pressure, parts: list[NDArray[Any]], columns: NDArray[Any]) -> Rows:
    """Put the rows of the layers together."""
    names = [f"{k}: {name}" for k in _layers(found) for name in param_names(found.experiment, k)]
    borders = np.cumsum([len(part) for part in parts])[:-1]
    return Rows(names, np.concatenate(parts), np.asarray(columns, dtype=np.int64), borders.tolist())


def _edges(times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the left edge of the cell of each time, and the right edge of the last, (n_times + 1,)."""
    middles = (times[1:] + times[:-1]) / 2
    return np.concatenate([[times[0] - 0.5], middles, [times[-1] + 0.5]])


def _label(ax: Axes, rows: Rows, color: str = "k") -> None:
    """Name the rows, and draw the borders of the layers."""
    if len(rows.names) <= _MAX_LABELS:
        ax.set_yticks(range(len(rows.names)), rows.names)
    ax.set_ylabel("layer: weight")
    for border in rows.borders:
        ax.axhline(border - 0.5, color=color, linewidth=2)
