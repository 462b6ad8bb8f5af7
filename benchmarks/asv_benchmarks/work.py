"""What the benchmarks train: XOR on networks of six shapes, and wide networks on 256 examples."""

from __future__ import annotations

from typing import Any

import numpy as np

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

WIDE_EPOCHS = 4
WIDE_SEEDS = {"2-64-64-1": 128, "64-32-10": 256, "64-128-10": 64}
"""The same of wide networks, WIDE_EPOCHS of 256 examples."""

DTYPES = ["float64", "float32"]


def experiment(shape: str, *, dtype: str = "float64", batch_size: int | str = 1, **fields: Any) -> fg.Experiment:
    """Return plain SGD on XOR with a ReLU network of a shape such as "2-4-1", every epoch of it run."""
    given = {"optimizer": fg.SGD(lr=0.1), "epochs": EPOCHS, "stop": None} | fields
    network = fg.mlp(*map(int, shape.split("-")), hidden="relu")
    return fg.Experiment(network, fg.datasets.xor(), dtype=dtype, batch_size=batch_size, **given)


def wide_experiment(shape: str, dtype: str, batch_size: int | str, epochs: int = WIDE_EPOCHS) -> fg.Experiment:
    """Return plain SGD on random examples with a wide ReLU network, from weights that stay finite."""
    sizes = list(map(int, shape.split("-")))
    rng = np.random.default_rng(0)
    data = fg.Dataset(rng.standard_normal((256, sizes[0])), rng.standard_normal((256, sizes[-1])))
    fields = {"optimizer": fg.SGD(lr=0.001), "epochs": epochs, "stop": None, "init": fg.Uniform(-0.125, 0.125)}
    return fg.Experiment(fg.mlp(*sizes, hidden="relu"), data, dtype=dtype, batch_size=batch_size, **fields)


def train(exp: fg.Experiment, seeds: int, *, specialize: bool | None = False, **options: Any) -> fg.Result:
    """Train, silently; with the general driver unless said otherwise."""
    return run(exp, seeds, specialize=specialize, progress=False, **options)
