"""The initial parameters of seeds: from a kernel, or where Python makes some of them, tensor by tensor."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastgrok.engine.draws import distributions, drawn_kinds, initial, scratch_size, table
from fastgrok.engine.notices import announced
from fastgrok.kernels.init.initialise import DrawBuffers, make_draw_on, make_initialise
from fastgrok.kernels.jit import bound
from fastgrok.kernels.rng import mt19937, pcg64
from fastgrok.kernels.rng.streams import STREAMS
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.initializers.base import Distribution
from fastgrok.spec.initializers.custom import FromFunction

_ROWS = 512  # at a time: the state of a legacy stream takes five kilobytes

_LENGTH, _MIDDLE = mt19937.POSITION, 397
_TOP, _REST, _TWIST = np.uint64(0x80000000), np.uint64(0x7FFFFFFF), np.uint64(0x9908B0DF)
_ONE, _SHIFT, _MASK = np.uint64(1), np.uint64(31), np.uint64(0xFFFFFFFF)


class Initialiser:
    """What draws the initial parameters of an experiment; threads may share one."""

    def __init__(self, experiment: Experiment) -> None:
        self._experiment = experiment
        self._parts = initial(experiment)
        self._tensors = table(self._parts)
        self._scratch_size = scratch_size(self._parts)
        kernel = make_initialise(experiment.stream, experiment.dtype, distributions())
        self._kernel = kernel.bound_to(drawn_kinds(self._tensors))
        self._run, self._what = bound(self._kernel), f"the draws, {experiment.dtype}"
        self._all_in_kernel = all(isinstance(part.source, Distribution) for part in self._parts)

    @property
    def kernels(self) -> list[Any]:
        """What must be compiled: nothing where Python makes the parameters."""
        return [self._kernel] * self._all_in_kernel

    def __call__(self, params: np.ndarray, states: np.ndarray, seeds: np.ndarray) -> None:
        """Fill params (n_seeds, n_params), and states (n_seeds, words) with the streams after that.

        States with no words are not kept.
        """
        if self._all_in_kernel:
            with announced(self._what, self._kernel):
                self._run(params, states, self._buffers(params.shape[1]), seeds, self._tensors)
            return
        for first in range(0, len(seeds), _ROWS):
            rows = slice(first, first + _ROWS)
            self._in_turn(params[rows], states[rows], _Streams(self._experiment, seeds[rows]))

    def _buffers(self, n: int) -> DrawBuffers:
        return draw_buffers(self._experiment.stream, n, self._scratch_size)

    def _in_turn(self, params: np.ndarray, states: np.ndarray, streams: _Streams) -> None:
        """Draw tensor by tensor, each from the streams as the one before left them."""
        start = 0
        for part in self._parts:
            values = params[:, start : start + part.size]
            start += part.size
            if isinstance(part.source, FromFunction):
                for row, rng in zip(values, streams.generators(), strict=True):
                    drawn = part.source.draw(part.field, rng, part.fans, part.shape, self._experiment.dtype)
                    row[:] = drawn.ravel()
            elif isinstance(part.source, np.ndarray):
                values[:] = part.source.ravel()
            elif part.source.kind == "constant" and part.source.form == "free":
                values[:] = part.source.a
            else:
                drawn = np.empty(values.shape, values.dtype)
                tensor = table([part])
                draw_on = make_draw_on(self._experiment.stream, self._experiment.dtype, distributions())
                draw_on = draw_on.bound_to(drawn_kinds(tensor))
                with announced(self._what, draw_on):
                    draw_on(drawn, streams.words(), self._buffers(part.size), tensor)
                values[:] = drawn
        if states.shape[1]:
            states[:] = streams.words()


def draw_buffers(stream: str, n: int, scratch_size: int) -> DrawBuffers:
    """Return what a kernel needs that draws n numbers a seed from a stream."""
    return DrawBuffers(np.empty(STREAMS[stream].words, np.uint64), np.empty(n), np.empty(scratch_size))


class _Streams:
    """The streams of some seeds: as state words or as NumPy's generators, whichever was asked for last."""

    def __init__(self, experiment: Experiment, seeds: np.ndarray) -> None:
        self._stream, self._dtype, self._seeds = experiment.stream, experiment.dtype, seeds
        self._now: np.ndarray | list[Any] | None = None

    def words(self) -> np.ndarray:
        """Return the states (n_seeds, words), for kernels to continue."""
        if self._now is None:
            words = np.empty((len(self._seeds), STREAMS[self._stream].words), np.uint64)
            nothing = np.empty((len(self._seeds), 0), self._dtype)
            none = table([])
            seed = make_initialise(self._stream, self._dtype, distributions()).bound_to(drawn_kinds(none))
            with announced(f"the draws, {self._dtype}", seed):
                seed(nothing, words, draw_buffers(self._stream, 0, 1), self._seeds, none)
        else:
            words = words_of_generators(self._stream, self._now) if isinstance(self._now, list) else self._now
        self._now = words
        return words

    def generators(self) -> list[Any]:
        """Return a generator for each seed, for Python to continue."""
        if self._now is None:
            rngs = new_generators(self._stream, self._seeds)
        else:
            rngs = self._now if isinstance(self._now, list) else generators_from_words(self._stream, self._now)
        self._now = rngs
        return rngs


def new_generators(stream: str, seeds: np.ndarray) -> list[Any]:
    """Return a new generator for each seed."""
    make: Any = np.random.default_rng if stream == "numpy" else np.random.RandomState
    return [make(int(seed)) for seed in seeds]


def generators_from_words(stream: str, states: np.ndarray) -> list[Any]:
    """Return the generators that continue where states (n_seeds, words) are."""
    return _pcg64_from(states) if stream == "numpy" else _mt19937_from(states)


def words_of_generators(stream: str, generators: list[Any]) -> np.ndarray:
    """Return the states (n_seeds, words) of generators."""
    return _pcg64_to(generators) if stream == "numpy" else _mt19937_to(generators)


def _pcg64_from(states: np.ndarray) -> list[Any]:
    generators = []
    for high, low, inc_high, inc_low, filled, buffer in states.tolist():
        bits = np.random.PCG64(0)
        bits.state = {
            "bit_generator": "PCG64",
            "state": {"state": high << 64 | low, "inc": inc_high << 64 | inc_low},
            "has_uint32": filled,
            "uinteger": buffer,
        }
        generators.append(np.random.Generator(bits))
    return generators


def _pcg64_to(generators: list[Any]) -> np.ndarray:
    rows = []
    for generator in generators:
        whole = generator.bit_generator.state
        state, inc = whole["state"]["state"], whole["state"]["inc"]
        halves = [part for number in (state, inc) for part in (number >> 64, number & 2**64 - 1)]
        rows.append([*halves, whole["has_uint32"], whole["uinteger"]])
    return np.array(rows, np.uint64).reshape(-1, pcg64.WORDS)


def _mt19937_from(states: np.ndarray) -> list[Any]:
    """NumPy twists all words before it gives the first of them; kernels twist each when it is due."""
    words = states[:, :_LENGTH].T.copy()
    due = states[:, mt19937.POSITION].astype(np.int64)
    due[due == 0] = _LENGTH  # all of them are used up, and NumPy has not begun with the next
    for k in range(int(due.min(initial=_LENGTH)), _LENGTH):
        joined = (words[k] & _TOP) | (words[(k + 1) % _LENGTH] & _REST)
        twisted = words[(k + _MIDDLE) % _LENGTH] ^ (joined >> _ONE) ^ ((joined & _ONE) * _TWIST)
        words[k] = np.where(k >= due, twisted, words[k])
    keys = words.T.astype(np.uint32)
    waiting = states[:, mt19937.WAITING].tolist()
    gauss = np.ascontiguousarray(states[:, mt19937.GAUSS]).view(np.float64).tolist()
    generators = []
    for key, position, *pair in zip(keys, due.tolist(), waiting, gauss, strict=True):
        generators.append(np.random.RandomState(0))
        generators[-1].set_state(("MT19937", key, position, *pair))
    return generators


def _mt19937_to(generators: list[Any]) -> np.ndarray:
    """Take back the twist of the words that are not due yet, the last one first.

    A twisted word gives the top bit of its own old word and the rest of the next one's. The rest of the first word
    that is due is not found, nor needed: its top bit alone is used again.
    """
    whole = [generator.get_state() for generator in generators]
    states = np.zeros((len(whole), mt19937.WORDS), np.uint64)
    due = np.array([state[2] for state in whole], np.int64)
    words = np.array([state[1] for state in whole], np.uint64).reshape(-1, _LENGTH).T.copy()
    for k in range(_LENGTH - 1, int(due.min(initial=_LENGTH)) - 1, -1):
        folded = words[k] ^ words[(k + _MIDDLE) % _LENGTH]
        odd = folded >> _SHIFT
        joined = (((folded ^ (odd * _TWIST)) << _ONE) | odd) & _MASK
        if k + 1 < _LENGTH:
            words[k + 1] = np.where(k >= due, words[k + 1] | (joined & _REST), words[k + 1])
        words[k] = np.where(k >= due, joined & _TOP, words[k])
    states[:, :_LENGTH] = words.T
    states[:, mt19937.POSITION] = due % _LENGTH
    states[:, mt19937.WAITING] = [state[3] for state in whole]
    states[:, mt19937.GAUSS] = np.array([state[4] for state in whole], np.float64).view(np.uint64)
    return states
