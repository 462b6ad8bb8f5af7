"""Best of several runs, taken in turns so that a disturbance of the machine hits everybody alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any


def best_seconds(runs: Sequence[Callable[[], Any]], repeats: int) -> list[float]:
    """Return the shortest wall-clock time of each run over rounds in which every run has its turn."""
    best = [float("inf")] * len(runs)
    for _ in range(repeats):
        for i, run in enumerate(runs):
            best[i] = min(best[i], _seconds(run))
    return best


def median_ratio(slow: Callable[[], Any], fast: Callable[[], Any], repeats: int) -> float:
    """Return how many times longer `slow` takes: the median over pairs of runs, each right after the other.

    A virtual machine's clock changes by a third within seconds, so that the best times of two ways may come from
    different clocks; runs next to each other nearly always share one.
    """
    ratios = []
    for _ in range(repeats):
        first, quick, last = (_seconds(run) for run in (slow, fast, slow))
        ratios += [first / quick, last / quick]
    return statistics.median(ratios)


def median_seconds(run: Callable[[], Any], calls: int) -> float:
    """Return the median of so many calls, after one that is not counted."""
    _seconds(run)
    return statistics.median(_seconds(run) for _ in range(calls))


def _seconds(run: Callable[[], Any]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start
