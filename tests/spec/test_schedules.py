"""Schedules: PyTorch's rates, and what is refused."""

import numpy as np
import pytest

import fastgrok as fg
from fastgrok.errors import InvalidExperiment
from fastgrok.spec.calls import from_call
from fastgrok.spec.schedules import Schedule

# The rates of nine epochs from lr = 0.1, as torch.optim.lr_scheduler of PyTorch 2.13.0 gave them.
PYTORCH = [
    (fg.MultiStepLR([2, 5], gamma=0.5), [0.1, 0.1, 0.05, 0.05, 0.05, 0.025, 0.025, 0.025, 0.025]),
    (
        fg.LinearLR(),
        [0.03333333333333333, 0.04666666666666667, 0.060000000000000005, 0.07333333333333335, 0.08666666666666668]
        + [0.1] * 4,
    ),
    (fg.LinearLR(0.5, 0.25, 4), [0.05, 0.04375, 0.0375, 0.03125, 0.025, 0.025, 0.025, 0.025, 0.025]),
    (fg.LinearLR(1.0, 0.0, 4), [0.1, 0.075, 0.05, 0.025, 0, 0, 0, 0, 0]),
    (
        fg.SequentialLR([fg.LinearLR(0.25, total_iters=3), fg.ExponentialLR(0.5)], [3]),
        [0.025, 0.05, 0.075, 0.1, 0.05, 0.025, 0.0125, 0.00625, 0.003125],
    ),
    (
        fg.SequentialLR([fg.LinearLR(0.25, total_iters=2), fg.CosineAnnealingLR(4)], [2]),
        [0.025, 0.0625, 0.1, 0.08535533905932738, 0.05, 0.014644660940672627, 0, 0.014644660940672622, 0.05],
    ),
    (
        fg.SequentialLR([fg.LinearLR(0.25, total_iters=4), fg.ExponentialLR(0.5), fg.StepLR(1)], [2, 5]),
        [0.025, 0.04375, 0.1, 0.05, 0.025, 0.1, 0.01, 0.001, 0.0001],
    ),
]


@pytest.mark.parametrize(("schedule", "expected"), PYTORCH, ids=[repr(schedule) for schedule, _ in PYTORCH])
def test_rates_are_those_of_pytorch(schedule, expected):
    np.testing.assert_allclose(schedule.rates(0.1, 9), expected, rtol=1e-14, atol=1e-17)
    for epochs in (0, 1, 4):  # a shorter run has the first of them
        np.testing.assert_array_equal(schedule.rates(0.1, epochs), schedule.rates(0.1, 9)[:epochs])


@pytest.mark.parametrize(("schedule", "expected"), PYTORCH, ids=[repr(schedule) for schedule, _ in PYTORCH])
def test_a_schedule_comes_back_from_its_json(schedule, expected):
    exp = fg.Experiment(fg.mlp(2, 1), fg.datasets.xor(), optimizer=fg.SGD(schedule=schedule))
    again = fg.Experiment.from_json(exp.to_json())
    assert again == exp
    assert again.id == exp.id
    assert hash(again.optimizer) == hash(exp.optimizer)


def test_a_line_ends_exactly_where_it_is_to_end():
    for factor in (1 / 3, 0.1, 0.7):
        assert fg.LinearLR(factor, total_iters=7).rates(0.3, 9)[7:].tolist() == [0.3, 0.3]


@pytest.mark.parametrize(
    ("text", "schedule"),
    [
        ("multi_step_lr([30,80])", fg.MultiStepLR([30, 80])),
        ("multi_step_lr( milestones = [ 30 ] , gamma=0.5 )", fg.MultiStepLR([30], 0.5)),
        ("linear_lr", fg.LinearLR()),
        ("linear_lr(0.1,total_iters=50)", fg.LinearLR(0.1, total_iters=50)),
        (
            "sequential_lr([linear_lr,multi_step_lr([3,9],gamma=0.5),step_lr(2)], milestones=[5, 20])",
            fg.SequentialLR([fg.LinearLR(), fg.MultiStepLR([3, 9], 0.5), fg.StepLR(2)], [5, 20]),
        ),
    ],
)
def test_a_schedule_of_a_text(text, schedule):
    assert from_call("schedule", Schedule, text) == schedule


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("multi_step_lr([])", "schedule multi_step_lr.milestones = .*: expected a list of epochs from 1"),
        ("multi_step_lr([5,3])", "schedule multi_step_lr.milestones = .*: expected a list of epochs from 1"),
        ("multi_step_lr([0,3])", "schedule multi_step_lr.milestones = .*: expected a list of epochs from 1"),
        ("multi_step_lr(30)", "schedule multi_step_lr.milestones = 30: expected a list of epochs from 1"),
        ("multi_step_lr([3,9)", "schedule = .*: expected a name, with numbers or words in parentheses"),
        ("multi_step_lr([3,,9])", "schedule = .*: expected a name, with numbers or words in parentheses"),
        (
            "linear_lr(0)",
            "schedule linear_lr.start_factor = 0: expected a finite number greater than 0 and at most 1",
        ),
        ("sequential_lr([linear_lr],[3])", "schedule sequential_lr.schedules = .*: expected two schedules or more"),
        ("sequential_lr([linear_lr,linear_lr],[3,4])", "sequential_lr.milestones = .*: expected 1 of them"),
        ("sequential_lr([linear_lr,warmup],[3])", "schedule = 'warmup': expected one of 'step_lr'"),
        ("sequential_lr([1,2],[3])", "sequential_lr.schedules = .*: expected a list of schedules"),
        ("sequential_lr([linear_lr,step_lr(0)],[3])", "schedule step_lr.step_size = 0: expected an integer"),
    ],
)
def test_no_such_schedule(text, message):
    with pytest.raises(InvalidExperiment, match=message):
        from_call("schedule", Schedule, text)
