"""What correlates with what, layer by layer, and what a layer has found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.errors import InvalidExperiment
from fastgrok.explain.correlation_text import correlation_text
from fastgrok.explain.movement import Movement, movements
from fastgrok.explain.pearson import CONSTANT, pearson
from fastgrok.explain.trace import Moment, experiment_of, layer_input, moment, start_of_last_run, time_dim, trimmed
from fastgrok.explain.trace_variables import activation_places, unit_dim
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.layers import ReLU

if TYPE_CHECKING:
    import xarray as xr

FOUND = ("none", "conditional", "direct")
"""What a layer may have found: see `correlation`."""

_TARGET = "target"


class LayerFound(NamedTuple):
    """What a layer has found."""

    layer: int  # number of the Linear layer, from 1
    found: str  # "none", "conditional" or "direct", at the end
    since: Moment  # the first recorded time from which on it is that
    unit: int | None
    target: int | None
    r: float  # their correlation: of z and the target if it is direct, otherwise of the activation


@dataclass(frozen=True)
class Correlation:
    """
    What correlates with what, at every recorded time.

    Parameters
    ----------
    r
        Pearson's r over the examples, NaN where something is constant: `input_target` (unit_0, target); of Linear
        layer k `input_activation_k` (time, unit_{k-1}, unit_k), `z_target_k` and `activation_target_k` (time,
        unit_k, target). Where a ReLU follows also `active_k` (time, unit_k), on how many examples a unit is active,
        z > 0, and among these `input_activation_active_k` and `activation_target_active_k`.
    layers
        What each layer has found.
    movements
        How each parameter moved, and whether it is learning, by its name in the trace.
    least
        The |r| that counts as correlation.
    experiment
        What was trained.
    """

    r: xr.Dataset
    layers: tuple[LayerFound, ...]
    movements: Mapping[str, Movement]
    least: float
    experiment: Experiment = field(repr=False)

    def __str__(self) -> str:
        return correlation_text(self)


def correlation(trace: Any, *, least: float = 0.5) -> Correlation:
    """
    Say what correlates with what, what each layer has found, and which weights are learning.

    Parameters
    ----------
    trace
        What `replay` returns, of one seed; of one that began again the last attempt is taken.
    least
        The |r| from which on there is correlation, greater than 0 and at most 1.

    Returns
    -------
    Of each layer, at each time, what it has found:

    ============= ======================================================================================
    "direct"      some unit's z, the weighted sum of the layer's inputs, has |r| >= least with a target
    "conditional" none has, but some unit's activation a = f(z) has: what makes the correlation is that a
                  unit is off (sigmoid and tanh: that it bends) on some examples
    "none"        neither
    ============= ======================================================================================

    A weight is learning if it moves beyond noise: see `fastgrok.explain.movement`.

    Raises
    ------
    InvalidExperiment
        If it is not a trace of one seed, or `least` will not do.

    Notes
    -----
    Its limits. What is constant over the examples has no correlation: a dead unit, an input that never changes, and
    what varies by rounding only. Few examples correlate by accident, and two always do, r = 1 or -1: among the active
    examples of a unit see `active_k`. Untrained layers may find something, since they are looked at as they stand.
    r is of one unit at a time: a layer whose units do nothing each may do it jointly, which shows in the next
    layer's z. And r is about straight lines: what a unit knows otherwise does not count. Linear layers alone find on
    XOR nothing ever: r of any weighted sum of its inputs with the target is 0.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor())
    >>> [layer.found for layer in fg.explain.correlation(fg.replay(exp, seed=1)).layers]
    ['conditional', 'direct']
    """
    if isinstance(least, bool) or not isinstance(least, int | float | np.number) or not 0 < least <= 1:
        raise InvalidExperiment("least", least, "a number greater than 0 and at most 1")
    there = trimmed(trace, last_attempt=True)
    experiment = experiment_of(there)
    dim = time_dim(there)
    numbers = range(1, len(experiment.network.linears) + 1)
    tolerance = CONSTANT[experiment.dtype]
    import xarray as xr

    data = experiment.data
    r = {"input_target": ((unit_dim(0), _TARGET), pearson(data.X, data.y, constant=tolerance))}
    r |= {name: entry for k in numbers for name, entry in _of_layer(there, experiment, k, tolerance)}
    found = xr.Dataset(r, {dim: there[dim].values})
    layers = tuple(_found(there, found, k, float(least)) for k in numbers)
    return Correlation(found, layers, movements(there), float(least), experiment)


def _of_layer(trace: xr.Dataset, experiment: Experiment, k: int, constant: float) -> Iterator[tuple[str, Any]]:
    """Return the correlations of a layer."""
    inputs, target = layer_input(trace, k), experiment.data.y
    z, a = trace[f"pre_activation_{k}"].values, trace[f"activation_{k}"].values
    dim = time_dim(trace)
    weights, units = (dim, unit_dim(k - 1), unit_dim(k)), (dim, unit_dim(k), _TARGET)
    yield f"input_activation_{k}", (weights, pearson(inputs, a, constant=constant))
    yield f"z_target_{k}", (units, pearson(z, target, constant=constant))
    yield f"activation_target_{k}", (units, pearson(a, target, constant=constant))
    if k in experiment.network.relu_layers:
        active = (a if _ends_with_relu(experiment, k) else z) > 0
        yield f"active_{k}", ((dim, unit_dim(k)), active.sum(axis=1))
        yield f"input_activation_active_{k}", (weights, pearson(inputs, a, active, constant=constant))
        among = pearson(target, a, active, constant=constant)
        yield f"activation_target_active_{k}", (units, np.swapaxes(among, -1, -2))


def _ends_with_relu(experiment: Experiment, k: int) -> bool:
    """Return whether what a layer gives out comes from a ReLU, whatever stands between it and the weighted sum."""
    last = activation_places(experiment.network)[k - 1][1]
    return isinstance(experiment.network.layers[last], ReLU)


def _found(trace: xr.Dataset, r: xr.Dataset, k: int, least: float) -> LayerFound:
    """Return what a layer has found."""
    z, a = _size(r[f"z_target_{k}"].values), _size(r[f"activation_target_{k}"].values)
    direct, some = (size.max(axis=(1, 2)) >= least for size in (z, a))
    kinds = np.where(direct, 2, np.where(some, 1, 0))
    place = start_of_last_run(kinds == kinds[-1])
    name, size = (f"z_target_{k}", z) if direct[-1] else (f"activation_target_{k}", a)
    unit, target = np.unravel_index(int(np.argmax(size[-1])), size.shape[1:])
    value = float(r[name].values[-1, unit, target])
    if np.isnan(value):
        return LayerFound(k, FOUND[kinds[-1]], moment(trace, place), None, None, value)
    return LayerFound(k, FOUND[kinds[-1]], moment(trace, place), int(unit), int(target), value)


def _size(r: NDArray[Any]) -> NDArray[Any]:
    """Return |r|, and -1 where there is no correlation to speak of."""
    return np.asarray(np.nan_to_num(np.abs(r), nan=-1.0))
