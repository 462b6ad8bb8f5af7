"""How each figure is measured: a function of sizes, with the fastgrok that is imported here.

Whatever is compared is first checked to give the same losses, and then timed side by side.
"""

from __future__ import annotations

import functools
import math
import statistics
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import fastgrok as fg
from benchmarks.peers import agreement, fastgrok_run, fma_peak
from benchmarks.peers.cases import Case, prepare
from benchmarks.peers.peer import THREADS, Peer
from benchmarks.peers.timing import best_seconds, median_ratio
from benchmarks.peers.works import RELU_64, Work, initial_params
from benchmarks.sweeps import __main__ as sweeps
from benchmarks.targets import processes

WARM_UP = 6.0  # seconds


class Sizes(NamedTuple):
    """Seeds and epochs of XOR, of which larger works are timed with fewer, and how often."""

    seeds: int
    epochs: int
    repeats: int


Measure = Callable[[Sizes], float]


class NotMeasured(RuntimeError):
    """What is needed is not there."""


def _case(peer: Peer, work: Work, sizes: Sizes) -> Case:
    """Return a peer's run, checked to give the reference's losses and run once."""
    if peer.missing:
        raise NotMeasured(f"{peer.missing} is not installed")
    agreement.check_mid_training([peer], [work])
    (case,) = prepare([peer], [work], *work.timed_size(sizes.seeds, sizes.epochs))
    start = time.perf_counter()
    case.run()
    while peer.group == "fastgrok" and time.perf_counter() - start < min(WARM_UP, sizes.epochs / 150):
        case.run()  # `run` moves to a faster driver once that is compiled
    return case


def _fastest(peers: Sequence[Peer], work: Work, sizes: Sizes) -> Case:
    cases = [_case(peer, work, sizes) for peer in peers if not peer.missing]
    if not cases:
        raise NotMeasured(f"{peers[0].missing} is not installed")
    per_seed_epoch = [
        s / (c.seeds * c.epochs) for s, c in zip(best_seconds([c.run for c in cases], 1), cases, strict=True)
    ]
    return cases[per_seed_epoch.index(min(per_seed_epoch))]


def faster(mine: Peer, others: Sequence[Peer], work: Work, fewer_seeds: int = 1) -> Measure:
    """Return a measure of how many times faster a peer is, a seed and epoch, than the fastest of others."""

    def measure(sizes: Sizes) -> float:
        sizes = sizes._replace(seeds=max(1, sizes.seeds // fewer_seeds))
        ours, theirs = _case(mine, work, sizes), _fastest(others, work, sizes)
        more = (ours.seeds * ours.epochs) / (theirs.seeds * theirs.epochs)
        return more * median_ratio(theirs.run, ours.run, sizes.repeats)

    return measure


def share_of_peak(work: Work) -> Measure:
    """Return a measure of fastgrok's operations a second, in percent of the machine's FMA peak."""

    def measure(sizes: Sizes) -> float:
        ours = _case(fastgrok_run.DEFAULT, work, sizes)
        assert work.flops_per_epoch is not None
        peak, flops = fma_peak.peak_run(work.dtype, THREADS, rounds=50_000_000)
        share = ours.seeds * ours.epochs * work.flops_per_epoch / flops
        return 100 * share * median_ratio(peak, ours.run, sizes.repeats)

    return measure


def stopping(loss: float) -> Measure:
    """Return a measure of the speed with a criterion, up to ten times the epochs, over that without, an epoch run."""

    def measure(sizes: Sizes) -> float:
        plain = fastgrok_run.DEFAULT.prepare(RELU_64, initial_params(RELU_64, sizes.seeds), sizes.epochs)
        stopped = fastgrok_run.prepare_stopped(RELU_64, sizes.seeds, 10 * sizes.epochs, loss)
        plain()
        epochs_run = stopped()
        return epochs_run / (sizes.seeds * sizes.epochs) * median_ratio(plain, stopped, sizes.repeats)

    return measure


def third_call(sizes: Sizes) -> float:
    """Measure the third call of `run` in a process with an empty cache over the fastest driver: a median."""
    return processes.third_call_over_fastest(sizes.seeds, sizes.epochs, (sizes.repeats + 1) // 2)


def first_result(*, warm: bool) -> Measure:
    """Return a measure of `fastgrok sweep xor --seeds 1000` in seconds: the process from start to end."""
    return lambda sizes: processes.first_result_seconds(sizes.repeats)[int(warm)]


def combination(name: str) -> Measure:
    """Return a measure of a first call from an empty cache in seconds."""
    return lambda _: processes.combination_seconds(name)


def one_call(*, compiled: bool) -> Measure:
    """Return a measure of a call for one seed and one epoch in microseconds, of a `Trainer` or of `run`."""

    def measure(_: Sizes) -> float:
        if compiled and not hasattr(fg, "compile"):
            raise NotMeasured("there is no fg.compile")
        return 1e6 * fastgrok_run.one_call_seconds(compiled)

    return measure


def many_configurations(sizes: Sizes) -> float:
    """Measure 1,000 small configurations to a store: wall over the kernels' own time, in percent above it."""
    axes = sweeps.small_axes(max(1, sizes.seeds * len(sweeps.RATES) // 65_536))
    sweeps.small(sweeps.small_axes(1))
    runs = [sweeps.small(axes) for _ in range(min(sizes.repeats, 3))]
    return 100 * (statistics.median(run.wall / run.kernels for run in runs) - 1)


_many = functools.cache(sweeps.many)


def memory(seeds: int, less: int | None = None) -> Measure:
    """Return a measure of the memory above start of so many seeds to a store in MB, less that of fewer."""

    def measure(sizes: Sizes) -> float:
        share = min(1.0, sizes.seeds / 65_536)
        peaks = [_many(math.ceil(n * share)).peak if n else 0 for n in (seeds, less)]
        return (peaks[0] - peaks[1]) / sweeps.MB

    return measure
