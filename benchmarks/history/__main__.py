"""Run asv for this checkout or an older one, keep what it found, and write docs/history.md from all that is kept.

python -m benchmarks.history run                      this commit, with the fastgrok of this checkout
python -m benchmarks.history run --checkout PATH      an older commit, with the benchmarks of this checkout
python -m benchmarks.history write                    docs/history.md
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.history import page
from benchmarks.peers.environment import cpu_name
from benchmarks.peers.peer import THREADS

BENCHMARKS = Path(__file__).resolve().parents[1]
KEPT = Path(__file__).with_name("commits")
PAGE = BENCHMARKS.parent / "docs" / "history.md"
MACHINE = "here"


def git(checkout: Path, *arguments: str) -> str:
    """Return what git says about a checkout."""
    return subprocess.check_output(["git", "-C", str(checkout), *arguments], text=True).strip()


def asv(folder: Path, checkout: Path, *arguments: str) -> None:
    """Run asv in this Python, with a home and results in a folder, and the fastgrok of a checkout.

    Its status is that of the worst benchmark: what an older version cannot do fails, and is left out.
    """
    configuration = json.loads("".join(_without_comments((BENCHMARKS / "asv.conf.json").read_text("utf-8"))))
    configuration |= {"results_dir": str(folder / "results"), "repo": str(BENCHMARKS.parent)}
    configuration["benchmark_dir"] = str(BENCHMARKS / configuration["benchmark_dir"])
    (folder / "asv.conf.json").write_text(json.dumps(configuration), "utf-8")
    environment = {**os.environ, "HOME": str(folder), "ASV_PYTHONPATH": str(checkout)}
    environment.pop("PYTHONPATH", None)  # asv takes the other
    subprocess.run([sys.executable, "-m", "asv", *arguments], cwd=folder, env=environment, check=False)


def _without_comments(text: str) -> list[str]:
    return [line for line in text.splitlines(keepends=True) if not line.lstrip().startswith("//")]


def found(results: Path) -> dict[str, float]:
    """Return asv's numbers by benchmark and parameters, as in `calls.OneRun.time_run()`; what failed is left out."""
    from asv.results import iter_results

    values: dict[str, float] = {}
    for result in iter_results(str(results)):
        for name in result.get_all_result_keys():
            parameters = result.get_result_params(name)
            for combination, value in zip(
                itertools.product(*parameters), result.get_result_value(name, parameters), strict=True
            ):
                if isinstance(value, (int, float)) and value == value:
                    values[f"{name}({', '.join(combination)})"] = float(f"{value:.4g}") if value < 2**24 else value
    return values


def run(checkout: Path, bench: Sequence[str], quick: bool) -> Path:
    """Measure a checkout's commit and keep the numbers; return the file."""
    commit = git(checkout, "rev-parse", "HEAD")
    chosen = [word for pattern in bench for word in ("--bench", pattern)]
    often = ["--quick"] if quick else ["--attribute", "repeat=3"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        asv(folder, checkout, "machine", "--yes", "--machine", MACHINE)
        saved = ("--set-commit-hash", commit, "--machine", MACHINE)
        asv(folder, checkout, "run", "--python=same", "--show-stderr", *often, *saved, *chosen)
        values = found(folder / "results")
    if not values:
        raise RuntimeError(f"asv measured nothing of {checkout}")
    kept: dict[str, Any] = {
        "commit": commit,
        "date": git(checkout, "show", "-s", "--format=%cs", "HEAD"),
        "time": int(git(checkout, "show", "-s", "--format=%ct", "HEAD")),
        "subject": git(checkout, "show", "-s", "--format=%s", "HEAD"),
        "cpu": cpu_name(),
        "threads": THREADS,
        "values": values,
    }
    KEPT.mkdir(exist_ok=True)
    file = KEPT / f"{kept['date']}-{commit[:7]}.json"
    file.write_text(json.dumps(kept, indent=0) + "\n", "utf-8")
    return file


def everything_kept() -> list[dict[str, Any]]:
    """Return what is kept of every commit, the oldest first."""
    kept = [json.loads(file.read_text("utf-8")) for file in KEPT.glob("*.json")]
    return sorted(kept, key=lambda commit: commit["time"])


def main(arguments: Sequence[str]) -> int:
    """Run, or write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.history", description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["run", "write"])
    parser.add_argument(
        "--checkout", type=Path, default=BENCHMARKS.parent, help="whose fastgrok (default: this one's)"
    )
    parser.add_argument("--bench", action="append", default=[], help="a regular expression; may be given again")
    parser.add_argument("--quick", action="store_true", help="each once")
    options = parser.parse_args(arguments)
    if options.what == "run":
        print(run(options.checkout.resolve(), options.bench, options.quick))
    PAGE.write_text(page.history(everything_kept()), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
