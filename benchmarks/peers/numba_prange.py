"""Plain Numba: scalar loops for one network, `prange` over the seeds, no fastmath."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import numba
import numpy as np

from benchmarks.peers.peer import THREADS, Peer, Run
from benchmarks.peers.works import LEARNING_RATE, RELU_32, RELU_64, SIGMOID_64, Params, Work

# bare decorators on purpose: this is what fastgrok is compared with, and not part of it
_njit = functools.partial(numba.njit, error_model="numpy")


@_njit
def _relu(z):
    return z if z > 0 else z * 0


@_njit
def _sigmoid(z):
    one = z * 0 + 1
    return one / (one + math.exp(-z))


@_njit
def _identity(z):
    return z


_ACTIVATIONS = {"relu": _relu, "sigmoid": _sigmoid, "linear": _identity}


@functools.cache
def compiled(hidden: str, output: str, sizes: tuple[int, int] | None = None) -> Callable:
    """Return the trainer for one pair of activations, generic over the dtype.

    `sizes` = (n_in, n_hidden) fixes the loops at compile time, so that LLVM unrolls them; None reads them
    from the arrays.
    """
    hidden_activation, output_activation = _ACTIVATIONS[hidden], _ACTIVATIONS[output]
    hidden_is_relu, output_is_sigmoid = hidden == "relu", output == "sigmoid"

    # inlined by Numba, and the example by its index: 1.4 times as fast as a call with a slice
    @_njit(inline="always")
    def forward(h, w1, b1, w2, b2, inputs, i):
        """Fill h (n_hidden,) with the hidden activations of example i and return the output."""
        n_in, n_hidden = w1.shape if sizes is None else sizes
        z_out = b2
        for j in range(n_hidden):
            z = b1[j]
            for k in range(n_in):
                z += inputs[i, k] * w1[k, j]
            h[j] = hidden_activation(z)
            z_out += h[j] * w2[j]
        return output_activation(z_out)

    @_njit
    def train_one(w1, b1, w2, b2, inputs, targets, lr, epochs):
        """Train one network, w1, b1 and w2 changed in place; return its final loss."""
        n_in, n_hidden = w1.shape if sizes is None else sizes
        h = np.empty(n_hidden, w1.dtype)
        for _ in range(epochs):
            for i in range(len(targets)):
                out = forward(h, w1, b1, w2, b2, inputs, i)
                step = lr * (out - targets[i])
                if output_is_sigmoid:
                    step *= out * (1 - out)
                for j in range(n_hidden):
                    if not hidden_is_relu or h[j] > 0:
                        hidden_step = step * w2[j]
                        if not hidden_is_relu:
                            hidden_step *= h[j] * (1 - h[j])
                        for k in range(n_in):
                            w1[k, j] -= hidden_step * inputs[i, k]
                        b1[j] -= hidden_step
                    w2[j] -= step * h[j]
                b2 -= step
        loss = b2 * 0
        for i in range(len(targets)):
            loss += (forward(h, w1, b1, w2, b2, inputs, i) - targets[i]) ** 2
        return loss / (2 * len(targets))

    @_njit(parallel=True)
    def train(losses, w1, b1, w2, b2, inputs, targets, lr, epochs):
        """Fill losses (n_seeds,); the parameters are left as they are."""
        for s in numba.prange(len(losses)):
            losses[s] = train_one(w1[s].copy(), b1[s].copy(), w2[s].copy(), b2[s], inputs, targets, lr, epochs)

    return train


def prepare(work: Work, params: Params, epochs: int, *, fixed_sizes: bool = False) -> Run:
    """Bind the arguments; the first call compiles."""
    inputs, targets = work.examples()
    train = compiled(work.hidden, work.output, (2, work.n_hidden) if fixed_sizes else None)
    lr = inputs.dtype.type(LEARNING_RATE)
    w1, b1, w2, b2 = params
    w2, b2 = np.ascontiguousarray(w2[:, :, 0]), np.ascontiguousarray(b2[:, 0])

    def run() -> np.ndarray:
        numba.set_num_threads(min(THREADS, numba.config.NUMBA_NUM_THREADS))
        losses = np.empty(len(w2), work.dtype)
        train(losses, w1, b1, w2, b2, inputs, targets, lr, epochs)
        return losses

    return run


_WORKS = (RELU_64, RELU_32, SIGMOID_64)
GENERAL = Peer("plain Numba, prange", "numba", _WORKS, prepare, requires="numba")
FIXED = Peer(
    "plain Numba, prange, sizes compiled in",
    "numba",
    _WORKS,
    functools.partial(prepare, fixed_sizes=True),
    requires="numba",
)
PEERS = (GENERAL, FIXED)
