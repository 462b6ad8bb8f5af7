"""Do the peers give the same answers? Asked before any of them is timed."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from benchmarks.peers import numba_prange, numpy_matmul
from benchmarks.peers.cases import Case, prepare
from benchmarks.peers.peer import Peer
from benchmarks.peers.works import Work, initial_params

# Absolute and relative tolerance of a final loss. Peers differ in the order of a sum and in fused
# multiply-adds; 20 epochs in, losses were seen to differ by 7e-17 and 5e-8 at most, those of wide layers after 2
# by 3e-6 of themselves.
TOLERANCE = {"float64": (1e-12, 1e-9), "float32": (1e-6, 1e-3)}
WIDE_TOLERANCE = (1e-6, 1e-4)

# After 20 epochs nearly every loss is still on its way, so that any difference in the work shows. After 1,000
# most have settled, but a seed that passed within rounding of a ReLU's kink may have taken the other side.
MID_TRAINING_EPOCHS = 20
MID_TRAINING_EPOCHS_WIDE = 2
MID_TRAINING_SEEDS = 64
WIDE_REFERENCE_SEEDS = 128  # NumPy takes a tenth of a second for a seed of a wide work
SHARE_THAT_MAY_DIFFER = 1e-3


class Disagreement(AssertionError):
    """A peer's final losses are not those of the others: its time would mean nothing."""


def share_differing(losses: np.ndarray, reference: np.ndarray, work: Work) -> float:
    """Return the share of seeds whose loss is further from the reference than rounding takes it; NaN differs."""
    absolute, relative = TOLERANCE[work.dtype] if work.is_xor else WIDE_TOLERANCE
    losses, reference = losses.astype("float64"), reference.astype("float64")
    return float(np.mean(~(np.abs(losses - reference) <= absolute + relative * np.abs(reference))))


@functools.cache
def reference_losses(work: Work, seeds: int, epochs: int) -> np.ndarray:
    """Return what plain Numba gives, of wide layers NumPy, to which all others are held."""
    peer = numba_prange.FIXED if work.is_xor else numpy_matmul.REFERENCE
    return peer.prepare(work, initial_params(work, seeds), epochs)()


def check(cases: Sequence[Case], share_allowed: float) -> None:
    """Run every case once and compare it with the reference; raise `Disagreement`."""
    references = {}
    for work, epochs in {(case.work, case.epochs) for case in cases}:
        seeds = max(case.seeds for case in cases if (case.work, case.epochs) == (work, epochs))
        compared = seeds if work.is_xor else min(seeds, WIDE_REFERENCE_SEEDS)
        references[work, epochs] = reference_losses(work, compared, epochs)
    for case in cases:
        losses, reference = case.run(), references[case.work, case.epochs][: case.seeds]
        if losses.shape != (case.seeds,):
            raise Disagreement(f"{case.label}: losses of shape {losses.shape}, expected {(case.seeds,)}")
        losses = losses[: len(reference)]
        share = share_differing(losses, reference, case.work)
        if share > share_allowed:
            worst = np.nanmax(np.abs(losses - reference))
            raise Disagreement(
                f"{case.label}: {share:.2%} of {len(reference)} seeds end {case.epochs} epochs at another loss "
                f"than the reference, by up to {worst:.3g}"
            )


def check_mid_training(peers: Sequence[Peer], works: Sequence[Work]) -> None:
    """Compare every seed of a small run that stops while the losses still move."""
    for work in works:
        epochs = MID_TRAINING_EPOCHS if work.is_xor else MID_TRAINING_EPOCHS_WIDE
        check(prepare(peers, [work], MID_TRAINING_SEEDS, epochs), share_allowed=0.0)


def check_and_warm_up(cases: Sequence[Case]) -> None:
    """Compare the very runs that will be timed, compiling them on the way."""
    check(cases, SHARE_THAT_MAY_DIFFER)
