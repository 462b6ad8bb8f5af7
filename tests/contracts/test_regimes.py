"""Optimizers, schedules, restarts, validation, early stopping, records: both drivers against the naive twin."""

from __future__ import annotations

import naive
import numpy as np
import pytest
from fingerprint import bits
from registry import DTYPES, experiment
from test_twin import LANES, SEEDS, XOR, assert_like_the_twin, assert_like_the_twin_every_epoch, library

import fastgrok as fg
from fastgrok.engine.driver import lane_count
from fastgrok.engine.layout import functions, kinds
from fastgrok.engine.program import Program
from fastgrok.spec.recording import Recording
from fastgrok.spec.variables import Outcome

OPTIMIZERS = {
    "nesterov": fg.SGD(0.1, momentum=0.9, nesterov=True),
    "clip": fg.SGD(0.1, clip_norm=0.3),
    "clip_momentum": fg.SGD(0.1, momentum=0.5, weight_decay=0.1, l1=0.05, nesterov=True, clip_norm=0.3),
    "adam": fg.Adam(0.05),
    "adam_all": fg.Adam(0.05, beta1=0.5, beta2=0.9, eps=1e-3, weight_decay=0.1, l1=0.05, clip_norm=0.3),
    "adam_no_memory": fg.Adam(0.05, beta1=0, beta2=0),
}
SCHEDULES = {
    "step": fg.StepLR(2, gamma=0.5),
    "exponential": fg.ExponentialLR(0.7),
    "cosine": fg.CosineAnnealingLR(3, eta_min=0.01),
    "multi_step": fg.MultiStepLR([2, 3, 6], gamma=0.5),
    "linear": fg.LinearLR(0.25, 0.75, total_iters=3),
    "warm_up": fg.SequentialLR([fg.LinearLR(0.1, total_iters=2), fg.StepLR(1), fg.ExponentialLR(0.5)], [3, 5]),
}
both_drivers = pytest.mark.parametrize("specialize", [False, True])


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("batch_size", [1, 2, "full"])
def test_the_general_driver_updates_as_the_twin(optimizer, batch_size):
    assert_like_the_twin_every_epoch(
        experiment("relu", optimizer=OPTIMIZERS[optimizer], batch_size=batch_size), specialize=False
    )


@pytest.mark.parametrize("optimizer", ["clip_momentum", "adam_all"])
def test_the_specialised_driver_updates_as_the_twin(optimizer):
    assert_like_the_twin_every_epoch(experiment("mixed", optimizer=OPTIMIZERS[optimizer]), specialize=True)


@pytest.mark.parametrize("optimizer", ["nesterov", "adam", "adam_all"])
def test_a_float32_step_is_the_twins(optimizer):
    exp = experiment("mixed", batch_size="full", epochs=1, dtype="float32", optimizer=OPTIMIZERS[optimizer])
    assert_like_the_twin(exp, SEEDS, rtol=1e-5, specialize=False)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("optimizer", [fg.SGD(0.2), fg.SGD(0.2, momentum=0.5), fg.Adam(0.1)], ids=repr)
def test_the_learning_rate_follows_its_schedule_as_the_twins(schedule, optimizer):
    exp = experiment("relu", optimizer=optimizer.replace(schedule=SCHEDULES[schedule]), epochs=7)
    assert_like_the_twin(exp, SEEDS, specialize=False)


def test_the_specialised_driver_follows_a_schedule_as_the_twin():
    exp = experiment("mixed", optimizer=fg.SGD(0.2, schedule=SCHEDULES["cosine"]), epochs=7)
    assert_like_the_twin(exp, SEEDS, specialize=True)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_schedules_give_pytorchs_closed_forms(schedule):
    rates = SCHEDULES[schedule].rates(0.1, 20)
    expected = [naive.learning_rate(fg.SGD(0.1, schedule=SCHEDULES[schedule]), epoch) for epoch in range(20)]
    np.testing.assert_allclose(rates, expected, rtol=1e-14)


def test_adam_takes_steps_of_the_learning_rate_where_gradients_have_one_sign():
    """Kingma and Ba's bound: with constant gradients every step is lr, whatever their size."""
    exp = fg.Experiment(
        fg.mlp(1, 1, bias=False), fg.Dataset([[1]], [1000]), optimizer=fg.Adam(0.1), epochs=5, stop=None
    )
    start = [np.zeros((1, 1, 1))]
    for epochs in range(1, 6):
        weight = library(exp.replace(epochs=epochs), params=start).params[0].item()
        assert weight == pytest.approx(0.1 * epochs, rel=1e-5)


# Restarts ----------------------------------------------------------------------------------------------------

RESTARTS = {
    "few": (fg.Restart(after=20), {}),
    "at_most_two": (fg.Restart(after=10, at_most=2), {}),
    "adam": (fg.Restart(after=15), {"optimizer": fg.Adam(0.05), "batch_size": "full"}),
    "per_seed": (fg.Restart(after=20), {"order": "per_seed"}),
    "shared": (fg.Restart(after=20), {"order": "shared"}),
    "legacy": (fg.Restart(after=20), {"stream": "numpy_legacy", "init": fg.Normal(0, 1), "bias_init": "same"}),
    "schedule": (fg.Restart(after=20), {"optimizer": fg.SGD(0.3, schedule=fg.ExponentialLR(0.99))}),
    "every_third": (fg.Restart(after=20), {"check_every": 3}),
    "keep_training": (
        fg.Restart(after=30),
        {
            "stop": fg.Converged(loss=0.05, keep_training=True),
            "optimizer": fg.SGD(0.3, schedule=fg.ExponentialLR(0.999)),
        },
    ),
    "diverging": (fg.Restart(after=20), {"optimizer": fg.SGD(2.4), "init": fg.Normal(0, 2)}),
    "patience": (fg.Restart(patience=7, min_delta=1e-3), {"optimizer": fg.SGD(0.4)}),
    "accuracy": (fg.Restart(patience=25, monitor="accuracy", after=60), {"check_every": 3}),
    "accuracy_delta": (fg.Restart(patience=9, monitor="accuracy", min_delta=0.25), {"order": "per_seed"}),
    "at_rest": (fg.Restart(gradient_norm=0.05, at_most=3), {"batch_size": "full", "optimizer": fg.Adam(0.05)}),
}


@pytest.mark.parametrize("restart", RESTARTS)
def test_seeds_restart_as_the_twins(restart):
    rule, fields = RESTARTS[restart]
    exp = XOR.replace(**{"stop": fg.Converged(loss=0.05), "epochs": 97} | fields, restart=rule)
    assert_like_the_twin(exp, list(range(24)), rtol=1e-7, specialize=False)
    assert library(exp, seeds=24, specialize=False).dataset.restarts.max() > 1


@pytest.mark.parametrize("restart", ["per_seed", "shared", "accuracy", "at_rest"])
def test_the_specialised_driver_restarts_as_the_twin(restart):
    rule, fields = RESTARTS[restart]
    exp = XOR.replace(**{"stop": fg.Converged(loss=0.05), "epochs": 97} | fields, restart=rule)
    assert_like_the_twin(exp, list(range(24)), rtol=1e-7, specialize=True)


def test_a_restart_continues_the_seeds_own_stream():
    """The second attempt's parameters are the next ones that NumPy's generator gives."""
    exp = XOR.replace(init=fg.Uniform(-1, 1), stop=fg.Converged(loss=0), restart=fg.Restart(after=1), epochs=2)
    record = library(exp.replace(optimizer=fg.SGD(1e-300)), seeds=[7])
    rng = np.random.default_rng(7)
    for _ in range(2):
        drawn = [rng.uniform(-1, 1, shape) for shape in ((2, 4), (4, 1))]
    assert record.dataset.restarts.item() == 1
    for ours, numpys in zip(record.params[::2], drawn, strict=True):
        np.testing.assert_array_equal(ours[0], numpys)


def test_an_attempt_ends_when_accuracy_has_stagnated():
    """Of one attempt, by the seed's own history: the best accuracy was reached so many epochs before, at first."""
    exp = XOR.replace(stop=fg.Converged(loss=1e-9), restart=fg.Restart(patience=30, monitor="accuracy"))
    for seed in range(6):
        trace = fg.replay(exp, seed)
        begun = trace.epoch.values[np.flatnonzero(np.diff(trace.attempt_of.values))]  # the last of each attempt
        accuracies, start = trace.accuracy.values, 0
        for end in begun:
            best = accuracies[start + 1 : end].max()
            improved = start + 1 + int(np.argmax(accuracies[start + 1 : end] == best))
            assert end - improved == 30
            start = end


# A small gradient --------------------------------------------------------------------------------------------

AT_REST = {
    "alone": XOR.replace(stop=fg.Stationary(0.05), batch_size="full"),
    "with_criterion": XOR.replace(stop=(fg.Stationary(0.03), fg.Converged(loss=0.02))),
    "every_fourth": XOR.replace(stop=fg.Stationary(0.1), check_every=4, optimizer=fg.SGD(0.3, momentum=0.5)),
    "diverging": XOR.replace(stop=fg.Stationary(1e-9), optimizer=fg.SGD(2.4), init=fg.Normal(0, 2)),
}


@pytest.mark.parametrize("stop", AT_REST)
@both_drivers
def test_a_small_gradient_ends_seeds_as_the_twins(stop, specialize):
    assert_like_the_twin(AT_REST[stop], list(range(16)), rtol=1e-7, specialize=specialize)


def test_three_rules_end_seeds_as_the_twins():
    rules = fg.Converged(loss=0.01), fg.EarlyStopping(12, monitor="training"), fg.Stationary(0.02)
    exp = NOISY.replace(stop=rules, network=fg.mlp(3, 8, 8, 1, hidden="tanh"), batch_size=2, epochs=80)
    assert exp.stop == rules == exp.replace(stop=rules[::-1]).stop
    assert_like_the_twin(exp, list(range(16)), rtol=1e-7, specialize=False)
    assert library(exp, seeds=60).dataset.stopped_early.any()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@both_drivers
def test_the_norm_that_ends_a_seed_is_that_of_its_result_bit_for_bit(dtype, specialize):
    exp = AT_REST["with_criterion"].replace(dtype=dtype)
    found = library(exp, seeds=200, specialize=specialize).dataset
    stopped = found.stopped_early.values
    norms = found.gradient_norm_final.values
    assert stopped.sum() > 20
    assert (norms[stopped] <= np.dtype(dtype).type(0.03)).all()
    assert (norms[~stopped & (found.outcome.values != Outcome.CONVERGED)] > 0.03).all()
    trace = fg.replay(exp, int(np.flatnonzero(stopped)[0]))
    assert (trace.gradient_norm.values[1:-1] > np.dtype(dtype).type(0.03)).all()  # epoch 0 is not checked
    assert set(found.outcome.values[stopped]) <= {Outcome.DEAD, Outcome.TRAPPED}


# Validation and early stopping -------------------------------------------------------------------------------

TRAIN, HELD_OUT = fg.datasets.parity(3).split(0.4, seed=1)
NOISY = fg.Experiment(
    fg.mlp(3, 6, 1, hidden="tanh"), TRAIN, validation=HELD_OUT, optimizer=fg.SGD(0.2), epochs=150, init=fg.HeNormal(),
    stop=None,
)  # fmt: skip
EARLY = {
    "none": None,
    "patience": fg.EarlyStopping(patience=7),
    "last": fg.EarlyStopping(patience=7, restore_best=False),
    "min_delta": fg.EarlyStopping(patience=10, min_delta=0.003),
    "both": (fg.Converged(loss=0.05), fg.EarlyStopping(patience=20)),
    "keep_training": (fg.EarlyStopping(patience=20), fg.Converged(loss=0.05, keep_training=True)),
    "converged": fg.Converged(loss=0.05),
}


@pytest.mark.parametrize("check_every", [1, 4])
@pytest.mark.parametrize("stop", EARLY)
def test_seeds_stop_early_as_the_twins(stop, check_every):
    exp = NOISY.replace(stop=EARLY[stop], check_every=check_every)
    assert_like_the_twin(exp, list(range(24)), rtol=1e-8, specialize=False)


@pytest.mark.parametrize("stop", ["both", "none"])
def test_the_specialised_driver_stops_early_as_the_twin(stop):
    assert_like_the_twin(NOISY.replace(stop=EARLY[stop]), list(range(24)), rtol=1e-8, specialize=True)


@both_drivers
def test_restored_parameters_have_the_best_validation_loss_bit_for_bit(specialize):
    found = library(NOISY.replace(stop=EARLY["patience"]), seeds=200, specialize=specialize).dataset
    assert found.stopped_early.sum() > 50
    np.testing.assert_array_equal(found.loss_validation_final, found.loss_validation_best)
    last = library(NOISY.replace(stop=EARLY["last"]), seeds=200, specialize=specialize).dataset
    np.testing.assert_array_equal(last.loss_validation_best, found.loss_validation_best)
    assert (last.loss_validation_final > last.loss_validation_best).sum() > 50


def test_a_seed_that_diverged_says_so_though_its_best_parameters_are_restored():
    exp = NOISY.replace(network=fg.mlp(3, 1), optimizer=fg.SGD(1.3), stop=fg.EarlyStopping(500), epochs=3000)
    found = library(exp, seeds=20).dataset
    assert (found.outcome == Outcome.DIVERGED).all()
    assert np.isfinite(found.loss_final).all()
    assert not found.stopped_early.any()


def test_a_seed_whose_validation_loss_is_never_finite_has_no_best():
    exp = NOISY.replace(optimizer=fg.SGD(1e200), network=fg.mlp(3, 6, 1), stop=EARLY["patience"])
    found = library(exp, seeds=20).dataset
    assert (found.outcome == Outcome.DIVERGED).all()
    assert np.isnan(found.loss_validation_best).all()
    assert (found.epoch_validation_best == -1).all()


# Training losses that no longer improve ---------------------------------------------------------------------

PATIENT = {
    "sklearn": fg.EarlyStopping(5, tol=1e-3, monitor="training", restore_best=False),
    "sklearn_zero": fg.EarlyStopping(3, tol=0, monitor="training"),
    "keras": fg.EarlyStopping(5, monitor="training"),
    "keras_delta": fg.EarlyStopping(9, min_delta=0.02, monitor="training", restore_best=False),
    "both": (fg.Converged(max_error=0.2), fg.EarlyStopping(8, tol=2e-3, monitor="training")),
    "keep_training": (fg.Converged(loss=0.05, keep_training=True), fg.EarlyStopping(8, tol=2e-3, monitor="training")),
    "validation_tol": fg.EarlyStopping(5, tol=3e-3),
}
FLAT = {
    "fixed": XOR,
    "dying": XOR.replace(init=fg.Normal(0, 1.5), bias_init=fg.Normal(0, 1), optimizer=fg.SGD(0.4)),
    "batches": NOISY.replace(batch_size=2, order="per_seed", optimizer=fg.SGD(0.3, momentum=0.5)),
    "wide": NOISY.replace(network=fg.mlp(3, 16, 8, 1), batch_size="full", optimizer=fg.Adam(0.02)),
}


@pytest.mark.parametrize("check_every", [1, 4])
@pytest.mark.parametrize("stop", PATIENT)
def test_seeds_stop_as_the_twins_when_the_training_loss_no_longer_improves(stop, check_every):
    exp = FLAT["batches"].replace(stop=PATIENT[stop], check_every=check_every, epochs=60)
    assert_like_the_twin(exp, list(range(24)), rtol=1e-8, specialize=False)
    assert library(exp, seeds=24, specialize=False).dataset.stopped_early.any()


@pytest.mark.parametrize("data", FLAT)
@both_drivers
def test_both_drivers_stop_by_the_training_loss_as_the_twin(data, specialize):
    exp = FLAT[data].replace(stop=PATIENT["both"])
    assert_like_the_twin(exp, list(range(24)), rtol=1e-8, specialize=specialize)
    found = library(exp, seeds=24, specialize=specialize).dataset
    assert found.stopped_early.any()
    assert set(found.outcome.values[found.stopped_early]) <= {Outcome.DEAD, Outcome.TRAPPED}


def sklearn_epochs(losses: np.ndarray, tol: float, n_iter_no_change: int) -> int:
    """Return n_iter_ of scikit-learn's MLPClassifier, whose loss_curve_ this is, line by line as it has it."""
    best_loss, no_improvement_count = np.inf, 0
    for n_iter, loss in enumerate(losses, 1):
        if loss > best_loss - tol:
            no_improvement_count += 1
        else:
            no_improvement_count = 0
        if loss < best_loss:
            best_loss = loss
        if no_improvement_count > n_iter_no_change:
            return n_iter
    return len(losses)


def keras_epochs(losses: np.ndarray, min_delta: float, patience: int) -> int:
    """Return the epochs of Keras's EarlyStopping(monitor="loss", mode="min"), line by line."""
    best, wait = None, 0
    for epoch, current in enumerate(losses):
        if best is None:
            best = np.inf
        wait += 1
        if np.less(current, best - min_delta):
            best, wait = current, 0
            continue
        if wait >= patience and epoch > 0:
            return epoch + 1
    return len(losses)


@pytest.mark.parametrize("rate", [0.05, 0.5, 3.0])
@both_drivers
def test_seeds_stop_at_the_epochs_of_scikit_learn_and_keras(specialize, rate):
    """In full batches their loss is that before the update, so that their curve begins at the initialisation."""
    free = XOR.replace(stop=None, batch_size="full", optimizer=fg.SGD(rate), epochs=400, network=fg.mlp(2, 6, 1))
    curves = fg.replay(free, range(40))["loss"].values
    rules = [
        (fg.EarlyStopping(11, tol=1e-4, monitor="training"), lambda curve: sklearn_epochs(curve, 1e-4, 10)),
        (fg.EarlyStopping(1, tol=0, monitor="training"), lambda curve: sklearn_epochs(curve, 0, 0)),
        (fg.EarlyStopping(7, min_delta=1e-3, monitor="training"), lambda curve: keras_epochs(curve, 1e-3, 7)),
    ]
    for rule, epochs in rules:
        found = library(free.replace(stop=rule), seeds=40, specialize=specialize).dataset
        theirs = np.array([epochs(curve) for curve in curves])
        finite, stopped = found.outcome.values != Outcome.DIVERGED, theirs < len(curves[0])
        np.testing.assert_array_equal(found.epochs_run.values[finite], theirs[finite] - 1)
        np.testing.assert_array_equal(found.stopped_early.values[finite], stopped[finite])
        assert stopped[finite].any()


@both_drivers
def test_an_epoch_of_the_same_loss_is_an_improvement_by_0_for_scikit_learn_alone(specialize):
    """A network without gradients: every ReLU is dead, and the output has no bias."""
    net = fg.Network(fg.Linear(2, 3), fg.ReLU(), fg.Linear(3, 1, bias=False))
    dead = [np.full((1, 2, 3), -1.0), np.full((1, 3), -1.0), np.ones((1, 3, 1))]
    exp = XOR.replace(network=net, epochs=20)
    for rule, epochs in (
        (fg.EarlyStopping(4, tol=0, monitor="training"), 20),
        (fg.EarlyStopping(4, tol=1e-9, monitor="training"), 4),
        (fg.EarlyStopping(4, monitor="training"), 4),
    ):
        found = library(exp.replace(stop=rule), params=dead, specialize=specialize).dataset.isel(seed=0)
        assert (found.epochs_run, found.stopped_early, found.epoch_best) == (epochs, epochs < 20, 0)
        assert found.outcome == Outcome.DEAD


def test_small_improvements_add_up_for_keras_and_not_for_scikit_learn():
    """A loss that falls by a hundredth of the limit each epoch."""
    slow = XOR.replace(network=fg.mlp(2, 1), data=fg.datasets.and_(), optimizer=fg.SGD(1e-4), batch_size="full")
    keras = slow.replace(stop=fg.EarlyStopping(60, min_delta=1e-3, monitor="training"))
    sklearn = slow.replace(stop=fg.EarlyStopping(60, tol=1e-3, monitor="training"))
    free = fg.replay(slow.replace(stop=None), 3)["loss"].values
    assert 0 < -np.diff(free).max() < 1e-3 < free[0] - free[60]
    assert library(keras, seeds=[3]).dataset.epochs_run == 150
    assert library(sklearn, seeds=[3]).dataset.epochs_run == 60


@both_drivers
def test_restored_parameters_have_the_best_training_loss_bit_for_bit(specialize):
    exp = FLAT["batches"].replace(stop=PATIENT["keras"], optimizer=fg.SGD(0.6), dtype="float32")
    found = library(exp, seeds=200, specialize=specialize, keep_params=True).dataset
    improved = found.epoch_best.values > 0
    np.testing.assert_array_equal(found.loss_final.values[improved], found.loss_best.values[improved])
    assert (found.epoch_best < found.epochs_run).values[improved].sum() > 50


def test_the_initialisation_is_the_best_epoch_where_none_improved():
    exp = XOR.replace(optimizer=fg.SGD(5.0), stop=fg.EarlyStopping(2, monitor="training"), epochs=9)
    found = library(exp, seeds=60).dataset
    none = (found.epoch_best == 0).values
    assert none.any()
    np.testing.assert_array_equal(found.loss_best.values[none], found.loss_initial.values[none])
    assert_like_the_twin(exp, np.flatnonzero(none)[:8].tolist(), rtol=1e-7)


# Checks every k epochs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("check_every", [3, 7, 1000])
@both_drivers
def test_criteria_are_looked_at_every_k_epochs_and_after_the_last(check_every, specialize):
    exp = XOR.replace(stop=fg.Converged(loss=0.02), check_every=check_every)
    assert_like_the_twin(exp, list(range(24)), rtol=1e-8, specialize=specialize)
    converged = library(exp, seeds=200, specialize=specialize).dataset.epochs_to_converge.values
    assert set(converged[converged > 0] % check_every) <= {0, exp.epochs % check_every}


# What is recorded --------------------------------------------------------------------------------------------


@both_drivers
def test_recorded_epochs_are_those_of_shorter_runs(specialize):
    exp = XOR.replace(stop=None)
    epochs = [0, 1, 5, 40, exp.epochs]
    found = library(exp, seeds=50, specialize=specialize, record_at=epochs).dataset
    for epoch in epochs:
        short = library(exp.replace(epochs=epoch), seeds=50).dataset
        there = found.sel(epoch=epoch)
        np.testing.assert_array_equal(there.loss_recorded, short.loss_final)
        np.testing.assert_array_equal(there.accuracy_recorded, short.accuracy_final)
        np.testing.assert_array_equal(there.dead_units_recorded, short.dead_units_final)


def test_a_seed_that_stopped_is_recorded_as_it_is_in_the_end():
    found = library(XOR, seeds=100, record_at="log").dataset
    assert found.epoch.values.tolist() == [0, 1, 2, 5, 10, 20, 50, 100, 150]
    stopped = found.isel(seed=(found.epochs_run < 100).values)
    assert stopped.sizes["seed"] > 5
    np.testing.assert_array_equal(stopped.loss_recorded.sel(epoch=100), stopped.loss_final)
    alone = library(XOR, seeds=[int(stopped.seed[0])], record_at=[100]).dataset
    np.testing.assert_array_equal(alone.loss_recorded, stopped.loss_recorded.sel(epoch=[100])[:1])


DYING = XOR.replace(
    network=fg.mlp(2, 4, 3, 1), init=fg.Normal(0, 1.5), bias_init=fg.Normal(0, 1), epochs=60, optimizer=fg.SGD(0.4)
)
TRACKED = {
    "to the end": DYING.replace(stop=None),
    "restarts": DYING.replace(stop=fg.Converged(loss=0.001), restart=fg.Restart(after=25)),
    "restored": DYING.replace(stop=fg.EarlyStopping(patience=9), validation=fg.Dataset([[0.4, 0.9]], [0.8])),
}


@pytest.mark.parametrize("regime", TRACKED)
@both_drivers
def test_units_are_dead_since_the_epoch_of_the_twin(specialize, regime):
    exp = TRACKED[regime]
    found = library(exp, seeds=40, specialize=specialize, track="dead_units").dataset
    for seed in range(40):
        for layer, expected in enumerate(naive.dead_since(exp, seed)):
            np.testing.assert_array_equal(found.dead_since[seed, layer, : len(expected)], expected)
    assert (found.dead_since > 0).sum() > 10
    np.testing.assert_array_equal((found.dead_since >= 0).sum("unit"), found.dead_units_final)


def test_one_kernel_evaluates_every_regime():
    """Each compilation is seconds that a user waits for."""
    from fastgrok.kernels.evaluate import make_evaluate

    for name, exp in REGIMES.items():
        lanes = lane_count(exp, specialize=False)
        evaluate = make_evaluate(lanes, "float64", functions(), is_batched=False)
        bound = evaluate.bound_to(kinds(exp.network, exp.loss))
        for recording in (Recording((1,)), Recording(dead_units=True)):
            program = Program.kept(exp, specialize=False, lanes=lanes, n_seeds=9, recording=recording)
            assert program.evaluate is bound
        if name in ("restarts", "every", "everything"):  # nor are there other forms of its arguments
            library(exp, seeds=9, specialize=False, record_at=[3, 60])
            assert len(bound._loaded) == 1
        assert not evaluate._loaded


def test_units_that_died_and_revived_make_up_the_difference():
    """In the second layer too: a dead unit of the first has no gradient, and never revives."""
    exp = XOR.replace(network=fg.mlp(2, 4, 4, 1), optimizer=fg.SGD(0.3), init=fg.Normal(0, 1))
    found = library(exp, seeds=500).dataset
    change = found.dead_units_final - found.dead_units_initial
    np.testing.assert_array_equal(change, found.units_died - found.units_revived)
    assert (found.units_died.sum("seed") > 5).all()
    assert found.units_revived.sum("seed").values.tolist()[0] == 0 < found.units_revived.sum()


# The same bits -----------------------------------------------------------------------------------------------

REGIMES = {
    "adam": XOR.replace(optimizer=fg.Adam(0.05, clip_norm=0.5, schedule=fg.CosineAnnealingLR(50)), batch_size=2),
    "restarts": XOR.replace(
        stop=fg.Converged(loss=0.05), restart=fg.Restart(after=25), order="per_seed", init=fg.Normal(0, 1)
    ),
    "stagnating": XOR.replace(
        stop=fg.Converged(loss=0.05), restart=fg.Restart(patience=25, monitor="accuracy", gradient_norm=0.01)
    ),
    "at_rest": XOR.replace(stop=(fg.Converged(loss=0.02), fg.Stationary(0.05)), order="per_seed", check_every=2),
    "patient": NOISY.replace(stop=PATIENT["both"], batch_size=2, optimizer=fg.SGD(0.3), order="per_seed"),
    "early": NOISY.replace(stop=EARLY["both"], order="shared", optimizer=fg.SGD(0.2, 0.9, nesterov=True)),
    "every": XOR.replace(stop=fg.Converged(accuracy=1), check_every=5, optimizer=fg.SGD(0.1, clip_norm=0.4)),
    "everything": NOISY.replace(
        stop=fg.Converged(loss=0.05, keep_training=True),
        restart=fg.Restart(20),
        check_every=7,
        optimizer=fg.SGD(0.2, schedule=fg.StepLR(30)),
    ),
}


@pytest.mark.parametrize(("regime", "dtype"), [(name, DTYPES[place % 2]) for place, name in enumerate(REGIMES)])
def test_a_regimes_bits_are_the_same_for_both_drivers_any_lanes_chunks_and_alone(regime, dtype):
    exp = REGIMES[regime].replace(dtype=dtype)
    expected = bits(library(exp, seeds=150, specialize=False, record_at=[3, 60]))
    for options in (
        {"lanes": 32, "specialize": True},
        {"lanes": LANES, "specialize": False, "threads": 2, "chunk_size": 7},
        {"lanes": LANES, "specialize": False, "threads": 5, "chunk_size": 64},
    ):
        assert bits(library(exp, seeds=150, record_at=[3, 60], **options)) == expected
    alone = bits(library(exp, seeds=[149], specialize=False, record_at=[3, 60]))
    row = {name: value[-len(alone[name]) :] for name, value in expected.items()}
    assert alone == row


def test_a_seed_that_converged_is_not_looked_at_when_its_neighbours_restart():
    exp = REGIMES["everything"].replace(optimizer=fg.SGD(0.2))
    alone = library(exp, seeds=300, specialize=False, lanes=1, chunk_size=1)
    assert bits(alone) == bits(library(exp, seeds=300, specialize=False))


@pytest.mark.parametrize("regime", REGIMES)
def test_what_is_recorded_and_tracked_changes_no_bit(regime):
    plain = bits(library(REGIMES[regime], seeds=60, specialize=False))
    watched = bits(library(REGIMES[regime], seeds=60, specialize=False, record_at="log", track="dead_units"))
    assert {name: watched[name] for name in plain} == plain
