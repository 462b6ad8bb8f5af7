"""Activations of a layer for each example, and the output of a network over the plane of its two inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.api import predict
from fastgrok.errors import InvalidExperiment, one_line
from fastgrok.explain.trace import checked_time, experiment_of, params_at, time_dim, trimmed
from fastgrok.plots.labels import checked_layer, checked_number, layer_name, trace_title
from fastgrok.plots.style import MARKERS, axes_or_new, heat_map, write_cells
from fastgrok.spec.experiment import Experiment
from fastgrok.statistics.text import short

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

_MAX_NUMBERS = 64  # cells at most in which the number is written
_MAX_NAMES = 16  # units or examples at most that have a tick each
_POINTS = 101  # of the grid, along each input
_MARGIN = 0.25  # of the range of an input, beyond the data on either side
_MAX_TARGETS = 4  # values of the target that have a marker each, at most
_MAP = "cividis"


class ActivationMap(NamedTuple):
    """The activations of a layer at some time."""

    time: int  # the epoch or step
    values: NDArray[Any]  # (n_examples, n_units)
    dead: NDArray[np.bool_]  # (n_units,), whether each is a ReLU unit that is dead
    low: float  # the least activation at any time: the first of the colours
    high: float  # the largest


def activation_map(trace: xr.Dataset, layer: int = 1, at: int | None = None) -> ActivationMap:
    """Return the output of a layer for each example, after its activation.

    Parameters
    ----------
    trace, layer, at
        See `fastgrok.plots`.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> activation_map(fg.replay(exp, 42)).dead.tolist()
    [True, False, False, False]
    """
    trace = trimmed(trace)
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
    """Draw the output of a layer as a heat map, examples x units.

    Parameters
    ----------
    trace, layer, at, ax
        See `fastgrok.plots`.

    Notes
    -----
    Up to 64 numbers are written; of more, those that are negative have a line in their cells. The colours are the
    same at all times. Few examples with few inputs are named by them: "0, 1 → 1" has inputs 0, 1 and target 1.

    Examples
    --------
    >>> import fastgrok as fg, matplotlib.figure
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> ax = matplotlib.figure.Figure().add_subplot()
    >>> fg.plots.activations(fg.replay(exp, 42), layer=1, ax=ax).get_title()
    'Seed 42, epoch 86: layer 1, ReLU'
    """
    table, experiment, ax = activation_map(trace, layer, at), experiment_of(trace), axes_or_new(ax)
    values, low, high = table.values, table.low, table.high
    image = heat_map(values, ax, _MAP, low, high)
    if values.size <= _MAX_NUMBERS:
        write_cells([list(map(short, row)) for row in values.tolist()], (values - low) / (high - low) > 0.5, ax)
    else:
        rows, units = np.nonzero(values < 0)
        area = min(200 / max(values.shape), 5) ** 2
        ax.scatter(units, rows, s=area, marker="_", color="white", linewidths=0.8, label="negative")
    _label_examples_and_units(experiment, table, ax)
    ax.set_title(f"{trace_title(trace, table.time)}: {layer_name(experiment, layer)}")
    ax.figure.colorbar(image, ax=ax, label="activation")
    return ax


def _label_examples_and_units(experiment: Experiment, table: ActivationMap, ax: Axes) -> None:
    """Give each example and each unit a tick, where there is room."""
    data, (n_examples, n_units) = experiment.data, table.values.shape
    if n_units <= _MAX_NAMES:
        ax.set_xticks(range(n_units), [f"{k}\ndead" if dead else f"{k}" for k, dead in enumerate(table.dead)])
    ax.set(xlabel="unit", ylabel="example")
    if n_examples <= _MAX_NAMES and data.X.shape[1] <= 3 and data.y.shape[1] <= 2:
        inputs, targets = ([", ".join(f"{x:.3g}" for x in row) for row in values] for values in (data.X, data.y))
        ax.set_yticks(range(n_examples), [f"{x} → {y}" for x, y in zip(inputs, targets, strict=True)])
        ax.set_ylabel("example: inputs → target")


class OutputGrid(NamedTuple):
    """The output of a network over the plane of its two inputs."""

    time: int  # the epoch or step
    x0: NDArray[np.float64]  # (101,), the first input
    x1: NDArray[np.float64]  # (101,), the second
    values: NDArray[np.float64]  # (101, 101), the output at `x1[row], x0[column]`
    midpoint: float  # halfway between the smallest and the largest target, as for accuracy


def output_grid(trace: xr.Dataset, at: int | None = None, output: int = 0) -> OutputGrid:
    """Return the output of a network over the plane of its two inputs, a quarter of the data's range beyond the data.

    Parameters
    ----------
    trace, at
        See `fastgrok.plots`; of a network with two inputs.
    output
        Which of the outputs, from 0.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> grid = output_grid(fg.replay(exp, 42))
    >>> float(grid.x0[0]), float(grid.x0[-1]), grid.midpoint
    (-0.25, 1.25, 0.5)
    """
    trace = trimmed(trace)
    experiment, time = experiment_of(trace), checked_time(trace, at)
    network, data = experiment.network, experiment.data
    if network.n_in != 2:
        raise InvalidExperiment("trace", str(network), "a network with two inputs; `activations` shows any")
    output = checked_number("output", output, range(network.n_out), "an output")
    low, high = data.X.min(axis=0), data.X.max(axis=0)
    margin = np.where(high > low, _MARGIN * (high - low), 1.0)
    x0, x1 = np.linspace(low - margin, high + margin, _POINTS).T
    points = np.stack(np.meshgrid(x0, x1), axis=-1).reshape(-1, 2)
    values = predict(network, params_at(trace, time), points)[0, :, output]
    midpoint = float(data.y.min() / 2 + data.y.max() / 2)
    return OutputGrid(time, x0, x1, values.reshape(_POINTS, _POINTS).astype(np.float64), midpoint)


def decision_boundary(trace: xr.Dataset, at: int | None = None, ax: Axes | None = None, *, output: int = 0) -> Axes:
    """Draw the output of a network over the plane of its two inputs, the decision boundary, and the data.

    Parameters
    ----------
    trace, at, ax
        See `fastgrok.plots`; of a network with two inputs.
    output
        Which of the outputs, from 0.

    Notes
    -----
    The line is where the output is halfway between the smallest and the largest target. Examples have the colour of
    their target, and a marker for each of up to four targets.

    Examples
    --------
    >>> import fastgrok as fg, matplotlib.figure
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> ax = matplotlib.figure.Figure().add_subplot()
    >>> fg.plots.decision_boundary(fg.replay(exp, 42), at=0, ax=ax).get_title()
    'Seed 42, epoch 0'
    """
    grid, experiment, ax = output_grid(trace, at, output), experiment_of(trace), axes_or_new(ax)
    data, values = experiment.data, grid.values
    colors: dict[str, Any] = {"cmap": _MAP, "vmin": float(data.y.min()), "vmax": float(data.y.max())}
    extent = (grid.x0[0], grid.x0[-1], grid.x1[0], grid.x1[-1])
    image = ax.imshow(values, origin="lower", extent=extent, aspect="auto", interpolation="bilinear", **colors)
    if values.min() < grid.midpoint < values.max():
        line = ax.contour(grid.x0, grid.x1, values, [grid.midpoint], colors="white", linewidths=2.5)
        ax.clabel(line, fmt=f"{grid.midpoint:g}", fontsize="small")
    else:
        side = "below" if values.max() <= grid.midpoint else "above"
        box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85}
        ax.text(0.5, 0.5, f"{side} {grid.midpoint:g} everywhere", transform=ax.transAxes, ha="center", bbox=box)
    _draw_examples(data.X, data.y[:, output], colors, ax)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 0.0), borderaxespad=3.5, ncols=4, frameon=False)
    ax.set(
        xlabel=one_line(data.feature_names[0]),
        ylabel=one_line(data.feature_names[1]),
        title=trace_title(trace, grid.time),
    )
    ax.figure.colorbar(image, ax=ax, label=f"output {one_line(data.target_names[output])}", extend="both")
    return ax


def _draw_examples(inputs: NDArray[Any], targets: NDArray[Any], colors: dict[str, Any], ax: Axes) -> None:
    """Draw each example in the colour of its target, with a marker for each target where they are few."""
    style: dict[str, Any] = {"s": 90 if len(targets) <= 50 else 25, "linewidths": 1.5, **colors}
    kinds = np.unique(targets)
    if len(kinds) > _MAX_TARGETS:
        ax.scatter(
            inputs[:, 0], inputs[:, 1], c=targets, marker=MARKERS[0], label="examples", edgecolors="white", **style
        )
        return
    middle = (colors["vmin"] + colors["vmax"]) / 2
    for marker, kind in zip(MARKERS, kinds, strict=False):
        (x0, x1), values = inputs[targets == kind].T, targets[targets == kind]
        edge = "black" if kind > middle else "white"
        ax.scatter(x0, x1, c=values, marker=marker, label=f"target {kind:g}", edgecolors=edge, **style)
