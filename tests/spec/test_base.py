"""Specifications of every kind: what they accept, what they say of the rest, and dicts, pickles and copies."""

import copy
import math
import pickle
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import ANYTHING, NET, SPECS, one_line

import fastgrok as fg
from fastgrok.errors import InvalidExperiment
from fastgrok.spec.base import Spec, from_plain, registered, to_plain
from fastgrok.spec.initializers.base import Initializer


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_spec_survives_dict_pickle_copy_and_repr(spec: Spec) -> None:
    assert type(spec).from_dict(spec.to_dict()) == spec
    assert pickle.loads(pickle.dumps(spec)) == spec
    assert copy.deepcopy(spec) == spec
    assert eval(repr(spec), {type(other).__name__: type(other) for other in SPECS}) == spec
    assert hash(spec) == hash(copy.copy(spec))


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_spec_is_frozen(spec: Spec) -> None:
    with pytest.raises(AttributeError):
        spec.anything = 1  # type: ignore[attr-defined]


def test_every_registered_scheme_is_among_the_specs_tested() -> None:
    besides = {"FromFunction"}  # a function is not read back; tests/spec/test_initializers.py
    assert {type(spec).__name__ for spec in SPECS} | besides >= registered(Initializer).keys()


def test_numpy_scalars_stand_for_numbers_and_are_kept_as_python_numbers() -> None:
    layer = fg.Linear(np.int64(2), np.uint8(4), np.bool_(False))
    assert layer == fg.Linear(2, 4, False)
    assert {type(value) for value in (layer.fan_in, layer.fan_out)} == {int}
    assert type(fg.SGD(np.float32(0.5)).lr) is float
    assert type(fg.SGD(np.int64(1)).lr) is float


def test_negative_zero_is_kept_as_zero() -> None:
    assert math.copysign(1, fg.Constant(-0.0).value) == 1


@pytest.mark.parametrize(
    ("make", "field", "accepted"),
    [
        (lambda: fg.SGD(lr=-1), "lr", "a finite number greater than 0"),
        (lambda: fg.SGD(lr=True), "lr", "a finite number greater than 0"),
        (lambda: fg.SGD(lr="0.1"), "lr", "a finite number greater than 0"),
        (lambda: fg.SGD(lr=math.nan), "lr", "a finite number greater than 0"),
        (lambda: fg.SGD(lr=10**400), "lr", "a finite number greater than 0"),
        (lambda: fg.SGD(lr=np.timedelta64(1, "s")), "lr", "a finite number greater than 0"),
        (lambda: fg.SGD(momentum=1), "momentum", "a finite number at least 0 and less than 1"),
        (
            lambda: fg.SGD(1, 0, 0, 0, False, None, None, "all", None, 7),
            "SGD argument 10",
            "at most 9 positional arguments",
        ),
        (
            lambda: fg.SGD(learning_rate=1),
            "learning_rate",
            "only the fields of SGD: lr, momentum, weight_decay, l1",
        ),
        (lambda: fg.SGD(1, lr=2), "lr", "one value"),
        (lambda: fg.Constant(), "value", "a finite number"),
        (lambda: fg.Uniform(1, -1), "high", "above low = 1.0"),
        (lambda: fg.Uniform(-1e308, 1e308), "high", "high - low to be a finite number"),
        (lambda: fg.Normal(0, -1), "std", "a finite number at least 0"),
        (lambda: fg.LeakyReLU(1.5), "slope", "a finite number at least 0 and at most 1"),
        (lambda: fg.Linear(2, 4.0), "fan_out", "an integer at least 1 and at most 4096"),
        (lambda: fg.Linear(0, 4), "fan_in", "an integer at least 1 and at most 4096"),
        (lambda: fg.Linear(2, 4, 1), "bias", "True or False"),
        (lambda: fg.Converged(), "loss, max_error, accuracy", "a number for one of them"),
        (lambda: fg.Converged(accuracy=2), "accuracy", "a finite number at least 0 and at most 1, or None"),
        (lambda: fg.Network(), "layers", "1 to 256 layers"),
        (lambda: fg.Network(*[fg.Linear(1, 1)] * 257), "layers", "1 to 256 layers"),
        (lambda: fg.Network(fg.ReLU()), "layers[0]", "a Linear layer"),
        (lambda: fg.Network([fg.Linear(1, 1)]), "layers", "the layers as arguments: Network(Linear(2, 4)"),
        (lambda: fg.Network(3), "layers[0]", "one of 'Linear', 'ReLU'"),
        (lambda: fg.Network(fg.Linear(2, 3), fg.Tanh(), fg.Linear(4, 1)), "layers[2]", "fan_in=3"),
        (lambda: fg.mlp(2), "sizes", "2 to 257 widths"),
        (lambda: fg.mlp(2, 0, 1), "sizes[1]", "an integer at least 1"),
        (lambda: fg.mlp(2, 1, bias=None), "bias", "True or False"),
        (lambda: fg.mlp(2, 1, output="swoosh"), "output", "one of 'linear', 'relu'"),
        (lambda: fg.mlp(2, 3, 3, hidden="softmax"), "layers[1]", "a Softmax is last"),
        (lambda: fg.mlp(2, 3, 1, output="softmax"), "layers[3]", "Sigmoid() for one output"),
        (lambda: fg.ELU(0), "alpha", "greater than 0"),
        (lambda: fg.Softplus(-1), "beta", "greater than 0"),
        (lambda: fg.GELU("erf"), "approximate", "one of 'none', 'tanh'"),
        (lambda: NET.replace(layer=1), "layer", "only the fields of Network"),
        (lambda: NET.replace(layers=3), "layers", "a list or tuple of layers"),
        (lambda: from_plain({"type": "Nothing"}), "type", "one of '"),
        (lambda: fg.SGD.from_dict({"type": "SGD", "lr": 0.1}), "momentum", "every field of SGD"),
        (lambda: fg.ReLU.from_dict({**fg.ReLU().to_dict(), "x": 1}), "x", "only the fields of ReLU"),
        (lambda: fg.ReLU.from_dict(fg.Tanh().to_dict()), "type", "'ReLU'"),
        (lambda: fg.ReLU.from_dict(3), "type", "'ReLU'"),
    ],
)
def test_error_names_field_and_what_is_accepted(make, field: str, accepted: str) -> None:
    with pytest.raises(InvalidExperiment) as caught:
        make()
    assert caught.value.field == field
    assert accepted in caught.value.accepted
    assert field in str(caught.value)
    assert accepted in str(caught.value)


@given(st.sampled_from([type(spec) for spec in SPECS]), st.lists(ANYTHING, max_size=4))
def test_any_arguments_make_a_spec_or_an_invalid_experiment(cls: type[Spec], values: list[object]) -> None:
    try:
        made = cls(*values)
    except InvalidExperiment as error:
        one_line(error)
        return
    assert cls.from_dict(made.to_dict()) == made


@given(ANYTHING)
def test_any_dict_value_is_rebuilt_or_an_invalid_experiment(value: object) -> None:
    for spec in SPECS:
        plain = spec.to_dict()
        for key in plain:
            try:
                rebuilt = from_plain({**plain, key: value})
            except InvalidExperiment as error:
                one_line(error)
            else:
                assert isinstance(rebuilt, Spec)


def test_example_of_registered():
    assert "Uniform" in registered(type(fg.Uniform()).__base__)


def test_example_of_to_plain():
    value = to_plain((fg.Linear(2, 1), 0.5))
    assert value == [{"type": "Linear", "fan_in": 2, "fan_out": 1, "bias": True}, 0.5]


def test_example_of_from_plain():
    assert repr(from_plain({"type": "Zeros"})) == "Zeros()"


def test_example_of_spec():
    with pytest.raises(InvalidExperiment, match=re.escape("lr = -1: expected a finite number greater than 0")):
        fg.SGD(lr=-1)


def test_example_of_distribution():
    assert repr(fg.Uniform(-1, 1).distribution(2, 4)) == "Distribution(kind='uniform', a=-1.0, b=1.0)"
    value = repr(fg.Orthogonal().distribution(2, 4))
    assert value == "Distribution(kind='normal', a=0.0, b=1.0, form='orthogonal', numbers=(1.0,))"
