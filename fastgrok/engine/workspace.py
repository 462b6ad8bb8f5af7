"""The memory that kernels work in, and what they write."""

import math
from typing import Any

import numpy as np

from fastgrok.datasets import Dataset
from fastgrok.engine.draws import initial, scratch_size, state_words
from fastgrok.engine.kernel_params import (
    batches_per_epoch,
    driver_features,
    is_deferred,
    is_fused,
    n_state,
    per_parameter,
    tile_sizes,
)
from fastgrok.engine.layout import make_layout
from fastgrok.kernels.block import CUT, FROZEN, TRAINED
from fastgrok.kernels.nn.deferred import AREAS
from fastgrok.kernels.train.parameters import Data
from fastgrok.kernels.train.workspace import (
    Attempts,
    BestEpochs,
    BestState,
    DeadUnitState,
    Outputs,
    RestartState,
    Steps,
    Workspace,
)
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.recording import NOTHING, Recording


def training_data(experiment: Experiment) -> Data:
    """Return the examples in the experiment's dtype."""
    return _data(experiment, experiment.data)


def validation_data(experiment: Experiment) -> Data | None:
    """Return the examples that are not trained on, if there are any."""
    return None if experiment.validation is None else _data(experiment, experiment.validation)


def _data(experiment: Experiment, examples: Dataset) -> Data:
    return Data(
        np.ascontiguousarray(examples.X, experiment.dtype),
        np.ascontiguousarray(examples.y, experiment.dtype),
    )


def _aligned(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Return zeros that start on a cache line: a vector that crosses one costs two accesses."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    raw = np.zeros(size + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + size].view(dtype).reshape(shape)


def make_workspace(experiment: Experiment, lanes: int, recording: Recording = NOTHING) -> Workspace:
    """Return the memory of one block that trains."""
    n_params, dtype = experiment.n_params, experiment.dtype
    features = driver_features(experiment, recording)
    restores_validation = features.restores and not features.monitors
    blank = evaluation_workspace(experiment, lanes, gradients=not is_fused(experiment))
    shuffled = experiment.data.n_examples if experiment.order != "fixed" else 0
    return blank._replace(
        optimizer_state=_aligned((n_state(experiment), lanes), dtype),
        order=np.zeros((shuffled, lanes), np.int64),
        masks=_aligned((len(experiment.network.dropout_rates), lanes), dtype),
        held=_aligned((n_params * features.holds, lanes), dtype),
        states=np.zeros((lanes, state_words(experiment)), np.uint64),
        steps=_aligned((batches_per_epoch(experiment) * n_params * features.steps, lanes), dtype),
        recorded=np.zeros(lanes, np.int64) if features.records else None,
        restart=_restart_state(experiment, lanes) if features.restarts else None,
        due=_aligned((1, lanes), dtype) if features.validates or features.monitors or features.stagnates else None,
        validation=_best_state(n_params * restores_validation, lanes, dtype) if features.validates else None,
        training=_best_state(n_params * features.restores, lanes, dtype) if features.monitors else None,
        watched=_best_state(0, lanes, dtype) if features.stagnates else None,
        gradient=_aligned((n_params, lanes), dtype) if features.rests else None,
        dead_units=_dead_unit_state(experiment, lanes, restores=features.restores) if features.tracks else None,
    )


def evaluation_workspace(experiment: Experiment, lanes: int, *, gradients: bool) -> Workspace:
    """Return the memory of one block that only evaluates: of one type always, so that one kernel serves all."""
    layout, dtype = make_layout(experiment.network), experiment.dtype
    acts = _act_vectors(experiment)
    return Workspace(
        params=_aligned((layout.n_params, lanes), dtype),
        optimizer_state=_aligned((0, lanes), dtype),
        grads=_aligned((layout.n_params * gradients, lanes), dtype),
        acts=_aligned((acts, lanes), dtype),
        deltas=_aligned((acts, lanes), dtype),
        order=np.zeros((0, lanes), np.int64),
        masks=_aligned((0, lanes), dtype),
        held=_aligned((0, lanes), dtype),
        steps=_aligned((0, lanes), dtype),
        states=np.zeros((lanes, 0), np.uint64),
        rows=np.zeros(lanes, np.int64),
        epochs=np.zeros(lanes, np.int64),
        attempt_epoch=np.zeros(lanes, np.int64),
        recorded=None,
        restart=None,
        due=None,
        validation=None,
        training=None,
        watched=None,
        gradient=None,
        dead_units=None,
    )


def _act_vectors(experiment: Experiment) -> int:
    """Return the vectors in the acts of the examples that are gone through at once."""
    n_examples, stride, _ = tile_sizes(experiment)
    return max(n_examples, AREAS if is_deferred(experiment) else 1) * stride


def _restart_state(experiment: Experiment, lanes: int) -> RestartState:
    """Return the memory that a restart draws in."""
    return RestartState(
        np.zeros(lanes, np.int64), np.zeros(experiment.n_params), np.zeros(scratch_size(initial(experiment)))
    )


def _best_state(n_params: int, lanes: int, dtype: str) -> BestState:
    """Return the memory for the best epochs by one loss, with so many parameters."""
    params, loss = (_aligned((n, lanes), dtype) for n in (n_params, 1))
    return BestState(params, loss, np.zeros(lanes, np.int64), np.zeros(lanes, np.int64))


def _dead_unit_state(experiment: Experiment, lanes: int, *, restores: bool) -> DeadUnitState:
    """Return the memory for what is dead since when."""
    units, acts = sum(experiment.network.relu_widths), make_layout(experiment.network).n_acts
    since, best = np.zeros((units, lanes), np.int64), np.zeros((units * restores, lanes), np.int64)
    return DeadUnitState(_aligned((acts, lanes), experiment.dtype), since, np.zeros(units, np.int64), best)


def make_outputs(
    experiment: Experiment,
    params: np.ndarray,
    recording: Recording = NOTHING,
    initial_losses: np.ndarray | None = None,
    masks: np.ndarray | None = None,
) -> Outputs:
    """Return what a driver fills, one row for each of the seeds whose initial parameters these are.

    initial_losses: (n,), on the training data, needed where an EarlyStopping monitors that; masks: bool (n, n_params)
    """
    features, n = driver_features(experiment, recording), len(params)
    units, epochs = sum(experiment.network.relu_widths), len(recording.epochs)
    epochs_run, epochs_to_converge = np.empty(n, np.int64), np.empty(n, np.int64)
    epochs_run.fill(-1)  # np.full takes longer than one seed trains
    epochs_to_converge.fill(-1)
    return Outputs(
        params=params,
        epochs_run=epochs_run,
        epochs_to_converge=epochs_to_converge,
        training_of=training_of(experiment, masks, n) if features.holds else None,
        stationary=np.zeros(n, np.bool_) if features.rests else None,
        attempts=_attempts(params, recording.attempts) if features.restarts else None,
        validation=_best_epochs(np.full(n, np.inf, experiment.dtype)) if features.validates else None,
        training=None if not features.monitors or initial_losses is None else _best_epochs(initial_losses.copy()),
        dead_since=np.full((n, units), -1, np.int64) if features.tracks else None,
        recorded_params=np.zeros((n, epochs, params.shape[1]), experiment.dtype) if features.records else None,
        steps=_steps(experiment, n) if features.steps else None,
    )


def training_of(experiment: Experiment, masks: np.ndarray | None, n: int) -> np.ndarray:
    """Return what is done with each parameter of n networks, int8 (n, n_params); masks: bool (n, n_params)."""
    factors = experiment.optimizer.lr_factors
    frozen = None if factors is None else per_parameter(experiment.network, factors) == 0
    found = np.full((n, experiment.n_params), TRAINED, np.int8)
    if frozen is not None:
        found[:, frozen] = FROZEN
    if masks is not None:
        found[~masks] = CUT
    return found


def rows_of(outputs: Any, rows: slice) -> Any:
    """Return some rows of outputs, to be filled there."""
    parts = (
        each[rows] if isinstance(each, np.ndarray) else None if each is None else rows_of(each, rows)
        for each in outputs
    )
    return type(outputs)(*parts)


def _attempts(params: np.ndarray, places: int) -> Attempts:
    n = len(params)
    starts = np.repeat(params[:, None], places, axis=1)
    return Attempts(np.zeros(n, np.int64), np.zeros((n, places), np.int64), starts)


def _steps(experiment: Experiment, n: int) -> Steps:
    epochs, shuffled = experiment.epochs, experiment.order != "fixed"
    params = np.zeros((n, epochs * batches_per_epoch(experiment), experiment.n_params), experiment.dtype)
    return Steps(params, np.zeros((n, epochs * shuffled, experiment.data.n_examples), np.int64))


def _best_epochs(losses: np.ndarray) -> BestEpochs:
    """Return those of seeds whose loss of epoch 0 this is."""
    n = len(losses)
    return BestEpochs(losses, np.zeros(n, np.int64), np.zeros(n, np.bool_), np.zeros(n, np.bool_))


def block_vectors(experiment: Experiment) -> int:
    """Return the vectors in the memory of a block of lanes that trains."""
    layout, features = make_layout(experiment.network), driver_features(experiment)
    shares = 1 + (not is_fused(experiment)) + features.restores + features.rests + features.holds
    masks = len(experiment.network.dropout_rates)
    return shares * layout.n_params + n_state(experiment) + masks + 2 * _act_vectors(experiment)


def evaluation_vectors(experiment: Experiment) -> int:
    """Return the vectors in the memory of a block of lanes that evaluates."""
    return 2 * experiment.n_params + 2 * _act_vectors(experiment) + make_layout(experiment.network).n_acts
