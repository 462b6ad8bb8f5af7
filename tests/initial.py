"""Experiments whose initial parameters are tested: their network, functions and arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

import fastgrok as fg

# Taller than wide, wider than tall, square; with biases and without; one input, one output.
NET = fg.Network(
    fg.Linear(2, 5), fg.ReLU(), fg.Linear(5, 3, bias=False), fg.Tanh(),
    fg.Linear(3, 3), fg.Linear(3, 1), fg.Linear(1, 1),
)  # fmt: skip


DATA = fg.datasets.xor()


def laplace(rng: Any, fan_in: int, fan_out: int) -> np.ndarray:
    return rng.laplace(0, 1 / fan_in, (fan_in, fan_out))


def shuffled(rng: Any, fan_in: int, fan_out: int) -> np.ndarray:
    return rng.permutation(fan_out) / fan_in + rng.standard_normal()


ARRAYS = [np.full(shape, 0.1 * k) for k, shape in enumerate(NET.param_shapes)]


WEIGHTS = [array for array in ARRAYS if array.ndim == 2]


ZEROS = fg.Zeros()


def experiment(init: Any, bias_init: Any = "same", network: fg.Network = NET, **fields: Any) -> fg.Experiment:
    data = fg.Dataset(np.zeros((1, network.n_in)), np.zeros((1, network.n_out)))
    return fg.Experiment(network, data, init=init, bias_init=bias_init, **fields)


def one_layer(init: Any, fan_in: int, fan_out: int, *, seeds: Any = 1, bias_init: Any = ZEROS, **fields: Any) -> Any:
    """The initial parameters of one Linear layer."""
    exp = experiment(init, bias_init, fg.Network(fg.Linear(fan_in, fan_out)), **fields)
    return fg.initial_params(exp, seeds=seeds)
