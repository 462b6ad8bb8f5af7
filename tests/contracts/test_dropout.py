"""Dropout: masks from the seed's own stream, the same in every driver, and nowhere but in updates."""

from __future__ import annotations

import itertools

import naive
import numpy as np
import pytest
from fingerprint import bits
from registry import DATA, DTYPES, NETWORKS, ORDERS, experiment
from test_twin import LANES, SEEDS, XOR, assert_like_the_twin, assert_like_the_twin_every_epoch, library

import fastgrok as fg
from fastgrok.engine.kernel_params import is_batched, is_deferred
from fastgrok.errors import InvalidExperiment

both_drivers = pytest.mark.parametrize("specialize", [False, True])
DROPPED = fg.mlp(2, 6, 1, hidden="tanh", dropout=0.3)
WIDE = fg.Network(
    *(fg.Linear(3, 36), fg.ReLU(), fg.Dropout(0.5), fg.Linear(36, 33), fg.Sigmoid(), fg.Dropout(0.2)),
    *(fg.Linear(33, 2), fg.Dropout(0.25), fg.Tanh()),
)
DEFERRED = fg.mlp(3, 64, 48, 2, dropout=0.5)
REGIMES = {
    "per_example": XOR.replace(network=DROPPED, stop=fg.Converged(loss=0.05)),
    "per_seed": XOR.replace(network=DROPPED, order="per_seed", batch_size=3, stop=fg.Converged(max_error=0.4)),
    "replaced": XOR.replace(network=DROPPED, order="with_replacement", optimizer=fg.SGD(0.05, momentum=0.5)),
    "legacy": XOR.replace(network=DROPPED, stream="numpy_legacy", order="shared", optimizer=fg.Adam(0.05)),
    "restarts": XOR.replace(network=DROPPED, stop=fg.Converged(loss=0.05), restart=fg.Restart(20), order="per_seed"),
    "patient": XOR.replace(network=DROPPED, stop=fg.EarlyStopping(9, tol=1e-3, monitor="training"), check_every=2),
}


@pytest.mark.parametrize("stream", ["numpy", "numpy_legacy"])
@pytest.mark.parametrize("order", ORDERS)
def test_masks_are_those_of_the_twin_in_every_order(order, stream):
    assert_like_the_twin_every_epoch(
        experiment("dropout", order=order, stream=stream, batch_size=2), specialize=False
    )


@pytest.mark.parametrize("fields", [{}, {"batch_size": 2, "order": "per_seed"}, {"batch_size": "full"}], ids=str)
def test_the_specialised_driver_draws_the_twins_masks(fields):
    assert_like_the_twin_every_epoch(experiment("dropout", **fields), specialize=True)


@pytest.mark.parametrize("fields", [{"batch_size": 3}, {"batch_size": 2, "order": "shared"}, {"epochs": 5}], ids=str)
@pytest.mark.parametrize("network", [WIDE, DEFERRED], ids=str)
def test_batched_and_deferred_passes_draw_the_twins_masks(network, fields):
    exp = fg.Experiment(network, DATA, **{"stop": None, "epochs": 2, "init": fg.HeNormal()} | fields)
    exp = exp.replace(optimizer=fg.SGD(0.02))
    assert is_batched(exp)
    assert is_deferred(exp) == (exp.batch_rows == 1)
    assert_like_the_twin(exp, SEEDS, rtol=1e-11, specialize=False)


@pytest.mark.parametrize("regime", REGIMES)
def test_seeds_end_as_the_twins(regime):
    assert_like_the_twin(REGIMES[regime].replace(epochs=60), list(range(20)), rtol=1e-8, specialize=False)


@pytest.mark.parametrize(("regime", "dtype"), [(name, DTYPES[place % 2]) for place, name in enumerate(REGIMES)])
def test_masks_depend_on_the_seed_alone(regime, dtype):
    exp = REGIMES[regime].replace(dtype=dtype)
    expected = bits(library(exp, seeds=90, specialize=False))
    for options in (
        {"lanes": 32, "specialize": True},
        {"lanes": LANES, "specialize": False, "threads": 2, "chunk_size": 7},
    ):
        assert bits(library(exp, seeds=90, **options)) == expected
    alone = bits(library(exp, seeds=[89], specialize=False))
    assert alone == {name: value[-len(alone[name]) :] for name, value in expected.items()}


@pytest.mark.parametrize(
    ("network", "specialize", "batch_size", "order"),
    [
        *(("mixed", False, 1 + place % 2, order) for place, order in enumerate(ORDERS)),
        *(("mixed", True, 1, "with_replacement"), ("mixed", True, 2, "fixed")),
        *(("wide", False, 1, "per_seed"), ("wide", False, 2, "shared")),
    ],
)
def test_a_rate_of_0_gives_the_bits_of_a_network_without(network, specialize, batch_size, order):
    plain = {"mixed": NETWORKS["mixed"], "wide": WIDE}[network].without_dropout()
    pairs = [[layer, fg.Dropout(0)][: 1 + isinstance(layer, fg.ReLU | fg.Tanh)] for layer in plain.layers[:-1]]
    zero = fg.Network(*itertools.chain(*pairs), plain.layers[-1])
    exp = fg.Experiment(plain, DATA, order=order, batch_size=batch_size, epochs=9, stop=fg.Converged(loss=1e-3))
    with_zero = bits(library(exp.replace(network=zero), seeds=40, specialize=specialize))
    assert with_zero == bits(library(exp, seeds=40, specialize=specialize))


@pytest.mark.parametrize("network", [DROPPED, fg.mlp(2, 32, 16, 1, dropout=0.5)], ids=str)
def test_what_is_looked_at_is_the_network_without_masks(network):
    exp = XOR.replace(network=network, epochs=20, stop=None, optimizer=fg.SGD(0.02))
    plain = exp.replace(network=network.without_dropout())
    result = library(exp, seeds=30)
    evaluated = library(plain.replace(epochs=0), params=result.params)
    for name in ("loss_final", "accuracy_final", "gradient_norm_final", "dead_units_final"):
        np.testing.assert_array_equal(result.dataset[name], evaluated.dataset[name])
    np.testing.assert_array_equal(
        fg.predict(network, result.params, exp.data.X), fg.predict(plain.network, result.params, exp.data.X)
    )
    trainers = [fg.compile(each, specialize=False) for each in (exp, plain)]
    flat = trainers[0].flatten(result.params)
    for mine, without in zip(*([each.gradients(flat), each.loss(flat)] for each in trainers), strict=True):
        np.testing.assert_array_equal(mine, without)
    assert not np.array_equal(result.params[0], library(plain, seeds=30).params[0])


def test_a_step_by_hand_is_that_of_the_book():
    """One hidden layer of eight linear units, half of them 0 and the others doubled."""
    net = fg.Network(fg.Linear(1, 8, bias=False), fg.Dropout(0.5), fg.Linear(8, 1, bias=False))
    exp = fg.Experiment(net, fg.Dataset([[3.0]], [1.0]), optimizer=fg.SGD(0.25), epochs=1, stop=None)
    weights = [np.full((1, 1, 8), 0.5), np.full((1, 8, 1), 0.125)]
    trained = library(exp, seeds=[5], params=weights).params
    rng = np.random.default_rng(5)
    rng.uniform(-1, 1, 16)  # the initial weights, which are replaced
    mask = (rng.random((1, 8)) >= 0.5) * 2.0
    assert 0 < mask.sum() < 16
    hidden = 3.0 * 0.5 * mask
    delta = hidden @ weights[1][0] - 1.0
    np.testing.assert_array_equal(trained[1][0], weights[1][0] - 0.25 * hidden.T @ delta)
    np.testing.assert_array_equal(trained[0][0], weights[0][0] - 0.25 * 3.0 * delta * 0.125 * mask)


def test_an_example_has_a_share_of_its_units_at_0():
    exp = fg.Experiment(fg.mlp(1, 100, 1, dropout=0.2), fg.Dataset([[0.5]], [1.0]), epochs=1)
    (masks,) = naive.draw_masks(exp, np.random.default_rng(0), 1000)
    assert set(np.unique(masks)) == {0.0, 1.25}
    assert abs((masks == 0).mean() - 0.2) < 0.004


@pytest.mark.parametrize("every", ["epoch", "step"])
def test_a_replay_has_the_bits_of_a_sweep(every):
    exp = REGIMES["per_seed"].replace(epochs=30)
    sweep = library(exp, seeds=200)
    for seed in (0, 3, 150):
        trace = fg.replay(exp, seed, every=every)
        assert float(trace["loss"][-1]) == float(trace["loss_final"]) == float(sweep.dataset.loss_final[seed])
        np.testing.assert_array_equal(trace["weight_1"][-1], sweep.params[0][seed])


@pytest.mark.parametrize("specialize", [False, True])
def test_a_trainer_draws_the_masks_of_the_seeds_that_it_is_given(specialize):
    exp = REGIMES["per_example"].replace(epochs=20)
    seeds = [3, 0, 2**40]
    trainer = fg.compile(exp, specialize=specialize)
    result = library(exp, seeds=seeds)
    trained = trainer.train(trainer.initial_params(seeds), seeds=seeds)
    np.testing.assert_array_equal(trained.params, trainer.flatten(result.params))
    others = trainer.train(trainer.initial_params(seeds))
    assert not np.array_equal(others.params, trained.params)


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        ([fg.Dropout(0.5), fg.Linear(2, 1)], "a Linear layer"),
        ([fg.Linear(2, 1), fg.Dropout(0.5)], "what a network gives out is not dropped"),
    ],
)
def test_dropout_stands_between_layers(layers, said):
    with pytest.raises(InvalidExperiment, match=said):
        fg.Network(*layers)


@pytest.mark.parametrize("rate", [-0.1, 1, 1.0, "half", True, float("nan")])
def test_what_is_no_rate_is_refused(rate):
    for make in (fg.Dropout, lambda value: fg.mlp(2, 4, 1, dropout=value)):
        with pytest.raises(InvalidExperiment, match="a finite number at least 0 and less than 1"):
            make(rate)


def test_a_network_says_its_dropout():
    assert str(DROPPED) == "2-6-1 tanh+dropout(0.3)/linear"
    assert fg.mlp(2, 4, 1, dropout=0) == fg.mlp(2, 4, 1)
    assert DROPPED.dropout_rates == (0.3,) * 6
    assert fg.Experiment.from_json(REGIMES["replaced"].to_json()) == REGIMES["replaced"]


def test_explanations_of_updates_say_that_there_are_masks():
    trace = fg.replay(REGIMES["per_example"].replace(epochs=9), 0)
    params = fg.explain.trace.params_at(trace, 9)
    for explain in (
        lambda: fg.explain.worked_pass(trace),
        lambda: fg.explain.sign_flow(REGIMES["per_example"], params),
        lambda: fg.explain.sign_rules(DROPPED),
        lambda: fg.explain.pressure(trace),
    ):
        with pytest.raises(InvalidExperiment, match=r"network.without_dropout\(\)"):
            explain()
    without = REGIMES["per_example"].replace(network=DROPPED.without_dropout())
    assert fg.explain.worked_pass(without, params).loss >= 0


def test_explanations_of_states_are_of_the_network_without_masks():
    net = fg.Network(*fg.mlp(2, 6, 1, dropout=0.3).layers)
    exp = XOR.replace(network=net, epochs=60)
    trace = fg.replay(exp, 2)
    assert str(fg.explain.algebra(net).formula) == fg.explain.algebra(net.without_dropout()).formula
    assert "active_1" in fg.explain.correlation(trace).r
    np.testing.assert_array_equal(trace["activation_1"], np.maximum(trace["pre_activation_1"], 0))
    assert fg.explain.failure(trace).cause
    assert str(fg.explain.failure(trace))
