"""PyTorch: `torch.func.vmap(grad(loss))` over the seeds, an update per example."""

from __future__ import annotations

import numpy as np

from benchmarks.peers.peer import THREADS, Peer, Run
from benchmarks.peers.works import LEARNING_RATE, RELU_32, RELU_64, Params, Work


def prepare(work: Work, params: Params, epochs: int) -> Run:
    """Turn the parameters into tensors and the loss into a gradient for all seeds at once."""
    import torch

    torch.set_num_threads(THREADS)
    inputs, targets = (torch.from_numpy(a) for a in work.examples())
    initial = tuple(torch.from_numpy(p) for p in params)

    def loss(params, x, target):
        w1, b1, w2, b2 = params
        output = torch.relu(x @ w1 + b1) @ w2 + b2
        return 0.5 * (output - target).square().sum()

    gradient = torch.func.vmap(torch.func.grad(loss), in_dims=(0, None, None))
    losses = torch.func.vmap(torch.func.vmap(loss, in_dims=(None, 0, 0)), in_dims=(0, None, None))

    def run() -> np.ndarray:
        params = tuple(p.clone() for p in initial)
        for _ in range(epochs):
            for x, target in zip(inputs, targets, strict=True):
                for p, g in zip(params, gradient(params, x, target), strict=True):
                    p.sub_(g, alpha=LEARNING_RATE)
        return losses(params, inputs, targets).mean(dim=1).numpy()

    return run


# With all the seeds it is fastest (measured from 2,048 up): only then does it use both threads.
PEERS = (Peer("PyTorch vmap(grad)", "torch", (RELU_64, RELU_32), prepare, requires="torch", most_epochs=20),)
