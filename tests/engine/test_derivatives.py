"""Jacobians and Hessians against differences of the twin's gradients, and against 60 digits."""

import math

import mpmath
import naive
import numpy as np
import pytest
from registry import LOSSES, WITHOUT_MASKS, experiment

import fastgrok as fg
from fastgrok.engine.derivatives import Derivatives, Differentiation
from fastgrok.engine.params import split

SMALL = [name for name in WITHOUT_MASKS if experiment(name).n_params <= 120]
STEP = 1e-5


def flat_params(exp: fg.Experiment, seeds: int) -> np.ndarray:
    return np.concatenate([array.reshape(seeds, -1) for array in fg.initial_params(exp, seeds)], axis=1)


def derivatives(exp: fg.Experiment, params: np.ndarray) -> Derivatives:
    """Return the derivatives of a few networks, which are one chunk."""
    ((_, found),) = Differentiation(exp).chunks(params)
    return found


def twin_gradient(exp: fg.Experiment, flat: np.ndarray) -> np.ndarray:
    params = [array[0] for array in split(exp.network, flat[None])]
    grads = naive.gradients(exp, params, *naive.examples(exp))
    return np.concatenate([array.ravel() for array in grads]) / exp.data.n_examples


def twin_hessian(exp: fg.Experiment, flat: np.ndarray) -> np.ndarray:
    steps = STEP * np.eye(len(flat))
    return np.array([(twin_gradient(exp, flat + h) - twin_gradient(exp, flat - h)) / (2 * STEP) for h in steps])


@pytest.mark.parametrize("network", SMALL)
def test_the_hessian_is_that_of_the_twin_by_differences(network):
    exp = experiment(network)
    params = flat_params(exp, 2)
    found = derivatives(exp, params)
    for row, flat in enumerate(params):
        np.testing.assert_allclose(found.gradient[row], twin_gradient(exp, flat), rtol=1e-9, atol=1e-13)
        np.testing.assert_allclose(found.hessian[row], twin_hessian(exp, flat), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_has_its_curvature(loss):
    exp = experiment("gelu_by_tanh", loss=loss)
    params = 3 * flat_params(exp, 3)  # so that some errors are beyond 1, where huber is straight
    found = derivatives(exp, params)
    for row, flat in enumerate(params):
        np.testing.assert_allclose(found.hessian[row], twin_hessian(exp, flat), rtol=1e-5, atol=1e-7)


def mp_loss(exp: fg.Experiment, flat: list) -> mpmath.mpf:
    """Return the mean loss with as many digits as mpmath has: tanh, ReLU and sigmoid, half the squared error."""
    f = {fg.Tanh: mpmath.tanh, fg.ReLU: lambda z: max(z, 0), fg.Sigmoid: lambda z: 1 / (1 + mpmath.exp(-z))}
    total = mpmath.mpf(0)
    for x, y in zip(exp.data.X.tolist(), exp.data.y.tolist(), strict=True):
        values, rest = x, iter(flat)
        for layer in exp.network.layers:
            if isinstance(layer, fg.Linear):
                weight = [[next(rest) for _ in range(layer.fan_out)] for _ in range(layer.fan_in)]
                bias = [next(rest) for _ in range(layer.fan_out)]
                columns = range(layer.fan_out)
                values = [sum(v * w[j] for v, w in zip(values, weight, strict=True)) + bias[j] for j in columns]
            else:
                values = [f[type(layer)](value) for value in values]
        total += sum((a - t) ** 2 for a, t in zip(values, y, strict=True)) / 2
    return total / exp.data.n_examples


def test_the_hessian_is_exact_to_rounding():
    """All 496 second derivatives of 2-3-3-1 with tanh, ReLU and sigmoid, by differences of numbers of 60 digits."""
    net = fg.Network(
        *(fg.Linear(2, 3), fg.Tanh(), fg.Linear(3, 3), fg.ReLU(), fg.Linear(3, 1), fg.Sigmoid()),
    )
    exp = fg.Experiment(net, fg.datasets.xor(), init=fg.Uniform(-2, 2), bias_init="same")
    flat = flat_params(exp, 1)[0]
    hessian = derivatives(exp, flat[None]).hessian[0]
    with mpmath.workdps(60):
        start, h = [mpmath.mpf(float(x)) for x in flat], mpmath.mpf(10) ** -18

        def at(*moves: tuple[int, int]) -> mpmath.mpf:
            moved = list(start)
            for k, way in moves:
                moved[k] += way * h
            return mp_loss(exp, moved)

        largest = 0.0
        for i in range(0, len(flat), 2):  # half of the rows: the others are there by symmetry
            for j in range(len(flat)):
                signs = ((1, 1), (1, -1), (-1, 1), (-1, -1))
                total = sum(s * t * at((i, s), (j, t)) for s, t in signs)
                largest = max(largest, abs(float(total / (4 * h * h)) - hessian[i, j]))
    assert largest <= 4e-16 * max(1.0, np.abs(hessian).max()) * math.sqrt(len(flat))


def test_the_jacobian_is_that_of_the_outputs():
    exp = experiment("mixed")
    flat = flat_params(exp, 1)
    jacobian = derivatives(exp, flat).jacobian[0]
    steps = STEP * np.eye(exp.n_params)
    ends = (fg.predict(exp.network, flat + sign * steps, exp.data.X) for sign in (1, -1))
    np.testing.assert_allclose(jacobian, (next(ends) - next(ends)) / (2 * STEP), atol=1e-8)


def test_with_a_cross_entropy_the_jacobian_is_of_what_the_last_layer_takes_in():
    exp = experiment("mixed", loss="binary_cross_entropy")
    flat = flat_params(exp, 2)
    plain = derivatives(experiment("mixed"), flat).jacobian
    np.testing.assert_array_equal(derivatives(exp, flat).jacobian, plain)


def test_a_network_is_looked_at_alone_however_many_there_are():
    exp = fg.Experiment(fg.mlp(2, 8, 8, 1), fg.datasets.xor())
    params = flat_params(exp, 600)
    parts = list(Differentiation(exp).chunks(params))
    assert len(parts) > 1
    np.testing.assert_allclose(
        parts[1][1].hessian[0], derivatives(exp, params[parts[1][0]][:1]).hessian[0], atol=1e-15
    )


def test_dropout_passes_everything_on():
    exp = experiment("dropout")
    flat = flat_params(exp, 2)
    without = exp.replace(network=exp.network.without_dropout())
    np.testing.assert_array_equal(derivatives(exp, flat).hessian, derivatives(without, flat).hessian)
