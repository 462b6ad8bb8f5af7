"""What pictures of a trace have in common: the times that a seed came to, and the words for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastgrok.errors import InvalidExperiment
from fastgrok.explain.trace import checked_time, checked_trace, time_dim
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.network import Linear
from fastgrok.spec.variables import EPOCH, SEED

if TYPE_CHECKING:
    import xarray as xr


def recorded(trace: xr.Dataset) -> xr.Dataset:
    """Return a trace of one seed up to its end, without the times to which only other seeds came."""
    dim = time_dim(checked_trace(trace))
    return trace.sel({dim: slice(None, checked_time(trace, None))})


def title_of(trace: xr.Dataset, at: int | None = None) -> str:
    """
    Return which seed or how many seeds there are, and when.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=10)
    >>> title_of(fg.replay(exp, 42), 5), title_of(fg.replay(exp, range(3)))
    ('Seed 42, epoch 5', '3 seeds')
    """
    if SEED in trace.dims:
        return f"{trace.sizes[SEED]:,} seeds"
    when = "" if at is None else f", {time_dim(trace)} {at:,}"
    return f"Seed {int(trace[SEED])}{when}"


def time_label(trace: xr.Dataset) -> str:
    """Return the label of the axis of time."""
    return "epoch" if time_dim(trace) == EPOCH else "step (update)"


def checked_layer(experiment: Experiment, layer: int) -> int:
    """Return the number of a Linear layer."""
    n = len(experiment.network.linears)
    if isinstance(layer, bool) or layer not in range(1, n + 1):
        raise InvalidExperiment("layer", layer, f"the number of a Linear layer, 1 to {n}")
    return int(layer)


def layer_name(experiment: Experiment, layer: int) -> str:
    """
    Return what a layer is called in a picture: its number, and the activation after it.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor())
    >>> [layer_name(exp, k) for k in range(3)]
    ['inputs', 'layer 1, ReLU', 'layer 2']
    """
    if not layer:
        return "inputs"
    network = experiment.network
    places = [place for place, one in enumerate(network.layers) if isinstance(one, Linear)]
    start, end = [*places, len(network.layers)][layer - 1 : layer + 1]
    return ", ".join([f"layer {layer}", *(type(one).__name__ for one in network.layers[start + 1 : end])])
