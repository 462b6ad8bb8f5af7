"""Averages of gradients that fade away: their bits without subnormal numbers as operands.

Once a gradient is 0, as below a dead ReLU, its average is multiplied by beta at every step: float32 is subnormal
after 830 steps of beta = 0.9, and stays so, since 0.9 times 4 of the smallest numbers rounds to 4 of them. Some CPUs
leave an operation with such an operand or result to microcode, which takes 150 cycles.
"""

from fastgrok.kernels.jit import device
from fastgrok.kernels.lanes import (
    absolute,
    both,
    by_dtype,
    copysign,
    either,
    fma,
    fraction_alone,
    is_subnormal,
    lane_bits,
    like,
    select,
    units,
)


@device
def are_fading(averages, n):
    """Whether a subnormal number is in one of the first n vectors."""
    found = is_subnormal(averages[0])
    for p in range(1, n):
        found = either(found, is_subnormal(averages[p]))
    return lane_bits(found) != 0


@device
def were_fading(state, n):
    """Whether the last look found a subnormal number in the first n vectors; one is taken every 32 calls.

    A look at each call would take a third of the time of SGD with momentum. state[n] counts to 0: from above if none
    was found.
    """
    count = state[n]
    if lane_bits(count == like(count, 0.0)):
        count = like(count, -32.0 if are_fading(state, n) else 32.0)
    state[n] = count - copysign(like(count, 1.0), count)
    return lane_bits(count < like(count, 0.0)) != 0


@device
def average(beta, m, fresh, fading):
    """Return beta m + fresh, rounded once; beta is at most 1. With `fading` a subnormal m alone is no operand.

    Such an m is k units of the smallest number. beta k + 2**23 (float64: 2**52) rounds beta k to a whole number,
    halves to even, as the product is rounded to units.
    """
    if not fading:
        return fma(beta, m, fresh)
    zero, base = like(m, 0.0), by_dtype(m, 4503599627370496.0, 8388608.0)
    alone = both(both(is_subnormal(m), fresh == zero), beta > zero)
    product = copysign(fraction_alone(fma(beta, units(m), base)), m)
    return select(alone, product, fma(beta, select(alone, zero, m), fresh))


@device
def without_negligible(m, divisor, rate, w):
    """Return m, or 0 where it is so small that w + rate m / d is w for every d >= divisor.

    Where it is below 2**-960 (float32: 2**-100) and 2**-900 (2**-70) |rate| / divisor is below |w|, the other term is
    less than 2**-59 (2**-29) of w, which is not 0 then. With a divisor of 0 or a rate that is not finite nothing is.
    """
    small = absolute(m) < by_dtype(w, 1.0261342003245941e-289, 7.888609052210118e-31)
    bound = by_dtype(w, 1.1830521861667747e-271, 8.470329472543003e-22) / divisor * absolute(rate)
    return select(both(small, absolute(w) > bound), like(w, 0.0), m)


@device
def without_subnormal(square, root, eps):
    """Return the square, or 0 where it is subnormal and sqrt(square) root + eps is eps.

    Its root is below 2**-511 (float32: 2**-63), and root times 2**-450 (2**-33) below eps.
    """
    negligible = root * by_dtype(eps, 3.4395525670743494e-136, 1.1641532182693481e-10) < eps
    return select(both(is_subnormal(square), negligible), like(square, 0.0), square)
