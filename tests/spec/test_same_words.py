"""What one types is what one writes: specifications, axes and configurations by the same words everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from commands import QUICK, Outcome

import fastgrok as fg
import fastgrok.api

EXP = fg.Experiment(fg.mlp(2, 4, 1), "xor", epochs=20)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (fg.SGD(schedule="step_lr(100)"), fg.SGD(schedule=fg.StepLR(100))),
        (fg.Adam(schedule="exponential_lr(0.9)"), fg.Adam(schedule=fg.ExponentialLR(0.9))),
        (
            fg.SequentialLR(["linear_lr(0.1)", fg.StepLR(100)], [5]),
            fg.SequentialLR([fg.LinearLR(0.1), fg.StepLR(100)], [5]),
        ),
        (EXP.replace(optimizer="sgd(schedule=step_lr(100))"), EXP.replace(optimizer=fg.SGD(schedule=fg.StepLR(100)))),
        (EXP.replace_at("optimizer.schedule", "step_lr(9)"), EXP.replace(optimizer=fg.SGD(schedule=fg.StepLR(9)))),
        (EXP.replace(restart="restart(5)"), EXP.replace(restart=fg.Restart(5))),
        (EXP.replace(stop="converged(accuracy=1)"), EXP.replace(stop=fg.Converged(accuracy=1))),
        (EXP.replace(validation="and"), EXP.replace(validation=fg.datasets.and_())),
    ],
)
def test_a_name_stands_for_a_specification(said: Any, meant: Any) -> None:
    assert said == meant


def test_names_of_schedules_are_values_of_an_axis() -> None:
    axes = {"schedule": ["step_lr(10)", None, fg.StepLR(20)]}
    named = fg.sweep(EXP, 2, axes, progress=False)
    assert [str(label) for label in named.axes[0].labels] == [
        "StepLR(step_size=10, gamma=0.1)",
        "None",
        "StepLR(step_size=20, gamma=0.1)",
    ]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: fg.SGD(schedule="step_l(100)"), r"schedule = .*did you mean 'step_lr'\?"),
        (lambda: fg.SGD(schedule="step_lr(0)"), r"step_size = 0"),
        (lambda: fg.SequentialLR(["linear_lr(0.1)", "step(9)"], [5]), r"schedules\[1\] = 'step'.*'step_lr'"),
        (lambda: fg.sweep(EXP, 2, {"lrr": [1]}), r"axes = 'lrr'.*did you mean 'lr'\?"),
        (lambda: fg.sweep(EXP, 2, {"schedule": ["cosine"]}), r"axes\['optimizer.schedule'\]\[0\] = 'cosine'"),
    ],
)
def test_an_error_says_the_next_thing_to_type(make: Any, message: str) -> None:
    with pytest.raises(fg.InvalidExperiment, match=message):
        make()


def test_the_command_line_and_a_file_take_the_same_words(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    words = ["--optimizer", "sgd(schedule=step_lr(10)),adam", "--schedule", "step_lr(10),none"]
    for typed in (words[:2], words[2:], ["--optimizer", "SGD(schedule=StepLR(step_size=10, gamma=0.1))"]):
        assert Outcome(["sweep", "xor", *QUICK, *typed], capsys).status == 0
    (tmp_path / "a.toml").write_text(
        'data = "xor"\nseeds = 8\nepochs = 20\noptimizer = ["sgd(schedule=step_lr(10))", "adam"]\n'
    )
    from_file = Outcome(["sweep", str(tmp_path / "a.toml")], capsys)
    assert from_file.status == 0
    header, _, first, second = from_file.out.splitlines()
    assert header.split()[0] == "optimizer"
    assert first.startswith("SGD(lr=0.1, schedule=StepLR(step_size=10, gamma=0.1))")
    assert second.startswith("Adam")


def test_a_configuration_is_asked_for_by_the_words_of_the_flags(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = str(tmp_path / "runs")
    made = ["sweep", "xor", "--hidden", "2,4", "--lr", "0.1,0.2", "--init", "he_normal,rai", *QUICK, "--out", path]
    table = Outcome(made, capsys).out
    assert table.split()[:3] == ["hidden", "init", "lr"]  # as they are typed, and as `axes=` has them
    store = fg.open_store(path)
    assert store.experiment({"hidden": 4, "lr": 0.2, "init": "rai"}) == store.experiment(7)
    asked = Outcome(["replay", path, "--config", "hidden=4,lr=0.2,init=rai", "--seed", "3"], capsys)
    assert asked.out == Outcome(["replay", path, "--config", "7", "--seed", "3"], capsys).out
    assert asked.status == 0
    missing = Outcome(["replay", path, "--seed", "3"], capsys)
    assert missing.status == 2
    assert "hidden=2, init=HeNormal(), lr=0.1" in missing.err
    wrong = Outcome(["replay", path, "--config", "hiden=4", "--seed", "3"], capsys)
    assert "did you mean 'hidden'?" in wrong.err
    with pytest.raises(fg.InvalidExperiment, match=r"axis = 'lrr': expected one of 'hidden', 'init', 'lr'; did you"):
        fg.compare(store, "lrr")
    assert repr(fg.compare(store, "lr")).startswith("<fastgrok.Comparison of lr")
    assert "2 hidden x 2 init x 2 lr" in repr(store)
