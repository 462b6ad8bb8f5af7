"""What a trace says, for those who explain and draw it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fastgrok.errors import InvalidExperiment
from fastgrok.explain.trace.variables import STEP, param_variables
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.variables import EPOCH, SEED

if TYPE_CHECKING:
    import xarray as xr

_UNREAD = {"type": "Zeros"}  # stands for a function: nothing that is read here follows from it


def checked_trace(trace: Any, *, several: bool = False) -> xr.Dataset:
    """Return a trace of one seed."""
    import xarray as xr

    accepted = "what fg.replay returns"
    if not isinstance(trace, xr.Dataset):
        raise InvalidExperiment("trace", trace, accepted)
    if "experiment_json" not in trace.attrs or "loss" not in trace or not {EPOCH, STEP} & set(trace["loss"].dims):
        raise InvalidExperiment("trace", sorted(map(str, trace.data_vars)), accepted)
    if SEED in trace.dims and not several:
        raise InvalidExperiment("trace", dict(trace.sizes), "one seed of it, such as trace.sel(seed=42)")
    return trace


def experiment_of(trace: xr.Dataset) -> Experiment:
    """
    Return the experiment that was replayed; a function that drew its initial parameters is left out.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=10)
    >>> experiment_of(fg.replay(exp, 42)) == exp
    True
    """
    plain = json.loads(trace.attrs["experiment_json"])
    for field in ("init", "bias_init"):
        if isinstance(plain[field], dict) and plain[field]["type"] == "FromFunction":
            plain[field] = _UNREAD
    return Experiment.from_dict(plain)


def time_dim(trace: xr.Dataset) -> str:
    """Return "epoch" or "step": what the trace is recorded by."""
    return STEP if STEP in trace["loss"].dims else EPOCH


def checked_time(trace: xr.Dataset, at: Any) -> int:
    """Return an epoch or step that was recorded."""
    dim = time_dim(trace)
    there = trace[dim].values[np.asarray(trace[dim] <= _last(trace))]
    if at is None or (isinstance(at, int | np.integer) and not isinstance(at, bool) and at == -1):
        return int(there[-1])
    if isinstance(at, bool) or not isinstance(at, int | np.integer) or int(at) not in there:
        raise InvalidExperiment(dim, at, f"one that was recorded, from {there[0]} to {there[-1]}")
    return int(at)


def _last(trace: xr.Dataset) -> int:
    """Return the last epoch or step that the seed came to."""
    dim = time_dim(trace)
    if dim == EPOCH:
        return int(trace["epochs_run"])
    return int(trace[dim][(trace["epoch_of"] >= 0) & (trace["epoch_of"] <= trace["epochs_run"])].max())


def params_at(trace: xr.Dataset, at: int | None = None) -> list[NDArray[Any]]:
    """
    Return the parameters after an epoch or step, one array for each of `network.param_shapes`.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=10)
    >>> bool((params_at(fg.replay(exp, 42), 0)[0] == fg.initial_params(exp, [42])[0][0]).all())
    True
    """
    row = trace.sel({time_dim(trace): checked_time(trace, at)})
    return [row[name].values for name in param_variables(experiment_of(trace).network)]
