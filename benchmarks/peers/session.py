"""One run of the benchmark: check, measure in turns, and put everything together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from benchmarks.peers import agreement, cases, fma_peak, tables
from benchmarks.peers.figures import Peaks
from benchmarks.peers.peer import Peer
from benchmarks.peers.registry import selected
from benchmarks.peers.works import WORKS


@dataclass(frozen=True)
class Session:
    """Everything that one run found."""

    environment: dict[str, object]
    missing: list[Peer]
    failed: dict[str, str]
    measurements: list[cases.Measurement]
    peaks: Peaks

    def markdown(self) -> str:
        return tables.report(self.environment, self.missing, self.failed, self.measurements, self.peaks)

    def headline(self) -> str:
        return tables.headline(self.environment, self.measurements)

    def as_json(self) -> dict[str, object]:
        """Return the numbers in SI units: seconds, seed-epochs per second, and GFLOP/s."""
        return {
            "environment": self.environment,
            "missing": [peer.name for peer in self.missing],
            "failed": self.failed,
            "measurements": [
                {
                    "way": m.case.way,
                    "work": asdict(m.case.work),
                    "seeds": m.case.seeds,
                    "epochs": m.case.epochs,
                    "seconds": m.seconds,
                    "seed_epochs_per_second": m.rate,
                }
                for m in self.measurements
            ],
            "fma_peak": [
                {"dtype": dtype, "threads": threads, "gflops": gflops}
                for (dtype, threads), gflops in self.peaks.items()
            ],
        }


def checked_cases(peers: Sequence[Peer], seeds: int, epochs: int) -> tuple[list[cases.Case], dict[str, str]]:
    """Return what is to be timed, work by work, and why peers are not: by name, what went wrong."""
    chosen: list[cases.Case] = []
    failed: dict[str, str] = {}
    for peer in peers:
        try:
            agreement.check_mid_training([peer], WORKS)
            prepared = cases.prepare_timed([peer], WORKS, seeds, epochs)
            agreement.check_and_warm_up(prepared)
        except Exception as error:  # the page says it, and the others are timed
            failed[peer.name] = f"{type(error).__name__}: {error}".splitlines()[0]
        else:
            chosen += prepared
    return sorted(chosen, key=lambda case: WORKS.index(case.work)), failed


def run(
    environment: dict[str, object],
    groups: Sequence[str],
    seeds: int,
    epochs: int,
    repeats: int,
) -> Session:
    """Measure the peers of these groups; those that fail or disagree are told apart, and not timed."""
    peers, missing = selected(tuple(groups))
    chosen, failed = checked_cases(peers, seeds, epochs)

    before = fma_peak.peaks()
    measurements = cases.measure(chosen, repeats)
    after = fma_peak.peaks()
    peaks = {key: max(before[key], after[key]) for key in before}

    return Session(environment, missing, failed, measurements, peaks)
