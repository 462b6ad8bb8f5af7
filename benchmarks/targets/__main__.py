"""Measure what DESIGN §7 asks for: ``python -m benchmarks.targets``."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.peers import readme
from benchmarks.peers.__main__ import pin_to_two_cpus

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "benchmarks.md"
SIZES, QUICK_SIZES = (65_536, 1_000, 3), (2_048, 20, 1)
PATIENCE = 240  # seconds for one figure


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    result = argparse.ArgumentParser(prog="python -m benchmarks.targets", description=__doc__)
    result.add_argument(
        "--before", type=Path, metavar="PATH", help="an older checkout, measured in turns with this one"
    )
    result.add_argument("--only", metavar="WORDS", help="figures whose name has one of these, with commas between")
    result.add_argument(
        "--repeats", type=int, default=SIZES[2], help="pairs of runs for a ratio (default %(default)s)"
    )
    result.add_argument(
        "--patience", type=float, default=PATIENCE, help="seconds for one figure (default %(default)s)"
    )
    result.add_argument(
        "--quick", action="store_true", help="small sizes, once: does it run? Its figures mean nothing"
    )
    result.add_argument("--json", type=Path, metavar="FILE", help="write the numbers to this file")
    result.add_argument("--write", action="store_true", help=f"into {PAGE.relative_to(ROOT)}")
    return result


def measured(options: argparse.Namespace) -> Iterator[Any]:
    """Yield a line of the table after the other, each figure asked of either version in turns."""
    # imported only once the CPUs are chosen: thread pools are sized when their library is loaded
    from benchmarks.targets.measures import Sizes
    from benchmarks.targets.registry import chosen
    from benchmarks.targets.tables import Line
    from benchmarks.targets.versions import Version

    sizes = Sizes(*QUICK_SIZES) if options.quick else Sizes(*SIZES)._replace(repeats=options.repeats)
    checkouts = {"now": ROOT} | ({"before": options.before.resolve()} if options.before else {})
    with ExitStack() as stack:
        versions = {name: stack.enter_context(Version(path, sizes)) for name, path in checkouts.items()}
        for target in chosen(options.only):
            start = time.perf_counter()
            said = {name: version.ask(target.name, options.patience) for name, version in versions.items()}
            commits = {name: version.commit for name, version in versions.items()}
            yield Line(target, said, commits, time.perf_counter() - start)


def main(arguments: Sequence[str]) -> int:
    """Measure, print, and write into the document if asked."""
    command_line = parser()
    options = command_line.parse_args(arguments)
    if options.before and not (options.before / "fastgrok" / "__init__.py").is_file():
        command_line.error(f"--before {options.before}: no checkout of fastgrok")
    if options.write:  # before the minutes of measuring, not after
        readme.replace_between_markers(PAGE.read_text("utf-8"), "", "targets")
    pin_to_two_cpus()
    from benchmarks.peers.environment import describe
    from benchmarks.targets import tables

    lines = []
    for line in measured(options):
        lines.append(line)
        print(tables.progress(line), file=sys.stderr, flush=True)
    page = tables.report(describe(arguments, "benchmarks.targets"), lines)
    print(page)
    if options.json:
        options.json.write_text(json.dumps([line.as_json() for line in lines], indent=2) + "\n", "utf-8")
    if options.write:
        readme.write(PAGE, page, "targets")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
