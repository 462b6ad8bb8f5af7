"""Saddle or minimum, of one seed: the numbers are those of the spectrum, and the words follow from them."""

import numpy as np
import pytest

import fastgrok as fg

XOR = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor())


def linear(*params: float) -> fg.explain.Curvature:
    exp = fg.Experiment(fg.mlp(1, 1, 1, hidden="linear", bias=False), fg.Dataset([[1], [2]], [1, 2]))
    return fg.explain.curvature(exp, [[[each]] for each in params], settle=0)


def test_a_saddle_names_its_most_negative_eigenvalue():
    found = linear(0.0, 0.0)
    assert found.kind == "saddle"
    assert str(found).startswith("A saddle: 1 eigenvalue of the Hessian below zero, the least -2.5, the largest 2.5.")


def test_a_minimum_says_along_how_many_directions_nothing_changes():
    text = " ".join(str(linear(1.0, 1.0)).split())
    assert "A local minimum: of 2 eigenvalues of the Hessian 1 are above zero, up to 5, and none is below" in text


def test_a_failure_on_a_plateau_says_what_lies_there():
    trace = fg.replay(XOR, 3)
    failure = fg.explain.failure(trace)
    assert (failure.cause, failure.evidence.curvature.kind) == ("plateau", "kink")
    text = " ".join(str(failure).split())
    assert "has z = 0 exactly on example 0 (0, 0 -> 0), and across it the loss falls, with slope -" in text
    alone = fg.explain.curvature(trace)
    assert alone.verdict() in text
    np.testing.assert_array_equal(alone.spectrum.eigenvalues, failure.evidence.curvature.spectrum.eigenvalues)
    assert "A local minimum" in " ".join(str(fg.explain.failure(fg.replay(XOR, 0))).split())


def test_where_some_parameters_are_held_nothing_is_said_of_directions_that_training_has_not():
    ones = [np.ones(shape) for shape in XOR.network.param_shapes]
    failure = fg.explain.failure(fg.replay(XOR, 3, masks=ones))
    assert (failure.cause, failure.evidence.curvature) == ("plateau", None)
    assert "Neither saddle nor minimum" not in " ".join(str(failure).split())


def test_at_an_earlier_time_there_is_a_slope():
    found = fg.explain.curvature(fg.replay(XOR, 42), at=1)
    assert found.kind == "slope"
    assert str(found).startswith("Not at rest")
    assert "Looked at where it was: by 20,000 epochs of gradient descent" in " ".join(str(found).split())
    assert "Looked at" not in str(fg.explain.curvature(fg.replay(XOR, 42), at=1, settle=0))


def test_what_will_not_do_is_refused():
    with pytest.raises(fg.InvalidExperiment, match="params = None"):
        fg.explain.curvature(XOR)
