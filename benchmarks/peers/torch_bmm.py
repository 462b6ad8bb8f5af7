"""PyTorch: an ensemble written out with `baddbmm`, forward and backward by hand, parameters changed in place."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.peers.peer import THREADS, Peer, Run
from benchmarks.peers.timing import fastest
from benchmarks.peers.works import BATCHED, Params, Work, losses

BLOCKS = (64, 256)


def forward(layers: list[tuple[Any, Any]], x: Any, is_softmax: bool) -> list[Any]:
    """Return the inputs and each layer's activations, (n_seeds, batch_size, fan_out)."""
    import torch

    activations = [x]
    for layer, (weight, bias) in enumerate(layers):
        z = torch.baddbmm(bias, activations[-1], weight)
        activations.append(z.clamp_(min=0) if layer < len(layers) - 1 else z.softmax(dim=2) if is_softmax else z)
    return activations


def step(work: Work, layers: list[tuple[Any, Any]], x: Any, y: Any) -> None:
    """Train on one batch: x (n_seeds, batch_size, n_in), y (batch_size, n_out)."""
    *activations, output = forward(layers, x, work.is_softmax)
    delta = output.sub_(y).mul_(work.learning_rate / len(y))
    for layer in range(len(layers) - 1, -1, -1):
        (weight, bias), inputs = layers[layer], activations[layer]
        below = delta.bmm(weight.mT).mul_(inputs > 0) if layer else None
        weight.baddbmm_(inputs.mT, delta, alpha=-1)
        bias.sub_(delta.sum(dim=1, keepdim=True))
        delta = below


@dataclass(frozen=True)
class Training:
    """A `Run` of so many seeds at a time, on torch's own threads or on Python threads that share out the seeds."""

    work: Work
    tensors: tuple[Any, ...]
    epochs: int
    block: int
    own_threads: bool

    def _losses(self, start: int) -> np.ndarray:
        """Train one block of seeds, every batch the same for all of them without a copy."""
        import torch

        (inputs, targets), (xs, ys) = (map(torch.from_numpy, p) for p in (self.work.examples(), self.work.batches()))
        with torch.no_grad():
            mine = [t[start : start + self.block].clone() for t in self.tensors]
            n_seeds = len(mine[0])
            layers = list(zip(mine[::2], mine[1::2], strict=True))
            for _ in range(self.epochs):
                for x, y in zip(xs, ys, strict=True):
                    step(self.work, layers, x.expand(n_seeds, -1, -1), y)
            outputs = forward(layers, inputs.expand(n_seeds, -1, -1), self.work.is_softmax)[-1]
            return losses(self.work, outputs.numpy(), targets.numpy())

    def __call__(self) -> np.ndarray:
        import torch

        starts = range(0, len(self.tensors[0]), self.block)
        torch.set_num_threads(THREADS if self.own_threads else 1)
        try:
            if self.own_threads:
                return np.concatenate([self._losses(start) for start in starts])
            with ThreadPoolExecutor(THREADS, initializer=torch.set_num_threads, initargs=(1,)) as pool:
                return np.concatenate(list(pool.map(self._losses, starts)))
        finally:
            torch.set_num_threads(THREADS)

    @property
    def detail(self) -> str:
        return f"{self.block} seeds at a time on {'torch' if self.own_threads else 'Python'} threads"


def prepare(work: Work, params: Params, epochs: int) -> Run:
    """Turn parameters into tensors, and choose threads and block by an epoch of each."""
    import torch

    tensors = tuple(torch.from_numpy(p if p.ndim == 3 else p[:, None]) for p in params)
    trials = [Training(work, tensors, 1, block, own) for block in BLOCKS for own in (False, True)]
    return dataclasses.replace(fastest(trials, len(tensors[0])), epochs=epochs)


BMM = Peer("PyTorch ensemble, baddbmm by hand", "torch_bmm", BATCHED, prepare, requires="torch")
PEERS = (BMM,)
