"""What the benchmarks train: XOR on networks of six shapes."""

from __future__ import annotations

from typing import Any

import fastgrok as fg
from fastgrok import run  # now, and not in each of the processes that asv forks for a benchmark

EPOCHS = 400
SEEDS = {
    "2-2-1": 32_768,
    "2-4-1": 16_384,
    "2-8-1": 8_192,
    "2-4-4-1": 8_192,
    "2-16-16-1": 2_048,
    "2-64-64-1": 64,
}
"""Shape -> seeds that two cores train for EPOCHS in some 50 to 100 ms; drawing and measuring are little of it."""

DTYPES = ["float64", "float32"]


def experiment(shape: str, *, dtype: str = "float64", batch_size: int | str = 1, **fields: Any) -> fg.Experiment:
    """Return plain SGD on XOR with a ReLU network of a shape such as "2-4-1", every epoch of it run."""
    given = {"optimizer": fg.SGD(lr=0.1), "epochs": EPOCHS, "stop": None} | fields
    network = fg.mlp(*map(int, shape.split("-")), hidden="relu")
    return fg.Experiment(network, fg.datasets.xor(), dtype=dtype, batch_size=batch_size, **given)


def train(exp: fg.Experiment, seeds: int, *, specialize: bool | None = False, **options: Any) -> fg.Result:
    """Train, silently; with the general driver unless said otherwise."""
    return run(exp, seeds, specialize=specialize, progress=False, **options)
