"""Times of whole processes: importing fastgrok, and a first result on the command line."""

from __future__ import annotations

import os
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


def _python(*arguments: str, cwd: str, cache: str, checkout: Path = ROOT) -> Callable[[], None]:
    """Return a run of this interpreter in `cwd`, with a checkout's fastgrok and its kernel cache in `cache`."""
    paths = [str(checkout), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "FASTGROK_CACHE_DIR": cache}
    command = [sys.executable, "-c", *arguments]

    def run() -> None:
        done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{arguments} ended with status {done.returncode}:\n{done.stderr}")

    return run


def import_seconds_over_numba(repeats: int) -> float:
    """Return how much longer `import fastgrok` takes than `import numba`, best against best."""
    with tempfile.TemporaryDirectory() as empty:
        runs = [_python(f"import {name}", cwd=empty, cache=empty) for name in ("numba", "fastgrok")]
        best_seconds(runs, 1)  # byte code and the page cache
        numba_seconds, fastgrok_seconds = best_seconds(runs, repeats)
    return fastgrok_seconds - numba_seconds


def first_result_seconds(repeats: int, checkout: Path = ROOT) -> tuple[float, float]:
    """Return the time of `fastgrok sweep xor --seeds 1000` with an empty cache, and from a warm one.

    The empty cache is measured once for every two warm runs, each time in a fresh directory.
    """
    cold = []
    for _ in range((repeats + 1) // 2):
        with tempfile.TemporaryDirectory() as cache, tempfile.TemporaryDirectory() as empty:
            run = _python(_CLI, *_SWEEP, cwd=empty, cache=cache, checkout=checkout)
            cold += best_seconds([run], 1)
            warm = best_seconds([run], repeats)
    return min(cold), min(warm)
