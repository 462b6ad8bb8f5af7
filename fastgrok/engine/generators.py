"""Between the state words of a stream, as kernels keep them, and NumPy's own generators."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastgrok.kernels.rng import mt19937, pcg64

_LENGTH, _MIDDLE = mt19937.POSITION, 397
_TOP, _REST, _TWIST = np.uint64(0x80000000), np.uint64(0x7FFFFFFF), np.uint64(0x9908B0DF)
_ONE, _SHIFT, _MASK = np.uint64(1), np.uint64(31), np.uint64(0xFFFFFFFF)


def of_seeds(stream: str, seeds: np.ndarray) -> list[Any]:
    """Return a new generator for each seed."""
    make: Any = np.random.default_rng if stream == "numpy" else np.random.RandomState
    return [make(int(seed)) for seed in seeds]


def from_words(stream: str, states: np.ndarray) -> list[Any]:
    """Return the generators that continue where states (n_seeds, words) are."""
    return _pcg64_from(states) if stream == "numpy" else _mt19937_from(states)


def to_words(stream: str, generators: list[Any]) -> np.ndarray:
    """Return the states (n_seeds, words) of generators."""
    return _pcg64_to(generators) if stream == "numpy" else _mt19937_to(generators)


def _pcg64_from(states: np.ndarray) -> list[Any]:
    found = []
    for high, low, inc_high, inc_low, filled, buffer in states.tolist():
        bits = np.random.PCG64(0)
        bits.state = {
            "bit_generator": "PCG64",
            "state": {"state": high << 64 | low, "inc": inc_high << 64 | inc_low},
            "has_uint32": filled,
            "uinteger": buffer,
        }
        found.append(np.random.Generator(bits))
    return found


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
    found = []
    for key, position, *pair in zip(keys, due.tolist(), waiting, gauss, strict=True):
        found.append(np.random.RandomState(0))
        found[-1].set_state(("MT19937", key, position, *pair))
    return found


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
