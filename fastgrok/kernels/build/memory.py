"""The memory that kernels work in, and what they write."""

from __future__ import annotations

import math

import numpy as np

from fastgrok.datasets import Dataset
from fastgrok.experiment import Experiment
from fastgrok.kernels.build.draws import scratch_size, state_words
from fastgrok.kernels.build.layout import layout
from fastgrok.kernels.build.numbers import is_fused, n_moments, regime
from fastgrok.kernels.plan import Data, Outputs, Track, Watch, Work
from fastgrok.recording import NOTHING, Recording


def data(experiment: Experiment) -> Data:
    """Return the examples in the experiment's dtype."""
    return _data(experiment, experiment.data)


def validation_data(experiment: Experiment) -> Data:
    """Return the examples that are not trained on, none where there are none."""
    if experiment.validation is None:
        none = np.empty((0, 0), experiment.dtype)
        return Data(none, none)
    return _data(experiment, experiment.validation)


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


def work(experiment: Experiment, lanes: int, *, gradients: bool = False, recording: Recording = NOTHING) -> Work:
    """Return the memory of one block; with gradients even where training itself is fused."""
    place, dtype, does = layout(experiment.network), experiment.dtype, regime(experiment, recording)
    units = sum(experiment.network.relu_widths) * does.tracks
    grads = place.n_params if gradients or not is_fused(experiment) else 0
    shuffled = experiment.data.n_examples if experiment.order != "fixed" else 0
    counts = np.zeros((5, lanes), np.int64)
    return Work(
        params=_aligned((place.n_params, lanes), dtype),
        moments=_aligned((n_moments(experiment), lanes), dtype),
        grads=_aligned((grads, lanes), dtype),
        acts=_aligned((place.n_acts, lanes), dtype),
        deltas=_aligned((place.n_acts, lanes), dtype),
        order=np.zeros((shuffled, lanes), np.int64),
        states=np.zeros((lanes, state_words(experiment)), np.uint64),
        **dict(zip(("seeds", "epochs", "clock", "restarts", "recorded"), counts, strict=True)),
        watch=Watch(
            params=_aligned((place.n_params * does.restores, lanes), dtype),
            loss=_aligned((int(does.validates), lanes), dtype),
            due=_aligned((int(does.validates), lanes), dtype),
            epoch=np.zeros(lanes, np.int64),
        ),
        track=Track(
            alive=_aligned((place.n_acts * does.tracks, lanes), dtype),
            since=np.zeros((units, lanes), np.int64),
            dead=np.zeros(units, np.int64),
        ),
        drawn=np.zeros(place.n_params * does.restarts),
        scratch=np.zeros(scratch_size(experiment) if does.restarts else 0),
    )


def outputs(experiment: Experiment, params: np.ndarray, recording: Recording = NOTHING) -> Outputs:
    """Return what a driver fills, one row for each of the seeds whose initial parameters these are."""
    does, n = regime(experiment, recording), len(params)
    return Outputs(
        params=params,
        epochs_run=np.full(n, -1, np.int64),
        epochs_to_converge=np.full(n, -1, np.int64),
        restarts=np.zeros(n * does.restarts, np.int64),
        validation_loss=np.zeros(n * does.validates, experiment.dtype),
        validation_epoch=np.zeros(n * does.validates, np.int64),
        stopped_early=np.zeros(n * does.stops_early, np.bool_),
        dead_since=np.full((n * does.tracks, sum(experiment.network.relu_widths)), -1, np.int64),
        records=np.zeros((n * does.records, len(recording.epochs), params.shape[1]), experiment.dtype),
    )


def block_vectors(experiment: Experiment) -> int:
    """Return the vectors in the memory of a block of lanes that trains."""
    place, does = layout(experiment.network), regime(experiment)
    shares = 1 + (not is_fused(experiment)) + does.restores
    return shares * place.n_params + n_moments(experiment) + 2 * place.n_acts
