"""Best of several runs, taken in turns so that a disturbance of the machine hits everybody alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

Trial = TypeVar("Trial", bound=Callable[[], Any])
TRIALS, TRIAL_SEEDS = 3, 256


def seconds(run: Callable[[], Any]) -> float:
    """Return the wall-clock time of one run."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def best_seconds(runs: Sequence[Callable[[], Any]], repeats: int) -> list[float]:
    """Return the shortest wall-clock time of each run over rounds in which every run has its turn."""
    best = [float("inf")] * len(runs)
    for _ in range(repeats):
        for i, run in enumerate(runs):
            best[i] = min(best[i], seconds(run))
    return best


def fastest(trials: Sequence[Trial], seeds: int) -> Trial:
    """Return the fastest of several ways to do one thing; the first, untried, where seeds are too few to tell."""
    if seeds < TRIAL_SEEDS:
        return trials[0]
    times = best_seconds(trials, TRIALS)
    return trials[times.index(min(times))]


def median_ratio(slow: Callable[[], Any], fast: Callable[[], Any], repeats: int) -> float:
    """Return how many times longer `slow` takes: the median over pairs of runs, each right after the other.

    A virtual machine's clock changes by a third within seconds, so that the best times of two ways may come from
    different clocks; runs next to each other nearly always share one.
    """
    ratios = []
    for _ in range(repeats):
        first, quick, last = (seconds(run) for run in (slow, fast, slow))
        ratios += [first / quick, last / quick]
    return statistics.median(ratios)


def median_seconds(run: Callable[[], Any], calls: int) -> float:
    """Return the median of so many calls, after one that is not counted."""
    seconds(run)
    return statistics.median(seconds(run) for _ in range(calls))
