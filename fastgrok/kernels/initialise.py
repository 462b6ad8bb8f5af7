"""The initial parameters of every seed, drawn from its own stream."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np

from fastgrok.kernels.jit import kernel
from fastgrok.kernels.streams import STREAMS

CONSTANT, UNIFORM, NORMAL = range(3)


class Tensors(NamedTuple):
    """What to draw, tensor by tensor in the order of the parameters; each field has one entry a tensor."""

    sizes: Any  # int64
    kinds: Any  # int64: CONSTANT, UNIFORM, NORMAL
    first: Any  # float64: the constant, the low end, the mean
    second: Any  # float64: -, the high end, the standard deviation


@functools.cache
def make_initialise(stream: str, dtype: str) -> Any:
    """Compile initialise(params, states, seeds, tensors) for a stream and the dtype of params.

    params : (n_seeds, n_params)
        Drawn in float64 and rounded once.
    states : uint64 (n_seeds, words)
        The streams after the draws, to be continued; with no words they are not kept.
    seeds : uint64 (n_seeds,)
    """
    seed_stream, random, standard_normal, _, words = STREAMS[stream]

    @kernel(stream, dtype)
    def initialise(params, states, seeds, tensors):
        state = np.empty(words, np.uint64)
        for n in range(seeds.shape[0]):
            seed_stream(state, seeds[n])
            p = 0
            for t in range(tensors.sizes.shape[0]):
                kind, a, b = tensors.kinds[t], tensors.first[t], tensors.second[t]
                for _ in range(tensors.sizes[t]):
                    if kind == UNIFORM:
                        value = a + (b - a) * random(state)
                    elif kind == NORMAL:
                        value = a + b * standard_normal(state)
                    else:
                        value = a
                    params[n, p] = value
                    p += 1
            for word in range(states.shape[1]):
                states[n, word] = state[word]

    return initialise


@functools.cache
def make_seed_stream(stream: str) -> Any:
    """Compile seed_stream(state, seed): the state of a stream that nothing has been drawn from."""
    seed_one = STREAMS[stream].seed

    @kernel(stream)
    def seed_stream(state, seed):
        seed_one(state, seed)

    return seed_stream
