"""Lane operations that only a part of the drivers meets, one by one."""

import numpy as np
import pytest

from fastgrok.kernels.jit import device, kernel
from fastgrok.kernels.lanes import is_negative_zero, lane_bits, lane_view, lowest, repeat


@device
def add_power(k, total, base):
    return total + base**k


@kernel("a test of lane operations")
def operate(numbers, bits):
    bits[0] = lane_bits(is_negative_zero(lane_view(numbers, 8)[0]))
    bits[1] = lowest(bits[1])
    bits[2] = repeat(add_power, 0, 4, np.int64(0), (np.int64(10),))
    bits[3] = repeat(add_power, bits[4], 0, np.int64(7), (np.int64(10),))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_signs_of_zeros_places_of_bits_and_repetitions(dtype):
    smallest = np.finfo(dtype).smallest_subnormal
    numbers = np.array([0.0, -0.0, 1.0, -1.0, -smallest, np.nan, -np.inf, -0.0], dtype)
    bits = np.array([0, 0b1011000, 0, 0, 0])
    operate(numbers, bits)
    np.testing.assert_array_equal(bits, [0b10000010, 3, 1111, 7, 0])
