"""Experiments whose driver works on several examples at once have the bits of those that take one after the other."""

from __future__ import annotations

import numpy as np
import pytest

import fastgrok as fg
from fastgrok.engine import driver, kernel_params, program
from fastgrok.engine.arguments import ExecutionOptions
from fastgrok.engine.kernel_params import is_batched, tile_sizes
from fastgrok.engine.training import train
from fastgrok.spec.recording import Recording

RNG = np.random.default_rng(5)
DATA = fg.Dataset(RNG.normal(size=(75, 5)), RNG.integers(0, 2, size=(75, 2)))
HELD_OUT = fg.Dataset(RNG.normal(size=(41, 5)), RNG.integers(0, 2, size=(41, 2)))
WIDE = fg.Experiment(
    fg.mlp(5, 9, 11, 2, hidden="relu", output="sigmoid"),
    DATA,
    batch_size=10,
    epochs=6,
    stop=None,
    optimizer=fg.SGD(0.3),
)
SEEDS = 50
REGIMES = {
    "plain": WIDE,
    "float32": WIDE.replace(dtype="float32"),
    "full batch": WIDE.replace(batch_size="full", loss="binary_cross_entropy", dtype="float32"),
    "larger than a tile": WIDE.replace(network=fg.mlp(5, 66, 9, 2, hidden="tanh"), batch_size=37),
    "shuffled, scheduled": WIDE.replace(order="per_seed", optimizer=fg.SGD(0.3, schedule=fg.ExponentialLR(0.9))),
    "no step by backward": WIDE.replace(optimizer=fg.SGD(0.3, l1=0.01)),
    "shuffled, momentum, clipped": WIDE.replace(
        order="per_seed", optimizer=fg.SGD(0.3, momentum=0.9, nesterov=True, clip_norm=0.1, weight_decay=0.01)
    ),
    "adam, criteria, validation": WIDE.replace(
        order="shared", dtype="float32", optimizer=fg.Adam(0.05), epochs=30, validation=HELD_OUT,
        stop=[fg.Converged(max_error=0.9, accuracy=0.6), fg.EarlyStopping(patience=3)],
    ),
    "restarts": WIDE.replace(stop=fg.Converged(accuracy=0.7), restart=fg.Restart(3), epochs=12),
    "per example, criteria": WIDE.replace(batch_size=1, stop=fg.Converged(accuracy=0.7), check_every=2),
    "diverging": WIDE.replace(optimizer=fg.SGD(50), loss="squared_error", network=fg.mlp(5, 9, 8, 2, hidden="relu")),
}  # fmt: skip


def trained(exp, recording):
    options = ExecutionOptions(threads=1, specialize=False)
    return train(exp, np.arange(SEEDS, dtype=np.uint64), options, keep_params=True, recording=recording)


def assert_same(one, other):
    for name, values in one.metrics.items():
        np.testing.assert_array_equal(values, other.metrics[name], err_msg=name)
    np.testing.assert_array_equal(one.params, other.params)
    np.testing.assert_array_equal(np.signbit(one.params), np.signbit(other.params))


@pytest.mark.parametrize("regime", REGIMES)
def test_the_bits_are_those_of_one_example_after_the_other(regime, monkeypatch):
    exp = REGIMES[regime]
    recording = Recording(at=(0, 2, 4), dead_units=regime != "full batch", steps=regime == "plain")
    assert is_batched(exp)
    batched = trained(exp, recording)
    for module in (driver, kernel_params, program):
        monkeypatch.setattr(module, "is_batched", lambda experiment: False)
    same = exp.replace()  # another object: programs are kept for an experiment
    assert tile_sizes(same).n_examples == 1
    assert_same(batched, trained(same, recording))
