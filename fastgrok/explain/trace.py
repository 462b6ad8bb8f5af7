"""Reading a trace: its experiment, its times, its parameters, and what each layer took in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.errors import InvalidExperiment
from fastgrok.explain.trace_variables import STEP, param_variables
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.variables import EPOCH, SEED

if TYPE_CHECKING:
    import xarray as xr

_NO_FUNCTION = {"type": "Zeros"}  # in place of a function, which no file can hold: no explanation draws parameters


class Moment(NamedTuple):
    """A time of a trace."""

    epoch: int  # the epoch after which it was, or in which the update was made; 0 is the initialisation
    step: int | None  # the update after which it was; None in a trace by epoch

    @property
    def time(self) -> int:
        """Where it is on the trace's axis of time: the step, in a trace by epoch the epoch."""
        return self.epoch if self.step is None else self.step

    def __str__(self) -> str:
        return f"epoch {self.epoch}" if self.step is None else f"step {self.step} (epoch {self.epoch})"


def checked_trace(trace: Any, *, several: bool = False) -> xr.Dataset:
    """Return a trace, of one seed unless several are allowed."""
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
    """Return the experiment that was replayed; a function that drew its initial parameters is left out."""
    plain = json.loads(trace.attrs["experiment_json"])
    for field in ("init", "bias_init"):
        if isinstance(plain[field], dict) and plain[field]["type"] == "FromFunction":
            plain[field] = _NO_FUNCTION
    return Experiment.from_dict(plain)


def time_dim(trace: xr.Dataset) -> str:
    """Return "epoch" or "step": what the trace is recorded by."""
    return STEP if STEP in trace["loss"].dims else EPOCH


def checked_time(trace: xr.Dataset, at: Any) -> int:
    """Return an epoch or step that was recorded; None and -1 are the last."""
    dim = time_dim(trace)
    times = trace[dim].values[np.asarray(trace[dim] <= _last_time(trace))]
    if at is None or (isinstance(at, int | np.integer) and not isinstance(at, bool) and at == -1):
        return int(times[-1])
    if isinstance(at, bool) or not isinstance(at, int | np.integer) or int(at) not in times:
        raise InvalidExperiment(dim, at, f"one that was recorded, from {times[0]} to {times[-1]}")
    return int(at)


def _last_time(trace: xr.Dataset) -> int:
    """Return the last epoch or step of the seed."""
    dim = time_dim(trace)
    if dim == EPOCH:
        return int(trace["epochs_run"])
    return int(trace[dim][(trace["epoch_of"] >= 0) & (trace["epoch_of"] <= trace["epochs_run"])].max())


def params_at(trace: xr.Dataset, at: int | None = None) -> list[NDArray[Any]]:
    """Return the parameters after an epoch or step, one array for each of `network.param_shapes`."""
    row = trace.sel({time_dim(trace): checked_time(trace, at)})
    return [row[name].values for name in param_variables(experiment_of(trace).network)]


def trimmed(trace: Any, *, last_attempt: bool = False) -> xr.Dataset:
    """Return a trace of one seed without the times after the seed's end, and if asked without earlier attempts."""
    checked = checked_trace(trace)
    dim = time_dim(checked)
    until_end = checked.sel({dim: slice(None, checked_time(checked, None))})
    if last_attempt and "attempt_of" in until_end:
        attempts = until_end["attempt_of"].values
        until_end = until_end.isel({dim: attempts == attempts[-1]})
    return until_end


def epochs_of(trace: xr.Dataset) -> NDArray[np.int64]:
    """Return the epoch of each time, (n_times,)."""
    return np.asarray(trace["epoch_of"] if time_dim(trace) == STEP else trace["epoch"], dtype=np.int64)


def moment(trace: xr.Dataset, index: int) -> Moment:
    """Return the time with an index along the axis of time."""
    by_step = time_dim(trace) == STEP
    return Moment(int(epochs_of(trace)[index]), int(trace[STEP].values[index]) if by_step else None)


def layer_input(trace: xr.Dataset, layer: int) -> NDArray[Any]:
    """Return what a Linear layer takes in, (n_times, n_examples, fan_in); without times for the first layer."""
    return np.asarray((trace["input"] if layer == 1 else trace[f"activation_{layer - 1}"]).values)


def start_of_last_run(holds: NDArray[np.bool_]) -> int:
    """Return the index from which something holds to the end; the length if it does not hold at the end.

    holds: shape (n_times,).
    """
    broken = np.flatnonzero(~holds)
    return int(broken[-1]) + 1 if broken.size else 0
