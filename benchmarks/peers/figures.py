"""The figures that DESIGN §7 asks for: what was measured, and what must be reached."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from benchmarks.peers import cpp_lanes, fastgrok_run, fma_peak, jax_scan, numba_prange, processes, torch_bmm
from benchmarks.peers.cases import Case, Measurement
from benchmarks.peers.peer import THREADS, Peer
from benchmarks.peers.timing import median_ratio
from benchmarks.peers.works import RELU_32, RELU_64, SIGMOID_64, WIDE, WIDE_PER_EXAMPLE, Work, initial_params

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
    return ratio(cases, fastgrok_run.DEFAULT, peer, work, repeats)


def ratio(cases: Sequence[Case], mine: Peer, other: Peer, work: Work, repeats: int) -> float:
    """Return how many times faster one peer is than another per seed-epoch, timed side by side; NaN if not run."""
    ours, theirs = _case(cases, mine, work), _case(cases, other, work)
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


def _fastest(measurements: Sequence[Measurement], peers: Sequence[Peer], work: Work) -> Peer | None:
    """Return the fastest of these peers; None if none of them was run."""
    found = [m for m in measurements if m.case.peer in peers and m.case.work == work]
    return max(found, key=lambda m: m.rate).case.peer if found else None


def against_cpp(cases: Sequence[Case], repeats: int) -> list[Figure]:
    """Return the speedups over the same training written by hand in C++."""
    asked = [
        ("g++", RELU_64, 1.5),
        ("g++", RELU_32, 1.4),
        ("clang++", RELU_64, 1.15),
        ("clang++", RELU_32, 1.15),
    ]
    return [
        Figure(
            f"against C++ by hand, {compiler}, {work.name}, {work.dtype}",
            speedup(cases, cpp_lanes.GIVEN[compiler], work, repeats),
            target,
            "x",
        )
        for compiler, work, target in asked
    ]


def of_drivers(cases: Sequence[Case], seeds: int, epochs: int, repeats: int) -> list[Figure]:
    """Return the general driver over the specialised one, and the choice over the fastest driver."""
    general = [
        Figure(
            f"general driver over specialised, {work.name}, {work.dtype}",
            ratio(cases, fastgrok_run.GENERAL, fastgrok_run.SPECIALISED, work, repeats),
            0.6,
            "x",
        )
        for work in (RELU_64, RELU_32)
    ]
    third = processes.third_call_over_fastest(seeds, epochs, (repeats + 1) // 2)
    return [
        Figure("third call of `fg.run`, empty cache, over the fastest driver, float64", third, 0.95, "x"),
        *general,
    ]


def of_wide_layers(cases: Sequence[Case], measurements: Sequence[Measurement], repeats: int) -> list[Figure]:
    """Return the shares of the FMA peak and the speedups over the better of JAX and the bmm ensemble."""
    others = (*jax_scan.PEERS, torch_bmm.BMM)
    asked = [(work, others, "the better of JAX and bmm", 1.8) for work in WIDE]
    asked.append((WIDE_PER_EXAMPLE, jax_scan.PEERS, "JAX", 4))
    against = []
    for work, peers, name, target in asked:
        best = _fastest(measurements, peers, work)
        times = speedup(cases, best, work, repeats) if best else math.nan
        against.append(Figure(f"against {name}, {work.name}, {work.dtype}", times, target, "x"))
    shares = [
        Figure(f"share of the FMA peak, {work.name}, {work.dtype}", 100 * paired_share(cases, work, repeats), 55, "%")
        for work in WIDE
    ]
    return [*shares, *against]


def early_stopping(seeds: int, epochs: int, repeats: int, loss: float = 0.01) -> Figure:
    """Return the speed with a stop (up to ten times the epochs) over the speed without, per epoch run."""
    plain = fastgrok_run.DEFAULT.prepare(RELU_64, initial_params(RELU_64, seeds), epochs)
    stopped = fastgrok_run.prepare_stopped(RELU_64, seeds, 10 * epochs, loss)
    plain()
    seed_epochs = stopped()
    measured = seed_epochs / (seeds * epochs) * median_ratio(plain, stopped, repeats)
    return Figure(f"`Converged(loss={loss})` against no criterion, float64", measured, 0.85, "x")


def sigmoid(cases: Sequence[Case], repeats: int) -> Figure:
    """Return the speedup over plain Numba where exp is most of the work."""
    times = speedup(cases, numba_prange.GENERAL, SIGMOID_64, repeats)
    return Figure(f"against plain Numba, {SIGMOID_64.name}, {SIGMOID_64.dtype}", times, 12, "x")


def of_waiting(repeats: int, combinations: Sequence[str]) -> list[Figure]:
    """Return the times that a user waits for a first result, of `combinations` from an empty cache."""
    cold, warm = processes.first_result_seconds(repeats)
    return [
        Figure("`fastgrok sweep xor --seeds 1000`, warm cache", warm, 0.6, "s", at_least=False),
        Figure("`fastgrok sweep xor --seeds 1000`, empty cache", cold, 4, "s", at_least=False),
        *(
            Figure(f"first call, empty cache: {name}", processes.combination_seconds(name), 3, "s", at_least=False)
            for name in combinations
        ),
    ]


def of_calls() -> list[Figure]:
    """Return what a call costs that trains one seed for one epoch."""
    trainer, run = (1e6 * s for s in fastgrok_run.one_call_seconds())
    return [
        Figure("one seed, one epoch, through `fg.compile`", trainer, 50, "us", at_least=False),
        Figure("one seed, one epoch, through `fg.run`", run, 300, "us", at_least=False),
    ]
