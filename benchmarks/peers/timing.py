"""Best of several runs, taken in turns so that a disturbance of the machine hits everybody alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any


def best_seconds(runs: Sequence[Callable[[], Any]], repeats: int) -> list[float]:
    """Return the shortest wall-clock time of each run over rounds in which every run has its turn."""
    best = [float("inf")] * len(runs)
    for _ in range(repeats):
        for i, run in enumerate(runs):
            start = time.perf_counter()
            run()
            best[i] = min(best[i], time.perf_counter() - start)
    return best
