"""What a flag or a form reads of a field: a sentence of help, what is accepted, and the value of a text."""

from typing import Any

import pytest

import fastgrok as fg
from fastgrok.errors import InvalidExperiment
from fastgrok.spec.base import Spec, registered
from fastgrok.spec.calls import describe


def test_every_field_has_a_sentence_of_help() -> None:
    assert fg.Experiment  # loads every specification
    described = [cls for cls in registered(Spec).values() if hasattr(cls, "__pydantic_fields__")]
    assert len(described) > 20
    for cls in described:
        for field in describe(cls).values():
            assert field.help.endswith("."), field
            assert field.accepted


@pytest.mark.parametrize(
    ("cls", "field", "text", "value"),
    [
        (fg.SGD, "lr", "1e-1", 0.1),
        (fg.SGD, "clip_norm", "none", None),
        (fg.SGD, "clip_norm", "2", 2.0),
        (fg.SGD, "nesterov", "true", True),
        (fg.SGD, "schedule", "step_lr(100, gamma=0.5)", fg.StepLR(100, gamma=0.5)),
        (fg.Restart, "at_most", "1e3", 1000),
        (fg.HeNormal, "mode", "fan_out", "fan_out"),
        (fg.Experiment, "batch_size", "full", "full"),
        (fg.Experiment, "batch_size", "16", 16),
        (fg.Experiment, "bias_init", "same", "same"),
        (fg.Experiment, "init", "he_normal", fg.HeNormal()),
        (fg.Experiment, "optimizer", "adam(lr=0.1)", fg.Adam(lr=0.1)),
        (fg.Experiment, "stop", "early_stopping(20)", fg.EarlyStopping(20)),
    ],
)
def test_text_is_read_as_the_field_is_declared(cls: type[Spec], field: str, text: str, value: Any) -> None:
    parsed = describe(cls)[field].parse("--flag", text)
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(
    ("cls", "field", "text", "accepted"),
    [
        (fg.SGD, "lr", "fast", "a finite number greater than 0"),
        (fg.SGD, "lr", "none", "a finite number greater than 0"),
        (fg.SGD, "nesterov", "1", "True or False"),
        (fg.Restart, "after", "1.5", "an integer at least 1"),
        (fg.Experiment, "order", "random", "one of 'fixed'"),
        (fg.Experiment, "init", "from_function", "one of 'uniform'"),
        (fg.Experiment, "optimizer", "lion", "one of 'sgd', 'adam'"),
    ],
)
def test_text_that_a_field_does_not_accept_names_the_flag(
    cls: type[Spec], field: str, text: str, accepted: str
) -> None:
    with pytest.raises(InvalidExperiment) as caught:
        describe(cls)[field].parse("--flag", text)
    assert caught.value.field == "--flag"
    assert caught.value.value == text
    assert accepted in caught.value.accepted
