"""What a process waits for: measured in one of its own, which prints seconds or a ratio."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import fastgrok as fg
from benchmarks.peers import fastgrok_run
from benchmarks.peers.peer import THREADS
from benchmarks.peers.timing import median_seconds, seconds
from benchmarks.peers.works import RELU_64

COMBINATIONS: dict[str, dict[str, Any]] = {
    "Adam": {"optimizer": fg.Adam()},
    "full batch": {"batch_size": "full"},
    "float32": {"dtype": "float32"},
    "restart": {"stop": fg.Converged(loss=0.01), "restart": fg.Restart(after=50)},
}
"""What is changed of XOR 2-4-1 with SGD on single examples, so that other kernels are needed."""


def _run(exp: fg.Experiment, seeds: int, specialize: bool | None = None) -> Callable[[], Any]:
    return lambda: fg.run(exp, seeds, specialize=specialize, threads=THREADS, progress=False)


def third_call(seeds: int, epochs: int) -> float:
    """Return the speed of the third call of `run` over that of the fastest driver, forced, right after it."""
    exp = fastgrok_run.experiment(RELU_64, epochs)
    *_, third = [seconds(_run(exp, seeds)) for _ in range(3)]
    drivers = [_run(exp, seeds, specialize) for specialize in (False, True)]
    return min(median_seconds(driver, 3) for driver in drivers) / third


def combination(name: str) -> float:
    """Return the seconds of a first call, everything imported."""
    exp = fastgrok_run.experiment(RELU_64, 100).replace(**COMBINATIONS[name])
    return seconds(_run(exp, 1000))


if __name__ == "__main__":
    function, *arguments = sys.argv[1:]
    if function == "third_call":
        print(third_call(*map(int, arguments)))
    else:
        print(combination(*arguments))
