"""NumPy: `matmul` over the seeds, a layer of all networks at once; to which wide layers are held."""

from __future__ import annotations

import numpy as np

from benchmarks.peers.peer import Peer, Run
from benchmarks.peers.works import BATCHED, WIDE_PER_EXAMPLE, Params, Work, losses


def forward(work: Work, params: Params, x: np.ndarray) -> list[np.ndarray]:
    """Return the inputs x (batch_size, n_in) and each layer's activations (n_seeds, batch_size, fan_out)."""
    activations = [x]
    layers = list(zip(params[::2], params[1::2], strict=True))
    for weight, bias in layers[:-1]:
        activations.append(np.maximum(activations[-1] @ weight + bias[:, None], 0))
    weight, bias = layers[-1]
    z = activations[-1] @ weight + bias[:, None]
    if work.is_softmax:
        z = np.exp(z - z.max(axis=2, keepdims=True))
        z /= z.sum(axis=2, keepdims=True)
    return [*activations, z]


def step(work: Work, params: Params, x: np.ndarray, y: np.ndarray, lr: np.floating) -> None:
    """Train on one batch, the parameters changed in place."""
    *activations, output = forward(work, params, x)
    delta = (output - y) * (lr / output.dtype.type(len(y)))
    for weight, bias, inputs in zip(params[-2::-2], params[::-2], reversed(activations), strict=True):
        below = (delta @ weight.swapaxes(1, 2)) * (inputs > 0)
        weight -= inputs.swapaxes(-1, -2) @ delta
        bias -= delta.sum(axis=1)
        delta = below


def prepare(work: Work, params: Params, epochs: int) -> Run:
    """Train as many networks at a time as stay in the cache."""
    (inputs, targets), batches = work.examples(), work.batches()
    lr = inputs.dtype.type(work.learning_rate)

    def block(start: int) -> np.ndarray:
        mine = tuple(p[start : start + 64].copy() for p in params)
        for _ in range(epochs):
            for x, y in zip(*batches, strict=True):
                step(work, mine, x, y, lr)
        return losses(work, forward(work, mine, inputs)[-1], targets)

    def run() -> np.ndarray:
        return np.concatenate([block(start) for start in range(0, len(params[0]), 64)])

    return run


REFERENCE = Peer("NumPy matmul", "numpy_matmul", (*BATCHED, *WIDE_PER_EXAMPLE), prepare)
