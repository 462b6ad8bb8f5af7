"""The initial parameters of every seed, drawn from its own stream."""

import functools
from typing import Any

import numpy as np

from fastgrok.kernels.init.draw import Distributions, make_draw
from fastgrok.kernels.jit import kernel
from fastgrok.kernels.rng.streams import STREAMS


@functools.cache
def make_initialise(stream: str, dtype: str, distributions: Distributions) -> Any:
    """Compile initialise(params, states, seeds, tensors, scratch_size) for a stream and the dtype of params.

    params : (n_seeds, n_params)
        Drawn in float64 and rounded once.
    states : uint64 (n_seeds, words)
        The streams after the draws, to be continued; with no words they are not kept.
    seeds : uint64 (n_seeds,)
    """
    seed_stream, words = STREAMS[stream].seed, STREAMS[stream].words
    draw = make_draw(stream, distributions)

    @kernel(stream, dtype, distributions.identity)
    def initialise(params, states, seeds, tensors, scratch_size):
        state, scratch = np.empty(words, np.uint64), np.empty(scratch_size)
        drawn = np.empty(params.shape[1])
        for n in range(seeds.shape[0]):
            seed_stream(state, seeds[n])
            draw(drawn, scratch, state, tensors)
            for p in range(params.shape[1]):
                params[n, p] = drawn[p]
            for word in range(states.shape[1]):
                states[n, word] = state[word]

    return initialise


@functools.cache
def make_draw_on(stream: str, dtype: str, distributions: Distributions) -> Any:
    """Compile draw_on(params, states, tensors, scratch_size): initialise with streams that have begun.

    params : (n_seeds, n_params)
    states : uint64 (n_seeds, words)
        Each goes on from where it is.
    """
    draw = make_draw(stream, distributions)

    @kernel(stream, dtype, distributions.identity)
    def draw_on(params, states, tensors, scratch_size):
        drawn, scratch = np.empty(params.shape[1]), np.empty(scratch_size)
        for n in range(states.shape[0]):
            draw(drawn, scratch, states[n], tensors)
            for p in range(params.shape[1]):
                params[n, p] = drawn[p]

    return draw_on


@functools.cache
def make_seed_stream(stream: str) -> Any:
    """Compile seed_stream(state, seed): the state of a stream that nothing has been drawn from."""
    seed_one = STREAMS[stream].seed

    @kernel(stream)
    def seed_stream(state, seed):
        seed_one(state, seed)

    return seed_stream
