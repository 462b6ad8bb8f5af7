"""Call public functions with random arguments, as often as is said: `python -m benchmarks.fuzz 1000000`."""

import argparse
import collections
import os
import tempfile

import matplotlib.pyplot as plt
from hypothesis import HealthCheck, Phase, given, settings

from benchmarks.fuzz.strategies import Example, examples, outcome


def main() -> None:
    """Run, and print how many calls ended how; a raw exception ends it with the smallest example."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("n", type=int, help="calls")
    n = parser.parse_args().n
    counts: collections.Counter[str] = collections.Counter()

    @settings(
        max_examples=n,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(examples())
    def call(example: Example) -> None:
        counts[outcome(example)] += 1

    os.chdir(tempfile.mkdtemp(prefix="fastgrok-fuzz-"))  # files that are written by names of chance
    plt.switch_backend("Agg")
    call()
    total = sum(counts.values())
    print(", ".join(f"{what}: {k:,} ({100 * k / total:.0f} %)" for what, k in counts.most_common()))


if __name__ == "__main__":
    main()
