"""Lane functions against mpmath over the whole range, and lane operations one by one against NumPy."""

import mpmath
import numpy as np
import pytest

from fastgrok.kernels.jit import kernel
from fastgrok.kernels.lanes import lane_view
from fastgrok.kernels.nn import lane_math

BOUND = {"exp": 1.0, "log": 1.0, "log1p": 1.5, "sigmoid": 2.0, "tanh": 2.5}
REFERENCE = {
    "exp": mpmath.exp,
    "log": mpmath.log,
    "log1p": mpmath.log1p,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "tanh": mpmath.tanh,
}
LANES = 8


def apply(name, x):
    """Apply a lane function to an array."""
    function = getattr(lane_math, name)

    @kernel("test_lane_math", name, x.dtype.name)
    def run(out, x):
        source, target = lane_view(x, LANES), lane_view(out, LANES)
        for i in range(x.size // LANES):
            target[i] = function(source[i])

    padded = np.resize(x, -(-x.size // LANES) * LANES)
    out = np.empty_like(padded)
    run(out, padded)
    return out[: x.size]


def arguments(name, dtype, rng):
    """Return arguments over the whole range: every magnitude, the interesting stretch, and the edges."""
    info = np.finfo(dtype)
    digits = rng.uniform(np.log10(info.smallest_subnormal), np.log10(info.max), 400)
    magnitudes = np.float64(10.0) ** np.clip(digits, -320, 308)
    edges = [info.smallest_subnormal, info.tiny, info.eps, 1 - info.epsneg, 1.0, 1 + info.eps, 0.5, 2.0, info.max]
    top = {"exp": 750, "log": 3, "log1p": 1, "sigmoid": 750, "tanh": 25}[name]
    x = np.concatenate([magnitudes, rng.uniform(0, top, 1200), rng.uniform(0, 2, 400), edges]).astype(dtype)
    return x if name in ("log", "log1p") else np.concatenate([x, -x])


def error_in_ulp(value, exact, dtype):
    """Return |value - exact| in units of the last place of the exact result, subnormals included."""
    info = np.finfo(dtype)
    if exact == 0:
        return 0.0 if value == 0 else np.inf
    scale = mpmath.floor(mpmath.log(abs(exact), 2))
    unit = mpmath.power(2, max(int(scale) - info.nmant, int(info.minexp) - info.nmant))
    largest = mpmath.mpf(float(info.max)) * (1 + mpmath.mpf(float(info.epsneg)) / 2)
    if abs(exact) >= largest:
        return 0.0 if np.isinf(value) and np.sign(value) == float(mpmath.sign(exact)) else np.inf
    return float(abs(mpmath.mpf(float(value)) - exact) / unit)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", sorted(BOUND))
def test_error_stays_within_the_stated_bound(name, dtype):
    x = arguments(name, dtype, np.random.default_rng(1))
    y = apply(name, x)
    assert y.dtype == dtype
    with mpmath.workdps(60):
        errors = [error_in_ulp(b, REFERENCE[name](mpmath.mpf(float(a))), dtype) for a, b in zip(x, y, strict=True)]
    worst = int(np.argmax(errors))
    assert errors[worst] <= BOUND[name], f"{name}({x[worst]!r}) = {y[worst]!r}: {errors[worst]:.3f} ulp"


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_infinities_nan_and_zeros_give_what_numpy_gives(dtype):
    x = np.array([np.inf, -np.inf, np.nan, 0.0, -0.0], dtype)
    expected = {
        "exp": [np.inf, 0, np.nan, 1, 1],
        "log": [np.inf, np.nan, np.nan, -np.inf, -np.inf],
        "sigmoid": [1, 0, np.nan, 0.5, 0.5],
        "tanh": [1, -1, np.nan, 0.0, -0.0],
    }
    for name, values in expected.items():
        y = apply(name, x)
        np.testing.assert_array_equal(y, np.array(values, dtype), err_msg=name)
        np.testing.assert_array_equal(np.signbit(y[3:]), np.signbit(np.array(values, dtype)[3:]), err_msg=name)
    np.testing.assert_array_equal(apply("log1p", x[[0, 3]]), np.array([np.inf, 0], dtype))
    assert np.isnan(apply("log", np.array([-1.0], dtype)))[0]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_sigmoid_has_the_bits_of_the_general_exp(dtype):
    rng, unsigned = np.random.default_rng(2), {8: np.uint64, 4: np.uint32}[np.dtype(dtype).itemsize]
    top = {np.float64: 760, np.float32: 110}[dtype]
    halves = ((np.arange(2 * top) + 0.5) * np.log(2)).astype(dtype)  # where rounding to a whole number changes
    near = (halves.view(unsigned)[:, None] + np.arange(9, dtype=unsigned)).ravel().view(dtype)
    patterns = rng.integers(0, np.iinfo(unsigned).max, 100_000, dtype=unsigned).view(dtype)
    patterns = patterns[~np.isnan(patterns)]
    within = rng.uniform(0, top, 100_000).astype(dtype)
    x = np.concatenate([patterns, near, within, np.array([0.0, np.inf, np.nan], dtype)])
    x = np.concatenate([x, -x])
    e = apply("exp", -np.abs(x))
    expected = np.where(x < 0, e, dtype(1)) / (1 + e)
    np.testing.assert_array_equal(apply("sigmoid", x), expected)
