"""Training by several experiments at once that differ in their optimizers' numbers alone, as many of a sweep do."""

import time
from collections.abc import Iterator, Sequence

import numpy as np

from fastgrok.engine.arguments import ExecutionOptions
from fastgrok.engine.choice import Choice
from fastgrok.engine.outcomes import with_earlier
from fastgrok.engine.program import Program
from fastgrok.engine.training import CHUNK_BYTES, Beside, TrainingOutput, all_rows, chunk_row_bytes, train
from fastgrok.kernels.jit import working_seconds
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.recording import Recording


def train_each(
    experiments: Sequence[Experiment],
    seeds: np.ndarray,
    options: ExecutionOptions,
    *,
    keep_params: bool,
    recording: Recording,
) -> Iterator[TrainingOutput]:
    """Train one network per seed by each of several experiments, in one thread; yield what `train` would return.

    What costs little by little for every experiment, the arguments of kernels, the first parameters and what is
    measured of them, the result variables, costs once for those in a row that are alike.
    """
    left = list(experiments)
    while left:
        first = left[0]
        most = max(1, CHUNK_BYTES // (chunk_row_bytes(first, recording) * len(seeds)))
        choice, others = None, []
        if most > 1 and len(left) > 1:
            choice = Choice(first, with_earlier(recording, first), len(seeds) * min(most, len(left)), options)
            others = _alike(choice.program, left[1:most])
        if choice is None or not others:
            yield train(first, seeds, options, keep_params=keep_params, recording=recording)
        else:
            yield from _train_alike(choice, others, seeds, keep_params=keep_params, recording=recording)
        del left[: 1 + len(others)]


def _alike(program: Program, experiments: Sequence[Experiment]) -> list[Program]:
    """Return the programs of the first of some experiments, as many as are like the one of a program."""
    programs = []
    for experiment in experiments:
        if (other := program.alike(experiment)) is None:
            break
        programs.append(other)
    return programs


def _train_alike(
    choice: Choice, others: Sequence[Program], seeds: np.ndarray, *, keep_params: bool, recording: Recording
) -> Iterator[TrainingOutput]:
    """Train by the program of a choice and those that are like it."""
    program, n = choice.program, len(seeds)
    memory = program.memory()
    choice.compile(memory)
    if program.specialize and not choice.program.specialize:  # which could not be compiled
        others = [other.with_driver(specialize=False, lanes=choice.lanes) for other in others]
        program, memory = choice.program, choice.program.memory()
    start, cpu = time.perf_counter(), working_seconds()
    result = program.train_alike(others, seeds, memory)
    seconds, cpu = time.perf_counter() - start, working_seconds() - cpu
    program.give_back(memory)
    n_experiments = 1 + len(others)
    choice.trained(program, n * n_experiments, int(result.metrics["epochs_run"].sum()), cpu)
    choice.end()
    drivers = {name: count // n_experiments for name, count in choice.drivers.items()}
    metrics = all_rows(result.metrics)
    for k in range(n_experiments):
        rows = slice(k * n, (k + 1) * n)
        yield TrainingOutput(
            metrics={name: values[rows] for name, values in metrics.items()},
            params=result.params[rows] if keep_params else None,
            finished=np.ones(n, np.bool_),
            interrupted=False,
            seconds=seconds / n_experiments,
            drivers=drivers,
            lanes=choice.lanes,
            threads=1,
            recording=recording,
            beside=Beside(metrics, rows),
        )
