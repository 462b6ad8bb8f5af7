"""Call public functions with a hostile argument in each place, then as often as is said with random ones."""

import argparse
import collections
import contextlib
import math
import tempfile
import time

import matplotlib.pyplot as plt
from hypothesis import HealthCheck, Phase, given, settings

from benchmarks.fuzz.strategies import Example, examples, one_hostile, outcome


def main() -> None:
    """Run, and print how many calls ended how; a raw exception ends it with the smallest example."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("n", type=int, help="random calls")
    parser.add_argument("--minutes", type=float, default=math.inf, help="stop after these, with fewer calls")
    options = parser.parse_args()
    counts: collections.Counter[str] = collections.Counter()
    end = time.monotonic() + 60 * options.minutes

    @settings(
        max_examples=options.n,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(examples())
    def call(example: Example) -> None:
        if time.monotonic() > end:
            raise KeyboardInterrupt  # which Hypothesis takes for no finding
        counts[outcome(example)] += 1

    plt.switch_backend("Agg")
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):  # files are written by names of chance
        counts.update(map(outcome, one_hostile()))
        with contextlib.suppress(KeyboardInterrupt):
            call()
    total = sum(counts.values())
    print(", ".join(f"{what}: {k:,} ({100 * k / total:.0f} %)" for what, k in counts.most_common()))


if __name__ == "__main__":
    main()
