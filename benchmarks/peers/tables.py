"""What was measured, as Markdown."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.peers import cpp_lanes, fastgrok_run, jax_scan, numba_prange, numpy_book, torch_bmm
from benchmarks.peers.cases import Measurement
from benchmarks.peers.figures import Peaks, rate, share_of_peak
from benchmarks.peers.peer import THREADS, Peer
from benchmarks.peers.works import RELU_32, RELU_64, WIDE, Work


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def number(value: float, pattern: str = "{:.3g}") -> str:
    """Return the number as text, a dash for NaN; four digits and more in full, not as a power of ten."""
    if math.isnan(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else pattern.format(value)


def gflops(measurement: Measurement) -> float:
    """Return the algorithm's own operations a second; NaN where nobody counted."""
    flops = measurement.case.work.flops_per_epoch
    return math.nan if flops is None else measurement.rate * flops / 1e9


def ways_table(measurements: Sequence[Measurement], peaks: Peaks) -> str:
    """Return one row per way and work: its speed, fastgrok's over it, and fastgrok's share of the peak."""
    rows = []
    for m in measurements:
        work, is_fastgrok = m.case.work, m.case.peer.group == "fastgrok"
        threads = 1 if m.case.peer is fastgrok_run.ONE_THREAD else THREADS
        share = share_of_peak(m.rate, work, peaks[work.dtype, threads]) if is_fastgrok else math.nan
        rows.append(
            [
                m.case.way,
                work.name,
                work.dtype,
                f"{m.case.seeds:,} x {m.case.epochs:,}",
                number(m.rate / 1e6),
                number(gflops(m)),
                number(rate(measurements, fastgrok_run.DEFAULT, work) / m.rate),
                number(share, "{:.0%}"),
            ]
        )
    return table(
        [
            "way",
            "network",
            "dtype",
            "seeds x epochs",
            "million seed-epochs/s",
            "GFLOP/s",
            "fastgrok is faster by",
            "share of FMA peak",
        ],
        rows,
    )


def peaks_table(peaks: Peaks) -> str:
    """Return the measured FMA peaks."""
    rows = [[dtype, str(threads), number(gflops)] for (dtype, threads), gflops in peaks.items()]
    return table(["FMA peak", "threads", "GFLOP/s"], rows)


def report(
    environment: Mapping[str, Any],
    missing: Sequence[Peer],
    failed: Mapping[str, str],
    measurements: Sequence[Measurement],
    peaks: Peaks,
) -> str:
    """Return the whole page: where it was measured, the tables, who was missing."""
    versions = ", ".join(f"{name} {version}" for name, version in environment["versions"].items())
    parts = [
        f"Measured {environment['date']} on {environment['cpu']}, {environment['threads']} threads, with "
        f"{versions}, by `{environment['command']}`. ReLU 2-4-1 and sigmoid 2-2-1: XOR, per-example SGD; wide "
        "layers: ReLU, 256 examples. Best of several runs taken in "
        "turns; every way's final losses were checked to agree, seed by seed, before it was timed. A slow "
        "way runs fewer seeds or epochs and is compared per seed-epoch.",
        ways_table(measurements, peaks),
        peaks_table(peaks),
    ]
    if missing:
        names = dict.fromkeys(f"{peer.name} ({peer.missing} is not installed)" for peer in missing)
        parts.append("Missing: " + ", ".join(names) + ".")
    parts += [f"Not timed: {name}: {why}" for name, why in failed.items()]
    return "\n\n".join(parts)


def headline(environment: Mapping[str, Any], measurements: Sequence[Measurement]) -> str:
    """Return five lines: how many times faster fastgrok is than the best of each kind of peer."""
    kinds: list[tuple[str, Sequence[Peer], Sequence[Work]]] = [
        ("the book's NumPy loop", numpy_book.PEERS, [RELU_64, RELU_32]),
        ("JAX `jit(vmap(scan))`", jax_scan.PEERS, [RELU_64, RELU_32]),
        ("plain Numba, `prange` over the seeds", numba_prange.PEERS, [RELU_64, RELU_32]),
        ("C++ by hand, one seed a SIMD lane", tuple(cpp_lanes.GIVEN.values()), [RELU_64, RELU_32]),
        ("wide layers: JAX, or a PyTorch ensemble by hand", (*jax_scan.PEERS, torch_bmm.BMM), WIDE),
    ]
    rows = []
    for name, peers, works in kinds:
        times = {"float64": [math.nan], "float32": [math.nan]}
        for work in works:
            best = max((rate(measurements, peer, work) for peer in peers), key=_or_zero)
            times[work.dtype].append(rate(measurements, fastgrok_run.DEFAULT, work) / best)
        rows.append([name, *(_span(values) for values in times.values())])
    speeds = (number(rate(measurements, fastgrok_run.DEFAULT, work) / 1e6) for work in (RELU_64, RELU_32))
    return "\n\n".join(
        [
            table(["fastgrok is faster by, against the best of", "float64", "float32"], rows),
            f"Measured {environment['date']} on {environment['cpu']}, {environment['threads']} threads. XOR 2-4-1 at "
            f"{' and '.join(speeds)} million seed-epochs per second; wide layers: 2-64-64-1, 64-32-10 and "
            "64-128-10 with batches of 32.",
        ]
    )


def _or_zero(value: float) -> float:
    return 0.0 if math.isnan(value) else value


def _span(values: Sequence[float]) -> str:
    """Return the least and the largest number as text; a dash if there is none."""
    found = sorted(v for v in values if not math.isnan(v))
    texts = dict.fromkeys(number(v) for v in (found[0], found[-1])) if found else ["–"]
    return " to ".join(texts)
