"""fastgrok through its public interface: drawing the starting points and building the result included."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

import fastgrok as fg
from benchmarks.peers.peer import THREADS, Peer, Run
from benchmarks.peers.timing import median_seconds
from benchmarks.peers.works import RELU_64, WORKS, XOR, Params, Work


def experiment(work: Work, epochs: int, stop: Any = None) -> Any:
    """Return the work as an experiment."""
    return fg.Experiment(
        network=fg.mlp(*work.sizes, hidden=work.hidden, output=work.output),
        data=fg.datasets.xor() if work.is_xor else fg.Dataset(*work.examples()),
        loss="cross_entropy" if work.is_softmax else "half_squared_error",
        init=fg.Uniform(-work.bound, work.bound),
        bias_init=fg.Zeros(),
        optimizer=fg.SGD(lr=work.learning_rate),
        batch_size=work.batch_size,
        order="fixed",
        epochs=epochs,
        stop=stop,
        dtype=work.dtype,
    )


def prepare(
    work: Work, params: Params, epochs: int, *, threads: int = THREADS, specialize: bool | None = None
) -> Run:
    """Describe the experiment. Of the parameters only their number is used: fastgrok draws its own."""
    exp, n_seeds = experiment(work, epochs), len(params[0])

    def run() -> np.ndarray:
        result = fg.run(exp, seeds=n_seeds, threads=threads, specialize=specialize, progress=False)
        return result.dataset["loss_final"].values

    return run


def prepare_stopped(work: Work, n_seeds: int, epochs: int, loss: float) -> Callable[[], int]:
    """Return a run with early stopping that returns how many epochs were trained, summed over the seeds."""
    exp = experiment(work, epochs, fg.Converged(loss=loss))

    def run() -> int:
        result = fg.run(exp, seeds=n_seeds, threads=THREADS, progress=False)
        return int(result.dataset["epochs_run"].values.sum(dtype=np.int64))

    return run


def one_call_seconds(compiled: bool, calls: int = 300) -> float:
    """Return the median of calls for one seed and one epoch: of `Trainer.train`, or of `run`."""
    exp = experiment(RELU_64, 1)
    if not compiled:
        return median_seconds(lambda: fg.run(exp, 1, progress=False), calls)
    trainer = fg.compile(exp)
    params = trainer.initial_params(1)
    return median_seconds(lambda: trainer.train(params), calls)


def _peer(name: str, works: tuple[Work, ...], **options: Any) -> Peer:
    return Peer(name, "fastgrok", works, functools.partial(prepare, **options), requires="fastgrok")


DEFAULT = _peer("fastgrok", WORKS)
GENERAL = _peer("fastgrok, general driver", XOR, specialize=False)
SPECIALISED = _peer("fastgrok, specialised driver", XOR, specialize=True)
ONE_THREAD = _peer("fastgrok, one thread", XOR, threads=1)
PEERS = (DEFAULT, GENERAL, SPECIALISED, ONE_THREAD)
