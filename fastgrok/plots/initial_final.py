"""What became of each weight, over seeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.api import initial_params
from fastgrok.errors import InvalidExperiment
from fastgrok.plots.configurations import checked_sweep
from fastgrok.plots.recorded import checked_layer, layer_name
from fastgrok.plots.style import COLOURS, axes_or_new
from fastgrok.results.result import Result
from fastgrok.spec.axes import index_of
from fastgrok.store import Store

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class InitialFinal(NamedTuple):
    """The weights of a layer before and after training."""

    seeds: NDArray[np.uint64]  # (n_seeds,)
    initial: NDArray[Any]  # (n_seeds, fan_in, fan_out), as drawn
    final: NDArray[Any]  # (n_seeds, fan_in, fan_out), trained


def initial_final_weights(
    result: Result | Store, layer: int = 1, config: int | Mapping[str, Any] | None = None
) -> InitialFinal:
    """
    Return the weights of a layer before and after training, for every seed of a configuration.

    Parameters
    ----------
    result
        What `run`, `sweep` or `open_store` returns, with `keep_params=True`.
    layer
        The number of a Linear layer, from 1.
    config
        The place of the configuration in `summary()`, or labels that it has alone; None: the only one.

    Raises
    ------
    InvalidExperiment
        If the parameters were not kept, did not begin with what the seeds draw, or began anew; or there is no such
        layer or configuration.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> initial_final_weights(fg.run(exp, seeds=8, keep_params=True)).final.shape
    (8, 2, 4)
    """
    known = checked_sweep(result).configurations
    place = index_of(known, config)
    experiment = known[place].experiment
    k = checked_layer(experiment, layer)
    if experiment.restart is not None:
        raise InvalidExperiment("restart", experiment.restart, "None: what is kept of a seed is its last attempt")
    seeds, params = result.params(place) if isinstance(result, Store) else _params(result, place)
    if not len(seeds):
        raise InvalidExperiment("result", result, "one with seeds that are finished")
    index = k - 1 + sum(linear.bias for linear in experiment.network.linears[: k - 1])
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
    """
    Draw how many weights of a layer began where and ended where, over all seeds of a configuration.

    Parameters
    ----------
    result
        What `run`, `sweep` or `open_store` returns, with `keep_params=True`.
    layer
        The number of a Linear layer, from 1.
    config
        The place of the configuration in `summary()`, or labels that it has alone; None: the only one.
    ax
        Where to draw; None: in a new figure.

    Raises
    ------
    InvalidExperiment
        As for `initial_final_weights`, or if no seed has finite weights.

    Notes
    -----
    The dashed line is where weights are that did not change. Weights that are no numbers, of seeds that diverged, and
    the outermost 0.1 % at either end of what is left are not in the picture.
    """
    found = initial_final_weights(result, layer, config)
    experiment = result.configurations[index_of(result.configurations, config)].experiment
    initial, final = found.initial.ravel(), found.final.ravel()
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
    ax.set_title(f"{layer_name(experiment, layer)}: {len(found.seeds):,} seeds")
    ax.figure.colorbar(image, ax=ax, label="weights in a cell")
    return ax
