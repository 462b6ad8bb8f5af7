"""What needs a process of its own: a first result on the command line, and first calls with an empty cache."""

from __future__ import annotations

import functools
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.peers.timing import best_seconds

ROOT = Path(__file__).resolve().parents[2]

# the console script `fastgrok`, without asking that it be installed
_CLI = "import sys; from fastgrok.cli import main; sys.exit(main())"
_SWEEP = ("sweep", "xor", "--seeds", "1000")


def _python(*arguments: str, cwd: str, cache: str, checkout: Path | None = None) -> Callable[[], str]:
    """Return a run of this interpreter in `cwd`, with its kernel cache in `cache`, which returns what was printed.

    It finds the fastgrok of a checkout; for None that of PYTHONPATH, or else of this checkout.
    """
    paths = [*filter(None, [checkout and str(checkout), os.environ.get("PYTHONPATH")]), str(ROOT)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "FASTGROK_CACHE_DIR": cache}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # who has installed it has its bytecode
    command = [sys.executable, *arguments]

    def run() -> str:
        done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{arguments} ended with status {done.returncode}:\n{done.stderr}")
        return done.stdout

    return run


@functools.cache
def first_result_seconds(repeats: int, checkout: Path | None = None) -> tuple[float, float]:
    """Return the time of `fastgrok sweep xor --seeds 1000` with an empty cache, and from a warm one.

    The empty cache is measured once for every two warm runs, each time in a fresh directory.
    """
    cold = []
    for _ in range((repeats + 1) // 2):
        with tempfile.TemporaryDirectory() as cache, tempfile.TemporaryDirectory() as empty:
            run = _python("-c", _CLI, *_SWEEP, cwd=empty, cache=cache, checkout=checkout)
            cold += best_seconds([run], 1)
            warm = best_seconds([run], repeats)
    return min(cold), min(warm)


def _first_calls(*arguments: str) -> float:
    """Return what `benchmarks.targets.first_calls` finds in a process with an empty cache."""
    with tempfile.TemporaryDirectory() as cache, tempfile.TemporaryDirectory() as empty:
        return float(_python("-m", "benchmarks.targets.first_calls", *arguments, cwd=empty, cache=cache)())


def third_call_over_fastest(seeds: int, epochs: int, repeats: int) -> float:
    """Return the speed of the third call of `run` in a process over that of the fastest driver, a median."""
    return statistics.median(_first_calls("third_call", str(seeds), str(epochs)) for _ in range(repeats))


def combination_seconds(name: str) -> float:
    """Return the seconds of the first call for one of `first_calls.COMBINATIONS`."""
    return _first_calls("combination", name)
