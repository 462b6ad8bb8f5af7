"""Updates that are written every few examples leave the bits of those that are written at once."""

from __future__ import annotations

import numpy as np
import pytest

import fastgrok as fg
from fastgrok.engine import kernel_params
from fastgrok.engine.arguments import ExecutionOptions
from fastgrok.engine.kernel_params import is_deferred
from fastgrok.engine.training import train
from fastgrok.kernels.target import DEFERRED
from fastgrok.spec.recording import NOTHING, Recording

RNG = np.random.default_rng(6)
X, Y = RNG.normal(size=(23, 5)), RNG.integers(0, 2, size=(23, 2))
DATA, HELD_OUT = fg.Dataset(X, Y), fg.Dataset(X[:7] + 0.1, Y[:7])
WIDE = fg.Experiment(
    fg.mlp(5, 9, 11, 2, hidden="relu", output="sigmoid"),
    DATA,
    batch_size=1,
    epochs=3,
    stop=None,
    optimizer=fg.SGD(0.3),
)
SEEDS = 20
NETWORKS = {
    "inputs of every remainder": fg.mlp(5, 15, 8, 2, hidden="leaky_relu"),
    "Linear layers in a row": fg.Network(
        fg.Linear(5, 1), fg.ReLU(), fg.Linear(1, 8), fg.Linear(8, 8), fg.Linear(8, 2)
    ),
    "no bias": fg.mlp(5, 8, 9, 2, hidden="tanh", bias=False),
}
REGIMES = {
    **{name: WIDE.replace(network=network) for name, network in NETWORKS.items()},
    "float32": WIDE.replace(dtype="float32"),
    "closed form": WIDE.replace(loss="binary_cross_entropy"),
    "shuffled, scheduled": WIDE.replace(order="per_seed", optimizer=fg.SGD(0.3, schedule=fg.ExponentialLR(0.9))),
    "criteria, validation": WIDE.replace(
        order="shared", epochs=20, validation=HELD_OUT,
        stop=[fg.Converged(max_error=0.9, accuracy=0.6), fg.EarlyStopping(patience=3)],
    ),
    "restarts": WIDE.replace(stop=fg.Converged(accuracy=0.7), restart=fg.Restart(3), epochs=12),
    "diverging": WIDE.replace(optimizer=fg.SGD(50), loss="squared_error", network=fg.mlp(5, 9, 8, 2, hidden="relu")),
}  # fmt: skip


def trained(exp, monkeypatch, threshold, recording=NOTHING, lanes=None):
    """Train with updates deferred where parameters take more bytes than the threshold."""
    monkeypatch.setattr(kernel_params, "_DEFERRED_BYTES", threshold)
    exp = exp.replace()  # another object: programs are kept for an experiment
    assert is_deferred(exp) == (threshold == 0)
    options = ExecutionOptions(threads=1, specialize=False, lanes=lanes)
    return train(exp, np.arange(SEEDS, dtype=np.uint64), options, keep_params=True, recording=recording)


def assert_same(exp, monkeypatch, **options):
    deferred = trained(exp, monkeypatch, 0, **options)
    at_once = trained(exp, monkeypatch, 2**40, **options)
    for name, values in deferred.metrics.items():
        np.testing.assert_array_equal(values, at_once.metrics[name], err_msg=name)
    np.testing.assert_array_equal(deferred.params, at_once.params)
    np.testing.assert_array_equal(np.signbit(deferred.params), np.signbit(at_once.params))


@pytest.mark.parametrize("regime", REGIMES)
def test_the_bits_are_those_of_updates_written_at_once(regime, monkeypatch):
    assert_same(REGIMES[regime], monkeypatch)


@pytest.mark.parametrize("n_examples", range(1, 2 * DEFERRED + 2))
def test_any_number_of_examples_ends_with_all_updates_written(n_examples, monkeypatch):
    assert_same(WIDE.replace(data=fg.Dataset(X[:n_examples], Y[:n_examples])), monkeypatch)


@pytest.mark.parametrize("lanes", [2, 32])
def test_vectors_of_any_width_give_the_same_bits(lanes, monkeypatch):
    assert_same(WIDE, monkeypatch, lanes=lanes)


def test_parameters_can_be_recorded_after_epochs_and_every_update(monkeypatch):
    for steps in (False, True):
        assert_same(WIDE, monkeypatch, recording=Recording(at=(0, 1, 3), dead_units=True, steps=steps))


def test_updates_are_deferred_of_parameters_that_no_first_level_cache_holds():
    assert is_deferred(WIDE.replace(network=fg.mlp(5, 64, 64, 2)))
    assert not is_deferred(WIDE)
    assert not is_deferred(WIDE.replace(network=fg.mlp(5, 64, 64, 2), batch_size=2))
    assert not is_deferred(WIDE.replace(network=fg.mlp(5, 64, 64, 2), optimizer=fg.SGD(0.3, momentum=0.9)))
