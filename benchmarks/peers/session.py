"""One run of the benchmark: check, measure in turns, and put everything together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from benchmarks.peers import agreement, cases, figures, fma_peak, tables
from benchmarks.peers.figures import Figure, Peaks
from benchmarks.peers.peer import Peer
from benchmarks.peers.registry import selected
from benchmarks.peers.works import WORKS


@dataclass(frozen=True)
class Session:
    """Everything that one run found."""

    environment: dict[str, object]
    missing: list[Peer]
    measurements: list[cases.Measurement]
    peaks: Peaks
    figures: list[Figure]

    def markdown(self) -> str:
        return tables.report(self.environment, self.missing, self.measurements, self.peaks, self.figures)

    def headline(self) -> str:
        return tables.headline(self.environment, self.measurements)

    def as_json(self) -> dict[str, object]:
        """Return the numbers in SI units: seconds, seed-epochs per second, and GFLOP/s."""
        return {
            "environment": self.environment,
            "missing": [peer.name for peer in self.missing],
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
            "figures": [figure.as_json() for figure in self.figures],
        }


def run(
    environment: dict[str, object],
    groups: Sequence[str],
    seeds: int,
    epochs: int,
    repeats: int,
    combinations: Sequence[str],
) -> Session:
    """Measure the peers of these groups, and DESIGN's figures if fastgrok is among them."""
    peers, missing = selected(tuple(groups))
    agreement.check_mid_training(peers, WORKS)
    chosen = cases.prepare_timed(peers, WORKS, seeds, epochs)
    agreement.check_and_warm_up(chosen)

    before = fma_peak.peaks()
    measurements = cases.measure(chosen, repeats)
    after = fma_peak.peaks()
    peaks = {key: max(before[key], after[key]) for key in before}

    found = []
    if "fastgrok" in groups:
        found = [
            *figures.against_cpp(chosen, repeats),
            *figures.of_drivers(chosen, seeds, epochs, repeats),
            *figures.of_wide_layers(chosen, measurements, repeats),
            figures.early_stopping(seeds, epochs, repeats),
            figures.sigmoid(chosen, repeats),
            *figures.of_waiting(repeats, combinations),
            *figures.of_calls(),
        ]
    return Session(environment, missing, measurements, peaks, found)
