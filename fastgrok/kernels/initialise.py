"""The initial parameters of every seed, drawn from its own stream."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from fastgrok.kernels.draw import make_draw
from fastgrok.kernels.jit import kernel
from fastgrok.kernels.streams import STREAMS


@functools.cache
def make_initialise(stream: str, dtype: str) -> Any:
    """Compile initialise(params, states, drawn, scratch, seeds, tensors) for a stream and the dtype of params.

    params : (n_seeds, n_params)
        Drawn in float64 and rounded once.
    states : uint64 (n_seeds, words)
        The streams after the draws, to be continued; with no words they are not kept.
    drawn, scratch : float64
        Memory for one seed's draws: see draw.py.
    seeds : uint64 (n_seeds,)
    """
    seed_stream, words, draw = STREAMS[stream].seed, STREAMS[stream].words, make_draw(stream)

    @kernel(stream, dtype)
    def initialise(params, states, drawn, scratch, seeds, tensors):
        state = np.empty(words, np.uint64)
        for n in range(seeds.shape[0]):
            seed_stream(state, seeds[n])
            draw(drawn, scratch, state, tensors)
            for p in range(params.shape[1]):
                params[n, p] = drawn[p]
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
