"""The book's way: one network at a time, one example at a time, a NumPy call for each operation."""

from __future__ import annotations

import numpy as np

from benchmarks.peers.peer import Peer, Run
from benchmarks.peers.works import LEARNING_RATE, RELU_64, Params, Work


def relu(x):
    return (x > 0) * x


def relu2deriv(output):
    return output > 0


def train_one(weights_0_1, bias_1, weights_1_2, bias_2, inputs, targets, epochs):
    """Train one network, all arguments 2-D and the parameters changed in place; return its final loss."""
    for _ in range(epochs):
        for i in range(len(inputs)):
            layer_0 = inputs[i : i + 1]
            layer_1 = relu(np.dot(layer_0, weights_0_1) + bias_1)
            layer_2 = np.dot(layer_1, weights_1_2) + bias_2

            layer_2_delta = layer_2 - targets[i : i + 1]
            layer_1_delta = layer_2_delta.dot(weights_1_2.T) * relu2deriv(layer_1)

            weights_1_2 -= LEARNING_RATE * layer_1.T.dot(layer_2_delta)
            bias_2 -= LEARNING_RATE * layer_2_delta
            weights_0_1 -= LEARNING_RATE * layer_0.T.dot(layer_1_delta)
            bias_1 -= LEARNING_RATE * layer_1_delta
    output = np.dot(relu(np.dot(inputs, weights_0_1) + bias_1), weights_1_2) + bias_2
    return 0.5 * np.mean((output - targets) ** 2)


def prepare(work: Work, params: Params, epochs: int) -> Run:
    """Train one seed after the other."""
    inputs, targets = work.examples()

    def run() -> np.ndarray:
        return np.array(
            [
                train_one(w1, b1[None], w2, b2[None], inputs, targets[:, None], epochs)
                for w1, b1, w2, b2 in zip(*(p.copy() for p in params), strict=True)
            ]
        )

    return run


PEERS = (Peer("the book's NumPy loop", "numpy_book", (RELU_64,), prepare, most_seeds=32),)
