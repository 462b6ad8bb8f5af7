"""A history as one labelled dataset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fastgrok.engine import builder
from fastgrok.engine.params import split
from fastgrok.engine.program import Examined
from fastgrok.explain.trace.history import History, examined
from fastgrok.explain.trace.variables import (
    STEP,
    TraceVariable,
    activation_places,
    param_variables,
    relu_owners,
    shared_variables,
    trace_variables,
)
from fastgrok.results.dataset import to_dataset
from fastgrok.results.provenance import now, provenance
from fastgrok.spec.axes import Configuration
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.variables import EPOCH, SEED

if TYPE_CHECKING:
    import xarray as xr

_TIMES = {
    EPOCH: "epoch after which it was so; 0 is the initialisation",
    STEP: "update after which it was so; 0 is the initialisation",
}


def labelled(
    experiment: Experiment, seeds: NDArray[np.uint64], history: History, *, steps: bool, own_params: bool
) -> xr.Dataset:
    """
    Return a trace: the result variables, and what is recorded.

    seeds: (n_seeds,).
    """
    attrs = provenance(experiment, [], [history.trained], own_params=own_params, time=now())
    result = to_dataset(seeds, [], [Configuration({}, experiment)], [history.trained], attrs)
    arrays = _arrays(experiment, history)
    time, n_seeds = STEP if steps else EPOCH, len(seeds)

    def entry(variable: TraceVariable, array: NDArray[Any], *before: str) -> tuple[Any, ...]:
        return [*before, *variable.dims], array, {"long_name": variable.meaning, "units": variable.units}

    data = {
        name: entry(variable, arrays[name].reshape(n_seeds, *arrays[name].shape[1:]), SEED)
        for name, variable in trace_variables(experiment, steps=steps).items()
    }
    known = {"input": experiment.data.X, "target": experiment.data.y}
    shared = {name: entry(v, known[name]) for name, v in shared_variables(experiment.network).items()}
    coords = {time: (time, history.times, {"long_name": _TIMES[time]})}
    return result.assign_coords(coords).assign(data | shared)


def _arrays(experiment: Experiment, history: History) -> dict[str, NDArray[Any]]:
    """Return every variable but the data, each with a leading axis of length n_seeds."""
    network, (n_seeds, n_times) = experiment.network, history.there.shape
    made = _after_each(experiment, history)
    made |= _named(network, "{}", history.states.reshape(-1, experiment.n_params))
    found = {name: array.reshape(n_seeds, n_times, *array.shape[1:]) for name, array in made.items()}
    found |= _named(network, "{}_final", np.asarray(history.trained.params))
    attempts, steps = history.part.outputs.attempts, history.part.outputs.steps
    if attempts is not None:
        used = int(attempts.restarts.max()) + 1
        there = np.arange(used) <= attempts.restarts[:, None]
        starts = np.where(there[:, :, None], attempts.starts[:, :used], np.nan)
        flat = _named(network, "{}_start", starts.reshape(-1, experiment.n_params))
        found |= {name: array.reshape(n_seeds, used, *array.shape[1:]) for name, array in flat.items()}
        epochs = _epochs(experiment, history)
        begun = np.where(there, attempts.begun[:, :used], np.iinfo(np.int64).max)
        found["attempt_of"] = np.stack([np.searchsorted(one[1:], epochs) for one in begun])
    if steps is not None:
        found["epoch_of"] = np.broadcast_to(_epochs(experiment, history), (n_seeds, n_times))
        found["batch_example"] = _batches(experiment, history, steps.order)
    return found


def _after_each(experiment: Experiment, history: History) -> dict[str, NDArray[Any]]:
    """Return what is recorded after each time besides the parameters, (n_seeds * n_times, ...)."""
    whole: dict[str, NDArray[Any]] = {}
    n = history.there.size
    for places, found in examined(experiment, history):
        for name, array in _of(experiment, found).items():
            whole.setdefault(name, np.empty((n, *array.shape[1:]), array.dtype))[places] = array
    missing = ~history.there.reshape(-1)
    for array in whole.values():
        if missing.any():
            array[missing] = np.nan if array.dtype.kind == "f" else False
    return whole


def _of(experiment: Experiment, found: Examined) -> dict[str, NDArray[Any]]:
    """Name what networks do, (n, ...) each."""
    network, training, validation = experiment.network, found.training, found.validation
    made: dict[str, NDArray[Any]] = {
        "loss": training.loss.astype(np.float64),
        "accuracy": training.hits.astype(np.float64) / experiment.data.n_examples,
        "gradient_norm": training.gradient_norm.astype(np.float64),
        **_named(network, "gradient_{}", found.grads),
    }
    if validation is not None and experiment.validation is not None:
        made["loss_validation"] = validation.loss.astype(np.float64)
        made["accuracy_validation"] = validation.hits.astype(np.float64) / experiment.validation.n_examples
    rows = builder.layout(network).layers
    for k, (linear, last) in enumerate(activation_places(network), start=1):
        z, a = (slice(rows[place].out, rows[place].out + rows[place].n_out) for place in (linear, last))
        made[f"pre_activation_{k}"], made[f"activation_{k}"] = found.acts[:, :, z], found.acts[:, :, a]
        made[f"delta_{k}"] = found.deltas[:, :, z]
    owners = np.array(relu_owners(network))
    for k in set(network.relu_layers):
        mine = training.dead[owners == k].T
        made[f"dead_{k}"] = mine.reshape(len(mine), -1, network.linears[k - 1].fan_out).any(axis=1)
    return made


def _named(network: Any, form: str, flat: NDArray[Any]) -> Mapping[str, NDArray[Any]]:
    """Return parameters (n, n_params) by their names."""
    return dict(zip(map(form.format, param_variables(network)), split(network, flat), strict=True))


def _epochs(experiment: Experiment, history: History) -> NDArray[np.int64]:
    """Return the epoch in which each time was, (n_times,)."""
    if history.part.outputs.steps is None:
        return history.times
    return -(-history.times // builder.n_batches(experiment))


def _batches(experiment: Experiment, history: History, orders: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the examples of each update, (n_seeds, n_times, batch_size)."""
    n, size, n_batches = experiment.data.n_examples, experiment.batch_rows, builder.n_batches(experiment)
    n_seeds, n_times = history.there.shape
    epochs = -(-(n_times - 1) // n_batches)
    if not orders.shape[1]:
        orders = np.broadcast_to(np.arange(n), (n_seeds, epochs, n))
    padded = np.full((n_seeds, epochs, n_batches * size), -1, np.int64)
    padded[:, :, :n] = orders[:, :epochs]
    batches = padded.reshape(n_seeds, epochs * n_batches, size)[:, : n_times - 1]
    batches = np.concatenate([np.full((n_seeds, 1, size), -1), batches], axis=1)
    batches[~history.there] = -1
    return batches
