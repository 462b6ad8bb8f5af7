"""The numbers that the source texts print, and the closed forms, through the public interface alone."""

from __future__ import annotations

import math

import numpy as np
import pytest

import fastgrok as fg

STREETLIGHT = fg.mlp(3, 1, bias=False)
START = [np.array([[[0.5], [0.48], [-0.7]]])]  # weights (n_seeds, fan_in, fan_out), one seed
DEEP = fg.mlp(3, 4, 1, bias=False)


def book_experiment(network, data, lr, loss="half_squared_error", **fields):
    """As in the book: one example at a time, in the order given; delta = prediction - goal, or twice that."""
    fields = {"epochs": 1, "stop": None, "stream": "numpy_legacy", "init": fg.Uniform(-1, 1)} | fields
    return fg.Experiment(network, data, loss=loss, optimizer=fg.SGD(lr), **fields)


def trained(exp, params=None, **options):
    given = {} if params is None else {"params": params}
    return fg.run(exp, **given, **options, keep_params=True, progress=False)


def squared_errors(exp, params, epochs):
    """Each example's squared error before its update, (epochs, n_examples), and the parameters at the end."""
    to_square = {"half_squared_error": 2, "squared_error": 1}[exp.loss]
    rows = [exp.replace(data=fg.Dataset([x], [y])) for x, y in zip(exp.data.X, exp.data.y, strict=True)]
    errors = np.empty((epochs, len(rows)))
    for epoch in range(epochs):
        for k, row in enumerate(rows):
            result = trained(row, params)
            errors[epoch, k] = to_square * result.dataset.loss_initial[0]
            params = result.params
    return errors, params


# Streetlights ------------------------------------------------------------------------------------------------


def test_one_streetlight():
    """The streetlight notes: "Error:[0.04] Prediction: -0.199..." and on."""
    exp = book_experiment(STREETLIGHT, fg.Dataset([[1, 0, 1]], [0]), 0.1)
    params = START
    for error, prediction in zip(
        [0.04, 0.0256, 0.016384, 0.01048576, 0.00671089], [-0.2, -0.16, -0.128, -0.1024, -0.08192], strict=True
    ):
        np.testing.assert_allclose(fg.predict(STREETLIGHT, params, exp.data.X), [[[prediction]]], rtol=1e-12)
        result = trained(exp, params)
        np.testing.assert_allclose(2 * result.dataset.loss_initial, error, atol=5e-9)
        params = result.params


def test_all_streetlights():
    """The streetlight notes: the sum over the six examples of the squared error before each update, 20 epochs."""
    exp = book_experiment(STREETLIGHT, fg.datasets.streetlights(), 0.1)
    errors, _ = squared_errors(exp, START, 20)
    printed = [
        2.65612311, 0.96287018, 0.55091659, 0.36445837, 0.25167687, 0.17797575, 0.12864461, 0.09511037, 0.07194564,
        0.05564915, 0.04394764, 0.03535797, 0.028907, 0.02395166, 0.02006311, 0.01695209, 0.01442082, 0.01233174,
        0.01058739, 0.00911723,
    ]  # fmt: skip
    np.testing.assert_allclose(errors.sum(axis=1), printed, atol=5e-9)


def test_deep_streetlights_start_as_the_books_np_random_seed_1():
    np.random.seed(1)
    weights_0_1 = 2 * np.random.random((3, 4)) - 1
    weights_1_2 = 2 * np.random.random((4, 1)) - 1
    ours = fg.initial_params(book_experiment(DEEP, fg.datasets.deep_streetlights(), 0.1), seeds=[1])
    np.testing.assert_array_equal(ours[0][0], weights_0_1)
    np.testing.assert_array_equal(ours[1][0], weights_1_2)


def test_deep_streetlights_with_the_notebooks_delta():
    """The streetlight notes: delta = 2 (prediction - y), alpha .1."""
    exp = book_experiment(DEEP, fg.datasets.deep_streetlights(), 0.1, "squared_error")
    errors, _ = squared_errors(exp, fg.initial_params(exp, seeds=[1]), 41)
    np.testing.assert_allclose(errors[::10, -1], [0, 0.07710452, 0.03764561, 0.00240581, 9.22274338e-06], atol=5e-9)
    after_100 = trained(exp.replace(epochs=100), seeds=[1]).params
    np.testing.assert_allclose(after_100[1][0].ravel(), [-0.5910955, 1.13962134, -0.94522481, 1.11202675], atol=5e-9)


def test_deep_streetlights_of_chapter_6():
    """The book: delta = prediction - y, alpha .2, 60 epochs; the sum of the squared errors every tenth epoch."""
    exp = book_experiment(DEEP, fg.datasets.deep_streetlights(), 0.2)
    errors, params = squared_errors(exp, fg.initial_params(exp, seeds=[1]), 60)
    printed = [
        0.6342311598444467, 0.35838407676317513, 0.0830183113303298,
        0.006467054957103705, 0.0003292669000750734, 1.5055622665134859e-05,
    ]  # fmt: skip
    np.testing.assert_allclose(errors[9::10].sum(axis=1), printed, rtol=1e-10)
    for ours, one_by_one in zip(trained(exp.replace(epochs=60), seeds=[1]).params, params, strict=True):
        np.testing.assert_array_equal(ours, one_by_one)


# XOR ---------------------------------------------------------------------------------------------------------


def test_the_worked_forward_pass_of_source_003():
    """Hidden weights .66/-.66 and -.95/.95, no bias, ReLU, output 1.5 and 1.0, on the input (0, 1)."""
    hidden, output = np.array([[[0.66, -0.95], [-0.66, 0.95]]]), np.array([[[1.5], [1.0]]])
    sums = fg.predict(fg.mlp(2, 2, bias=False), [hidden], [[0, 1]])
    np.testing.assert_array_equal(sums, [[[-0.66, 0.95]]])
    np.testing.assert_array_equal(fg.predict(fg.mlp(2, 2, 1, bias=False), [hidden, output], [[0, 1]]), [[[0.95]]])


def test_goodfellows_weights_compute_xor_exactly():
    """Goodfellow et al. 6.1: W = ones, c = (0, -1), w = (1, -2), b = 0."""
    params = [np.array([p]) for p in ([[1.0, 1.0], [1.0, 1.0]], [0.0, -1.0], [[1.0], [-2.0]], [0.0])]
    net, xor = fg.mlp(2, 2, 1), fg.datasets.xor()
    np.testing.assert_array_equal(fg.predict(net, params, xor.X)[0], xor.y)
    row = trained(fg.Experiment(net, xor, epochs=3), params).dataset.isel(seed=0)
    assert (row.loss_initial, row.loss_final, row.accuracy_final, row.gradient_norm_final) == (0, 0, 1, 0)


@pytest.mark.parametrize("output", ["linear", "sigmoid"])
def test_without_relu_xor_stays_at_a_quarter(output):
    """The correlation post: without ReLU the loss stays near 0.25 and every prediction near 0.5."""
    net = fg.mlp(2, 4, 1, hidden="linear", output=output)
    exp = fg.Experiment(
        net, fg.datasets.xor(), loss="squared_error", batch_size="full", epochs=5000, stop=None
    )  # fmt: skip
    result = trained(exp, seeds=200)
    loss, predictions = result.dataset.loss_final, fg.predict(net, result.params, exp.data.X)
    assert loss.min() >= 0.25 - 1e-15
    assert loss.max() < 0.2501
    assert result.dataset.accuracy_final.max() <= 0.75
    np.testing.assert_allclose(predictions, 0.5, atol=0.02)


@pytest.mark.parametrize("output", ["linear", "sigmoid"])
def test_with_relu_some_seeds_solve_xor(output):
    """The correlation post: with ReLU the loss goes to 0 and all four examples are right: of some seeds."""
    exp = fg.Experiment(
        fg.mlp(2, 4, 1, output=output), fg.datasets.xor(), epochs=5000, stop=fg.Converged(max_error=0.2)
    )
    data = trained(exp, seeds=500).dataset
    solved = data.epochs_to_converge > 0
    assert 0.2 < solved.mean() < 0.95
    assert (data.accuracy_final[solved] == 1).all()


# Sign flow ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("target", "sign"), [(2, 0), (3, 1), (1, -1)])
def test_weights_move_as_the_sign_flow_table_says(target, sign):
    """The sign-flow article: as expected: keep; too low: up if the input is >= 0, else down; too high: other way."""
    net = fg.Network(fg.Linear(3, 1, bias=False), fg.ReLU())
    X, weights = np.array([[1.0, -2.0, 3.0]]), np.array([[[2.0], [1.5], [1.0]]])  # output 2
    after = trained(book_experiment(net, fg.Dataset(X, [target]), 0.01), [weights]).params[0]
    np.testing.assert_array_equal(np.sign(after - weights).ravel(), sign * np.sign(X[0]))


def test_a_negative_sum_passes_nothing_through_relu_and_a_hundredth_through_leaky_relu():
    """The sign-flow article: delta is 0 through a ReLU with z < 0; a leaky ReLU (slope .01) passes .01 delta."""
    X, weights = [[1.0]], np.array([[[-2.0]]])  # z = -2: outputs 0 and -0.02, target 1: deltas -1 and -1.02
    for layer, moved in ((fg.ReLU(), 0.0), (fg.LeakyReLU(), 0.01 * 1.02)):
        exp = book_experiment(fg.Network(fg.Linear(1, 1, bias=False), layer), fg.Dataset(X, [1]), 1.0)
        np.testing.assert_allclose(trained(exp, [weights]).params[0] - weights, [[[moved]]], rtol=1e-12)


# Born dead ---------------------------------------------------------------------------------------------------

N_SEEDS = 40_000


def assert_share(share, expected, n, z=4.5):
    """The expected share lies in the Wilson interval of the share found, at z standard deviations."""
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    assert middle - half <= expected <= middle + half, f"{share} found, {expected} expected"


@pytest.mark.parametrize("init", [fg.Uniform(-1, 1), fg.HeNormal()])
@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("width", [1, 2, 4])
def test_networks_are_born_dead_as_often_as_the_closed_form_says(width, depth, init):
    """1 - (1 - 2**-N)**D for one nonzero example, zero biases and symmetric weights."""
    net = fg.mlp(2, *[width] * depth, 1)
    exp = fg.Experiment(net, fg.Dataset([[1, -0.3]], [1]), init=init, epochs=0)
    assert_share(trained(exp, seeds=N_SEEDS).dataset.born_dead.values.mean(), 1 - (1 - 2.0**-width) ** depth, N_SEEDS)


def test_a_quarter_of_the_units_on_xor_are_born_dead():
    """With inputs {0, 1} a unit with zero bias is dead when both weights are negative; with {-1, 1} never."""
    net = fg.mlp(2, 4, 1)
    dead = trained(fg.Experiment(net, fg.datasets.xor(), epochs=0), seeds=N_SEEDS).dataset
    units = dead.dead_units_initial.values[:, 0]
    assert_share(units.mean() / 4, 1 / 4, 4 * N_SEEDS)
    assert_share(dead.born_dead.values.mean(), 4.0**-4, N_SEEDS)
    none = trained(fg.Experiment(net, fg.datasets.xor(low=-1), epochs=0), seeds=N_SEEDS).dataset
    assert (none.dead_units_initial == 0).all()
