"""What every peer is asked to do: XOR, a tiny network, per-example SGD from the same starting points."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

INPUTS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
TARGETS = np.array([0.0, 1.0, 1.0, 0.0])
LEARNING_RATE = 0.1


class Params(NamedTuple):
    """Parameters of many networks, one per seed along the first axis."""

    w1: np.ndarray  # (n_seeds, 2, n_hidden)
    b1: np.ndarray  # (n_seeds, n_hidden)
    w2: np.ndarray  # (n_seeds, n_hidden, 1)
    b2: np.ndarray  # (n_seeds, 1)


@dataclass(frozen=True)
class Work:
    """One network and dtype; half_squared_error, batch_size 1, order fixed, no stop.

    The flops are those of the algorithm itself, a multiply-add counting 2 (DESIGN §7); None if not counted.
    """

    name: str
    n_hidden: int
    hidden: str
    output: str
    dtype: str
    flops_per_example: int | None = None

    @property
    def flops_per_epoch(self) -> int | None:
        return None if self.flops_per_example is None else self.flops_per_example * len(INPUTS)

    def examples(self) -> tuple[np.ndarray, np.ndarray]:
        """Return inputs (4, 2) and targets (4,) in the dtype of the work."""
        return INPUTS.astype(self.dtype), TARGETS.astype(self.dtype)


RELU_64 = Work("ReLU 2-4-1", 4, "relu", "linear", "float64", 61)
RELU_32 = Work("ReLU 2-4-1", 4, "relu", "linear", "float32", 61)
SIGMOID_64 = Work("sigmoid 2-2-1", 2, "sigmoid", "sigmoid", "float64")
WORKS = (RELU_64, RELU_32, SIGMOID_64)


@functools.cache
def _initial_weights(n_hidden: int, n_seeds: int) -> tuple[np.ndarray, np.ndarray]:
    w1 = np.empty((n_seeds, 2, n_hidden))
    w2 = np.empty((n_seeds, n_hidden, 1))
    for seed in range(n_seeds):
        rng = np.random.default_rng(seed)
        w1[seed] = rng.uniform(-1, 1, (2, n_hidden))
        w2[seed] = rng.uniform(-1, 1, (n_hidden, 1))
    return w1, w2


def initial_params(work: Work, n_seeds: int) -> Params:
    """Return the starting points of seeds 0 to n_seeds - 1: Uniform(-1, 1) weights, zero biases.

    Drawn in float64 by NumPy and rounded once, which is also what fastgrok draws for itself.
    """
    w1, w2 = _initial_weights(work.n_hidden, n_seeds)
    return Params(
        w1.astype(work.dtype),
        np.zeros((n_seeds, work.n_hidden), work.dtype),
        w2.astype(work.dtype),
        np.zeros((n_seeds, 1), work.dtype),
    )
