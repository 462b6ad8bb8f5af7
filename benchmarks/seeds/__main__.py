"""Print what early stopping, regimes and records cost, and a sweep of schemes over widths with its comparison.

Every ratio is a median over runs right after each other in this process.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import fastgrok as fg
from benchmarks.peers.timing import median_ratio
from fastgrok.kernels import build

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


def early_stopping(seeds: int, repeats: int) -> None:
    """Print the speed with a criterion over that of the same kernel without, with and without refilled lanes.

    Without refill every chunk is one block of lanes, and takes as long as its slowest seed; the run without a
    criterion that it is compared with has the same chunks.
    """
    for dtype in ("float64", "float32"):
        fixed, stopped = XOR.replace(dtype=dtype), STOPPED.replace(dtype=dtype)
        lanes = build.lane_count(fixed, specialize=True)
        block = {"chunk_size": lanes, "lanes": lanes}
        whole = speed_ratio(trained(stopped, seeds), trained(fixed, seeds), repeats)
        alone = speed_ratio(trained(stopped, seeds // 4, **block), trained(fixed, seeds // 4, **block), repeats)
        print(f"{dtype}: early stopping against none, seed-epochs/s: {whole:.3f}; without refill {alone:.3f}")


def regimes(seeds: int, repeats: int) -> None:
    """Print the speed of each regime over that of plain SGD on single examples."""
    plain = trained(XOR, seeds)
    full = XOR.replace(batch_size="full")
    ways: dict[str, Callable[[], int]] = {
        "schedule": trained(XOR.replace(optimizer=fg.SGD(schedule=fg.ExponentialLR(0.999))), seeds),
        "momentum": trained(XOR.replace(optimizer=fg.SGD(momentum=0.9)), seeds),
        "Nesterov": trained(XOR.replace(optimizer=fg.SGD(momentum=0.9, nesterov=True)), seeds),
        "clipping": trained(XOR.replace(optimizer=fg.SGD(clip_norm=1)), seeds),
        "Adam": trained(XOR.replace(optimizer=fg.Adam(0.01)), seeds),
        "full batch": trained(full, seeds),
        "full batch, Adam": trained(full.replace(optimizer=fg.Adam(0.01)), seeds),
        "validation on four examples": trained(XOR.replace(validation=XOR.data), seeds),
        "record_at='log'": trained(XOR, seeds, record_at="log"),
        "track='dead_units'": trained(XOR, seeds, track="dead_units"),
    }
    for name, run in ways.items():
        print(f"{name}: {speed_ratio(run, plain, repeats):.2f} of the speed of plain SGD on single examples")


def schemes(seeds: int, epochs: int) -> None:
    """Print the time of a sweep of seven schemes over six widths, and what the comparison of the schemes prints."""
    axes = {"init": list(SCHEMES), "network": [fg.mlp(2, width, 1) for width in WIDTHS]}
    start = time.perf_counter()
    result = fg.sweep(XOR.replace(epochs=epochs, stop=fg.Converged(loss=0.01)), seeds, axes, progress=False)
    swept = time.perf_counter()
    comparison = fg.compare(result, "init")
    print(comparison)
    runs, seed_epochs = result.n_finished, sum(summary.seed_epochs for summary in result.summaries)
    print(
        f"{len(SCHEMES)} schemes x {len(WIDTHS)} widths x {seeds:,} seeds, at most {epochs:,} epochs: {runs:,} runs, "
        f"{seed_epochs:,} seed-epochs in {swept - start:.1f} s; compared in {time.perf_counter() - swept:.2f} s"
    )


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.seeds", description=__doc__)
    parser.add_argument("--seeds", type=int, default=65_536, help="of the ratios")
    parser.add_argument("--repeats", type=int, default=5)
    parts: dict[str, Callable[[argparse.Namespace], None]] = {
        "early_stopping": lambda given: early_stopping(given.seeds, given.repeats),
        "regimes": lambda given: regimes(given.seeds, given.repeats),
        "schemes": lambda given: schemes(10_000, 2_000),
    }
    parser.add_argument("parts", nargs="*", help=f"some of {', '.join(parts)}; default: all")
    given = parser.parse_args()
    for name in given.parts or parts:
        if name not in parts:
            parser.error(f"no part {name!r}: there are {', '.join(parts)}")
        parts[name](given)


if __name__ == "__main__":
    main()
