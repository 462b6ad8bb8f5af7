"""The figures that DESIGN §7 asks for: what was measured, and what must be reached."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from benchmarks.peers import fastgrok_run, jax_scan, numba_prange, numpy_book, processes
from benchmarks.peers.cases import Measurement
from benchmarks.peers.peer import THREADS, Peer
from benchmarks.peers.timing import best_seconds
from benchmarks.peers.works import RELU_32, RELU_64, SIGMOID_64, Work, initial_params

Peaks = Mapping[tuple[str, int], float]
"""GFLOP/s by (dtype, threads)."""


@dataclass(frozen=True)
class Figure:
    """One line of the table; NaN where it could not be measured."""

    name: str
    measured: float
    target: float
    unit: str
    at_least: bool = True

    @property
    def reached(self) -> bool:
        return self.measured >= self.target if self.at_least else self.measured <= self.target

    def as_json(self) -> dict[str, object]:
        """Return the fields, with None for what could not be measured: JSON has no NaN."""
        missing = math.isnan(self.measured)
        return {**asdict(self), "measured": None if missing else self.measured, "reached": self.reached}


def rate(measurements: Sequence[Measurement], peer: Peer, work: Work) -> float:
    """Return the seed-epochs per second of one peer, NaN if it was not run."""
    found = [m.rate for m in measurements if m.case.peer is peer and m.case.work == work]
    return found[0] if found else math.nan


def speedup(measurements: Sequence[Measurement], peer: Peer, work: Work) -> float:
    """Return how many times faster fastgrok's default is per seed-epoch."""
    return rate(measurements, fastgrok_run.DEFAULT, work) / rate(measurements, peer, work)


def share_of_peak(seed_epochs_per_second: float, work: Work, peak_gflops: float) -> float:
    """Return the algorithm's own operations as a share of the machine's peak; NaN where nobody counted."""
    if work.flops_per_epoch is None:
        return math.nan
    return seed_epochs_per_second * work.flops_per_epoch / (peak_gflops * 1e9)


def against_peers(measurements: Sequence[Measurement]) -> list[Figure]:
    """Return the speedups over plain Numba (both ways of writing it), JAX and the book's loop."""
    asked = [
        ("plain Numba", numba_prange.GENERAL, RELU_64, 10),
        ("plain Numba", numba_prange.GENERAL, RELU_32, 20),
        ("plain Numba with sizes compiled in", numba_prange.FIXED, RELU_64, 10),
        ("plain Numba with sizes compiled in", numba_prange.FIXED, RELU_32, 20),
        ("JAX", jax_scan.ONE_DEVICE, RELU_64, 25),
        ("JAX", jax_scan.ONE_DEVICE, RELU_32, 25),
        ("the book's NumPy loop", numpy_book.PEERS[0], RELU_64, 8000),
        ("plain Numba", numba_prange.GENERAL, SIGMOID_64, 12),
    ]
    return [
        Figure(f"against {name}, {work.name}, {work.dtype}", speedup(measurements, peer, work), target, "x")
        for name, peer, work, target in asked
    ]


def of_the_machine(measurements: Sequence[Measurement], peaks: Peaks) -> list[Figure]:
    """Return the shares of the FMA peak and what the second thread gives."""
    shares = []
    for work, target in ((RELU_64, 45), (RELU_32, 40)):
        speed = rate(measurements, fastgrok_run.DEFAULT, work)
        percent = 100 * share_of_peak(speed, work, peaks[work.dtype, THREADS])
        shares.append(Figure(f"share of the FMA peak, {work.name}, {work.dtype}", percent, target, "%"))
    threads = speedup(measurements, fastgrok_run.ONE_THREAD, RELU_64)
    return [*shares, Figure("two threads against one, float64", threads, 1.85, "x")]


def early_stopping(seeds: int, epochs: int, repeats: int, loss: float = 0.01) -> Figure:
    """Return the speed with a stop (up to ten times the epochs) over the speed without, per epoch run."""
    plain = fastgrok_run.DEFAULT.prepare(RELU_64, initial_params(RELU_64, seeds), epochs)
    stopped = fastgrok_run.prepare_stopped(RELU_64, seeds, 10 * epochs, loss)
    plain()
    seed_epochs = stopped()
    plain_seconds, stopped_seconds = best_seconds([plain, stopped], repeats)
    ratio = (seed_epochs / stopped_seconds) / (seeds * epochs / plain_seconds)
    return Figure(f"with early stopping (loss <= {loss}) against without, float64", ratio, 0.6, "x")


def of_processes(repeats: int) -> list[Figure]:
    """Return the times that a user waits for before the first result."""
    cold, warm = processes.first_result_seconds(repeats)
    over_numba = processes.import_seconds_over_numba(repeats)
    return [
        Figure("`import fastgrok` over `import numba`", over_numba, 0.4, "s", at_least=False),
        Figure("`fastgrok sweep xor --seeds 1000`, warm cache", warm, 1.5, "s", at_least=False),
        Figure("`fastgrok sweep xor --seeds 1000`, empty cache", cold, 8, "s", at_least=False),
    ]
