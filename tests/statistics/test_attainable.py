"""What outputs can come to on some data, whatever the network."""

import math

import numpy as np
import pytest

import fastgrok as fg
from fastgrok.statistics.attainable import attainable, distinct_examples, out_of_reach, solved_loss

CONFLICT = fg.Dataset([[0], [0], [0], [1]], [0, 1, 1, 0])
XOR = fg.datasets.xor()


@pytest.mark.parametrize(
    ("loss", "least", "constant"),
    [
        ("half_squared_error", 2 / 3 / 2 / 4, 1 / 8),
        ("squared_error", 2 / 3 / 4, 1 / 4),
        ("absolute_error", 1 / 4, 1 / 2),
        ("huber", 2 / 3 / 2 / 4, 1 / 8),
        ("binary_cross_entropy", (math.log(3) - 2 / 3 * math.log(2)) * 3 / 4, math.log(2)),
    ],
)
def test_the_least_loss_is_that_of_one_output_for_equal_inputs(loss, least, constant):
    best = attainable(CONFLICT, loss)
    assert best.loss == pytest.approx(least)
    assert best.constant_loss == pytest.approx(constant)
    assert (best.n_correct, best.max_error, best.n_conflicting, best.is_classes) == (3, 0.5, 3, True)


def test_shares_have_an_entropy_that_no_loss_is_below():
    y = np.array([[0.9, 0.1], [0.5, 0.5]])
    best = attainable(fg.Dataset([[0], [1]], y), "cross_entropy")
    assert best.loss == pytest.approx(-(y * np.log(y)).sum() / 2)
    said = out_of_reach(fg.Converged(loss=0.1), fg.Dataset([[0], [1]], y), "cross_entropy")
    assert said == f"loss 0.1 cannot be met: it is at least {best.loss:.4g}, the entropy of the targets."


def test_what_can_be_met_is_not_said_to_be_out_of_reach():
    everything = fg.Converged(loss=1e-9, max_error=1e-9, accuracy=1)
    for loss in ("half_squared_error", "absolute_error", "binary_cross_entropy"):
        assert out_of_reach(everything, XOR, loss) is None
    assert out_of_reach(fg.Converged(accuracy=0.75, max_error=0.5), CONFLICT, "squared_error") is None


@pytest.mark.parametrize(
    ("criteria", "said"),
    [
        (
            fg.Converged(accuracy=0.76),
            "accuracy 0.76 cannot be met: of 4 examples at most 3 can be right, since 3 ex",
        ),
        (
            fg.Converged(max_error=0.4),
            "max_error 0.4 cannot be met: it is at least 0.5, since 3 examples have inputs",
        ),
        (
            fg.Converged(loss=0.16),
            "loss 0.16 cannot be met: it is at least 0.1667, since 3 examples have inputs that",
        ),
    ],
)
def test_each_criterion_that_is_out_of_reach_is_named(criteria, said):
    assert str(out_of_reach(criteria, CONFLICT, "squared_error")).startswith(said)


def test_what_is_solved_depends_on_the_targets():
    x = np.arange(4.0)[:, None]
    assert solved_loss(attainable(fg.Dataset(x, x), "squared_error")) == pytest.approx(0.01 * 1.25)
    assert solved_loss(attainable(fg.Dataset([[1]], [0]), "squared_error")) == 1e-4
    assert not attainable(fg.Dataset(x, x), "squared_error").is_classes


def test_rows_that_occur_again_count_once():
    data = fg.Dataset(np.tile(XOR.X, (3, 1)), np.tile(XOR.y, (3, 1)))
    rows = distinct_examples(data)
    assert (rows.first.tolist(), rows.weights.tolist(), rows.of.tolist()) == ([0, 1, 2, 3], [1] * 4, [0, 1, 2, 3] * 3)
    assert distinct_examples(fg.Dataset([[-0.0], [0.0], [1]], [0, 0, 0])).weights.tolist() == [2, 1]


def test_plateaus_of_rows_that_occur_again_are_those_of_the_rows():
    from fastgrok.statistics.plateaus import plateaus

    for n in (2, 3):
        data = fg.Dataset(np.tile(XOR.X, (n, 1)), np.tile(XOR.y, (n, 1)))
        assert plateaus(data, "squared_error") == plateaus(XOR, "squared_error")
    uneven = plateaus(fg.Dataset([[0], [0], [1]], [0, 0, 1]), "squared_error")
    assert [round(plateau.loss, 12) for plateau in uneven] == [0, round(2 / 9, 12)]
    assert [plateau.merged for plateau in uneven] == [0, 2]
    halves = plateaus(fg.Dataset([[0], [0], [1]], [0, 0, 1]), "absolute_error")
    assert [plateau.loss for plateau in halves] == [0, pytest.approx(1 / 3)]
