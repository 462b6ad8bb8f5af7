"""Every gradient against central differences, both through the public interface."""

from __future__ import annotations

import numpy as np
import pytest
from registry import ONCE, WITHOUT_MASKS, experiment

import fastgrok as fg

LR = 1024.0  # a power of two, and large: the gradient comes out of p0 - p1 with hardly a rounding error
H = 2.0**-18
COORDINATES = 150  # of a large network, at random


def flat(params):
    return np.concatenate([p.reshape(len(p), -1) for p in params], axis=1)


def unflat(rows, params):
    ends = np.cumsum([p[0].size for p in params])[:-1]
    return [
        part.reshape(len(rows), *p.shape[1:]) for part, p in zip(np.split(rows, ends, axis=1), params, strict=True)
    ]


def library_gradient(exp, params):
    """The gradient of the mean loss, from one full-batch step: (p0 - p1) / lr."""
    step = exp.replace(epochs=1, batch_size="full", optimizer=fg.SGD(LR))
    after = fg.run(step, params=params, keep_params=True, specialize=False, lanes=8, threads=1, progress=False)
    return ((flat(params) - flat(after.params)) / LR)[0], float(after.dataset.loss_initial[0])


def losses(exp, params):
    return fg.run(exp.replace(epochs=0), params=params, progress=False).dataset.loss_final.values


@pytest.mark.parametrize(("network", "loss"), [(name, loss) for name, loss in ONCE if name in WITHOUT_MASKS])
def test_gradients_are_central_differences(network, loss):
    exp = experiment(network, loss=loss)
    params = fg.initial_params(exp, seeds=[5])
    gradient, _ = library_gradient(exp, params)
    p0 = flat(params)[0]
    chosen = np.random.default_rng(1).permutation(p0.size)[:COORDINATES]
    moves = np.zeros((2 * len(chosen), p0.size))
    moves[np.arange(len(chosen)), chosen] = H
    moves[np.arange(len(chosen)) + len(chosen), chosen] = -H
    up, down = np.split(losses(exp, unflat(p0 + moves, params)), 2)
    np.testing.assert_allclose(gradient[chosen], (up - down) / (2 * H), rtol=1e-6, atol=1e-9)
    assert np.count_nonzero(gradient) > gradient.size / 4


def test_the_reported_gradient_norm_is_that_of_the_mean_loss():
    for batch_size in (1, "full"):
        for reduction in ("mean", "sum"):
            exp = experiment(
                "mixed", batch_size=batch_size, reduction=reduction, optimizer=fg.SGD(0.1, weight_decay=1)
            )
            params = fg.initial_params(exp, seeds=[5])
            gradient, _ = library_gradient(experiment("mixed"), params)
            reported = fg.run(exp.replace(epochs=0), params=params, progress=False).dataset.gradient_norm_final
            np.testing.assert_allclose(reported, [np.linalg.norm(gradient)], rtol=1e-12)


@pytest.mark.parametrize("at_zero", [0, 0.5, 1])
def test_the_gradient_of_relu_at_exactly_zero_is_the_field(at_zero):
    # one unit at z = 0: output = 3 * relu(0) = 0, target 1, half the squared error: dL/dz = -1 * 3 * gradient_at_zero
    net = fg.Network(fg.Linear(1, 1), fg.ReLU(gradient_at_zero=at_zero), fg.Linear(1, 1))
    exp = fg.Experiment(net, fg.Dataset([[1]], [1]), stop=None)
    gradient, loss = library_gradient(
        exp, [np.array([[[0.0]]]), np.array([[0.0]]), np.array([[[3.0]]]), np.array([[0.0]])]
    )
    np.testing.assert_array_equal(gradient, [-3 * at_zero, -3 * at_zero, 0, -1])
    assert loss == 0.5
