"""The random streams by name: NumPy's own bits, drawn inside kernels.

A generator is a row of ``STREAMS[name].words`` uint64 words and nothing else. It may be copied, stored and
continued, in another kernel, row or lane.

======================  ===========================  ===============================================
name                    seeds                        draws what NumPy draws from
======================  ===========================  ===============================================
``"numpy"``             0 to 2**64 - 1               ``np.random.default_rng(seed)``
``"numpy_legacy"``      0 to 2**32 - 1               ``np.random.RandomState(seed)``
======================  ===========================  ===============================================

``uniform(low, high)`` is ``low + (high - low) * random(state)`` in both, each operation rounded.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fastgrok.kernels.jit import device
from fastgrok.kernels.rng import mt19937, pcg64, ziggurat

_MASK32 = np.uint64(0xFFFFFFFF)


class Stream(NamedTuple):
    """The device functions of one stream, and the number of uint64 words in its state.

    A kernel captures the functions that it needs, as in ``random = STREAMS[name].random``, and gives them a
    generator's row.
    """

    seed: Callable[..., Any]
    """``seed(state, s)`` makes the state that of a new generator with seed s."""
    random: Callable[..., Any]
    """``random(state)`` gives a float64 in [0, 1)."""
    standard_normal: Callable[..., Any]
    """``standard_normal(state)`` gives a float64."""
    permute: Callable[..., Any]
    """``permute(state, order)`` fills int64 (n,) with the next permutation of range(n), n <= 2**31."""
    sample: Callable[..., Any]
    """``sample(state, order)`` fills int64 (n,) with the next n integers below n, n <= 2**31, with replacement."""
    words: int


def interval(next_uint32: Callable[..., Any]) -> Callable[..., Any]:
    """Return NumPy's ``random_interval``: an unbiased integer in [0, largest], 0 < largest < 2**32.

    Bits are masked to the size of the largest and drawn again until they fit.
    """

    @device
    def draw(state, largest):
        mask = largest
        for shift in (1, 2, 4, 8, 16):
            mask |= mask >> np.uint64(shift)
        value = next_uint32(state) & mask
        while value > largest:
            value = next_uint32(state) & mask
        return value

    return draw


def _multiplied(next_uint32: Callable[..., Any]) -> Callable[..., Any]:
    """Return the draw of an unbiased integer in [0, largest], 0 < largest < 2**32, as ``Generator.integers`` has it.

    It is the upper half of the product of 32 bits and largest + 1, drawn again where the lower half is one of those
    that are too many (D. Lemire, "Fast Random Integer Generation in an Interval", 2019).
    """

    @device
    def draw(state, largest):
        n = largest + np.uint64(1)
        product = next_uint32(state) * n
        if product & _MASK32 < n:
            threshold = (_MASK32 - largest) % n
            while product & _MASK32 < threshold:
                product = next_uint32(state) * n
        return product >> np.uint64(32)

    return draw


def _replacement(draw: Callable[..., Any]) -> Callable[..., Any]:
    """Return NumPy's ``integers(n, size=n)`` or ``randint(n, size=n)``, by how one integer is drawn."""

    @device
    def sample(state, order):
        n = order.shape[0]
        for i in range(n):
            order[i] = np.int64(draw(state, np.uint64(n - 1))) if n > 1 else 0

    return sample


def _permutation(next_uint32: Callable[..., Any]) -> Callable[..., Any]:
    """Return NumPy's ``permutation(n)``: Fisher-Yates from the end.

    Both of NumPy's generators shuffle with masked draws (Lemire's multiplication serves ``integers`` only).
    """
    draw = interval(next_uint32)

    @device
    def permute(state, order):
        for i in range(order.shape[0]):
            order[i] = i
        for i in range(order.shape[0] - 1, 0, -1):
            j = draw(state, np.uint64(i))
            order[i], order[j] = order[j], order[i]

    return permute


STREAMS = {
    "numpy": Stream(
        seed=pcg64.seed,
        random=pcg64.random,
        standard_normal=ziggurat.standard_normal,
        permute=_permutation(pcg64.next_uint32),
        sample=_replacement(_multiplied(pcg64.next_uint32)),
        words=pcg64.WORDS,
    ),
    "numpy_legacy": Stream(
        seed=mt19937.seed,
        random=mt19937.random,
        standard_normal=mt19937.standard_normal,
        permute=_permutation(mt19937.next_uint32),
        sample=_replacement(interval(mt19937.next_uint32)),
        words=mt19937.WORDS,
    ),
}
