"""A peer with a piece of work, ready to run, and what measuring it gave."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.peers.peer import Peer, Run
from benchmarks.peers.timing import best_seconds
from benchmarks.peers.works import Work, initial_params


@dataclass(frozen=True)
class Case:
    """One peer, one work, so many seeds and epochs."""

    peer: Peer
    work: Work
    seeds: int
    epochs: int
    run: Run

    @property
    def label(self) -> str:
        return f"{self.way} ({self.work.name}, {self.work.dtype})"

    @property
    def way(self) -> str:
        """The peer's name, with what its run found out."""
        detail = getattr(self.run, "detail", None)
        return f"{self.peer.name} ({detail})" if detail else self.peer.name


@dataclass(frozen=True)
class Measurement:
    """The best time of one case."""

    case: Case
    seconds: float

    @property
    def rate(self) -> float:
        """Seed-epochs per second."""
        return self.case.seeds * self.case.epochs / self.seconds


def prepare(peers: Iterable[Peer], works: Iterable[Work], seeds: int, epochs: int) -> list[Case]:
    """Return every peer with every work that it does, at most so many seeds and epochs each."""
    cases = []
    for work in works:
        for peer in peers:
            if work in peer.works:
                n, m = peer.size(seeds, epochs)
                cases.append(Case(peer, work, n, m, peer.prepare(work, initial_params(work, n), m)))
    return cases


def prepare_timed(peers: Sequence[Peer], works: Iterable[Work], seeds: int, epochs: int) -> list[Case]:
    """Return the same, at most so many seeds and epochs of the smallest work and fewer of the large ones."""
    return [case for work in works for case in prepare(peers, [work], *work.timed_size(seeds, epochs))]


def measure(cases: Sequence[Case], repeats: int) -> list[Measurement]:
    """Time cases that have run before (so that nothing compiles), in turns."""
    seconds = best_seconds([case.run for case in cases], repeats)
    return [Measurement(case, s) for case, s in zip(cases, seconds, strict=True)]
