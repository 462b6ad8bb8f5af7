"""The drift of a weight: its net movement, and whether that is beyond noise."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.explain.trace import experiment_of
from fastgrok.explain.trace_variables import param_variables

if TYPE_CHECKING:
    import xarray as xr

NOISE = 2.0
"""A weight moves beyond noise if its net movement is more than this many times that of a walk without direction."""

LEAST = 0.01
"""And more than this share of the range that it went through since the start."""

WINDOW = 0.25
"""A weight is still learning if it moves beyond noise over this share of the recorded times, the last ones."""


class WeightDrift(NamedTuple):
    """How a parameter moved from one recorded time to the next, d_t = w_t - w_(t-1); each in its shape."""

    net: NDArray[Any]  # w at the end - w at the start = sum d_t
    path: NDArray[Any]  # sum |d_t|
    noise: NDArray[Any]  # sqrt(sum d_t**2): the expected size of the net movement if the d_t had random signs
    learned: NDArray[np.bool_]  # whether |net| > `NOISE` * noise and |net| > `LEAST` * range, over the whole history
    learning: NDArray[np.bool_]  # the same over the last quarter (`WINDOW`) of it


def weight_drift(values: NDArray[Any]) -> WeightDrift:
    """Return how a parameter moved.

    values: (n_times, ...).

    Notes
    -----
    Steps with random signs make |net| / noise about normal, and more than 2 then has a probability of 5 %; steps
    that undo each other make it smaller, steps that agree larger, up to sqrt(n_steps). So fewer than 5 steps never
    show that a weight learns. One that goes away and comes back has no net movement: it has not learned, over this
    history. With momentum and Adam steps follow each other, and noise alone moves further: 2 is passed often then. A
    trace by step has other steps than one by epoch, so the two may disagree about a weight that hardly moves.
    """
    values = values.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):  # of a network that diverges
        reach = np.ptp(values, axis=0)
        net, path, noise = _sizes(values)
        last = values[-max(2, math.ceil(WINDOW * len(values))) :]
        net_last, _, noise_last = _sizes(last)
        return WeightDrift(net, path, noise, _beyond(net, noise, reach), _beyond(net_last, noise_last, reach))


def weight_drifts(trace: xr.Dataset) -> Mapping[str, WeightDrift]:
    """Return how every parameter moved, by its name in the trace."""
    return {name: weight_drift(trace[name].values) for name in param_variables(experiment_of(trace).network)}


def _sizes(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return net movement, path and noise."""
    steps = np.diff(values, axis=0)
    return values[-1] - values[0], np.abs(steps).sum(axis=0), np.sqrt((steps**2).sum(axis=0))


def _beyond(net: NDArray[Any], noise: NDArray[Any], reach: NDArray[Any]) -> NDArray[np.bool_]:
    """Return whether a net movement is beyond noise."""
    return np.asarray((np.abs(net) > NOISE * noise) & (np.abs(net) > LEAST * reach))
