"""A training run that goes to infinity ends as `diverged`, soon, and never as anything better."""

from __future__ import annotations

import time

import naive
import numpy as np
import pytest

import fastgrok as fg
from fastgrok.spec.variables import Outcome

both_drivers = pytest.mark.parametrize("specialize", [False, True])
STOPS = {
    "none": None,
    "loss": fg.Converged(loss=0.01),
    "max_error": fg.Converged(max_error=1e300),
    "accuracy": fg.Converged(accuracy=0),
    "keep_training": fg.Converged(loss=0.01, keep_training=True),
}


def exploding(**fields):
    """A linear network whose loss grows by a factor of millions each epoch."""
    fields = {"optimizer": fg.SGD(100.0), "epochs": 200, "init": fg.Uniform(0.5, 1)} | fields
    return fg.Experiment(fg.mlp(2, 4, 1, hidden="linear"), fg.datasets.xor(), **fields)


def rows(exp, seeds=30, **options):
    return fg.run(exp, seeds=seeds, lanes=8, progress=False, **options).dataset


@pytest.mark.parametrize(("specialize", "dtype"), [(False, "float64"), (True, "float64"), (False, "float32")])
def test_a_seed_whose_loss_is_not_finite_ends_there(specialize, dtype):
    data = rows(exploding(stop=STOPS["loss"], dtype=dtype), specialize=specialize)
    assert (data.outcome == Outcome.DIVERGED).all()
    assert (data.epochs_to_converge == -1).all()
    assert not np.isfinite(data.loss_final).any()
    assert (data.epochs_run < 50).all()
    _, twin = naive.run(exploding(stop=STOPS["loss"], dtype=dtype), 7)
    assert data.epochs_run[7] == twin["epochs_run"]


@both_drivers
def test_without_a_stop_every_epoch_is_run_and_the_end_is_diverged(specialize):
    data = rows(exploding(stop=None), specialize=specialize)
    assert (data.outcome == Outcome.DIVERGED).all()
    assert (data.epochs_run == 200).all()


@pytest.mark.parametrize("stop", STOPS)
@pytest.mark.parametrize("momentum", [0, 0.9])
def test_what_is_not_finite_never_meets_a_criterion(stop, momentum):
    exp = exploding(stop=STOPS[stop], optimizer=fg.SGD(1e4, momentum=momentum))
    data = rows(exp, specialize=False)
    assert not (data.outcome[~np.isfinite(data.loss_final)] == Outcome.CONVERGED).any()
    for seed in range(3):
        _, twin = naive.run(exp, seed)
        for name in ("outcome", "epochs_run", "epochs_to_converge"):
            assert data[name][seed] == twin[name], name


@both_drivers
def test_a_seed_that_converges_and_then_explodes_has_diverged(specialize):
    """Its epochs_to_converge stays: it is when the criteria first held."""
    exp = exploding(stop=fg.Converged(loss=1e300, keep_training=True))
    data = rows(exp, specialize=specialize)
    assert (data.outcome == Outcome.DIVERGED).all()
    assert (data.epochs_to_converge == 1).all()
    _, twin = naive.run(exp, 0)
    assert (data.epochs_run == twin["epochs_run"]).any()


@both_drivers
def test_a_diverging_seed_leaves_its_neighbours_alone(specialize):
    exp = exploding(optimizer=fg.SGD(0.1), epochs=100)
    params = fg.initial_params(exp, seeds=range(64))
    clean = fg.run(exp, params=params, specialize=specialize, lanes=8, keep_params=True, progress=False)
    wild = [p.copy() for p in params]
    for p in wild:
        p[1::3] = 1e200
    mixed = fg.run(exp, params=wild, specialize=specialize, lanes=8, keep_params=True, progress=False)
    keep = np.arange(64) % 3 != 1
    assert (mixed.dataset.outcome[~keep] == Outcome.DIVERGED).all()
    for name in clean.dataset.data_vars:
        np.testing.assert_array_equal(mixed.dataset[name][keep], clean.dataset[name][keep], err_msg=name)
    for ours, theirs in zip(mixed.params, clean.params, strict=True):
        np.testing.assert_array_equal(ours[keep], theirs[keep])


def test_a_parameter_that_is_not_finite_is_divergence_even_where_the_loss_is_finite():
    """The bias under a ReLU goes from 1e308 to -inf by weight decay with a huge rate; the output stays finite."""
    net = fg.Network(fg.Linear(1, 1), fg.ReLU(), fg.Linear(1, 1))
    exp = fg.Experiment(net, fg.Dataset([[1]], [1]), optimizer=fg.SGD(3.0, weight_decay=1.0), epochs=1, stop=None)
    params = [np.array([[[0.0]]]), np.array([[1e308]]), np.array([[[0.0]]]), np.array([[1.0]])]
    result = fg.run(exp, params=params, keep_params=True, progress=False)
    assert result.params[1] == -np.inf
    assert np.isfinite(result.dataset.loss_final).all()
    assert result.dataset.outcome[0] == Outcome.DIVERGED


def test_diverging_is_not_slower_than_training():
    """NaN and infinity cost the vector unit nothing; subnormals, in between, must not hold a run up either."""

    def seconds(lr):
        exp = exploding(optimizer=fg.SGD(lr), stop=None, epochs=2000)
        rows(exp, seeds=64, specialize=False)
        start = time.perf_counter()
        rows(exp, seeds=20_000, specialize=False)
        return time.perf_counter() - start

    assert seconds(100.0) < 20 * seconds(0.01)


@pytest.mark.parametrize("lr", [1e3, 1e30, 1e200, 1e308])
def test_the_largest_rates_give_an_outcome(lr):
    for hidden in ("relu", "tanh", "sigmoid"):
        exp = fg.Experiment(
            fg.mlp(2, 4, 1, hidden=hidden), fg.datasets.xor(), optimizer=fg.SGD(lr), epochs=50, stop=STOPS["loss"],
        )  # fmt: skip
        data = rows(exp)
        bad = ~np.isfinite(data.loss_final)
        assert (data.outcome[bad] == Outcome.DIVERGED).all()
        assert (data.loss_final[data.outcome == Outcome.CONVERGED] <= 0.01).all()
