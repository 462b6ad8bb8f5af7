"""Write the table of docs/coverage.md: `python -m benchmarks.coverage [repeats]`."""

import sys

from benchmarks.coverage.cases import OUTCOMES, Coverage, coverage

SEEDS = (30, 100, 1000)
"""Seeds of a sample."""


def main(repeats: int = 500) -> None:
    """Print a row for each outcome and number of seeds."""
    header = ["outcome", "seeds", *(name.replace("_", " ") for name in Coverage._fields)]
    print(f"| {' | '.join(header)} |")
    print(f"|{'---|' * len(header)}")
    for outcome in OUTCOMES:
        for n in SEEDS:
            shares = (f"{100 * share:.1f}" for share in coverage(outcome, n, repeats))
            print(f"| {outcome} | {n:,} | {' | '.join(shares)} |", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
