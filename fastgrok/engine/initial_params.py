"""The initial parameters of seeds: from a kernel, or where Python makes some of them, tensor by tensor."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastgrok.engine import generators
from fastgrok.engine.draws import has_forms, initial, laws, scratch_size, table, tensors
from fastgrok.kernels.init.initialise import make_draw_on, make_initialise
from fastgrok.kernels.rng.streams import STREAMS
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.initializers import Distribution, FromFunction

_ROWS = 512  # at a time: the state of a legacy stream takes five kilobytes


class Initialiser:
    """What draws the initial parameters of an experiment; threads may share one."""

    def __init__(self, experiment: Experiment) -> None:
        self._experiment = experiment
        self._parts = initial(experiment)
        self._tensors = tensors(experiment)
        self._scratch_size = scratch_size(experiment)
        drawn = laws(with_forms=has_forms(experiment))
        self._kernel = make_initialise(experiment.stream, experiment.dtype, drawn)
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
            self._kernel(params, states, seeds, self._tensors, self._scratch_size)
            return
        for first in range(0, len(seeds), _ROWS):
            rows = slice(first, first + _ROWS)
            self._in_turn(params[rows], states[rows], _Streams(self._experiment, seeds[rows]))

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
                draw_on = make_draw_on(self._experiment.stream, self._experiment.dtype, laws(with_forms=True))
                draw_on(drawn, streams.words(), table([part]), self._scratch_size)
                values[:] = drawn
        if states.shape[1]:
            states[:] = streams.words()


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
            seed = make_initialise(self._stream, self._dtype, laws(with_forms=False))
            seed(nothing, words, self._seeds, table([]), 1)
        else:
            words = generators.to_words(self._stream, self._now) if isinstance(self._now, list) else self._now
        self._now = words
        return words

    def generators(self) -> list[Any]:
        """Return a generator for each seed, for Python to continue."""
        if self._now is None:
            rngs = generators.of_seeds(self._stream, self._seeds)
        else:
            rngs = self._now if isinstance(self._now, list) else generators.from_words(self._stream, self._now)
        self._now = rngs
        return rngs
