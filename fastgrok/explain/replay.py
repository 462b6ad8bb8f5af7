"""The whole history of one seed, or of a few: trained again with the kernels of a sweep, every state kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgrok.datasets.memory import check_fits
from fastgrok.engine import arguments
from fastgrok.engine.driver import lane_count
from fastgrok.engine.kernel_params import batches_per_epoch
from fastgrok.engine.layout import activation_places, make_layout, pre_activation_place
from fastgrok.engine.notices import shown
from fastgrok.engine.outcomes import with_earlier
from fastgrok.engine.params import Start, joined, joined_masks, split
from fastgrok.engine.program import ChunkResult, Examined, Program
from fastgrok.engine.training import TrainingOutput, initial_params, train
from fastgrok.errors import InvalidExperiment, checked_choice
from fastgrok.explain.trace_variables import (
    STEP,
    TraceVariable,
    param_variables,
    shared_variables,
    trace_variables,
)
from fastgrok.kernels.environment import in_default_environment
from fastgrok.kernels.train.workspace import Outputs
from fastgrok.results.dataset import to_dataset
from fastgrok.results.provenance import now, provenance
from fastgrok.spec.axes import Configuration
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.network import Network
from fastgrok.spec.recording import Recording, checked_recording
from fastgrok.spec.variables import EPOCH, SEED

if TYPE_CHECKING:
    import xarray as xr

_EXAMINED_BYTES = 2**26  # at a time: Ctrl-C is noticed between two of them

_TIMES = {
    EPOCH: "epoch after which it was so; 0 is the initialisation",
    STEP: "update after which it was so; 0 is the initialisation",
}


@in_default_environment
def replay(
    experiment: Experiment,
    seed: int | Sequence[int] | range | ArrayLike,
    *,
    every: str = EPOCH,
    record_at: str | Sequence[int] | None = None,
    params: ArrayLike | Sequence[ArrayLike] | None = None,
    masks: ArrayLike | Sequence[ArrayLike | None] | None = None,
    progress: bool | None = None,
) -> xr.Dataset:
    """Train a seed again, with the same bits as in a sweep, and record everything on the way.

    Parameters
    ----------
    experiment
        Everything but the seed.
    seed
        One seed; or several, as a range, list or array: then there is a dimension `seed`.
    every
        "epoch" to record after every epoch, "step" after every update.
    record_at
        With every="epoch": only these epochs, as for `run`, the initialisation and the last of each seed. None: all.
    params
        Initial parameters instead of those that the seed draws, as for `run`.
    masks
        Which parameters are cut out, as for `run`.
    progress
        Whether to say on stderr what is being compiled; None: if it is a terminal.

    Returns
    -------
    A dataset with dimensions `epoch` or `step` (0 is the initialisation), `example`, `unit_0` (the inputs), `unit_1`,
    ... (what each Linear layer gives out). Of Linear layer k: `weight_k` and `bias_k`; `gradient_weight_k` and
    `gradient_bias_k`, of the mean loss; `pre_activation_k` (z), `activation_k`, `delta_k` (dL/dz of the example's
    own loss); `dead_k` where a ReLU follows. Of the network: `loss`, `accuracy`, `gradient_norm`, and with
    validation data `loss_validation`, `accuracy_validation`. Besides the result variables of `Result.dataset`, with
    `dead_since`, and the data: `input`, `target`. Parameters and what follows from them are in the dtype of the
    experiment. Where one of several seeds has ended floats are NaN, bools False, integers -1. `to_netcdf` writes it.

    Raises
    ------
    InvalidExperiment
        If an argument does not fit the experiment, or the history does not fit into memory.

    Notes
    -----
    Every state is that of the sweep, bit for bit: the kernels are the same. With every="step", `batch_example` says
    on which examples an update was made (with replacement one may be there twice) and `epoch_of` in which epoch. With
    a restart, `attempt_of` says in which attempt a time is, and `weight_k_start` with what each attempt began;
    `loss_initial` is that of the last. Whatever is recorded is of the network without `Dropout`, gradients and deltas
    as well, while updates are made with its masks. `gradient_weight_k` is that of the loss, of weights that are not
    trained (`masks`, frozen layers) as well, which `gradient_norm` leaves out. With EarlyStopping(restore_best=True),
    `weight_k_final` is what the seed ended with.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> trace = fg.replay(exp, seed=42)
    >>> trace["weight_1"].dims, trace.sizes["epoch"]
    (('epoch', 'unit_0', 'unit_1'), 87)
    >>> float(trace["loss"][-1]) == float(trace["loss_final"])
    True
    """
    arguments.checked_experiment(experiment)
    steps = checked_choice("every", every, (EPOCH, STEP)) == STEP
    if steps and record_at is not None:
        raise InvalidExperiment("record_at", record_at, "None with every='step': all of them are recorded")
    single = isinstance(seed, int | np.integer) and not isinstance(seed, bool)
    accepted = _accepted_seeds([seed] if single else seed, experiment.stream)
    flat = None if params is None else joined(experiment.network, params, experiment.dtype)
    n = arguments.n_seeds(accepted)
    if flat is not None and len(flat) != n:
        raise InvalidExperiment("params", params, f"those of {n} networks, one for each seed")
    cut = None if masks is None else joined_masks(experiment.network, masks, n)
    start = Start(flat, cut)
    chosen = None if record_at is None else checked_recording(record_at, None, experiment.epochs).at
    _check_memory(experiment, n, steps, chosen)
    seeds = arguments.seeds_array(accepted)
    with shown(arguments.checked_flag("progress", progress)):
        if chosen is not None:
            ends = _history(experiment, seeds, start, Recording()).trained.metrics["epochs_run"]
            chosen = tuple(sorted({*chosen, *map(int, ends)}))
        history = _history(experiment, seeds, start, _recording(experiment, steps, chosen))
        trace = _dataset(experiment, seeds, history, steps=steps, own_params=flat is not None)
    return trace.isel({SEED: 0}) if single else trace


def _accepted_seeds(seed: Any, stream: str) -> arguments.Seeds:
    """Return seeds, checked; an error names the argument `seed`."""
    if isinstance(seed, float | np.floating):  # as a number of seeds it would be one
        raise InvalidExperiment("seed", seed, "a seed, or several as a range, list or array of integers")
    try:
        return arguments.accepted_seeds(seed, stream)
    except InvalidExperiment as error:
        field = "seed" if isinstance(seed, list) and len(seed) == 1 else error.field.replace("seeds", "seed")
        raise InvalidExperiment(field, error.value, error.accepted) from None


def _n_attempts(experiment: Experiment) -> int:
    """Return how many attempts a seed has at most."""
    restart, epochs = experiment.restart, experiment.epochs
    if restart is None:
        return 1
    return 1 + (epochs if restart.at_most is None else min(restart.at_most, epochs))


def _recording(experiment: Experiment, steps: bool, chosen: tuple[int, ...] | None) -> Recording:
    """Return which states are kept."""
    epochs = range(1, experiment.epochs + 1) if chosen is None else (epoch for epoch in chosen if epoch > 0)
    return Recording(
        dead_units=True, kept=() if steps else tuple(epochs), steps=steps, attempts=_n_attempts(experiment)
    )


def _check_memory(experiment: Experiment, n: int, steps: bool, chosen: tuple[int, ...] | None) -> None:
    """Raise if a history does not fit into memory."""
    epochs = experiment.epochs if chosen is None else len(chosen)
    times = 1 + (epochs * batches_per_epoch(experiment) if steps else epochs)
    units = sum(layer.fan_out for layer in experiment.network.linears)
    numbers = 3 * experiment.n_params + 3 * experiment.data.n_examples * units  # states twice, gradients; z, a, delta
    size = (times * numbers + _n_attempts(experiment) * experiment.n_params) * np.dtype(experiment.dtype).itemsize
    check_fits("epochs", experiment.epochs, size, "fewer, or record_at=, or every='epoch'")
    check_fits("seed", f"{n:,} seeds", n * size, "fewer, or record_at=, or every='epoch'")


class _History(NamedTuple):
    """The states of the parameters of some seeds."""

    trained: TrainingOutput  # the result variables, and the final parameters
    times: NDArray[np.int64]  # (n_times,), the epochs or steps after which the states are; 0 is the initialisation
    states: NDArray[np.floating]  # (n_seeds, n_times, n_params), NaN after the end of a seed
    reached: NDArray[np.bool_]  # (n_seeds, n_times), whether the seed was still training
    part: ChunkResult  # everything that the kernels wrote


def _history(experiment: Experiment, seeds: NDArray[np.uint64], start: Start, recording: Recording) -> _History:
    """Train some seeds, (n_seeds,), keeping the states that a recording asks for."""
    parts: list[ChunkResult] = []
    # What is kept lies in memory, and a few seeds are not worth a compilation.
    options = arguments.ExecutionOptions(specialize=False, threads=1, chunk_size=len(seeds))
    trained = train(
        experiment,
        seeds,
        options,
        params=start.params,
        masks=start.masks,
        keep_params=True,
        recording=recording,
        collect=lambda rows, part: parts.append(part),
    )
    if trained.interrupted:
        raise KeyboardInterrupt
    outputs = parts[0].outputs
    if start.params is not None:
        first = start.params
    elif outputs.attempts is not None:
        first = outputs.attempts.starts[:, 0]
    else:
        first = initial_params(experiment, seeds, show=False)  # `replay` shows it
    first = start.cut(first)
    per_epoch = batches_per_epoch(experiment) if recording.steps else 1
    later = _recorded(experiment, recording, outputs) if outputs.steps is None else outputs.steps.params
    if later is None:  # no epoch
        later = first[:, None][:, :0]
    times = np.arange(1 + later.shape[1]) if recording.steps else np.array([0, *recording.epochs])
    reached = times <= outputs.epochs_run[:, None] * per_epoch
    n_times = int(reached.any(axis=0).sum())
    states = np.concatenate([first[:, None], later[:, : n_times - 1]], axis=1)
    states[~reached[:, :n_times]] = np.nan
    return _History(trained, times[:n_times], states, reached[:, :n_times], parts[0])


def _recorded(experiment: Experiment, recording: Recording, outputs: Outputs) -> NDArray[np.floating] | None:
    """Return the recorded parameters, (n_seeds, n_records, n_params), without those that only outcomes look at."""
    known = with_earlier(recording, experiment).epochs
    if outputs.recorded_params is None or known == recording.epochs:
        return outputs.recorded_params  # type: ignore[no-any-return]
    return outputs.recorded_params[:, np.isin(known, recording.epochs)]  # type: ignore[no-any-return]


def _dataset(
    experiment: Experiment, seeds: NDArray[np.uint64], history: _History, *, steps: bool, own_params: bool
) -> xr.Dataset:
    """Return a trace: the result variables, and what is recorded. seeds: (n_seeds,)."""
    attrs = provenance(experiment, [], [history.trained], own_params=own_params, time=now())
    result = to_dataset(seeds, [], [Configuration({}, experiment)], [history.trained], attrs)
    arrays = _arrays(experiment, history)
    time, n_seeds = STEP if steps else EPOCH, len(seeds)

    def entry(variable: TraceVariable, array: NDArray[Any], *before: str) -> tuple[Any, ...]:
        return [*before, *variable.dims], array, {"long_name": variable.meaning, "units": variable.units}

    recorded = {
        name: entry(variable, arrays[name].reshape(n_seeds, *arrays[name].shape[1:]), SEED)
        for name, variable in trace_variables(experiment, steps=steps).items()
    }
    data = {"input": experiment.data.X, "target": experiment.data.y}
    shared = {name: entry(v, data[name]) for name, v in shared_variables(experiment.network).items()}
    coords = {time: (time, history.times, {"long_name": _TIMES[time]})}
    return result.assign_coords(coords).assign(recorded | shared)


def _arrays(experiment: Experiment, history: _History) -> dict[str, NDArray[Any]]:
    """Return every variable but the data, each with a leading axis of length n_seeds."""
    network, (n_seeds, n_times) = experiment.network, history.reached.shape
    flat = _measured(experiment, history)
    flat |= _named(network, "{}", history.states.reshape(-1, experiment.n_params))
    arrays = {name: array.reshape(n_seeds, n_times, *array.shape[1:]) for name, array in flat.items()}
    arrays |= _named(network, "{}_final", np.asarray(history.trained.params))
    attempts, steps = history.part.outputs.attempts, history.part.outputs.steps
    if attempts is not None:
        used = int(attempts.restarts.max()) + 1
        begun = np.arange(used) <= attempts.restarts[:, None]
        starts = np.where(begun[:, :, None], attempts.starts[:, :used], np.nan)
        flat = _named(network, "{}_start", starts.reshape(-1, experiment.n_params))
        arrays |= {name: array.reshape(n_seeds, used, *array.shape[1:]) for name, array in flat.items()}
        epochs = _epochs(experiment, history)
        begin_epochs = np.where(begun, attempts.begun[:, :used], np.iinfo(np.int64).max)
        arrays["attempt_of"] = np.stack([np.searchsorted(row[1:], epochs) for row in begin_epochs])
    if steps is not None:
        arrays["epoch_of"] = np.broadcast_to(_epochs(experiment, history), (n_seeds, n_times))
        arrays["batch_example"] = _batches(experiment, history, steps.order)
    return arrays


def _measured(experiment: Experiment, history: _History) -> dict[str, NDArray[Any]]:
    """Return what is recorded after each time besides the parameters, (n_seeds * n_times, ...)."""
    whole: dict[str, NDArray[Any]] = {}
    n = history.reached.size
    for rows, examined in _examined(experiment, history):
        for name, array in _variables(experiment, examined).items():
            whole.setdefault(name, np.empty((n, *array.shape[1:]), array.dtype))[rows] = array
    missing = ~history.reached.reshape(-1)
    for array in whole.values():
        if missing.any():
            array[missing] = np.nan if array.dtype.kind == "f" else False
    return whole


def _examined(experiment: Experiment, history: _History) -> Iterator[tuple[slice, Examined]]:
    """Yield what the networks of a history do on the data, some at a time."""
    flat, training_of = history.states.reshape(-1, experiment.n_params), history.part.outputs.training_of
    lanes = lane_count(experiment, specialize=False, n_seeds=len(flat))
    program = Program(experiment, specialize=False, lanes=lanes, n_seeds=len(flat))
    memory = program.memory()
    n_acts, n_times = make_layout(experiment.network).n_acts, history.states.shape[1]
    size = max(lanes, _EXAMINED_BYTES // (16 * n_acts * experiment.data.n_examples))
    for first in range(0, len(flat), size):
        rows = slice(first, min(first + size, len(flat)))
        trained = None if training_of is None else training_of[np.arange(rows.start, rows.stop) // n_times]
        yield rows, program.examine(np.ascontiguousarray(flat[rows]), memory, trained)


def _variables(experiment: Experiment, examined: Examined) -> dict[str, NDArray[Any]]:
    """Name what networks do, (n, ...) each."""
    network, training, validation = experiment.network, examined.training, examined.validation
    variables: dict[str, NDArray[Any]] = {
        "loss": training.loss.astype(np.float64),
        "accuracy": training.n_correct.astype(np.float64) / experiment.data.n_examples,
        "gradient_norm": training.gradient_norm.astype(np.float64),
        **_named(network, "gradient_{}", examined.grads),
    }
    if validation is not None and experiment.validation is not None:
        variables["loss_validation"] = validation.loss.astype(np.float64)
        variables["accuracy_validation"] = validation.n_correct.astype(np.float64) / experiment.validation.n_examples
    units = make_layout(network).units
    for k, (linear, last) in enumerate(activation_places(network), start=1):
        variables[f"pre_activation_{k}"] = examined.acts[:, :, units[pre_activation_place(network, linear) + 1]]
        variables[f"activation_{k}"] = examined.acts[:, :, units[last + 1]]
        variables[f"delta_{k}"] = examined.deltas[:, :, units[linear + 1]]
    owners = np.repeat(network.relu_layers, network.relu_widths)  # the Linear layer before each ReLU unit
    for k in set(network.relu_layers):
        dead = training.dead[owners == k].T
        variables[f"dead_{k}"] = dead.reshape(len(dead), -1, network.linears[k - 1].fan_out).any(axis=1)
    return variables


def _named(network: Network, form: str, flat: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Return parameters (n, n_params) by their names."""
    return dict(zip(map(form.format, param_variables(network)), split(network, flat), strict=True))


def _epochs(experiment: Experiment, history: _History) -> NDArray[np.int64]:
    """Return the epoch in which each time was, (n_times,)."""
    if history.part.outputs.steps is None:
        return history.times
    return -(-history.times // batches_per_epoch(experiment))


def _batches(experiment: Experiment, history: _History, orders: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the examples of each update, (n_seeds, n_times, batch_size)."""
    n, size, n_batches = experiment.data.n_examples, experiment.batch_rows, batches_per_epoch(experiment)
    n_seeds, n_times = history.reached.shape
    epochs = -(-(n_times - 1) // n_batches)
    if not orders.shape[1]:
        orders = np.broadcast_to(np.arange(n), (n_seeds, epochs, n))
    padded = np.full((n_seeds, epochs, n_batches * size), -1, np.int64)
    padded[:, :, :n] = orders[:, :epochs]
    batches = padded.reshape(n_seeds, epochs * n_batches, size)[:, : n_times - 1]
    batches = np.concatenate([np.full((n_seeds, 1, size), -1), batches], axis=1)
    batches[~history.reached] = -1
    return batches
