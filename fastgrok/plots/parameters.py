"""The parameters of a layer: every weight of one seed over time; before and after training over all seeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.api import initial_params
from fastgrok.errors import InvalidExperiment
from fastgrok.explain.trace import experiment_of, time_dim, trimmed
from fastgrok.explain.trace_variables import param_variables
from fastgrok.plots.labels import checked_layer, checked_sweep, layer_name, time_label, trace_title
from fastgrok.plots.style import COLOURS, DEAD, axes_or_new, end_labels
from fastgrok.results.result import Result
from fastgrok.spec.axes import index_of
from fastgrok.store import Store

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

_MARKERS = "os^Dv*"
_MAX_NAMES = 16  # lines at most that have names


class WeightCurves(NamedTuple):
    """The parameters of a Linear layer over time."""

    time: NDArray[np.int64]  # (n_times,), epochs or steps
    weights: NDArray[Any]  # (n_times, fan_in, fan_out)
    biases: NDArray[Any] | None  # (n_times, fan_out); None: there are none


def weight_curves(trace: xr.Dataset, layer: int = 1) -> WeightCurves:
    """Return the parameters of a layer over time.

    Parameters
    ----------
    trace, layer
        See `fastgrok.plots`.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=10)
    >>> weight_curves(fg.replay(exp, 42)).weights.shape
    (11, 2, 4)
    """
    trace = trimmed(trace)
    k = checked_layer(experiment_of(trace), layer)
    biases = trace[f"bias_{k}"].values if f"bias_{k}" in trace else None
    return WeightCurves(trace[time_dim(trace)].values, trace[f"weight_{k}"].values, biases)


def weights(trace: xr.Dataset, layer: int = 1, ax: Axes | None = None) -> Axes:
    """Draw every weight of a layer over time, and its biases, which are dashed.

    Parameters
    ----------
    trace, layer, ax
        See `fastgrok.plots`.

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
    named = n_lines <= _MAX_NAMES
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
    ax.set_title(f"{trace_title(trace)}: {layer_name(experiment, layer)}")
    ax.margins(x=0.01)
    if named:
        end_labels(ax, {name: end for name, end in ends.items() if np.isfinite(end)})
    return ax


class InitialFinal(NamedTuple):
    """The weights of a layer before and after training."""

    seeds: NDArray[np.uint64]  # (n_seeds,)
    initial: NDArray[Any]  # (n_seeds, fan_in, fan_out), as drawn
    final: NDArray[Any]  # (n_seeds, fan_in, fan_out), trained


def initial_final_weights(
    result: Result | Store, layer: int = 1, config: int | Mapping[str, Any] | None = None
) -> InitialFinal:
    """Return the weights of a layer before and after training, for every seed of a configuration.

    Parameters
    ----------
    result, layer, config
        See `fastgrok.plots`; a result with `keep_params=True`.

    Raises
    ------
    InvalidExperiment
        If the parameters were not kept, did not begin with what the seeds draw, or began anew.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> initial_final_weights(fg.run(exp, seeds=8, keep_params=True)).final.shape
    (8, 2, 4)
    """
    configurations = checked_sweep(result).configurations
    place = index_of(configurations, config)
    experiment = configurations[place].experiment
    k = checked_layer(experiment, layer)
    if experiment.restart is not None:
        raise InvalidExperiment("restart", experiment.restart, "None: what is kept of a seed is its last attempt")
    seeds, params = result.params(place) if isinstance(result, Store) else _params(result, place)
    if not len(seeds):
        raise InvalidExperiment("result", result, "one with seeds that are finished")
    index = param_variables(experiment.network).index(f"weight_{k}")
    return InitialFinal(seeds, initial_params(experiment, seeds)[index], params[index])


def _params(result: Result, place: int) -> tuple[NDArray[np.uint64], list[NDArray[Any]]]:
    """Return the seeds of a configuration that are finished, and their trained parameters."""
    if result.outputs[place].params is None:
        raise InvalidExperiment("keep_params", False, "True, when it is run: the parameters were not kept")
    if result.attrs["initial_params"] == "given":
        raise InvalidExperiment("result", result, "one whose initial parameters the seeds draw")
    if not result.axes:
        return result.seeds, result.params
    return result.outputs[place].finished_rows(result.seeds), result.params[place]


def initial_and_final(
    result: Result | Store,
    layer: int = 1,
    config: int | Mapping[str, Any] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how many weights of a layer began where and ended where, over all seeds of a configuration.

    Parameters
    ----------
    result, layer, config, ax
        See `fastgrok.plots`; a result with `keep_params=True`.

    Raises
    ------
    InvalidExperiment
        As for `initial_final_weights`, or if no seed has finite weights.

    Notes
    -----
    The dashed line is where weights are that did not change. Weights that are no numbers, of seeds that diverged, and
    the outermost 0.1 % at either end of what is left are not in the picture.

    Examples
    --------
    >>> import fastgrok as fg, matplotlib.figure
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> ax = matplotlib.figure.Figure().add_subplot()
    >>> fg.plots.initial_and_final(fg.run(exp, seeds=8, keep_params=True), ax=ax).get_xlabel()
    'initial weight'
    """
    table = initial_final_weights(result, layer, config)
    experiment = result.configurations[index_of(result.configurations, config)].experiment
    initial, final = table.initial.ravel(), table.final.ravel()
    finite = np.isfinite(final)
    if not finite.any():
        raise InvalidExperiment("result", result, "one with a seed whose weights are finite")
    low = np.quantile(final[finite], 0.001, method="lower")
    high = np.quantile(final[finite], 0.999, method="higher")
    inside = finite & (final >= low) & (final <= high)
    ax = axes_or_new(ax)
    image = ax.hexbin(initial[inside], final[inside], gridsize=40, bins="log", mincnt=1, cmap="cividis_r")
    ends = [float(initial.min()), float(initial.max())]
    ax.plot(ends, ends, color=COLOURS[5], linestyle="--", linewidth=1.2, label="unchanged")
    ax.legend(loc="upper left", fontsize="small")
    ax.set(xlabel="initial weight", ylabel="final weight")
    ax.set_title(f"{layer_name(experiment, layer)}: {len(table.seeds):,} seeds")
    ax.figure.colorbar(image, ax=ax, label="weights in a cell")
    return ax
