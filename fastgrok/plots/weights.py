"""Every weight of a layer over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.explain.trace import experiment_of, time_dim
from fastgrok.plots.recorded import checked_layer, layer_name, recorded, time_label, title_of
from fastgrok.plots.style import COLOURS, DEAD, axes_or_new, end_labels

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

_MARKERS = "os^Dv*"
_LABELLED = 16  # lines at most that are told by their names


class WeightCurves(NamedTuple):
    """The parameters of a Linear layer over time."""

    time: NDArray[np.int64]  # (n_times,), epochs or steps
    weights: NDArray[Any]  # (n_times, fan_in, fan_out)
    biases: NDArray[Any] | None  # (n_times, fan_out); None: there are none


def weight_curves(trace: xr.Dataset, layer: int = 1) -> WeightCurves:
    """
    Return the parameters of a layer over time.

    Parameters
    ----------
    trace
        What `replay` returns, of one seed.
    layer
        The number of a Linear layer, from 1.

    Raises
    ------
    InvalidExperiment
        If it is no trace of one seed, or there is no such layer.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=10)
    >>> weight_curves(fg.replay(exp, 42)).weights.shape
    (11, 2, 4)
    """
    trace = recorded(trace)
    k = checked_layer(experiment_of(trace), layer)
    biases = trace[f"bias_{k}"].values if f"bias_{k}" in trace else None
    return WeightCurves(trace[time_dim(trace)].values, trace[f"weight_{k}"].values, biases)


def weights(trace: xr.Dataset, layer: int = 1, ax: Axes | None = None) -> Axes:
    """
    Draw every weight of a layer over time, and its biases, which are dashed.

    Parameters
    ----------
    trace
        What `replay` returns, of one seed.
    layer
        The number of a Linear layer, from 1.
    ax
        Where to draw; None: in a new figure.

    Raises
    ------
    InvalidExperiment
        If it is no trace of one seed, or there is no such layer.

    Notes
    -----
    A colour for each unit that a weight leads to, a marker for each unit that it comes from. Up to 16 lines are named
    at their ends: "0 → 3" is `weight[0, 3]`, "bias 3" is `bias[3]`.

    Examples
    --------
    >>> import fastgrok as fg, matplotlib.figure
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=10)
    >>> len(fg.plots.weights(fg.replay(exp, 42), 1, matplotlib.figure.Figure().add_subplot()).lines)
    13
    """
    curves, experiment, ax = weight_curves(trace, layer), experiment_of(trace), axes_or_new(ax)
    _, fan_in, fan_out = curves.weights.shape
    n_lines = fan_in * fan_out + (0 if curves.biases is None else fan_out)
    named = n_lines <= _LABELLED
    every = max(len(curves.time) // 8, 1)
    style: dict[str, Any] = {"alpha": 1.0 if named else 0.6, "linewidth": 1.5 if named else 1.0}
    ends: dict[str, float] = {}
    for j in range(fan_out):
        style["color"] = COLOURS[j % len(COLOURS)]
        for i in range(fan_in):
            marker, start = _MARKERS[i % len(_MARKERS)], i * every // fan_in
            marks: dict[str, Any] = {"marker": marker, "markevery": (start, every), "markersize": 4} if named else {}
            ax.plot(curves.time, curves.weights[:, i, j], **marks, **style)
            ends[f"{i} → {j}"] = float(curves.weights[-1, i, j])
        if curves.biases is not None:
            ax.plot(curves.time, curves.biases[:, j], linestyle="--", **style)
            ends[f"bias {j}"] = float(curves.biases[-1, j])
    ax.axhline(0, color=DEAD, linewidth=0.8, zorder=0)
    ax.set(xlabel=time_label(trace), ylabel="weight; bias (dashed)" if curves.biases is not None else "weight")
    ax.set_title(f"{title_of(trace)}: {layer_name(experiment, layer)}")
    ax.margins(x=0.01)
    if named:
        end_labels(ax, {name: end for name, end in ends.items() if np.isfinite(end)})
    return ax
