"""Both drivers against the naive twin: parameters and every result variable, after every epoch."""

from __future__ import annotations

from typing import Any

import naive
import numpy as np
import pytest
from registry import (
    BATCHES,
    LOSSES,
    NETWORKS,
    ONCE,
    ONE_HOT,
    OPTIMIZERS,
    ORDERS,
    REDUCTIONS,
    SCHEMES,
    STREAMS,
    UPDATES,
    experiment,
)

import fastgrok as fg
from fastgrok.engine import activations, draws, kernel_params, losses, optimizers
from fastgrok.engine.kernel_params import make_kernel_params
from fastgrok.spec.variables import VARIABLES, Outcome

LANES = 8  # one compilation of the general driver serves most tests
SEEDS = [3, 0, 2**40 + 7]
LEGACY_SEEDS = [3, 0, 2**31 + 7]
CLOSE = {name for name, variable in VARIABLES.items() if variable.dtype == "float64"}


def library(exp: fg.Experiment, seeds: Any = None, **options: Any) -> Any:
    options = {"keep_params": True, "threads": 1, "lanes": LANES, "progress": False} | options
    return fg.run(exp, **({} if seeds is None else {"seeds": seeds}), **options)


def assert_like_the_twin(
    exp: fg.Experiment,
    seeds: list[int],
    rtol: float = 1e-12,
    params: list[np.ndarray] | None = None,
    masks: list[np.ndarray] | None = None,
    **options: Any,
) -> None:
    """Compare a run with the twin's, from the seeds or from params, with masks or without (both row by row)."""
    starts = {"seeds": seeds} if params is None else {"params": params}
    result = library(exp, **starts, masks=masks, **options)
    assert all(np.dtype(p.dtype) == exp.dtype for p in result.params)
    for row, seed in enumerate(seeds):
        start = None if params is None else [p[row] for p in params]
        trained, expected = naive.run(exp, seed, start, None if masks is None else [mask[row] for mask in masks])
        scale = max(np.abs(twins).max() for twins in trained)
        for place, (ours, twins) in enumerate(zip(result.params, trained, strict=True)):
            np.testing.assert_allclose(
                ours[row], twins, rtol=rtol, atol=rtol * scale, err_msg=f"params[{place}] of seed {seed}"
            )
        assert set(expected) == set(result.dataset.data_vars)
        for name, wanted in expected.items():
            ours, message = result.dataset[name].values[row], f"{name} of seed {seed}"
            if name in CLOSE:
                np.testing.assert_allclose(ours, wanted, rtol=10 * rtol, atol=rtol, err_msg=message)
            else:
                np.testing.assert_array_equal(ours, wanted, message)


def assert_like_the_twin_every_epoch(exp: fg.Experiment, **options: Any) -> None:
    seeds = SEEDS if exp.stream == "numpy" else LEGACY_SEEDS
    for epochs in range(1, exp.epochs + 1):
        assert_like_the_twin(exp.replace(epochs=epochs), seeds, **options)


@pytest.mark.parametrize(
    ("records", "twins"),
    [
        (activations.ACTIVATIONS, naive.ACTIVATIONS),
        (losses.LOSSES, naive.LOSSES),
        (losses.LOSSES, naive.DELTAS),
        (optimizers.OPTIMIZERS, naive.OPTIMIZERS),
        (draws.KINDS, naive.KINDS),
        (draws.FORMS, naive.FORMS),
    ],
)
def test_every_record_has_a_twin(records, twins):
    assert set(records) == set(twins)


def test_every_distribution_and_form_is_drawn():
    distributions = [scheme.distribution(3, 4) for scheme in SCHEMES]
    assert {distribution.kind for distribution in distributions} == set(draws.KINDS)
    assert {distribution.form for distribution in distributions} == set(draws.FORMS)


@pytest.mark.parametrize("specialize", [False, True])
@pytest.mark.parametrize("optimizer", optimizers.OPTIMIZERS)
def test_every_optimizer_updates_as_the_twin_by_both_drivers(optimizer, specialize):
    of = optimizer(0.1, clip_norm=0.5, l1=0.05)
    exp = experiment("relu", batch_size="full" if of.full_batch_only else 2, optimizer=of)
    assert_like_the_twin_every_epoch(exp, specialize=specialize)


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: type(scheme).__name__)
def test_every_distribution_is_the_start_of_training_as_in_the_twin(scheme):
    exp = experiment("tanh", init=scheme, bias_init=fg.Normal(0, 0.1), order="per_seed", epochs=1)
    assert_like_the_twin(exp, SEEDS, specialize=False)


def test_layers_start_from_their_own_distributions_as_in_the_twin():
    schemes = fg.ByLayer("he_normal", fg.Uniform(-0.5, 0.5), fg.TruncatedNormal(0, 0.5), "orthogonal")
    biases = fg.ByLayer("zeros", fg.Normal(0, 0.1), fg.Constant(0.2), "zeros")
    assert_like_the_twin(experiment("mixed", init=schemes, bias_init=biases), SEEDS, specialize=False)


@pytest.mark.parametrize("batch_size", BATCHES)
@pytest.mark.parametrize(("network", "loss"), ONCE)
def test_the_general_driver_trains_every_network_as_the_twin(network, loss, batch_size):
    exp = experiment(network, loss=loss, batch_size=batch_size)
    assert_like_the_twin_every_epoch(exp, specialize=False)


@pytest.mark.parametrize(("optimizer", "batch_size"), UPDATES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("network", ["relu", "no_bias"])
def test_the_general_driver_updates_as_the_twin(network, reduction, batch_size, optimizer):
    exp = experiment(network, reduction=reduction, batch_size=batch_size, optimizer=OPTIMIZERS[optimizer])
    assert_like_the_twin_every_epoch(exp, specialize=False)


@pytest.mark.parametrize("batch_size", BATCHES)
@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("init", [fg.Uniform(-1, 1), fg.Normal(0.1, 0.5), fg.HeNormal()])
def test_the_general_driver_orders_examples_as_the_twin(init, order, stream, batch_size):
    exp = experiment("tanh", init=init, bias_init="same", order=order, stream=stream, batch_size=batch_size)
    assert_like_the_twin_every_epoch(exp, specialize=False)


def test_another_order_seed_shuffles_as_the_twin_does():
    exp = experiment("tanh", bias_init="same", order="shared", order_seed=2**32 - 1, batch_size=2)
    assert_like_the_twin_every_epoch(exp, specialize=False)


@pytest.mark.parametrize("batch_size", [1, 7])
def test_an_epoch_of_many_examples_is_the_twins(batch_size, monkeypatch):
    """So many on so wide a network that the driver looks at its cancel flag in mid-epoch."""
    monkeypatch.setattr(kernel_params, "_CHECK_FLOPS", 2.5e7)
    rng = np.random.default_rng(0)
    data = fg.Dataset(rng.uniform(-1, 1, (900, 3)), rng.uniform(0, 1, (900, 2)))
    exp = experiment("width_256", data=data, batch_size=batch_size, epochs=1, optimizer=fg.SGD(0.01))
    assert make_kernel_params(exp).check_examples < 500
    assert_like_the_twin(exp, SEEDS[:1], rtol=1e-11, specialize=False)


# A specialised driver is compiled for each of these: together they meet every network kind, loss, batch mode,
# order, stream and term of the update.
SPECIALISED = {
    "linear": {},
    "mixed": {"batch_size": 2, "loss": "squared_error"},
    "no_bias": {"optimizer": OPTIMIZERS["momentum"], "reduction": "sum"},
    "some_biases": {"order": "per_seed"},
    "relu_output": {"batch_size": "full", "optimizer": OPTIMIZERS["all"], "reduction": "sum"},
    "relu_gradient_half": {"bias_init": fg.Zeros()},
    "sigmoid_output": {"loss": "binary_cross_entropy", "batch_size": 3, "order": "shared"},
    "width_1": {"loss": "cross_entropy", "batch_size": 2, "order": "shared"},
    "two_in_a_row": {"order": "per_seed", "stream": "numpy_legacy", "batch_size": 2},
    "two_linear_in_a_row": {"optimizer": OPTIMIZERS["l1"]},
    "depth_5": {"order": "shared", "optimizer": OPTIMIZERS["weight_decay"]},
    "depth_30": {},
    "width_256": {"batch_size": "full"},
}  # fmt: skip


@pytest.mark.parametrize("network", SPECIALISED)
def test_the_specialised_driver_trains_as_the_twin(network):
    assert_like_the_twin_every_epoch(experiment(network, **SPECIALISED[network]), specialize=True)


# float32: a few steps from the same parameters, since a long trajectory amplifies what is rounded differently.
FLOAT32 = [(("mixed", "sigmoid_output", "width_256")[place % 3], loss, False) for place, loss in enumerate(LOSSES)]
FLOAT32 += [
    ("mixed", "half_squared_error", True),
    ("sigmoid_output", "binary_cross_entropy", True),
    ("mixed", "cross_entropy", True),
]


@pytest.mark.parametrize(("network", "loss", "specialize"), FLOAT32)
def test_a_float32_step_is_the_twins(network, loss, specialize):
    exp = experiment(network, loss=loss, batch_size="full", epochs=1, dtype="float32")
    params = fg.initial_params(exp, seeds=SEEDS)
    for _ in range(4):
        assert_like_the_twin(exp, SEEDS, rtol=2e-6, params=params, specialize=specialize)
        params = library(exp, params=params, specialize=specialize).params


@pytest.mark.parametrize(("network", "batch_size"), [(name, 1 + place % 2) for place, name in enumerate(NETWORKS)])
def test_a_float32_epoch_is_the_twins(network, batch_size):
    exp = experiment(network, batch_size=batch_size, epochs=1, dtype="float32")
    assert_like_the_twin(exp, SEEDS, rtol=5e-6, specialize=False)


def test_accuracy_of_one_hot_targets_is_by_argmax():
    for seed in range(5):
        exp = experiment("tanh", data=ONE_HOT, epochs=2, init=fg.Normal(0, 1))
        assert_like_the_twin(exp, [seed], specialize=False)
    by_argmax = library(exp, seeds=50, specialize=False).dataset.accuracy_final.values
    moved = fg.Dataset(ONE_HOT.X, np.where(ONE_HOT.y == 1, 1, -1))  # one-hot too, with the midpoint at 0
    assert set(np.unique(by_argmax * 5)) > {2, 4}
    assert_like_the_twin(experiment("tanh", data=moved, epochs=2), SEEDS, specialize=False)


def test_accuracy_of_one_output_is_by_the_side_of_the_midpoint():
    net = fg.mlp(3, 4, 1, hidden="tanh")
    for y in ([0, 1, 1, 0, 1], [-1, 1, 1, -1, 1], [2, 2, 2, 2, 2], [0, 1, 0.5, 0.25, 1]):
        exp = fg.Experiment(net, fg.Dataset(ONE_HOT.X, y), epochs=2, stop=None)
        assert_like_the_twin(exp, list(range(10)), specialize=False)


# Stop criteria: 24 seeds in 8 lanes, so that most lanes are refilled in mid-run.
STOPS = {
    "loss": fg.Converged(loss=0.01),
    "max_error": fg.Converged(max_error=0.2),
    "accuracy": fg.Converged(accuracy=1),
    "accuracy_75": fg.Converged(accuracy=0.75),
    "all": fg.Converged(loss=0.02, max_error=0.3, accuracy=1),
    "keep_training": fg.Converged(loss=0.02, keep_training=True),
    "keep_training_error": fg.Converged(max_error=0.3, keep_training=True),
}
XOR = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), optimizer=fg.SGD(0.2), epochs=150, init=fg.HeNormal())


@pytest.mark.parametrize("stop", STOPS)
def test_seeds_converge_when_the_twins_do(stop):
    assert_like_the_twin(XOR.replace(stop=STOPS[stop]), list(range(24)), rtol=1e-8, specialize=False)


@pytest.mark.parametrize("order", ["shared", "per_seed"])
def test_seeds_with_shuffled_examples_converge_when_the_twins_do(order):
    exp = XOR.replace(stop=STOPS["loss"], order=order)
    assert_like_the_twin(exp, list(range(24)), rtol=1e-8, specialize=False)


@pytest.mark.parametrize("stop", ["all", "keep_training"])
def test_the_specialised_driver_stops_as_the_twin(stop):
    exp = XOR.replace(stop=STOPS[stop], order="per_seed")
    assert_like_the_twin(exp, list(range(24)), rtol=1e-8, specialize=True)


def test_runs_end_in_every_way():
    exp = XOR.replace(stop=STOPS["loss"], epochs=3000, batch_size="full", optimizer=fg.SGD(0.5))
    outcomes = set(library(exp, seeds=2000, lanes=None, keep_params=False).dataset.outcome.values.tolist())
    assert outcomes == {Outcome.CONVERGED, Outcome.DEAD, Outcome.TRAPPED, Outcome.UNFINISHED}


def test_stop_criteria_are_not_checked_before_the_first_epoch():
    exact = [np.array([p]) for p in ([[1.0, 1.0], [1.0, 1.0]], [0.0, -1.0], [[1.0], [-2.0]], [0.0])]
    exp = fg.Experiment(fg.mlp(2, 2, 1), fg.datasets.xor(), epochs=5)
    row = library(exp, params=exact).dataset.isel(seed=0)
    assert (row.epochs_run, row.epochs_to_converge, row.loss_initial) == (1, 1, 0)


@pytest.mark.parametrize("specialize", [False, True])
@pytest.mark.parametrize("momentum", [0, 0.9])
def test_no_epochs_change_nothing(specialize, momentum):
    exp = XOR.replace(epochs=0, optimizer=fg.SGD(0.1, momentum=momentum))
    result = library(exp, seeds=20, specialize=specialize)
    for ours, drawn in zip(result.params, fg.initial_params(exp, seeds=range(20)), strict=True):
        np.testing.assert_array_equal(ours, drawn)
    assert (result.dataset.epochs_run == 0).all()
    assert (result.dataset.epochs_to_converge == -1).all()
    np.testing.assert_array_equal(result.dataset.loss_initial, result.dataset.loss_final)


def test_a_dead_units_count_is_that_of_its_layer():
    """Three ReLU layers, the last one at the output, with 1, 2 and 0 units dead by construction."""
    net = fg.Network(fg.Linear(1, 3), fg.ReLU(), fg.Linear(3, 2), fg.ReLU(), fg.Linear(2, 1), fg.ReLU())
    data = fg.Dataset([[1], [2]], [0, 1])
    params = [np.array([p]) for p in (
        [[-1.0, 1.0, 1.0]], [0.0, 0.0, 0.0],
        [[1.0, 1.0], [-1.0, -1.0], [0.0, 0.0]], [0.0, -1.0],
        [[1.0], [1.0]], [0.5],
    )]  # fmt: skip
    exp = fg.Experiment(net, data, epochs=0)
    row = library(exp, params=params).dataset.isel(seed=0)
    assert row.dead_units_initial.values.tolist() == [1, 2, 0]
    assert bool(row.born_dead)
    assert row.outcome == Outcome.DEAD
