"""What a layer gives out for each example."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.explain.trace import checked_time, experiment_of, time_dim
from fastgrok.plots.recorded import checked_layer, layer_name, recorded, title_of
from fastgrok.plots.style import axes_or_new, ink
from fastgrok.statistics.text import short

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

_NUMBERED = 64  # cells at most in which the number is written
_NAMED = 16  # examples at most that are named by their inputs, if these are few
_MAP = "cividis"


class ActivationMap(NamedTuple):
    """What a layer gives out at some time."""

    time: int  # the epoch or step
    values: NDArray[Any]  # (n_examples, n_units)
    dead: NDArray[np.bool_]  # (n_units,), whether each is a ReLU unit that is dead
    low: float  # the least that the layer gives out at any time: what the colours begin with
    high: float  # the most


def activation_map(trace: xr.Dataset, layer: int = 1, at: int | None = None) -> ActivationMap:
    """
    Return what a layer gives out for each example, after its activation.

    Parameters
    ----------
    trace
        What `replay` returns, of one seed.
    layer
        The number of a Linear layer, from 1.
    at
        An epoch or step; None: the last.

    Raises
    ------
    InvalidExperiment
        If it is no trace of one seed, there is no such layer, or it was not recorded then.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> activation_map(fg.replay(exp, 42)).dead.tolist()
    [True, False, False, False]
    """
    trace = recorded(trace)
    k = checked_layer(experiment_of(trace), layer)
    time = checked_time(trace, at)
    always = trace[f"activation_{k}"].values
    finite = always[np.isfinite(always)]
    now = trace.sel({time_dim(trace): time})
    values = now[f"activation_{k}"].values
    dead = now[f"dead_{k}"].values if f"dead_{k}" in now else np.zeros(values.shape[1], bool)
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    return ActivationMap(time, values, dead, low, high if high > low else low + 1)


def activations(trace: xr.Dataset, layer: int = 1, at: int | None = None, ax: Axes | None = None) -> Axes:
    """
    Draw what a layer gives out as a heat map, examples x units.

    Parameters
    ----------
    trace
        What `replay` returns, of one seed.
    layer
        The number of a Linear layer, from 1.
    at
        An epoch or step; None: the last.
    ax
        Where to draw; None: in a new figure.

    Raises
    ------
    InvalidExperiment
        If it is no trace of one seed, there is no such layer, or it was not recorded then.

    Notes
    -----
    Up to 64 numbers are written; of more, those that are negative have a line in their cells. The colours are the
    same at all times. Few examples with few inputs are named by them: "0, 1 → 1" has inputs 0, 1 and target 1.
    """
    found, experiment, ax = activation_map(trace, layer, at), experiment_of(trace), axes_or_new(ax)
    n_examples, n_units = found.values.shape
    image = ax.imshow(found.values, cmap=_MAP, vmin=found.low, vmax=found.high, aspect="auto", interpolation="none")
    if found.values.size <= _NUMBERED:
        for (row, unit), value in np.ndenumerate(found.values):
            color = ink((value - found.low) / (found.high - found.low))
            ax.text(unit, row, short(value), ha="center", va="center", color=color)
    else:
        rows, units = np.nonzero(found.values < 0)
        area = min(200 / max(n_examples, n_units), 5) ** 2
        ax.scatter(units, rows, s=area, marker="_", color="white", linewidths=0.8, label="negative")
    _name(experiment, found, ax)
    ax.set_title(f"{title_of(trace, found.time)}: {layer_name(experiment, layer)}")
    ax.figure.colorbar(image, ax=ax, label="activation")
    return ax


def _name(experiment: Any, found: ActivationMap, ax: Axes) -> None:
    """Name examples and units, where there is room."""
    data, (n_examples, n_units) = experiment.data, found.values.shape
    if n_units <= _NAMED:
        ax.set_xticks(range(n_units), [f"{k}\ndead" if dead else f"{k}" for k, dead in enumerate(found.dead)])
    ax.set_xlabel("unit")
    if n_examples <= _NAMED and data.X.shape[1] <= 3 and data.y.shape[1] <= 2:
        named = [", ".join(f"{x:.3g}" for x in row) for row in data.X]
        targets = [", ".join(f"{y:.3g}" for y in row) for row in data.y]
        ax.set_yticks(range(n_examples), [f"{x} → {y}" for x, y in zip(named, targets, strict=True)])
        ax.set_ylabel("example: inputs → target")
    else:
        ax.set_ylabel("example")
