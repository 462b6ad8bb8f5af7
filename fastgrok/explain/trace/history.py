"""What a seed went through: trained again with the kernels of a sweep, and every state of its parameters kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.engine import builder
from fastgrok.engine.program import Examined, Part, Program
from fastgrok.engine.training import Trained, initial_params, train
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.recording import Recording

_EXAMINED_BYTES = 2**26  # at a time: Ctrl-C is noticed between two of them


class History(NamedTuple):
    """The states of the parameters of some seeds."""

    trained: Trained  # the result variables, and the final parameters
    times: NDArray[np.int64]  # (n_times,), the epochs or steps after which the states are; 0 is the initialisation
    states: NDArray[np.floating]  # (n_seeds, n_times, n_params), NaN after the end of a seed
    there: NDArray[np.bool_]  # (n_seeds, n_times), whether the seed came so far
    part: Part  # everything that the kernels wrote


def record(
    experiment: Experiment, seeds: NDArray[np.uint64], params: NDArray[np.floating] | None, recording: Recording
) -> History:
    """
    Train some seeds, keeping the states that a recording asks for.

    seeds: (n_seeds,); params: initial parameters (n_seeds, n_params), instead of those that the seeds draw.
    """
    parts: list[Part] = []
    trained = train(
        experiment,
        seeds,
        params=params,
        keep_params=True,
        recording=recording,
        specialize=False,  # what is kept lies in memory, and a few seeds are not worth a compilation
        threads=1,
        chunk_size=len(seeds),
        collect=lambda rows, part: parts.append(part),
    )
    if trained.interrupted:
        raise KeyboardInterrupt
    outputs = parts[0].outputs
    if params is not None:
        first = params
    elif outputs.attempts is not None:
        first = outputs.attempts.starts[:, 0]
    else:
        first = initial_params(experiment, seeds)
    per_epoch = builder.n_batches(experiment) if recording.steps else 1
    later = outputs.records if outputs.steps is None else outputs.steps.params
    if later is None:  # no epoch
        later = first[:, None][:, :0]
    times = np.arange(1 + later.shape[1]) if recording.steps else np.array([0, *recording.epochs])
    there = times <= outputs.epochs_run[:, None] * per_epoch
    n_times = int(there.any(axis=0).sum())
    states = np.concatenate([first[:, None], later[:, : n_times - 1]], axis=1)
    states[~there[:, :n_times]] = np.nan
    return History(trained, times[:n_times], states, there[:, :n_times], parts[0])


def examined(experiment: Experiment, history: History) -> Iterator[tuple[slice, Examined]]:
    """Say what the networks of a history do on the data, some at a time."""
    flat = history.states.reshape(-1, experiment.n_params)
    lanes = builder.lane_count(experiment, specialize=False, n_seeds=len(flat))
    program = Program(experiment, specialize=False, lanes=lanes, n_seeds=len(flat))
    memory = program.memory()
    n_acts = builder.layout(experiment.network).n_acts
    size = max(lanes, _EXAMINED_BYTES // (16 * n_acts * experiment.data.n_examples))
    for first in range(0, len(flat), size):
        places = slice(first, min(first + size, len(flat)))
        yield places, program.examine(np.ascontiguousarray(flat[places]), memory)
