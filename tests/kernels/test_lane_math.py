"""Lane functions against mpmath over the whole range, and lane operations one by one against NumPy."""

import mpmath
import numpy as np
import pytest

import fastgrok as fg
from fastgrok.kernels.jit import kernel
from fastgrok.kernels.lanes import lane_view
from fastgrok.kernels.nn import lane_math

BOUND = {
    "exp": 1.0,
    "expm1": 2.0,
    "log": 1.0,
    "log1p": 1.5,
    "normal_cdf": 4.0,
    "normal_density": 4.0,
    "sigmoid": 2.0,
    "softplus": 2.5,
    "tanh": 2.5,
}
REFERENCE = {
    "exp": mpmath.exp,
    "expm1": mpmath.expm1,
    "log": mpmath.log,
    "log1p": mpmath.log1p,
    "normal_cdf": lambda x: mpmath.ncdf(max(x, -60)),  # mpmath counts digits below that
    "normal_density": mpmath.npdf,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
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
    top = {"exp": 750, "sigmoid": 750, "softplus": 750, "tanh": 25, "expm1": 60}.get(name, 3)
    top = 39 if name.startswith("normal") else top
    x = np.concatenate([magnitudes, rng.uniform(0, top, 1200), rng.uniform(0, 2, 400), edges]).astype(dtype)
    return x if name in ("log", "log1p") else -x if name == "expm1" else np.concatenate([x, -x])


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


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("scale", [1.0, 30.0, 1e4])
def test_a_softmax_and_its_loss_are_stable(dtype, scale):
    """Of outputs however far apart: the loss of an example that is nearly certain is no rounded 0."""
    rng = np.random.default_rng(5)
    z = (rng.normal(size=(20, 4)) * scale).astype(dtype)
    network = fg.Network(fg.Linear(4, 4, bias=False), fg.Softmax())
    weight = np.eye(4, dtype=dtype)[None]
    for row in z:
        outputs = fg.predict(network, [weight], row[None])[0, 0]
        with mpmath.workdps(1000):  # a share may be 1 less 1e-300
            exact = [mpmath.exp(mpmath.mpf(float(v)) - max(map(float, row))) for v in row]
            shares = [float(e / sum(exact)) for e in exact]
            losses = [float(-mpmath.log(e / sum(exact))) for e in exact]
        eps = 8 * np.finfo(dtype).eps
        np.testing.assert_allclose(outputs, shares, rtol=eps * max(1, scale), atol=np.finfo(dtype).tiny)
        for k in range(4):
            data = fg.Dataset(row[None].astype(float), np.eye(4)[[k]])
            exp = fg.Experiment(network, data, loss="cross_entropy", epochs=0, stop=None, dtype=dtype)
            loss = fg.run(exp, params=[weight], progress=False).dataset.loss_final.item()
            np.testing.assert_allclose(loss, losses[k], rtol=eps * max(1, scale), atol=np.finfo(dtype).tiny)
