"""What a sweep on disk costs besides training: Dask against threads, memory of many seeds, many small configurations.

Kernels are compiled before anything is timed. Every ratio is a median over runs right after each other.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import fastgrok as fg
from benchmarks.peers import readme
from benchmarks.peers.environment import describe
from benchmarks.peers.figures import Figure
from benchmarks.peers.peer import THREADS
from benchmarks.peers.tables import number, table
from benchmarks.peers.timing import median_ratio
from fastgrok.engine import program

XOR = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), init=fg.Uniform(-1, 1), stop=None)
SECOND = XOR.replace(epochs=2_000)
SECOND_SHARD, SECOND_SHARDS = 65_536, 16  # a shard takes a thread with the specialised driver about a second
STOPPED = XOR.replace(epochs=500, stop=fg.Converged(loss=0.01))
MANY = (1_000_000, 10_000_000)
SMALL = XOR.replace(epochs=200)
SMALL_SEEDS = 1_000
WIDTHS = (2, 3, 4, 5, 6, 7, 8, 10, 12, 16)
RATES = [round(0.002 * k, 3) for k in range(1, 101)]
MB, NO_AIM = 1_000_000, math.nan

CHILD = """
import json, sys, time
import fastgrok as fg

def peak():
    with open("/proc/self/status") as lines:
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

exp, n, folder = fg.Experiment.from_json(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
start, clock = peak(), time.perf_counter()
store = fg.sweep(exp, n, store=folder, progress=False)
seconds = time.perf_counter() - clock
assert store.status().n_done == n
print(json.dumps({"seconds": seconds, "peak": peak() - start}))
"""
"""Peak memory above that after import; `ru_maxrss` would begin with the peak of the process that starts this one."""


class Many(NamedTuple):
    """A sweep of many seeds: seconds, peak memory above that after import in bytes, bytes on disk."""

    seconds: float
    peak: int
    n_bytes: int


class Small(NamedTuple):
    """Times of one sweep of many small configurations, in seconds."""

    wall: float  # with a store
    kernels: float  # of training alone, by the sidecars, over the number of threads: kernels, draws, result variables
    kernel_cpu: float  # CPU of compiled code alone, the drivers and the evaluation of that sweep, over the threads
    memory: float  # without a store
    cpu: float  # of all threads, with a store
    memory_cpu: float  # and without


def swept(executor: Executor | None, seeds: int) -> None:
    """Make a sweep of shards that take a second each, and remove it."""
    with tempfile.TemporaryDirectory() as folder:
        fg.sweep(
            SECOND,
            seeds,
            store=Path(folder, "store"),
            executor=executor,
            shard_size=SECOND_SHARD,
            specialize=True,
            progress=False,
        )


@contextmanager
def dask_executor() -> Iterator[Executor]:
    """Return Dask's executor of two processes of a thread each, which have loaded the kernels."""
    from dask.distributed import Client, LocalCluster

    where: dict[str, Any] = {"host": "127.0.0.1", "dashboard_address": ":0"}
    with (
        LocalCluster(n_workers=THREADS, threads_per_worker=1, processes=True, **where) as cluster,
        Client(cluster) as client,
    ):
        executor = client.get_executor()
        swept(executor, 2 * THREADS * SECOND_SHARD)  # each loads the kernels with its first shard
        yield executor


def dask(repeats: int) -> list[Figure]:
    """Return how much longer two processes of Dask take than two threads of one process."""
    swept(None, THREADS * SECOND_SHARD)
    seeds = SECOND_SHARDS * SECOND_SHARD
    with dask_executor() as executor:
        ratio = median_ratio(lambda: swept(executor, seeds), lambda: swept(None, seeds), repeats)
    name = f"Dask, {THREADS} processes, over {THREADS} threads of one, {SECOND_SHARDS} shards of a second"
    return [Figure(name, 100 * (ratio - 1), 10, "%", at_least=False)]


def many(n: int) -> Many:
    """Make a sweep of many seeds in a process of its own, the kernels compiled before."""
    fg.run(STOPPED, 4_096, specialize=True, progress=False)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", CHILD, STOPPED.to_json(), str(n), str(Path(folder, "store"))]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        n_bytes = sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())
    return Many(**found, n_bytes=n_bytes)


def memory(most: int) -> list[Figure]:
    """Return time, bytes on disk and peak memory of sweeps of many seeds."""
    figures, peaks = [], []
    for n in (n for n in MANY if n <= most):
        found = many(n)
        peaks.append(found.peak)
        what = f"{n:,} seeds, at most {STOPPED.epochs} epochs"
        figures += [
            Figure(f"{what}: time", found.seconds, NO_AIM, "s", at_least=False),
            Figure(f"{what}: on disk, of a seed", found.n_bytes / n, NO_AIM, "bytes", at_least=False),
            Figure(f"{what}: peak memory above start", found.peak / MB, 300, "MB", at_least=False),
        ]
    if len(peaks) > 1:
        growth = (peaks[-1] - peaks[0]) / MB
        figures.append(Figure("peak memory, ten times the seeds less one time", growth, 50, "MB", at_least=False))
    return figures


def timed(sweep: Callable[[], Any]) -> tuple[Any, float, float]:
    """Return what a sweep gives, and its seconds: on the clock, and of all threads."""
    wall, cpu = time.perf_counter(), time.process_time()
    found = sweep()
    return found, time.perf_counter() - wall, time.process_time() - cpu


def small_axes(rates: int) -> dict[str, list[Any]]:
    """Return the axes of a sweep of ten widths and so many learning rates."""
    return {"network": [fg.mlp(2, n, 1) for n in WIDTHS], "optimizer.lr": RATES[:rates]}


@contextmanager
def kernel_clock() -> Iterator[list[float]]:
    """Give the seconds of CPU that each call of a driver or an evaluation takes while the context lasts."""
    seconds: list[float] = []
    bound = program.bound

    def timed_kernel(kernel: Any) -> Callable[..., None]:
        call = bound(kernel)

        def timed_call(*args: Any) -> None:
            start = time.thread_time()
            call(*args)
            seconds.append(time.thread_time() - start)

        return timed_call

    def forget() -> None:
        program._shared.cache_clear()  # what has bound kernels by now
        program._kept.clear()

    forget()
    program.bound = timed_kernel
    try:
        yield seconds
    finally:
        program.bound = bound
        forget()


def small(axes: dict[str, list[Any]]) -> Small:
    """Make one sweep of small configurations with a store, and one without."""
    options: dict[str, Any] = {"specialize": False, "threads": THREADS, "progress": False}
    with tempfile.TemporaryDirectory() as folder, kernel_clock() as clock:
        path = Path(folder, "store")
        store, wall, cpu = timed(lambda: fg.sweep(SMALL, SMALL_SEEDS, axes, store=path, **options))
        kernels, kernel_cpu = store.status().seconds / THREADS, sum(clock) / THREADS
    _, in_memory, memory_cpu = timed(lambda: fg.sweep(SMALL, SMALL_SEEDS, axes, **options))
    return Small(wall, kernels, kernel_cpu, in_memory, cpu, memory_cpu)


def grid(rates: int, repeats: int) -> list[Figure]:
    """Return how much longer a sweep of small configurations takes than its kernels, and than without a store."""
    small(small_axes(1))
    runs = [small(small_axes(rates)) for _ in range(repeats)]
    what = f"{len(WIDTHS) * rates:,} configurations x {SMALL_SEEDS:,} seeds x {SMALL.epochs} epochs"
    ratios = {
        "wall over training, as the sidecars say": [run.wall / run.kernels for run in runs],
        "CPU over that of compiled code": [run.cpu / THREADS / run.kernel_cpu for run in runs],
        "wall over without a store": [run.wall / run.memory for run in runs],
        "CPU over without a store": [run.cpu / run.memory_cpu for run in runs],
    }
    wall = Figure(f"{what}: time", statistics.median(run.wall for run in runs), NO_AIM, "s", at_least=False)
    return [
        wall,
        *(
            Figure(f"{what}: {name}", 100 * (statistics.median(found) - 1), 15, "%", at_least=False)
            for name, found in ratios.items()
        ),
    ]


def line(figure: Figure) -> list[str]:
    """Return a figure as a line of the table; what has no aim is told and not judged."""
    unit = f" {figure.unit}"
    if math.isnan(figure.target):
        return [figure.name, number(figure.measured) + unit, "–", "–"]
    aim = f"≤ {number(figure.target)}{unit}"
    return [figure.name, number(figure.measured) + unit, aim, "yes" if figure.reached else "no"]


def report(figures: list[Figure]) -> str:
    """Return the figures as a Markdown table."""
    where = describe(sys.argv[1:], "benchmarks.sweeps")
    about = f"Measured {where['date']} on {where['cpu']}, {where['threads']} threads, by `{where['command']}`."
    return f"{about}\n\n{table(['sweeps on disk', 'measured', 'aim', 'reached'], [line(one) for one in figures])}"


def main() -> None:
    """Measure, print, and write into the document if asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sweeps", description=__doc__)
    parser.add_argument("what", nargs="?", choices=["dask", "memory", "grid", "all"], default="all")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=MANY[-1], help="of memory at most: no sweep of more is made")
    parser.add_argument("--rates", type=int, default=len(RATES), help="of grid: learning rates")
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    given = parser.parse_args()
    page = Path("docs/benchmarks.md")
    if given.write:  # before the minutes of measuring, not after
        readme.replace_between_markers(page.read_text("utf-8"), "", "sweeps")
    ways: dict[str, Callable[[], list[Figure]]] = {
        "dask": lambda: dask(given.repeats),
        "memory": lambda: memory(given.seeds),
        "grid": lambda: grid(given.rates, given.repeats),
    }
    found = report([figure for name, way in ways.items() if given.what in (name, "all") for figure in way()])
    print(found)
    if given.write:
        readme.write(page, found, "sweeps")


if __name__ == "__main__":
    main()
