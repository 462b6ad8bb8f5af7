"""Saddles and minima that are known, what becomes of networks called so, and the neural tangent kernel."""

import numpy as np
import pytest

import fastgrok as fg

XOR = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor())


def line(*sizes: int, hidden: str = "linear", bias: bool = False) -> fg.Experiment:
    """Return a network that is to learn y = x at x = 1 and 2."""
    return fg.Experiment(fg.mlp(*sizes, hidden=hidden, bias=bias), fg.Dataset([[1], [2]], [1, 2]))


def one(exp: fg.Experiment, params: list[float], **options: int) -> fg.HessianSpectrum:
    return fg.hessian_spectrum(exp, np.array(params), **options)


def test_the_spectrum_of_least_squares_is_that_of_its_inputs():
    """A linear layer: the Hessian is X^T X / n, a minimum where X^T e = 0."""
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((20, 3)), rng.standard_normal(20)
    exp = fg.Experiment(fg.mlp(3, 1, bias=False), fg.Dataset(X, y))
    best = np.linalg.lstsq(X, y, rcond=None)[0]
    found = one(exp, best.tolist())
    np.testing.assert_allclose(found.eigenvalues[0], np.linalg.eigvalsh(X.T @ X / 20), rtol=1e-12)
    assert found.names.tolist() == ["minimum"]
    assert one(exp, [0.0, 0.0, 0.0]).names.tolist() == ["slope"]


def test_the_origin_of_two_linear_layers_is_a_saddle():
    """Baldi and Hornik 1989: with L = mean (w2 w1 x - x)^2 / 2 the Hessian at 0 is -mean(x^2) off the diagonal."""
    found = one(line(1, 1, 1), [0.0, 0.0])
    np.testing.assert_allclose(found.eigenvalues[0], [-2.5, 2.5])
    assert (found.names.tolist(), found.n_negative.tolist()) == (["saddle"], [1])


def test_the_origin_of_three_linear_layers_is_degenerate():
    """Kawaguchi 2016: no negative eigenvalue, and no minimum."""
    found = one(line(1, 1, 1, 1), [0.0, 0.0, 0.0])
    assert (found.names.tolist(), found.eigenvalues.any()) == (["degenerate"], False)


def test_solutions_that_are_not_isolated_are_minima():
    """w2 w1 = 1 is a curve: one direction is flat, and the loss rises along the other."""
    found = one(line(1, 1, 1), [2.0, 0.5])
    assert (found.names.tolist(), found.rank.tolist()) == (["minimum"], [1])
    np.testing.assert_allclose(found.eigenvalues[0], [0, 2.5 * 4.25], atol=1e-14)


def test_a_dead_unit_is_a_minimum_unless_it_lies_on_its_edge():
    """w1, b1, w2, b2 of 1-1-1 with a ReLU at x = 0 and 1, targets 0 and 1: dead, the best output is 1/2."""
    exp = fg.Experiment(fg.mlp(1, 1, 1), fg.Dataset([[0], [1]], [0, 1]))
    dead = one(exp, [-1.0, -0.5, 1.0, 0.5])
    assert (dead.names.tolist(), dead.kinks.tolist(), dead.kink_slope.tolist()) == (["minimum"], [0], [0.0])
    # z = 0 at x = 0, where the output is too large: a larger bias adds to it if w2 > 0, and takes from it if not
    rises, falls = one(exp, [-1.0, 0.0, 1.0, 0.5]), one(exp, [-1.0, 0.0, -1.0, 0.5])
    assert (rises.names.tolist(), rises.kinks.tolist(), rises.kink_slope.tolist()) == (["minimum"], [1], [0.0])
    assert (falls.names.tolist(), falls.kink_at.tolist()) == (["kink"], [[1, 0, 0]])
    np.testing.assert_allclose(falls.kink_slope, [-0.5 / 2])  # -w2 e / n, along the bias alone, since x = 0
    loss = fg.compile(exp).loss(np.array([[-1.0, 0.0, -1.0, 0.5], [-1.0, 1e-3, -1.0, 0.5]]))
    np.testing.assert_allclose((loss[1] - loss[0]) / 1e-3, falls.kink_slope[0], rtol=1e-2)


def test_the_side_that_training_takes_at_a_kink_is_that_of_gradient_at_zero():
    """With gradient 1 at z = 0 the same slope is in the gradient."""
    net = fg.Network(fg.Linear(1, 1), fg.ReLU(gradient_at_zero=1), fg.Linear(1, 1))
    exp = fg.Experiment(net, fg.Dataset([[0], [1]], [0, 1]))
    found = one(exp, [-1.0, 0.0, -1.0, 0.5])
    assert (found.names.tolist(), found.gradient_norm.tolist()) == (["slope"], [0.25])


@pytest.fixture(scope="module")
def trapped() -> np.ndarray:
    """The parameters of the trapped among 1,200 seeds of XOR 2-4-1."""
    result = fg.run(XOR, 1200, keep_params=True, progress=False)
    rows = result.dataset["outcome"].values == 3
    return np.concatenate([array[rows].reshape(rows.sum(), -1) for array in result.params], axis=1)


@pytest.fixture(scope="module")
def settled(trapped) -> fg.HessianSpectrum:
    return fg.hessian_spectrum(XOR, trapped, settle=10_000)


def leaves(exp: fg.Experiment, params: np.ndarray, settled: fg.HessianSpectrum) -> np.ndarray:
    """Whether gradient descent from there comes to another loss, (n,)."""
    full = exp.replace(batch_size="full", stop=None, epochs=10_000)
    return fg.run(full, params=params, progress=False).dataset["loss_final"].values < settled.loss - 1e-3


def test_networks_that_are_called_minima_stay_and_those_on_a_kink_go(settled):
    """Nudged by 1e-6 no minimum is left; from a kink nearly all go on once z = 0 is active, and no others."""
    names = settled.names
    assert (names == "kink").mean() > 0.4
    assert (names == "minimum").mean() > 0.4
    assert set(names) <= {"kink", "minimum", "degenerate", "slope", "saddle"}
    nudges = 1e-6 * np.random.default_rng(0).standard_normal(settled.params.shape)
    assert not leaves(XOR, settled.params + nudges, settled)[names == "minimum"].any()
    active = XOR.replace(network=fg.Network(fg.Linear(2, 4), fg.ReLU(gradient_at_zero=1), fg.Linear(4, 1)))
    gone = leaves(active, settled.params, settled)
    assert gone[names == "kink"].mean() > 0.97
    assert not gone[names != "kink"].any()


def test_seeds_trained_by_single_examples_settle_beside_where_they_ended(trapped, settled):
    """There the mean loss has a gradient, so that nothing lies there; the loss hardly comes down."""
    assert set(fg.hessian_spectrum(XOR, trapped).names) == {"slope"}
    assert (settled.moved < 0.2).all()
    assert (settled.loss > 0.05).all()


def test_a_network_that_was_not_at_rest_is_looked_at_where_it_was():
    start = np.concatenate([array.ravel() for array in fg.initial_params(XOR, [42])])  # converges
    found = fg.hessian_spectrum(XOR, start, settle=2000)
    assert (found.names.tolist(), found.moved.tolist()) == (["slope"], [0.0])
    np.testing.assert_array_equal(found.params[0], start)


def test_float32_networks_are_looked_at_in_float64(trapped):
    exp = XOR.replace(dtype="float32")
    single = fg.hessian_spectrum(exp, trapped[:5].astype(np.float32))
    double = fg.hessian_spectrum(XOR, trapped[:5].astype(np.float32).astype(np.float64))
    np.testing.assert_array_equal(single.eigenvalues, double.eigenvalues)


# The neural tangent kernel -----------------------------------------------------------------------------------


def test_the_kernel_of_a_linear_layer_is_that_of_its_inputs():
    """K = (X X^T + 1) x I, whatever the weights."""
    rng = np.random.default_rng(2)
    X = rng.standard_normal((6, 4))
    exp = fg.Experiment(fg.mlp(4, 2), fg.Dataset(X, rng.standard_normal((6, 2))))
    expected = np.sort(np.repeat(np.linalg.eigvalsh(X @ X.T + 1), 2))
    np.testing.assert_allclose(fg.ntk_spectrum(exp, 3).eigenvalues, np.tile(expected, (3, 1)), atol=1e-13)


def test_the_kernel_gives_the_change_of_outputs_by_a_small_step():
    exp = fg.Experiment(fg.mlp(2, 5, 1, hidden="tanh"), fg.datasets.xor())
    trainer = fg.compile(exp)
    params, lr = trainer.initial_params(1), 1e-6
    errors = trainer.predict(params) - exp.data.y
    change = trainer.predict(params - lr * trainer.gradients(params)) - trainer.predict(params)
    found = fg.ntk_spectrum(exp, 1)
    energy = float(-(errors * change).sum()) / lr * exp.data.n_examples  # e^T K e
    assert found.smallest[0] * (errors**2).sum() <= energy <= found.largest[0] * (errors**2).sum()
    assert found.trace[0] == pytest.approx(found.eigenvalues.sum())


def test_a_dead_network_has_one_direction():
    """Only the output's bias moves anything: K is all ones."""
    exp = fg.Experiment(fg.mlp(2, 2, 1), fg.datasets.xor())
    found = fg.ntk_spectrum(exp, params=[-np.ones((2, 2)), -np.ones(2), np.ones((2, 1)), np.zeros(1)])
    np.testing.assert_allclose(found.eigenvalues[0], [0, 0, 0, 4], atol=1e-15)
    assert found.condition.tolist() == [np.inf]
    assert list(found.covariates()) == ["ntk_largest", "ntk_smallest", "ntk_trace"]


def test_a_network_with_fewer_parameters_than_outputs_has_zeros():
    exp = fg.Experiment(fg.mlp(1, 1, bias=False), fg.Dataset([[1], [2], [3]], [1, 2, 3]))
    np.testing.assert_allclose(fg.ntk_spectrum(exp, 1).eigenvalues[0], [0, 0, 14], atol=1e-15)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fg.hessian_spectrum(XOR, np.zeros((2, 5))), r"params = \(2, 5\): expected shape \(n_seeds, 17\)"),
        (lambda: fg.hessian_spectrum(XOR, np.full((2, 17), np.nan)), r"params\[0\] = 'not finite'"),
        (lambda: fg.hessian_spectrum(XOR, np.zeros(17), settle=-1), "settle = -1: expected a number of epochs"),
        (lambda: fg.hessian_spectrum(XOR, np.zeros(17), settle=True), "settle = True"),
        (lambda: fg.hessian_spectrum("xor", np.zeros(17)), "experiment = 'xor'"),
        (lambda: fg.hessian_spectrum(line(1, 900, 3, 1), np.zeros(3603)), "at most 2000 parameters"),
        (lambda: fg.ntk_spectrum(XOR), "seeds = None: expected seeds, or params"),
        (lambda: fg.ntk_spectrum(XOR, 3, params=np.zeros(17)), "seeds = 3: expected seeds, or params, and not both"),
    ],
)
def test_what_will_not_do_is_refused(call, message):
    with pytest.raises(fg.InvalidExperiment, match=message):
        call()
