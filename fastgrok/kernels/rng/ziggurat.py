"""``rng.standard_normal()`` of NumPy's Generator: the ziggurat of 256 layers, on PCG64.

J. A. Doornik, "An Improved Ziggurat Method to Generate Normal Random Samples", 2005; NumPy's
``random_standard_normal`` in ``distributions.c``. exp and log1p are the C library's, as they are in NumPy.
"""

import math

import numpy as np

from fastgrok.kernels.jit import device
from fastgrok.kernels.later import later
from fastgrok.kernels.rng.pcg64 import next_uint64, random

U = np.uint64

_TABLES = "numba.np.random._constants"  # NumPy's own
_DENSITY, _INSIDE, _WIDTH = (later(_TABLES, name) for name in ("fi_double", "ki_double", "wi_double"))
_INVERSE_TAIL_START, _TAIL_START = (later(_TABLES, name) for name in ("ziggurat_nor_inv_r", "ziggurat_nor_r"))

_MASK8 = U(0xFF)
_MASK52 = U(0x000FFFFFFFFFFFFF)


@device
def _tail(state):
    """The size of a normal number beyond the last layer, by Marsaglia's two exponentials."""
    while True:
        beyond = -_INVERSE_TAIL_START * math.log1p(-random(state))
        height = -math.log1p(-random(state))
        if height + height > beyond * beyond:
            return _TAIL_START + beyond


@device
def _below_density(state, layer, x):
    """Whether a random height in the layer's wedge lies below the density at x."""
    top, bottom = _DENSITY[layer - U(1)], _DENSITY[layer]
    return (top - bottom) * random(state) + bottom < math.exp(-0.5 * x * x)


@device
def standard_normal(state):
    """``rng.standard_normal()``: layer from bits 0-7, sign from bit 8, position from bits 9-60."""
    while True:
        bits = next_uint64(state)
        layer = bits & _MASK8
        position = (bits >> U(9)) & _MASK52
        x = np.float64(position) * _WIDTH[layer]
        if (bits >> U(8)) & U(1):
            x = -x
        if position < _INSIDE[layer]:
            return x
        if layer == U(0):
            tail = _tail(state)
            return -tail if (position >> U(8)) & U(1) else tail
        if _below_density(state, layer, x):
            return x
