"""Changing a field by its dotted path."""

import pytest

import fastgrok as fg
from fastgrok.errors import InvalidExperiment
from fastgrok.spec.paths import paths, replaced

NET = fg.mlp(2, 4, 1, output="sigmoid")


EXP = fg.Experiment(NET, fg.datasets.xor())


def test_replace_at_changes_one_field_however_deep() -> None:
    assert EXP.replace_at("optimizer.lr", 0.01).optimizer == fg.SGD(lr=0.01)
    assert EXP.replace_at("stop", None).stop is None
    assert EXP.replace_at("network.layers[1].gradient_at_zero", 1).network.layers[1] == fg.ReLU(1)
    assert EXP.replace_at("network.layers", [fg.Linear(2, 1)]).network == fg.mlp(2, 1)
    assert EXP.replace_at("epochs", 1000) == EXP


def test_every_path_can_be_replaced_by_its_own_value() -> None:
    for path in EXP.paths():
        value = EXP
        for step in path.replace("[", ".").replace("]", "").split("."):
            value = value[int(step)] if step.isdigit() else getattr(value, step)
        assert EXP.replace_at(path, value) == EXP


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (
            "optimizer.learning_rate",
            1,
            "one of network, network.layers, data, .*optimizer.lr, optimizer.momentum",
        ),
        ("optimizer.", 1, "^path = 'optimizer.'"),
        ("", 1, "^path = ''"),
        (None, 1, "^path = None"),
        ("data.X", 1, "^path = 'data.X'"),
        ("network.layers[9]", 1, r"one of .*network\.layers\[0\]"),
        ("optimizer.lr", -1, r"^optimizer\.lr = -1: expected a finite number greater than 0"),
        ("network.layers[0].fan_out", 3, r"^network\.layers\[2\] = Linear\(4, 1\)"),
        ("network.layers[0].fan_out", 0, r"^network\.layers\[0\]\.fan_out = 0"),
        ("network", fg.mlp(3, 1), "^network = .* with the 2 inputs"),
    ],
)
def test_replace_at_names_what_is_wrong(path: str, value: object, message: str) -> None:
    with pytest.raises(InvalidExperiment, match=message):
        EXP.replace_at(path, value)


def test_example_of_paths():
    assert list(paths(fg.Network(fg.Linear(2, 1))))[:3] == ["layers", "layers[0]", "layers[0].fan_in"]


def test_example_of_replaced():
    value = repr(replaced(fg.mlp(2, 1, output="relu"), "layers[1].gradient_at_zero", 1))
    assert value == "Network(Linear(2, 1), ReLU(gradient_at_zero=1.0))"
