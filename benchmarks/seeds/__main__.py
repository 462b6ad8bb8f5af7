"""What early stopping, regimes and records cost, and a sweep of schemes over widths with its comparison.

Every ratio is a median over runs right after each other in this process.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import unittest.mock
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import fastgrok as fg
from benchmarks.peers import readme
from benchmarks.peers.environment import describe
from benchmarks.peers.tables import table
from benchmarks.peers.timing import median_ratio
from fastgrok.engine.driver import lane_count

XOR = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), init=fg.Uniform(-1, 1), stop=None)
STOPPED = XOR.replace(epochs=10_000, stop=fg.Converged(loss=0.01))
SCHEMES = (
    fg.Uniform(-1, 1),
    fg.XavierUniform(),
    fg.XavierNormal(),
    fg.HeUniform(),
    fg.HeNormal(),
    fg.LeCunNormal(),
    fg.TorchLinear(),
)
WIDTHS = (2, 3, 4, 6, 8, 16)


def trained(exp: fg.Experiment, seeds: int, **options: Any) -> Callable[[], int]:
    """Return a run that returns the epochs that were run, summed over the seeds; compiled before."""
    fg.run(exp, 64, specialize=True, progress=False, **{k: v for k, v in options.items() if k != "chunk_size"})

    def run() -> int:
        result = fg.run(exp, seeds, specialize=True, progress=False, **options)
        return int(result.dataset["epochs_run"].values.sum(dtype=np.int64))

    return run


def speed_ratio(one: Callable[[], int], other: Callable[[], int], repeats: int) -> float:
    """Return how many times more seed-epochs a second `one` runs than `other`."""
    return one() / other() * median_ratio(other, one, repeats)


def early_stopping(seeds: int, repeats: int) -> dict[str, float]:
    """Return the speed with a criterion over that of the same kernel without, with and without refilled lanes.

    Without refill every chunk is one block of lanes, and takes as long as its slowest seed. Both run up to as many
    epochs, so that what starting a chunk takes does not count.
    """
    found = {}
    for dtype in ("float64", "float32"):
        stopped = STOPPED.replace(dtype=dtype)
        fixed = stopped.replace(stop=None)
        lanes = lane_count(fixed, specialize=True)
        block = {"chunk_size": lanes, "lanes": lanes}
        name = f"`Converged(loss=0.01)`, at most {fixed.epochs:,} epochs, {dtype}, against no criterion"
        for refill, options in ((name, {}), (f"{name}, lanes not refilled", block)):
            ways = (trained(exp, seeds // 2, **options) for exp in (stopped, fixed))
            found[refill] = speed_ratio(*ways, repeats)
    return found


def regimes(seeds: int, repeats: int) -> dict[str, float]:
    """Return the speed of each regime over that of plain SGD on single examples."""
    plain, full = trained(XOR, seeds), XOR.replace(batch_size="full")
    ways: dict[str, Callable[[], int]] = {
        "a schedule": trained(XOR.replace(optimizer=fg.SGD(schedule=fg.ExponentialLR(0.999))), seeds),
        "momentum": trained(XOR.replace(optimizer=fg.SGD(momentum=0.9)), seeds),
        "Nesterov's momentum": trained(XOR.replace(optimizer=fg.SGD(momentum=0.9, nesterov=True)), seeds),
        "clipping": trained(XOR.replace(optimizer=fg.SGD(clip_norm=1)), seeds),
        "Adam": trained(XOR.replace(optimizer=fg.Adam(0.01)), seeds),
        "full batch": trained(full, seeds),
        "full batch, Adam": trained(full.replace(optimizer=fg.Adam(0.01)), seeds),
        "validation on as many examples": trained(XOR.replace(validation=XOR.data), seeds),
        '`record_at="log"`': trained(XOR, seeds, record_at="log"),
        '`track="dead_units"`': trained(XOR, seeds, track="dead_units"),
    }
    return {name: speed_ratio(run, plain, repeats) for name, run in ways.items()}


def schemes(seeds: int, epochs: int) -> tuple[str, str]:
    """Return the times of a sweep of seven schemes over six widths, and what the comparison of the schemes prints."""
    exp = XOR.replace(epochs=epochs, stop=fg.Converged(loss=0.01))
    axes = {"init": list(SCHEMES), "network": [fg.mlp(2, width, 1) for width in WIDTHS]}
    with tempfile.TemporaryDirectory() as empty, unittest.mock.patch.dict(os.environ, FASTGROK_CACHE_DIR=empty):
        clocks = [time.perf_counter()]
        for _ in ("compiling", "compiled"):
            result = fg.sweep(exp, seeds, axes, progress=False)
            clocks.append(time.perf_counter())
    comparison = repr(fg.compare(result, "init"))
    clocks.append(time.perf_counter())
    compiling, compiled, compared = np.diff(clocks)
    seed_epochs = sum(summary.seed_epochs for summary in result.summaries)
    return (
        f"{len(SCHEMES)} schemes x {len(WIDTHS)} widths x {seeds:,} seeds, at most {epochs:,} epochs: "
        f"{result.n_finished:,} runs, {seed_epochs:,} seed-epochs in {compiling:.1f} s from an empty kernel cache, "
        f"in {compiled:.1f} s once compiled; compared in {compared:.1f} s.",
        comparison,
    )


def report(seeds: int, repeats: int) -> str:
    """Return the ratios as a Markdown table."""
    where = describe(sys.argv[1:], "benchmarks.seeds")
    rows = {
        **early_stopping(seeds, repeats),
        **{f"{name}, against plain SGD on single examples": ratio for name, ratio in regimes(seeds, repeats).items()},
    }
    about = f"Measured {where['date']} on {where['cpu']}, {where['threads']} threads, by `{where['command']}`."
    lines = [[name, f"{ratio:.2f}"] for name, ratio in rows.items()]
    return f"{about}\n\n{table(['seed-epochs per second, XOR 2-4-1', 'ratio'], lines)}"


def main() -> None:
    """Measure, print, and write into the documents if asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.seeds", description=__doc__)
    parser.add_argument("--seeds", type=int, default=65_536, help="of the ratios")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md and docs/schemes.md")
    given = parser.parse_args()
    ratios = report(given.seeds, given.repeats)
    print(ratios)
    took, comparison = schemes(10_000, 2_000)
    print(took, comparison, sep="\n\n")
    if given.write:
        readme.write(Path("docs/benchmarks.md"), f"{ratios}\n\n{took}", "seeds")
        readme.write(Path("docs/schemes.md"), f"{took}\n\n```text\n{comparison}\n```", "schemes")


if __name__ == "__main__":
    main()
