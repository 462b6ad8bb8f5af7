"""The figures that DESIGN §7 asks for: what was measured, and what must be reached."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from benchmarks.peers import fastgrok_run, fma_peak, jax_scan, numba_prange, numpy_book, processes
from benchmarks.peers.cases import Case, Measurement
from benchmarks.peers.peer import THREADS, Peer
from benchmarks.peers.timing import median_ratio
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


def _case(cases: Sequence[Case], peer: Peer, work: Work) -> Case | None:
    return next((case for case in cases if case.peer is peer and case.work == work), None)


def speedup(cases: Sequence[Case], peer: Peer, work: Work, repeats: int) -> float:
    """Return how many times faster fastgrok's default is per seed-epoch, timed side by side; NaN if not run."""
    ours, theirs = _case(cases, fastgrok_run.DEFAULT, work), _case(cases, peer, work)
    if ours is None or theirs is None:
        return math.nan
    more = (ours.seeds * ours.epochs) / (theirs.seeds * theirs.epochs)
    return more * median_ratio(theirs.run, ours.run, repeats)


def paired_share(cases: Sequence[Case], work: Work, repeats: int) -> float:
    """Return fastgrok's default as a share of the FMA peak, timed side by side; NaN if not run."""
    ours = _case(cases, fastgrok_run.DEFAULT, work)
    if ours is None or work.flops_per_epoch is None:
        return math.nan
    peak, flops = fma_peak.peak_run(work.dtype, THREADS, rounds=50_000_000)
    return ours.seeds * ours.epochs * work.flops_per_epoch / flops * median_ratio(peak, ours.run, repeats)


def share_of_peak(seed_epochs_per_second: float, work: Work, peak_gflops: float) -> float:
    """Return the algorithm's own operations as a share of the machine's peak; NaN where nobody counted."""
    if work.flops_per_epoch is None:
        return math.nan
    return seed_epochs_per_second * work.flops_per_epoch / (peak_gflops * 1e9)


def against_peers(cases: Sequence[Case], repeats: int) -> list[Figure]:
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
        Figure(f"against {name}, {work.name}, {work.dtype}", speedup(cases, peer, work, repeats), target, "x")
        for name, peer, work, target in asked
    ]


def of_the_machine(cases: Sequence[Case], repeats: int) -> list[Figure]:
    """Return the shares of the FMA peak and what the second thread gives."""
    shares = [
        Figure(
            f"share of the FMA peak, {work.name}, {work.dtype}", 100 * paired_share(cases, work, repeats), target, "%"
        )
        for work, target in ((RELU_64, 45), (RELU_32, 40))
    ]
    threads = speedup(cases, fastgrok_run.ONE_THREAD, RELU_64, repeats)
    return [*shares, Figure("two threads against one, float64", threads, 1.85, "x")]


def early_stopping(seeds: int, epochs: int, repeats: int, loss: float = 0.01) -> Figure:
    """Return the speed with a stop (up to ten times the epochs) over the speed without, per epoch run."""
    plain = fastgrok_run.DEFAULT.prepare(RELU_64, initial_params(RELU_64, seeds), epochs)
    stopped = fastgrok_run.prepare_stopped(RELU_64, seeds, 10 * epochs, loss)
    plain()
    seed_epochs = stopped()
    ratio = seed_epochs / (seeds * epochs) * median_ratio(plain, stopped, repeats)
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
