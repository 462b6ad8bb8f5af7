"""Where a network of two inputs says one thing, and where another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.api import predict
from fastgrok.errors import InvalidExperiment
from fastgrok.explain.trace import checked_time, experiment_of, params_at
from fastgrok.plots.recorded import recorded, title_of
from fastgrok.plots.style import axes_or_new, ink

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

_POINTS = 101  # of the grid, along each input
_AROUND = 0.25  # of the range of an input, beyond the data on either side
_MARKERS = "osD^"
_MAP = "cividis"


class OutputGrid(NamedTuple):
    """What a network gives out over the plane of its two inputs."""

    time: int  # the epoch or step
    x0: NDArray[np.float64]  # (101,), the first input
    x1: NDArray[np.float64]  # (101,), the second
    values: NDArray[np.float64]  # (101, 101), the output at `x1[row], x0[column]`
    midpoint: float  # halfway between the smallest and the largest target: by what accuracy tells outputs apart


def output_grid(trace: xr.Dataset, at: int | None = None, output: int = 0) -> OutputGrid:
    """
    Return what a network gives out over the plane of its two inputs, a quarter of the data's range beyond the data.

    Parameters
    ----------
    trace
        What `replay` returns, of one seed.
    at
        An epoch or step; None: the last.
    output
        Which of the outputs, from 0.

    Raises
    ------
    InvalidExperiment
        If it is no trace of one seed, the network has not two inputs, there is no such output, or it was not recorded
        then.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> grid = output_grid(fg.replay(exp, 42))
    >>> float(grid.x0[0]), float(grid.x0[-1]), grid.midpoint
    (-0.25, 1.25, 0.5)
    """
    trace = recorded(trace)
    experiment, time = experiment_of(trace), checked_time(trace, at)
    network, data = experiment.network, experiment.data
    if network.n_in != 2:
        raise InvalidExperiment("trace", str(network), "a network with two inputs; `activations` shows any")
    if isinstance(output, bool) or output not in range(network.n_out):
        raise InvalidExperiment("output", output, f"the number of an output, 0 to {network.n_out - 1}")
    low, high = data.X.min(axis=0), data.X.max(axis=0)
    around = np.where(high > low, _AROUND * (high - low), 1.0)
    x0, x1 = np.linspace(low - around, high + around, _POINTS).T
    points = np.stack(np.meshgrid(x0, x1), axis=-1).reshape(-1, 2)
    values = predict(network, params_at(trace, time), points)[0, :, output]
    midpoint = float(data.y.min() / 2 + data.y.max() / 2)
    return OutputGrid(time, x0, x1, values.reshape(_POINTS, _POINTS).astype(np.float64), midpoint)


def decision_boundary(trace: xr.Dataset, at: int | None = None, ax: Axes | None = None, *, output: int = 0) -> Axes:
    """
    Draw what a network gives out over the plane of its two inputs, the line between its answers, and the data.

    Parameters
    ----------
    trace
        What `replay` returns, of one seed.
    at
        An epoch or step; None: the last.
    ax
        Where to draw; None: in a new figure.
    output
        Which of the outputs, from 0.

    Raises
    ------
    InvalidExperiment
        As for `output_grid`.

    Notes
    -----
    The line is where the output is halfway between the smallest and the largest target. Examples have the colour of
    their target, and a marker for each of up to four targets.
    """
    grid, experiment, ax = output_grid(trace, at, output), experiment_of(trace), axes_or_new(ax)
    data, targets = experiment.data, experiment.data.y[:, output]
    colors: dict[str, Any] = {"cmap": _MAP, "vmin": float(data.y.min()), "vmax": float(data.y.max())}
    extent = (grid.x0[0], grid.x0[-1], grid.x1[0], grid.x1[-1])
    image = ax.imshow(grid.values, origin="lower", extent=extent, aspect="auto", interpolation="bilinear", **colors)
    if grid.values.min() < grid.midpoint < grid.values.max():
        line = ax.contour(grid.x0, grid.x1, grid.values, [grid.midpoint], colors="white", linewidths=2.5)
        ax.clabel(line, fmt=f"{grid.midpoint:g}", fontsize="small")
    else:
        side = "below" if grid.values.max() <= grid.midpoint else "above"
        box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85}
        ax.text(0.5, 0.5, f"{side} {grid.midpoint:g} everywhere", transform=ax.transAxes, ha="center", bbox=box)
    kinds = np.unique(targets)
    told = len(kinds) <= len(_MARKERS)
    for marker, kind in zip(_MARKERS, kinds if told else [None], strict=False):
        mine = targets == kind if told else np.full(len(targets), True)
        edge = ink((kind - colors["vmin"]) / ((colors["vmax"] - colors["vmin"]) or 1)) if told else "white"
        style: dict[str, Any] = {"s": 90 if len(targets) <= 50 else 25, "edgecolors": edge, "linewidths": 1.5}
        label = f"target {kind:g}" if told else "examples"
        x0, x1 = data.X[mine].T
        ax.scatter(x0, x1, c=targets[mine], marker=marker, label=label, **style, **colors)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 0.0), borderaxespad=3.5, ncols=4, frameon=False)
    ax.set(xlabel=data.feature_names[0], ylabel=data.feature_names[1], title=title_of(trace, grid.time))
    ax.figure.colorbar(image, ax=ax, label=f"output {data.target_names[output]}", extend="both")
    return ax
