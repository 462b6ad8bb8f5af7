"""Parameters that are cut out or frozen, and learning rates by layer: both drivers against the naive twin."""

from __future__ import annotations

import numpy as np
import pytest
from fingerprint import bits
from registry import experiment
from test_twin import LANES, SEEDS, XOR, assert_like_the_twin, library

import fastgrok as fg
from fastgrok.spec.variables import Outcome

both_drivers = pytest.mark.parametrize("specialize", [False, True])
FACTORS = (0.5, 2, 0, 1)  # of the four layers of "mixed"
UPDATES = {
    "plain": {},
    "batch": {"batch_size": 2, "order": "per_seed"},
    "momentum": {"optimizer": fg.SGD(0.1, momentum=0.9, nesterov=True, weight_decay=0.1, clip_norm=0.3)},
    "adam": {"optimizer": fg.Adam(0.05, l1=0.05, clip_norm=0.3), "batch_size": 2},
    "adamw": {"optimizer": fg.AdamW(0.05, weight_decay=0.2), "batch_size": 3},
    "rmsprop": {"optimizer": fg.RMSprop(0.05, momentum=0.5, centered=True, weight_decay=0.1), "batch_size": 2},
    "adagrad": {"optimizer": fg.Adagrad(0.1, lr_decay=0.1, weight_decay=0.1), "batch_size": "full"},
    "rprop": {"optimizer": fg.Rprop(0.1, weight_decay=0.1), "batch_size": "full"},
    "schedule": {"optimizer": fg.SGD(0.2, schedule=fg.ExponentialLR(0.7))},
    "dropout": {"network": "dropout", "batch_size": 2},
}


def made(name: str, *, factors: bool = False, **fields) -> fg.Experiment:
    exp = experiment(**{"network": "mixed"} | UPDATES[name] | fields)
    wanted = FACTORS[-len(exp.network.linears) :]
    return exp.replace_at("optimizer.lr_factors", wanted) if factors else exp


def masks_of(exp: fg.Experiment, n: int, share: float = 0.7) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [(rng.random((n, *shape)) < share).astype(float) for shape in exp.network.param_shapes]


@pytest.mark.parametrize("update", UPDATES)
def test_each_seed_trains_what_its_masks_leave_as_the_twin(update):
    exp = made(update)
    assert_like_the_twin(exp, SEEDS, masks=masks_of(exp, 3), specialize=False)


@pytest.mark.parametrize("update", [name for name in UPDATES if name != "dropout"])
def test_layers_learn_at_their_own_rates_as_the_twins(update):
    assert_like_the_twin(made(update, factors=True), SEEDS, specialize=False)


@pytest.mark.parametrize("update", ["plain", "batch", "momentum", "adamw", "rprop"])
def test_the_specialised_driver_does_both_as_the_twin(update):
    exp = made(update, factors=True)
    assert_like_the_twin(exp, SEEDS, masks=masks_of(exp, 3), specialize=True)


@pytest.mark.parametrize("batch_size", [1, 3])
def test_wide_layers_do_both_as_the_twins(batch_size):
    """Of so many parameters that updates are deferred, or batches gone through in tiles, where all are trained."""
    exp = experiment(batch_size=batch_size).replace(network=fg.mlp(3, 32, 32, 2), epochs=4)
    masks = masks_of(exp, 3)
    assert_like_the_twin(exp, SEEDS, masks=masks, rtol=1e-11)
    frozen = exp.replace_at("optimizer.lr_factors", (1, 0, 1))
    assert_like_the_twin(frozen, SEEDS, masks=masks, rtol=1e-11)
    ones = [np.ones(shape) for shape in exp.network.param_shapes]
    assert bits(library(exp, seeds=20, masks=ones)) == bits(library(exp, seeds=20))


@pytest.mark.parametrize("update", ["plain", "batch", "momentum", "rprop"])
@both_drivers
def test_masks_of_ones_change_no_bit(update, specialize):
    exp = made(update)
    ones = [np.ones(shape, bool) for shape in exp.network.param_shapes]
    whole = bits(library(exp, seeds=40, specialize=specialize))
    assert bits(library(exp, seeds=40, masks=ones, specialize=specialize)) == whole
    assert bits(library(exp, seeds=40, masks=[ones[0], *[None] * 7], specialize=specialize)) == whole
    assert bits(library(exp, seeds=40, masks=np.ones((40, exp.n_params)), specialize=specialize)) == whole


@pytest.mark.parametrize("update", ["plain", "momentum", "adamw", "rprop"])
@both_drivers
def test_what_is_cut_out_is_0_and_what_is_frozen_keeps_its_bits(update, specialize):
    exp = made(update, factors=True, epochs=30)
    masks, start = masks_of(exp, 40), fg.initial_params(exp, 40)
    found = library(exp, seeds=40, masks=masks, specialize=specialize)
    for k, (mask, first, last) in enumerate(zip(masks, start, found.params, strict=True)):
        np.testing.assert_array_equal(last[mask == 0], 0)
        assert not np.signbit(last[mask == 0]).any()
        kept = last[mask == 1] == first[mask == 1]
        assert kept.all() == (k in (4, 5))  # layer 2 is frozen
    assert (found.dataset.outcome != Outcome.DIVERGED).all()


@both_drivers
def test_a_network_without_a_unit_has_the_bits_of_a_smaller_one(specialize):
    small = XOR.replace(network=fg.mlp(2, 3, 1))
    params = fg.initial_params(small, 60)
    larger = [np.full((60, *shape), 0.7) for shape in XOR.network.param_shapes]
    larger[0][:, :, [0, 1, 3]], larger[1][:, [0, 1, 3]] = params[0], params[1]
    larger[2][:, [0, 1, 3]], larger[3] = params[2], params[3]
    masks = [np.ones(shape) for shape in XOR.network.param_shapes]
    masks[0][:, 2] = masks[1][2] = masks[2][2] = 0
    ours = library(XOR, params=larger, masks=masks, specialize=specialize)
    theirs = library(small, params=params, specialize=specialize)
    np.testing.assert_array_equal(ours.params[0][:, :, [0, 1, 3]], theirs.params[0])
    for name in ("loss_final", "epochs_to_converge", "gradient_norm_final", "weight_norm_final"):
        np.testing.assert_array_equal(ours.dataset[name], theirs.dataset[name], name)


RULES = {
    "restart": {"restart": fg.Restart(20, at_most=2), "stop": fg.Converged(loss=0.02)},
    "restart_frozen": {
        "restart": fg.Restart(patience=20),
        "stop": fg.Converged(loss=0.02),
        "optimizer": fg.SGD(0.2, lr_factors=(0, 1)),
    },
    "at_rest": {"stop": fg.Stationary(0.05), "optimizer": fg.Adam(0.05, lr_factors=(0, 1)), "batch_size": "full"},
}


@pytest.mark.parametrize("rule", RULES)
@both_drivers
def test_what_starts_again_and_what_ends_does_so_as_the_twins(rule, specialize):
    exp = XOR.replace(**RULES[rule])
    assert_like_the_twin(exp, list(range(16)), masks=masks_of(exp, 16, 0.9), rtol=1e-7, specialize=specialize)


@pytest.mark.parametrize(("update", "dtype"), [("batch", "float64"), ("momentum", "float32")])
def test_bits_are_the_same_for_both_drivers_any_lanes_and_chunks_and_in_a_replay(update, dtype):
    exp = made(update, factors=True, dtype=dtype, epochs=20)
    masks = masks_of(exp, 90)
    whole = library(exp, seeds=90, masks=masks, specialize=False)
    for options in (
        {"lanes": 32, "specialize": True},
        {"lanes": LANES, "specialize": False, "threads": 3, "chunk_size": 7},
    ):
        assert bits(library(exp, seeds=90, masks=masks, **options)) == bits(whole)
    trace = fg.replay(exp, [5, 77], masks=[mask[[5, 77]] for mask in masks])
    np.testing.assert_array_equal(trace.weight_2[:, -1], whole.params[2][[5, 77]])
    np.testing.assert_array_equal(trace.gradient_norm[:, -1], whole.dataset.gradient_norm_final[[5, 77]])
    np.testing.assert_array_equal(trace.loss[:, 0], whole.dataset.loss_initial[[5, 77]])


def test_a_result_says_that_masks_were_given(tmp_path):
    masks = [np.ones(shape) for shape in XOR.network.param_shapes]
    result = library(XOR, seeds=4, masks=masks)
    assert result.dataset.attrs["masks"] == "given"
    assert "masks" not in library(XOR, seeds=4).dataset.attrs
    result.save(tmp_path / "masked.parquet")
    assert fg.load(tmp_path / "masked.parquet").dataset.attrs["masks"] == "given"


@pytest.mark.parametrize(
    ("masks", "message"),
    [
        ([np.ones((2, 4))], r"masks\[1\] is missing: expected as many arrays as"),
        (
            [np.ones((2, 4)), np.ones(4), np.ones((4, 1)), np.full(1, 0.5)],
            "masks = 0.5: expected 0 or False for what is cut",
        ),
        ([np.ones((2, 2, 4)), None, None, None], "those of 5 networks, one for each seed, or of one for all"),
        ([np.ones((3, 4)), None, None, None], r"masks\[0\] = \(3, 4\): expected shape"),
        (np.ones(3), r"masks = \(3,\): expected shape"),
        ([None] * 4, r"masks\[0\]"),
    ],
)
def test_masks_that_do_not_fit_are_refused(masks, message):
    with pytest.raises(fg.InvalidExperiment, match=message):
        library(XOR, seeds=5, masks=masks)


@pytest.mark.parametrize(
    ("factors", "message"),
    [
        ((1,), r"optimizer.lr_factors = \(1.0,\): expected a number for each of the 2 Linear layers"),
        ((1, -1), "lr_factors = .*: expected None, or a number from 0 to 1e6 for each Linear layer"),
        (0.1, "lr_factors = 0.1: expected None, or a number from 0 to 1e6 for each Linear layer"),
    ],
)
def test_factors_that_do_not_fit_are_refused(factors, message):
    with pytest.raises(fg.InvalidExperiment, match=message):
        XOR.replace(optimizer=fg.SGD(0.1, lr_factors=factors))


def test_factors_are_a_field_like_others():
    exp = XOR.replace(optimizer=fg.SGD(0.1, lr_factors=[0, 0.1]), dtype="float32")
    assert exp.optimizer == fg.SGD(0.1, lr_factors=(0, 0.1))
    assert fg.Experiment.from_json(exp.to_json()) == exp
    assert "lr_factors" not in XOR.to_json()
    assert XOR.replace(optimizer="sgd(0.1, lr_factors=[0, 0.1])").optimizer == exp.optimizer
    swept = fg.sweep(XOR, 4, {"lr_factors": [(1, 1), (0, 1)]}, progress=False)
    assert swept.dataset["optimizer.lr_factors"].values.tolist() == ["(1.0, 1.0)", "(0.0, 1.0)"]
    same = fg.sweep(XOR, 4, {"lr_factors": [[1, 1], [0, 1]]}, progress=False)
    assert same.dataset.equals(swept.dataset)
