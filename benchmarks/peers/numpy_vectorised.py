"""NumPy with the seeds as the last axis of every array: one call does an operation for all networks."""

from __future__ import annotations

import numpy as np

from benchmarks.peers.peer import Peer, Run
from benchmarks.peers.works import LEARNING_RATE, RELU_32, RELU_64, Params, Work


def forward(x, w1, b1, w2, b2):
    """Return the hidden activations (n_hidden, n_seeds) and outputs (n_seeds,) for one example."""
    hidden = np.maximum(x[0] * w1[0] + x[1] * w1[1] + b1, 0)
    return hidden, (hidden * w2).sum(axis=0) + b2


def train(w1, b1, w2, b2, inputs, targets, epochs):
    """Train all networks, their parameters changed in place, seeds last; return their final losses."""
    lr = inputs.dtype.type(LEARNING_RATE)
    for _ in range(epochs):
        for x, target in zip(inputs, targets, strict=True):
            hidden, output = forward(x, w1, b1, w2, b2)
            step = lr * (output - target)
            hidden_step = np.where(hidden > 0, step * w2, 0)
            w2 -= step * hidden
            b2 -= step
            w1[0] -= x[0] * hidden_step
            w1[1] -= x[1] * hidden_step
            b1 -= hidden_step
    errors = [forward(x, w1, b1, w2, b2)[1] - t for x, t in zip(inputs, targets, strict=True)]
    return 0.5 * np.mean(np.square(errors), axis=0)


def prepare(work: Work, params: Params, epochs: int) -> Run:
    """Lay the parameters out with the seeds last."""
    inputs, targets = work.examples()
    w1, b1, w2, b2 = params
    seeds_last = [np.moveaxis(p, 0, -1) for p in (w1, b1, w2[:, :, 0], b2[:, 0])]

    def run() -> np.ndarray:
        return train(*(p.copy(order="C") for p in seeds_last), inputs, targets, epochs)

    return run


PEERS = (Peer("NumPy, vectorised over seeds", "numpy_vectorised", (RELU_64, RELU_32), prepare, most_seeds=2048),)
