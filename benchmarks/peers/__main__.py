"""Measure fastgrok and its peers: ``python -m benchmarks.peers``."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README, DOCS = ROOT / "README.md", ROOT / "docs" / "benchmarks.md"
SEEDS, EPOCHS, REPEATS = 65_536, 1_000, 5
QUICK_SEEDS, QUICK_EPOCHS, QUICK_REPEATS = 2_048, 50, 1


def pin_to_two_cpus() -> None:
    """Keep this process and its children on two CPUs, where the system can: peers size their pools by it."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])


def parser(groups: Sequence[str]) -> argparse.ArgumentParser:
    """Return the command line."""
    result = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    result.add_argument("--seeds", type=int, help=f"seeds at most (default {SEEDS})")
    result.add_argument("--epochs", type=int, help=f"epochs at most (default {EPOCHS})")
    result.add_argument("--repeats", type=int, help=f"best of so many (default {REPEATS})")
    result.add_argument("--only", help=f"some of, with commas between: {','.join(groups)}")
    result.add_argument("--quick", action="store_true", help="small sizes, once: does it run?")
    result.add_argument("--json", type=Path, metavar="FILE", help="write the numbers to this file")
    result.add_argument("--write-readme", action="store_true", help="write the headline to README.md, all to docs/")
    return result


def main(arguments: Sequence[str]) -> int:
    """Run the benchmark and print its tables; return the exit status."""
    pin_to_two_cpus()
    # imported only now: thread pools are sized when their library is loaded
    from benchmarks.peers import readme, session
    from benchmarks.peers.environment import describe
    from benchmarks.peers.registry import GROUPS

    command_line = parser(GROUPS)
    options = command_line.parse_args(arguments)
    groups = tuple(options.only.split(",")) if options.only else GROUPS
    if unknown := sorted(set(groups) - set(GROUPS)):
        command_line.error(f"--only: no peer called {', '.join(unknown)}; there are {', '.join(GROUPS)}")
    sizes = (QUICK_SEEDS, QUICK_EPOCHS, QUICK_REPEATS) if options.quick else (SEEDS, EPOCHS, REPEATS)
    given = (options.seeds, options.epochs, options.repeats)
    if any(value is not None and value < 1 for value in given):
        command_line.error("--seeds, --epochs and --repeats must be at least 1")
    seeds, epochs, repeats = (usual if value is None else value for value, usual in zip(given, sizes, strict=True))

    for page in (README, DOCS) if options.write_readme else ():  # before the minutes of measuring, not after
        try:
            readme.replace_between_markers(page.read_text("utf-8"), "")
        except (OSError, ValueError) as error:
            command_line.error(f"--write-readme: {page}: {error}")

    found = session.run(describe(arguments), groups, seeds, epochs, repeats)
    print(found.markdown())
    if options.json:
        options.json.write_text(json.dumps(found.as_json(), indent=2) + "\n", "utf-8")
    if options.write_readme:
        readme.write(README, found.headline())
        readme.write(DOCS, found.markdown())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
