"""The drift of a weight, and whether it is beyond noise."""

import numpy as np
import pytest

from fastgrok.explain.weight_drift import weight_drift


def test_moving_beyond_noise_is_what_it_says():
    rng = np.random.default_rng(0)
    steps = rng.choice([-1.0, 1.0], size=(400, 2000))
    found = weight_drift(np.cumsum(steps, axis=0))
    assert found.learned.mean() == pytest.approx(0.0455, abs=0.015)  # P(|N(0, 1)| > 2)
    turning = np.concatenate([np.arange(30.0), np.full(30, 29.0)])
    still = weight_drift(np.stack([turning, np.zeros(60), turning[::-1]], axis=1))
    assert still.learned.tolist() == [True, False, True]
    assert still.learning.tolist() == [False, False, True]
    assert (still.net.tolist(), still.path.tolist()) == ([29, 0, -29], [29, 0, 29])
    np.testing.assert_allclose(still.noise, [np.sqrt(29), 0, np.sqrt(29)])


def test_a_way_back_and_a_little_way_are_no_learning():
    back = np.concatenate([np.arange(20.0), np.arange(20.0)[::-1]])
    little = np.concatenate([np.arange(60.0), 59 + 1e-3 * np.arange(30)])  # 0.03 of a range of 59
    assert not weight_drift(back).learned
    assert weight_drift(little).learned
    assert not weight_drift(little).learning


def test_example_of_weight_drift():
    steady, circling = np.arange(10.0), np.arange(10) % 2
    assert repr(weight_drift(np.stack([steady, circling], axis=1)).learned) == "array([ True, False])"
