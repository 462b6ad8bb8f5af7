"""A few wide networks: what a trainer takes beside five lines of NumPy, one network after the other.

    pytest benchmarks/calls/test_wide_networks.py --benchmark-enable --benchmark-group-by=group

A network is a lane, so that one of them takes as long as a vector full; BLAS fills the vector from within a network.
docs/kernels-as-a-library.md says from how many networks on a trainer is faster. Set OPENBLAS_NUM_THREADS=1: both take
one thread then.
"""

import numpy as np
import pytest

import fastgrok as fg

rng = np.random.default_rng(0)
DATA = fg.Dataset(rng.normal(size=(32, 64)), rng.normal(size=(32, 10)))
EXPERIMENT = fg.Experiment(fg.mlp(64, 128, 10), DATA, batch_size=32, dtype="float32", epochs=1, stop=None)
X, Y = DATA.X.astype("float32"), DATA.y.astype("float32")
COUNTS = [1, 2, 4, 8, 16, 64]
by_count = pytest.mark.parametrize("n", COUNTS)


def predict(network):
    """Return the outputs of one network."""
    w1, b1, w2, b2 = network
    return np.maximum(X @ w1 + b1, 0) @ w2 + b2


def gradients(network):
    """Return the gradients of the mean loss of one network, layer by layer."""
    w1, b1, w2, b2 = network
    a = np.maximum(X @ w1 + b1, 0)
    d2 = (a @ w2 + b2 - Y) / len(X)
    d1 = (d2 @ w2.T) * (a > 0)
    return X.T @ d1, d1.sum(axis=0), a.T @ d2, d2.sum(axis=0)


OURS = {"predict": fg.Trainer.predict, "gradients": fg.Trainer.gradients}
NUMPY = {"predict": predict, "gradients": gradients}


@pytest.fixture(scope="module")
def trainer():
    return fg.compile(EXPERIMENT, threads=1)


def test_both_give_the_same(trainer):
    params = trainer.initial_params(3)
    networks = list(zip(*trainer.unflatten(params), strict=True))
    np.testing.assert_allclose(trainer.predict(params), [predict(each) for each in networks], rtol=1e-3, atol=1e-3)
    expected = [np.concatenate([part.ravel() for part in gradients(each)]) for each in networks]
    np.testing.assert_allclose(trainer.gradients(params), expected, rtol=1e-3, atol=1e-3)


@pytest.mark.benchmark(group="wide networks")
@by_count
@pytest.mark.parametrize("call", OURS)
def test_trainer(benchmark, trainer, call, n):
    params = trainer.initial_params(n)
    OURS[call](trainer, params)
    benchmark(OURS[call], trainer, params)


@pytest.mark.benchmark(group="wide networks")
@by_count
@pytest.mark.parametrize("call", NUMPY)
def test_numpy(benchmark, trainer, call, n):
    networks = list(zip(*trainer.unflatten(trainer.initial_params(n)), strict=True))
    benchmark(lambda: [NUMPY[call](network) for network in networks])
