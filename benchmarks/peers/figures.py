"""Numbers that are compared with what must be reached, and rates."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.peers.cases import Measurement
from benchmarks.peers.peer import Peer
from benchmarks.peers.works import Work

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


def rate(measurements: Sequence[Measurement], peer: Peer, work: Work) -> float:
    """Return the seed-epochs per second of one peer, NaN if it was not run."""
    found = [m.rate for m in measurements if m.case.peer is peer and m.case.work == work]
    return found[0] if found else math.nan


def share_of_peak(seed_epochs_per_second: float, work: Work, peak_gflops: float) -> float:
    """Return the algorithm's own operations as a share of the machine's peak; NaN where nobody counted."""
    if work.flops_per_epoch is None:
        return math.nan
    return seed_epochs_per_second * work.flops_per_epoch / (peak_gflops * 1e9)
