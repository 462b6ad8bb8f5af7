"""Where an evaluation may end early no loss can overflow, and what ends early changes no result."""

import numpy as np
import pytest
from fingerprint import bits

import fastgrok as fg
from fastgrok.engine.drift import drift_limits

XOR = fg.datasets.xor()
SCALED = fg.Dataset([[0.25, -1.5], [0.0, 2.0], [-3.0, 1.0]], [[0, 2], [1, -1], [0.5, 3]])
LARGE = fg.Dataset(np.ones((200_000, 2)), np.arange(200_000) % 2)
BASE = fg.Experiment(
    fg.mlp(2, 4, 1), XOR, optimizer=fg.SGD(0.1), batch_size=1, epochs=60, stop=fg.Converged(loss=0.02)
)
KNOWN = {
    "ReLU": BASE,
    "float32": BASE.replace(dtype="float32"),
    "two outputs": BASE.replace(network=fg.mlp(2, 3, 2, hidden="leaky_relu"), data=SCALED),
    "tanh, float32": BASE.replace(network=fg.mlp(2, 2, 1, hidden="tanh", output="tanh"), dtype="float32"),
    "linear": BASE.replace(network=fg.mlp(2, 4, 1, hidden="linear"), loss="squared_error"),
}


def steep_epochs(exp, limits):
    """Yield the losses of networks on the edge after each epoch that the limits allow, as steep as can be.

    Every parameter is positive and every delta pushes it up; hidden units are linear, and all is float64.
    """
    first, second = exp.network.linears
    size = np.sqrt(limits.most_squares / exp.n_params)
    W1, W2 = np.full((first.fan_in, first.fan_out), size), np.full((second.fan_in, second.fan_out), size)
    b1, b2 = np.full(first.fan_out, size), np.full(second.fan_out, size)
    X, n_epochs = np.abs(exp.data.X), round(limits.most_drift / limits.drift_of_epoch / 2)
    deltas = np.full(second.fan_out, np.sqrt(limits.most_drift / 2 / (n_epochs * len(X) * second.fan_out)))
    for _ in range(n_epochs):
        for x in X:
            a, hidden = x @ W1 + b1, W2 @ deltas
            W2, b2 = W2 + np.outer(a, deltas), b2 + deltas
            W1, b1 = W1 + np.outer(x, hidden), b1 + hidden
        yield (((X @ W1 + b1) @ W2 + b2 + np.abs(exp.data.y)) ** 2).sum()


@pytest.mark.parametrize("name", KNOWN)
def test_no_loss_overflows_within_the_limits(name):
    exp = KNOWN[name]
    losses = list(steep_epochs(exp, drift_limits(exp)))
    assert losses[0] * 2 < losses[-1] < np.finfo(exp.dtype).max


def test_there_is_none_where_the_proof_does_not_hold():
    assert drift_limits(BASE) is not None
    for fields in (
        {"stop": None},
        {"stop": fg.Converged(accuracy=1)},
        {"check_every": 2},
        {"batch_size": 2},
        {"optimizer": fg.SGD(0.1, momentum=0.5)},
        {"network": fg.mlp(2, 4, 4, 1)},
        {"network": fg.mlp(2, 4, 1, output="sigmoid"), "loss": "binary_cross_entropy"},
        {"data": fg.Dataset(1e200 * XOR.X, XOR.y)},
        {"stop": fg.Converged(loss=0.1)},  # example 0 seldom tells
        {"data": LARGE, "dtype": "float32", "stop": fg.Converged(loss=1e-9)},  # small steps round away
    ):
        assert drift_limits(BASE.replace(**fields)) is None, fields


def wild_params(exp):
    """Parameters with which the loss of example 0 is harmless and that of others is or becomes huge."""
    params, rng, info = fg.initial_params(exp, seeds=range(400)), np.random.default_rng(0), np.finfo(exp.dtype)
    weight, second = params[0], params[2]
    for k, power in enumerate((0.2, 0.3, 0.45, 0.5, 0.55, 0.9)):
        rows = slice(40 * k, 40 * k + 40)
        sizes = float(info.max) ** (power * rng.uniform(0.95, 1.05, 40))
        weight[rows, rng.integers(0, 2), :] = sizes[:, None]
        second[rows] *= rng.choice([1, 1e-3, 1e-30], (40, 1, 1))
    return params


@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize("lr", [1e-12, 0.1, 0.8])
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"dtype": "float32"},
        {"data": fg.Dataset([[0, 0], [0.5, 1.5], [1, 0], [1, 1]], XOR.y), "dtype": "float32"},
        {"stop": fg.Converged(loss=0.03, max_error=0.9, accuracy=0.75, keep_training=True)},
        {"stop": fg.Converged(loss=0.03, accuracy=1), "restart": fg.Restart(after=17)},
    ],
)
def test_what_is_not_finite_is_found_in_its_epoch(fields, lr):
    exp = BASE.replace(**fields, optimizer=fg.SGD(lr))
    assert drift_limits(exp) is not None
    params = None if exp.restart else wild_params(exp)
    of = {"seeds": 400} if exp.restart else {"params": params}
    general, specialised = (
        bits(fg.run(exp, **of, keep_params=True, specialize=s, lanes=8, progress=False)) for s in (False, True)
    )
    assert [name for name in general if general[name] != specialised[name]] == []
