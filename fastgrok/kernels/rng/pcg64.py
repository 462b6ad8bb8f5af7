"""PCG64 (XSL-RR 128/64), seeded by SeedSequence: the bits of ``np.random.default_rng(seed)``.

A generator is six uint64 words: state (high, low), increment (high, low), then NumPy's buffer for 32-bit
draws (filled, value). All arithmetic is on uint64: Numba would turn uint64 with int64 into float64.

M. E. O'Neill, "PCG: A Family of Simple Fast Space-Efficient Statistically Good Algorithms for Random Number
Generation", 2014; NumPy's ``_pcg64.pyx``, ``pcg64.c``, ``bit_generator.pyx`` and ``distributions.c``.
"""

import numpy as np

from fastgrok.kernels.jit import device

U = np.uint64

WORDS = 6
HIGH, LOW, INC_HIGH, INC_LOW, FILLED, BUFFER = range(WORDS)

_MASK32 = U(0xFFFFFFFF)
_MULTIPLIER_HIGH, _MULTIPLIER_LOW = U(0x2360ED051FC65DA4), U(0x4385DF649FCCF645)
_TO_UNIT = 2.0**-53

# SeedSequence's constants, under NumPy's names.
_POOL_SIZE = 4
_INIT_A, _MULT_A = U(0x43B0D7E5), U(0x931E8875)
_INIT_B, _MULT_B = U(0x8B51F9DD), U(0x58F38DED)
_MIX_MULT_L, _MIX_MULT_R = U(0xCA01F9DD), U(0x4973F715)


@device
def multiply_high(a, b):
    """The upper 64 bits of the 128-bit product a*b, from four products of 32-bit halves."""
    a_low, a_high = a & _MASK32, a >> U(32)
    b_low, b_high = b & _MASK32, b >> U(32)
    cross = a_high * b_low + ((a_low * b_low) >> U(32))
    middle = a_low * b_high + (cross & _MASK32)
    return a_high * b_high + (cross >> U(32)) + (middle >> U(32))


@device
def _step(state):
    """Advance the 128-bit state: state*multiplier + increment."""
    high, low, inc_low = state[HIGH], state[LOW], state[INC_LOW]
    high = multiply_high(low, _MULTIPLIER_LOW) + high * _MULTIPLIER_LOW + low * _MULTIPLIER_HIGH
    low = low * _MULTIPLIER_LOW + inc_low
    state[LOW] = low
    state[HIGH] = high + state[INC_HIGH] + U(low < inc_low)


@device
def next_uint64(state):
    """64 random bits: step, then fold the state's halves and rotate by its top six bits."""
    _step(state)
    folded, turn = state[HIGH] ^ state[LOW], state[HIGH] >> U(58)
    return (folded >> turn) | (folded << ((U(64) - turn) & U(63)))


@device
def next_uint32(state):
    """32 random bits: the lower half of 64, then the upper half, which waits in the buffer."""
    if state[FILLED] != U(0):
        state[FILLED] = U(0)
        return state[BUFFER]
    bits = next_uint64(state)
    state[FILLED], state[BUFFER] = U(1), bits >> U(32)
    return bits & _MASK32


@device
def random(state):
    """``rng.random()``: a multiple of 2**-53 in [0, 1)."""
    return np.float64(next_uint64(state) >> U(11)) * _TO_UNIT


@device
def _hash(value, constant, next_constant):
    """SeedSequence's hash of a 32-bit word; the constant changes with every call."""
    value = ((value ^ constant) * next_constant) & _MASK32
    return value ^ (value >> U(16))


@device
def _fill_pool(pool, entropy):
    """Hash the entropy's two 32-bit words and two zeros into pool[:4]; mix each word into the others."""
    constant = _INIT_A
    for i in range(_POOL_SIZE):
        following = (constant * _MULT_A) & _MASK32
        pool[i] = _hash(entropy & _MASK32, constant, following)
        entropy, constant = entropy >> U(32), following
    for source in range(_POOL_SIZE):
        for target in range(_POOL_SIZE):
            if source != target:
                following = (constant * _MULT_A) & _MASK32
                hashed = _hash(pool[source], constant, following)
                mixed = (_MIX_MULT_L * pool[target] - _MIX_MULT_R * hashed) & _MASK32
                pool[target] = mixed ^ (mixed >> U(16))
                constant = following


@device
def _generate(low, high, constant):
    """One 64-bit word of ``generate_state`` from two words of the pool, and the constant for the next one."""
    second = (constant * _MULT_B) & _MASK32
    third = (second * _MULT_B) & _MASK32
    return _hash(low, constant, second) | (_hash(high, second, third) << U(32)), third


@device
def seed(state, s):
    """The generator of ``np.random.default_rng(s)``, 0 <= s < 2**64."""
    _fill_pool(state, U(s))  # in the state's own words: there is no other memory
    p0, p1, p2, p3 = state[0], state[1], state[2], state[3]
    start_high, constant = _generate(p0, p1, _INIT_B)
    start_low, constant = _generate(p2, p3, constant)
    inc_high, constant = _generate(p0, p1, constant)
    inc_low, constant = _generate(p2, p3, constant)
    state[INC_HIGH] = (inc_high << U(1)) | (inc_low >> U(63))
    state[INC_LOW] = (inc_low << U(1)) | U(1)
    # NumPy steps from state 0, which gives the increment, adds the start and steps again.
    low = state[INC_LOW] + start_low
    state[LOW] = low
    state[HIGH] = state[INC_HIGH] + start_high + U(low < start_low)
    _step(state)
    state[FILLED], state[BUFFER] = U(0), U(0)
