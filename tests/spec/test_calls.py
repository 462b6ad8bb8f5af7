"""What a flag or a form reads of a field: a sentence of help, what is accepted, and the value of a text."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import ANYTHING, one_line

import fastgrok as fg
from fastgrok.errors import InvalidExperiment
from fastgrok.spec.base import Spec, registered
from fastgrok.spec.calls import call_name, classes_by_name, describe, from_call, integer
from fastgrok.spec.initializers.base import Initializer
from fastgrok.spec.schedules import Schedule


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
        (fg.Experiment, "optimizer", "adamw(eps=1e-4)", fg.AdamW(eps=1e-4)),
        (fg.Experiment, "optimizer", "rmsprop(centered=true, clip_norm=none)", fg.RMSprop(centered=True)),
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


@pytest.mark.parametrize(
    ("name", "scheme"),
    [
        ("xavier_normal", fg.XavierNormal()),
        ("he_uniform", fg.HeUniform()),
        ("torch_linear", fg.TorchLinear()),
        ("uniform", fg.Uniform()),
        ("uniform(-2,2)", fg.Uniform(-2, 2)),
        (" normal( 0 , std = 5e-1 ) ", fg.Normal(0, 0.5)),
        ("constant(0.1)", fg.Constant(0.1)),
        ("zeros()", fg.Zeros()),
        ("he_normal(mode=fan_out)", fg.HeNormal(mode="fan_out")),
        ("he_uniform(fan_out, slope=0.2)", fg.HeUniform("fan_out", 0.2)),
        ("rai", fg.RAI()),
        ("lecun_normal", fg.LeCunNormal()),
        ("sparse(0.5)", fg.Sparse(0.5)),
        ("HeNormal(mode='fan_out')", fg.HeNormal("fan_out")),
        ("Uniform(low=-1.0, high=1.0)", fg.Uniform(-1, 1)),
        ("lecun-uniform", fg.LeCunUniform()),
    ],
)
def test_initializer_of_a_name(name: str, scheme: Initializer) -> None:
    assert from_call("init", Initializer, name) == scheme


NAMES = list(classes_by_name(Initializer))


@given(
    st.text(max_size=12)
    | ANYTHING
    | st.builds("{}({})".format, st.sampled_from(NAMES), st.text("01-.,=nafi ow_", max_size=12))
)
def test_any_name_is_an_initializer_or_an_invalid_experiment(name: str) -> None:
    try:
        assert isinstance(from_call("init", Initializer, name), Initializer)
    except InvalidExperiment as error:
        one_line(error)


@pytest.mark.parametrize(
    "name",
    [
        "glorot",
        "uniform(2",
        "uniform(2,-2)",
        "uniform(a)",
        "normal(std=1, 2)",
        "normal(1_0)",
        "he_normal(1)",
        "he_normal(mode=fan_avg)",
        "he_normal(mode='fan_in)",
        "glorot_normal",
        "ones(2)",
        "uniform(1_0)",
        "from_function",
        "from_arrays(1)",
        3,
    ],
)
def test_no_such_initializer(name: str) -> None:
    with pytest.raises(InvalidExperiment, match="init"):
        from_call("init", Initializer, name)


def test_example_of_field_description_parse():
    assert describe(fg.Experiment)["epochs"].parse("--epochs", "1.5e5") == 150000
    value = repr(describe(fg.SGD)["schedule"].parse("--schedule", "step_lr(100)"))
    assert value == "StepLR(step_size=100, gamma=0.1)"


def test_example_of_describe():
    momentum = describe(fg.SGD)["momentum"]
    assert (momentum.default, momentum.accepted) == (0.0, "a finite number at least 0 and less than 1")
    assert momentum.help == "Share of the last step that is kept, 0 or more and less than 1."


def test_example_of_integer():
    assert (integer("1_000"), integer("1.5e5")) == (1000, 150000)


def test_example_of_call_name():
    value = (call_name(fg.CosineAnnealingLR), call_name(fg.LeCunNormal))
    assert value == ("cosine_annealing_lr", "lecun_normal")


def test_example_of_classes_by_name():
    names = "step_lr multi_step_lr exponential_lr cosine_annealing_lr linear_lr sequential_lr"
    assert list(classes_by_name(Schedule)) == names.split()


def test_example_of_from_call():
    value = repr(from_call("schedule", Schedule, "step_lr(100, gamma=0.5)"))
    assert value == "StepLR(step_size=100, gamma=0.5)"
