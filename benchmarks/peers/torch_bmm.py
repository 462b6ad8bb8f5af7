"""PyTorch: an ensemble written out with `baddbmm`, forward and backward by hand, parameters changed in place."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.peers.peer import THREADS, Peer, Run
from benchmarks.peers.works import WIDE, Params, Work

# Seeds at a time, of 32 to 1,024 the fastest.
BLOCK = 256


def forward(layers: list[tuple[Any, Any]], x: Any) -> list[Any]:
    """Return the inputs and each layer's activations, (n_seeds, batch_size, fan_out)."""
    import torch

    activations = [x]
    for layer, (weight, bias) in enumerate(layers):
        z = torch.baddbmm(bias, activations[-1], weight)
        activations.append(z.clamp_(min=0) if layer < len(layers) - 1 else z)
    return activations


def step(layers: list[tuple[Any, Any]], x: Any, y: Any, lr: float) -> None:
    """Train on one batch: x (n_seeds, batch_size, n_in), y (batch_size, n_out)."""
    *activations, output = forward(layers, x)
    delta = output.sub_(y).mul_(lr / len(y))
    for layer in range(len(layers) - 1, -1, -1):
        (weight, bias), inputs = layers[layer], activations[layer]
        below = delta.bmm(weight.mT).mul_(inputs > 0) if layer else None
        weight.baddbmm_(inputs.mT, delta, alpha=-1)
        bias.sub_(delta.sum(dim=1, keepdim=True))
        delta = below


def prepare(work: Work, params: Params, epochs: int, block: int = BLOCK) -> Run:
    """Turn parameters and batches into tensors, the same batch for every seed without a copy."""
    import torch

    torch.set_num_threads(THREADS)
    n_seeds = len(params[0])
    tensors = [torch.from_numpy(p if p.ndim == 3 else p[:, None]) for p in params]
    (inputs, targets), (xs, ys) = (map(torch.from_numpy, pair) for pair in (work.examples(), work.batches()))

    @torch.no_grad()
    def train(start: int) -> np.ndarray:
        mine = [t[start : start + block].clone() for t in tensors]
        layers = list(zip(mine[::2], mine[1::2], strict=True))
        for _ in range(epochs):
            for x, y in zip(xs, ys, strict=True):
                step(layers, x.expand(len(mine[0]), -1, -1), y, work.learning_rate)
        errors = forward(layers, inputs.expand(len(mine[0]), -1, -1))[-1] - targets
        return 0.5 * errors.square().sum(dim=2).mean(dim=1).numpy()

    def run() -> np.ndarray:
        return np.concatenate([train(start) for start in range(0, n_seeds, block)])

    return run


BMM = Peer("PyTorch ensemble, baddbmm by hand", "torch_bmm", WIDE, prepare, requires="torch")
PEERS = (BMM,)
