"""MT19937 with NumPy's legacy distributions: the bits of ``np.random.RandomState(seed)``.

A generator is 627 uint64 words: the 624 words of the twister (32 bits each), the position of the next one,
and the second number of the last Gaussian pair (waiting, its bits). The twister is advanced one word at a
draw, not 624 at once: the same sequence, at a fraction of the cost for the few numbers that a small network
needs.

M. Matsumoto, T. Nishimura, "Mersenne Twister", 1998; NumPy's ``mt19937.c`` and ``legacy-distributions.c``.
"""

import math

import numpy as np

from fastgrok.kernels.jit import device

U = np.uint64

_LENGTH = 624
POSITION, WAITING, GAUSS = _LENGTH, _LENGTH + 1, _LENGTH + 2
WORDS = _LENGTH + 3

_MASK32 = U(0xFFFFFFFF)
_SEED_MULTIPLIER = U(1812433253)
_N, _M = U(_LENGTH), U(397)
_UPPER, _LOWER = U(0x80000000), U(0x7FFFFFFF)
_TWIST = U(0x9908B0DF)
_TEMPER_B, _TEMPER_C = U(0x9D2C5680), U(0xEFC60000)


@device
def seed(state, s):
    """The generator of ``np.random.RandomState(s)``, 0 <= s < 2**32."""
    word = U(s) & _MASK32
    for i in range(_LENGTH):
        state[i] = word
        word = (_SEED_MULTIPLIER * (word ^ (word >> U(30))) + U(i + 1)) & _MASK32
    state[POSITION], state[WAITING], state[GAUSS] = U(0), U(0), U(0)


@device
def next_uint32(state):
    """32 random bits: twist the word at the position, move on, and temper."""
    i = state[POSITION]
    following = i + U(1) if i + U(1) < _N else U(0)
    distant = i + _M if i + _M < _N else i + _M - _N
    joined = (state[i] & _UPPER) | (state[following] & _LOWER)
    y = state[distant] ^ (joined >> U(1)) ^ ((joined & U(1)) * _TWIST)
    state[i], state[POSITION] = y, following
    y ^= y >> U(11)
    y ^= (y << U(7)) & _TEMPER_B
    y ^= (y << U(15)) & _TEMPER_C
    return y ^ (y >> U(18))


@device
def random(state):
    """``random_sample()``: a multiple of 2**-53 in [0, 1), from 27 and 26 bits."""
    high = next_uint32(state) >> U(5)
    low = next_uint32(state) >> U(6)
    return np.float64((high << U(26)) + low) * 2.0**-53


@device
def standard_normal(state):
    """``standard_normal()`` by the polar method; of each pair the second number is given first."""
    if state[WAITING] != U(0):
        waiting = np.uint64(state[GAUSS]).view(np.float64)
        state[WAITING], state[GAUSS] = U(0), U(0)
        return waiting
    while True:
        x1 = 2.0 * random(state) - 1.0
        x2 = 2.0 * random(state) - 1.0
        r2 = x1 * x1 + x2 * x2
        if r2 < 1.0 and r2 != 0.0:
            break
    scale = math.sqrt(-2.0 * math.log(r2) / r2)
    state[WAITING], state[GAUSS] = U(1), np.float64(scale * x1).view(np.uint64)
    return scale * x2
