"""The initial parameters of every seed, drawn from its own stream."""

import functools
from typing import Any, NamedTuple

from fastgrok.kernels.init.draw import Distributions, make_draw
from fastgrok.kernels.jit import kernel
from fastgrok.kernels.lanes import by_reference
from fastgrok.kernels.rng.streams import STREAMS


class DrawBuffers(NamedTuple):
    """What the draws of one seed after the other work in."""

    state: Any  # uint64 (words,)
    drawn: Any  # float64 (n_params,)
    scratch: Any  # float64: see make_draw


@functools.cache
def make_initialise(stream: str, dtype: str, distributions: Distributions) -> Any:
    """Compile initialise(params, states, buffers, seeds, tensors) for a stream and the dtype of params.

    params : (n_seeds, n_params)
        Drawn in float64 and rounded once.
    states : uint64 (n_seeds, words)
        The streams after the draws, to be continued; with no words they are not kept.
    seeds : uint64 (n_seeds,)
    """
    seed_stream = STREAMS[stream].seed
    draw = make_draw(stream, distributions)

    @kernel(stream, dtype, distributions.identity)
    def initialise(params, states, buffers, seeds, tensors):
        tensors = by_reference(tensors)
        state, drawn, scratch = buffers.state, buffers.drawn, buffers.scratch
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
    """Compile draw_on(params, states, buffers, tensors): initialise with streams that have begun.

    params : (n_seeds, n_params)
    states : uint64 (n_seeds, words)
        Each goes on from where it is.
    """
    draw = make_draw(stream, distributions)

    @kernel(stream, dtype, distributions.identity)
    def draw_on(params, states, buffers, tensors):
        tensors = by_reference(tensors)
        drawn, scratch = buffers.drawn, buffers.scratch
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
