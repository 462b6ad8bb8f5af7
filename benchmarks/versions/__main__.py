"""Time this checkout of fastgrok against another one: ``python -m benchmarks.versions PATH``.

Each case runs in turns in one process of either version, which compiles it first; the ratio is the median over the
turns, since the machine's clock changes. Above 1, this checkout is faster. With ``--regimes`` the specialised drivers
of four networks in every regime, one thread each, by the time of the CPU.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.targets.processes import first_result_seconds

HERE = Path(__file__).resolve().parents[2]
WORKER = Path(__file__).with_name("worker.py")
NETWORKS: dict[str, dict[str, Any]] = {
    "ReLU 2-4-1": {"hidden": [4], "activation": "relu", "output": "linear"},
    "ReLU 2-4-4-1": {"hidden": [4, 4], "activation": "relu", "output": "linear"},
    "sigmoid 2-2-1": {"hidden": [2], "activation": "sigmoid", "output": "sigmoid"},
}
HIDDEN = {"2-2-1": [2], "2-4-1": [4], "2-8-1": [8], "2-4-4-1": [4, 4]}
REGIMES: dict[str, dict[str, Any]] = {
    "per example": {},
    "full batch": {"batch_size": "full"},
    "Adam": {"adam": True},
    "stop at 0.01": {"stop_loss": 0.01},
}
MORE_REGIMES: dict[str, dict[str, Any]] = {
    "batches of two": {"batch_size": 2},
    "momentum": {"momentum": 0.9},
    "sigmoid": {"activation": "sigmoid", "output": "sigmoid"},
    "tanh": {"activation": "tanh", "output": "tanh"},
    "cross-entropy": {"output": "sigmoid", "loss": "binary_cross_entropy"},
}
MEASURABLE = 0.1  # seconds
DRIVERS: dict[str, dict[str, Any]] = {
    "default": {},
    "general": {"specialize": False},
    "specialised": {"specialize": True},
    "one thread": {"threads": 1},
}


def cases(seeds: int, epochs: int) -> Iterator[tuple[tuple[str, str, str, str], dict[str, Any]]]:
    """Yield what is timed: every driver on plain training, the default and the general one on the other regimes."""
    for network, shape in NETWORKS.items():
        for dtype in ("float64", "float32"):
            for regime, fields in REGIMES.items():
                for driver, options in DRIVERS.items():
                    if regime == "per example" or (driver in ("specialised", "general") and network == "ReLU 2-4-1"):
                        exp = {**shape, "dtype": dtype, "epochs": epochs, **fields}
                        case = {"experiment": exp, "seeds": seeds, "options": options}
                        yield (network, dtype, regime, driver), case


def regime_cases(epochs: int) -> Iterator[tuple[tuple[str, str, str, str], dict[str, Any]]]:
    """Yield the specialised driver of every network in every regime."""
    for regime, fields in (REGIMES | MORE_REGIMES).items():
        for network, hidden in HIDDEN.items():
            for dtype in ("float64", "float32"):
                exp = {"hidden": hidden, "activation": "relu", "output": "linear", "dtype": dtype, "epochs": epochs}
                options = {"threads": 1, "specialize": True}
                case = {"experiment": exp | fields, "seeds": 1024, "options": options, "clock": "process_time"}
                yield (network, dtype, regime, "specialised"), case


@contextmanager
def worker(checkout: Path, cache: str) -> Iterator[subprocess.Popen[str]]:
    """Start a process that times cases with the fastgrok of a checkout."""
    environment = os.environ | {"PYTHONPATH": str(checkout), "FASTGROK_CACHE_DIR": cache}
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, str(WORKER)], env=environment, cwd=cache, **pipes) as process:
        assert process.stdout is not None
        if (used := Path(process.stdout.readline().strip())) != checkout:
            raise RuntimeError(f"{checkout}: the worker imports fastgrok from {used}")
        yield process
        process.stdin.close()  # type: ignore[union-attr]


def ask(process: subprocess.Popen[str], case: dict[str, Any]) -> float:
    """Have a worker time a case."""
    assert process.stdin is not None
    assert process.stdout is not None
    print(json.dumps(case), file=process.stdin, flush=True)
    return float(process.stdout.readline())


def measurable(process: subprocess.Popen[str], case: dict[str, Any]) -> dict[str, Any]:
    """Return a case with so many more seeds that it can be timed, or itself."""
    while case.get("clock") and ask(process, case) < MEASURABLE:
        case = case | {"seeds": 4 * case["seeds"]}
    return case


def compare(other: Path, timed: Iterable[tuple[tuple[str, ...], dict[str, Any]]], repeats: int) -> Iterator[str]:
    """Yield a table line by line."""
    yield "| network | dtype | regime | driver | other, s | this, s | other / this: median (least, most) |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    with ExitStack() as stack:
        caches = [stack.enter_context(tempfile.TemporaryDirectory()) for _ in range(2)]
        processes = [stack.enter_context(worker(*pair)) for pair in zip((other, HERE), caches, strict=True)]
        for names, each in timed:
            for process in processes:
                ask(process, each | {"seeds": 64})  # compiles
            case = measurable(processes[0], each)
            turns = [[ask(process, case) for process in processes] for _ in range(repeats)]
            ratios = [theirs / ours for theirs, ours in turns]
            best = [min(times) for times in zip(*turns, strict=True)]
            spread = f"{statistics.median(ratios):.3f} ({min(ratios):.3f}, {max(ratios):.3f})"
            yield f"| {' | '.join(names)} | {best[0]:.3f} | {best[1]:.3f} | {spread} |"


def main(arguments: list[str]) -> int:
    """Print the tables; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.versions", description=__doc__)
    parser.add_argument("other", type=Path, help="another checkout of fastgrok")
    parser.add_argument("--seeds", type=int, default=65_536)
    parser.add_argument("--epochs", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--regimes", action="store_true")
    options = parser.parse_args(arguments)
    if not (options.other / "fastgrok" / "__init__.py").is_file():
        parser.error(f"{options.other}: no checkout of fastgrok")
    other = options.other.resolve()
    timed = regime_cases(options.epochs) if options.regimes else cases(options.seeds, options.epochs)
    for line in compare(other, timed, options.repeats):
        print(line, flush=True)
    if options.regimes:
        return 0
    print("\n| first result of the command | empty cache, s | warm cache, s |\n| --- | --- | --- |")
    for name, checkout in (("other", other), ("this", HERE)):
        cold, warm = first_result_seconds(options.repeats, checkout)
        print(f"| {name} | {cold:.2f} | {warm:.2f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
