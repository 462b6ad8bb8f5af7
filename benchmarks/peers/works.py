"""What every peer is asked to do: a network, its data and plain SGD from the same starting points."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from dataclasses import dataclass

import numpy as np

INPUTS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
TARGETS = np.array([0.0, 1.0, 1.0, 0.0])
LEARNING_RATE = 0.1

Params = tuple[np.ndarray, ...]
"""Layer by layer the weight (n_seeds, fan_in, fan_out), then the bias (n_seeds, fan_out)."""


@dataclass(frozen=True)
class Work:
    """One network, data set and dtype; half_squared_error, mean over a batch, order fixed, no stop.

    With a softmax at the end: cross_entropy, of one-hot targets.

    The flops are those of the algorithm itself, a multiply-add counting 2 (DESIGN §7); None if not counted.
    A large one is timed with so many times fewer seeds and epochs than the others.
    """

    name: str
    sizes: tuple[int, ...]
    hidden: str
    output: str
    dtype: str
    flops_per_epoch: int | None = None
    batch_size: int = 1
    n_examples: int = 4
    bound: float = 1.0
    learning_rate: float = LEARNING_RATE
    fewer_seeds: int = 1
    fewer_epochs: int = 1

    @property
    def is_xor(self) -> bool:
        return self.n_examples == len(INPUTS)

    @property
    def is_softmax(self) -> bool:
        return self.output == "softmax"

    @property
    def n_hidden(self) -> int:
        """Units of the first hidden layer."""
        return self.sizes[1]

    def timed_size(self, seeds: int, epochs: int) -> tuple[int, int]:
        """Return the seeds and epochs that are timed where the smallest work has so many."""
        return max(1, seeds // self.fewer_seeds), max(1, epochs // self.fewer_epochs)

    def examples(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the inputs (n_examples, n_in) and the targets (n_examples, n_out), those of XOR (4,)."""
        if self.is_xor:
            return INPUTS.astype(self.dtype), TARGETS.astype(self.dtype)
        rng = np.random.default_rng(0)
        shapes = (self.n_examples, self.sizes[0]), (self.n_examples, self.sizes[-1])
        inputs, targets = (rng.standard_normal(shape) for shape in shapes)
        if self.is_softmax:
            targets = np.eye(self.sizes[-1])[targets.argmax(axis=1)]
        return inputs.astype(self.dtype), targets.astype(self.dtype)

    def batches(self) -> tuple[np.ndarray, np.ndarray]:
        """Return inputs (n_batches, batch_size, n_in) and targets (n_batches, batch_size, n_out)."""
        inputs, targets = self.examples()
        shape = (self.n_examples // self.batch_size, self.batch_size, -1)
        return inputs.reshape(shape), targets.reshape(shape)


def flops_of(sizes: tuple[int, ...], batch_size: int, n_examples: int) -> int:
    """Return the operations of an epoch: forward, weight gradients, deltas below the last layer, biases, updates."""
    weights = [a * b for a, b in itertools.pairwise(sizes)]
    units = sum(sizes[1:])
    an_example = 4 * sum(weights) + 2 * sum(weights[1:]) + units
    # example by example, a weight's gradient and update are one multiply-add
    an_update = 0 if batch_size == 1 else 2 * (sum(weights) + units)
    return n_examples * an_example + n_examples // batch_size * an_update


def wide(sizes: tuple[int, ...], batch_size: int = 32, output: str = "linear") -> Work:
    """Return a work of wide ReLU layers on 256 examples, float32; starting points that training leaves finite."""
    name = "-".join(map(str, sizes)) + (f" {output}" if output != "linear" else "")
    name += f", batches of {batch_size}" if batch_size > 1 else ", per example"
    return Work(
        name,
        sizes,
        "relu",
        output,
        "float32",
        flops_of(sizes, batch_size, 256),
        batch_size=batch_size,
        n_examples=256,
        bound=0.125,
        learning_rate=0.01 if batch_size > 1 else 0.001,
        fewer_seeds=256,
        fewer_epochs=25 if batch_size > 1 else 125,
    )


RELU_64 = Work("ReLU 2-4-1", (2, 4, 1), "relu", "linear", "float64", flops_of((2, 4, 1), 1, 4))
RELU_32 = dataclasses.replace(RELU_64, dtype="float32")
SIGMOID_64 = Work("sigmoid 2-2-1", (2, 2, 1), "sigmoid", "sigmoid", "float64")
XOR = (RELU_64, RELU_32, SIGMOID_64)

_WIDE_SIZES = ((2, 64, 64, 1), (64, 32, 10), (64, 128, 10))
WIDE, WIDE_PER_EXAMPLE = (tuple(wide(sizes, batch_size) for sizes in _WIDE_SIZES) for batch_size in (32, 1))
SOFTMAX = tuple(wide(sizes, output="softmax") for sizes in _WIDE_SIZES[1:])
BATCHED = (*WIDE, *SOFTMAX)
WORKS = (*XOR, *BATCHED, *WIDE_PER_EXAMPLE)


def losses(work: Work, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return the mean loss of each seed, of outputs (n_seeds, n_examples, n_out)."""
    if work.is_softmax:
        return -np.log((outputs * targets).sum(axis=2)).mean(axis=1)
    return 0.5 * np.square(outputs - targets).sum(axis=2).mean(axis=1)


@functools.cache
def _initial_weights(sizes: tuple[int, ...], bound: float, dtype: str, n_seeds: int) -> tuple[np.ndarray, ...]:
    weights = [np.empty((n_seeds, *shape), dtype) for shape in itertools.pairwise(sizes)]
    for seed in range(n_seeds):
        rng = np.random.default_rng(seed)
        for weight in weights:
            weight[seed] = rng.uniform(-bound, bound, weight.shape[1:])
    return tuple(weights)


def initial_params(work: Work, n_seeds: int) -> Params:
    """Return the starting points of seeds 0 to n_seeds - 1: uniform weights, zero biases.

    Drawn in float64 by NumPy and rounded once, which is also what fastgrok draws for itself. The weights are
    shared by all callers: copy what is trained.
    """
    weights = _initial_weights(work.sizes, work.bound, work.dtype, n_seeds)
    return tuple(array for weight in weights for array in (weight, np.zeros((n_seeds, weight.shape[2]), work.dtype)))
