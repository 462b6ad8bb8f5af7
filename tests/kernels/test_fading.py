"""Steps that spare the CPU subnormal numbers have the bits of those that do not."""

import time

import numpy as np
import pytest

import fastgrok as fg
from fastgrok.kernels.jit import kernel
from fastgrok.kernels.lanes import lane_view, like
from fastgrok.kernels.nn import optimizers
from fastgrok.kernels.nn.fading import are_fading, average
from fastgrok.kernels.nn.optimizers import (
    AdamHyperparams,
    Hyperparams,
    RMSpropHyperparams,
    RMSpropTerms,
    SGDHyperparams,
    SGDTerms,
    Terms,
)

LANES, N = 8, 4096  # vectors of numbers
NO_WEIGHTS = np.zeros(0, np.int64)
UNSIGNED = {"float64": np.uint64, "float32": np.uint32}
dtypes = pytest.mark.parametrize("dtype", UNSIGNED)


def numbers(dtype, rng, n=N):
    """Return vectors of numbers of every kind: zeros, subnormal ones, those next to them, any patterns of bits."""
    info, whole = np.finfo(dtype), UNSIGNED[dtype]
    units = rng.integers(0, 2 ** (info.nmant + 1), (n, LANES), dtype=whole)
    few = rng.integers(0, 8, (n, LANES), dtype=whole)
    any_bits = rng.integers(0, np.iinfo(whole).max, (n, LANES), dtype=whole)
    signed_zero = whole(0) * units
    kinds = [
        *(bits.view(dtype) for bits in (units, few, any_bits, signed_zero)),
        rng.normal(0, 1, (n, LANES)).astype(dtype),
    ]
    magnitude = np.choose(rng.integers(0, len(kinds), (n, LANES)), kinds)
    return np.where(rng.random((n, LANES)) < 0.5, magnitude, -magnitude)


def assert_same_bits(one, other, dtype):
    """Any NaN is as good as another."""
    bits = [np.where(np.isnan(array), np.nan, array).astype(dtype).view(UNSIGNED[dtype]) for array in (one, other)]
    np.testing.assert_array_equal(*bits)


@kernel("averages in two ways")
def averages(outs, beta, m, fresh):
    (one, other), count = outs, m.shape[0]
    for i in range(count):
        m_i, fresh_i = lane_view(m, LANES)[i], lane_view(fresh, LANES)[i]
        lane_view(one, LANES)[i] = average(like(m_i, beta), m_i, fresh_i, False)
        lane_view(other, LANES)[i] = average(like(m_i, beta), m_i, fresh_i, True)


@dtypes
@pytest.mark.parametrize("beta", [0.9, 0.999, 0.5, 0.75, 0.1, 0.0, 1 - 2**-30])
def test_an_average_that_fades_is_rounded_as_the_product_is(beta, dtype):
    rng = np.random.default_rng(0)
    m, fresh = numbers(dtype, rng), numbers(dtype, rng)
    outs = np.empty_like(m), np.empty_like(m)
    averages(outs, beta, m, fresh)
    assert_same_bits(*outs, dtype)


@kernel("a test of are_fading")
def look(found, m):
    found[0] = are_fading(lane_view(m, LANES), m.shape[0])


@dtypes
def test_one_subnormal_number_is_found_and_nothing_else(dtype):
    info, found = np.finfo(dtype), np.zeros(1, np.bool_)
    others = np.resize(np.array([0.0, -0.0, info.tiny, -info.tiny, np.inf, np.nan, 1.0], dtype), (5, LANES))
    look(found, others)
    assert not found[0]
    for odd in (info.smallest_subnormal, -info.smallest_subnormal, np.nextafter(info.tiny, 0, dtype=dtype)):
        for place in (0, 17, 5 * LANES - 1):
            m = others.copy()
            m.flat[place] = odd
            look(found, m)
            assert found[0], (odd, place)


@kernel("steps of SGD in two ways")
def sgd_steps(params, state, grads, rate, terms, hyperparams, fading):
    n, views = params.shape[0], (lane_view(params, LANES), lane_view(state, LANES), lane_view(grads, LANES))
    for p in range(n):
        minus_lr = like(views[0][0], rate)
        optimizers._sgd_step(p, *views, minus_lr, terms, hyperparams, fading)


@kernel("steps of Adam in two ways")
def adam_steps(params, state, grads, rates, terms, hyperparams, fading):
    n, views = params.shape[0], (lane_view(params, LANES), lane_view(state, LANES), lane_view(grads, LANES))
    one, own = like(views[0][0], 1.0), hyperparams.own
    step = optimizers._AdamStep(
        like(one, own.beta1), like(one, own.fresh1), like(one, own.beta2), like(one, own.fresh2),
        like(one, rates[0]), like(one, rates[1]), like(one, own.eps),
    )  # fmt: skip
    for p in range(n):
        optimizers._adam_step(p, *views, step, n, (terms, hyperparams), fading)


@kernel("steps of RMSprop in two ways")
def rmsprop_steps(params, state, grads, rate, terms, hyperparams, fading):
    n, views = params.shape[0], (lane_view(params, LANES), lane_view(state, LANES), lane_view(grads, LANES))
    for p in range(n):
        minus_lr = like(views[0][0], rate)
        optimizers._rmsprop_step(p, *views, minus_lr, n, terms, hyperparams, fading)


def both_ways(steps, params, state, grads, *arguments):
    """Return the parameters and the state after steps that do and do not mind subnormal numbers."""
    ways = []
    for fading in (False, True):
        own = params.copy(), state.copy()
        steps(*own, grads, *arguments, fading)
        ways.append(np.concatenate(own))
    return ways


@dtypes
@pytest.mark.parametrize("rate", [-0.1, -1e-30, 0.0, -1e30, -np.inf])
@pytest.mark.parametrize("nesterov", [False, True])
def test_sgd_with_momentum_takes_the_same_steps(nesterov, rate, dtype):
    rng, terms = np.random.default_rng(1), Terms(False, False, False, False, SGDTerms(True, nesterov))
    hyperparams = Hyperparams(0.0, 0.0, 0.0, 0.0, NO_WEIGHTS, None, SGDHyperparams(0.9))
    arrays = [numbers(dtype, rng) for _ in range(3)]
    assert_same_bits(*both_ways(sgd_steps, *arrays, rate, terms, hyperparams), dtype)


@dtypes
@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.0, 0.9), (0.9, 0.0)])
@pytest.mark.parametrize("eps", [1e-8, 1e-45, 1e-320, 1e30])
@pytest.mark.parametrize(
    "rates", [(-0.01, 1.0), (-1e-3, 30.0), (0.0, 1.0), (-1e-35, 1.0), (-np.inf, 1.0), (-1e30, 1.0)]
)
def test_adam_takes_the_same_steps(rates, eps, betas, dtype):
    rng, terms = np.random.default_rng(2), Terms(False, False, False, False, None)
    hyperparams = Hyperparams(
        0.0, 0.0, 0.0, 0.0, NO_WEIGHTS, None, AdamHyperparams(*betas, 1 - betas[0], 1 - betas[1], eps)
    )
    params, m, v, grads = (numbers(dtype, rng, N // 4) for _ in range(4))
    state = np.concatenate([m, np.abs(v)])
    assert_same_bits(*both_ways(adam_steps, params, state, grads, rates, terms, hyperparams), dtype)


@dtypes
@pytest.mark.parametrize("eps", [1e-8, 1e-45, 1e-320, 1e30])
@pytest.mark.parametrize("rate", [-0.01, 0.0, -1e-35, -1e30, -np.inf])
@pytest.mark.parametrize("centered", [False, True])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_rmsprop_takes_the_same_steps(momentum, centered, rate, eps, dtype):
    rng, terms = np.random.default_rng(3), Terms(False, False, False, False, RMSpropTerms(momentum > 0, centered))
    hyperparams = Hyperparams(0.0, 0.0, 0.0, 0.0, NO_WEIGHTS, None, RMSpropHyperparams(0.9, 1 - 0.9, eps, momentum))
    params, v, m, b, grads = (numbers(dtype, rng, N // 4) for _ in range(5))
    with np.errstate(invalid="ignore"):
        m = np.where(rng.random(m.shape) < 0.5, m, np.sqrt(np.abs(v)))  # of a gradient that hardly changes
    state = np.concatenate([np.abs(v), m, b])
    assert_same_bits(*both_ways(rmsprop_steps, params, state, grads, rate, terms, hyperparams), dtype)


@pytest.mark.parametrize(
    ("optimizer", "factor"),
    [(fg.SGD(0.1, momentum=0.9), 25), (fg.Adam(0.01), 4), (fg.RMSprop(0.01, alpha=0.9, momentum=0.9), 4)],
)
def test_units_that_died_do_not_hold_a_run_up(optimizer, factor):
    """Their averages are subnormal after 830 steps: an epoch took 50 and 12 times as long on a CPU of Intel."""
    exp = fg.Experiment(
        fg.mlp(2, 4, 1), fg.datasets.xor(), optimizer=optimizer, batch_size=1, epochs=3000, stop=None, dtype="float32"
    )

    def seconds(epochs, seeds):
        start = time.perf_counter()
        fg.run(exp.replace(epochs=epochs), seeds=seeds, specialize=True, threads=1, progress=False)
        return time.perf_counter() - start

    seconds(100, 64)
    seconds(3000, 64)  # records an epoch, in another driver
    assert seconds(3000, 512) < factor * seconds(150, 10_240)
