"""Networks, initialisers, optimizers and stopping rules: what they accept, and what they say of the rest."""

import copy
import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastgrok as fg
from fastgrok.errors import MISSING, InvalidExperiment, short_repr
from fastgrok.spec.base import Spec, from_plain, registered
from fastgrok.spec.calls import call_names, from_call
from fastgrok.spec.initializers import Initializer

NET = fg.Network(fg.Linear(2, 4), fg.ReLU(), fg.Linear(4, 1), fg.Sigmoid())
SPECS = [
    fg.Linear(2, 4, bias=False),
    fg.ReLU(1),
    fg.LeakyReLU(0.2),
    fg.Sigmoid(),
    fg.Tanh(),
    NET,
    fg.Uniform(-2, 0.5),
    fg.Normal(1, 2),
    fg.XavierUniform(2),
    fg.XavierNormal(),
    fg.HeUniform("fan_out", 0.1),
    fg.HeNormal(),
    fg.Zeros(),
    fg.Constant(0.1),
    fg.TorchLinear(),
    fg.TruncatedNormal(0.5, 2, -1, 3),
    fg.LeCunUniform(),
    fg.LeCunNormal(),
    fg.KerasDense(),
    fg.Orthogonal(2),
    fg.Sparse(0.3, 1),
    fg.Identity(-1),
    fg.NguyenWidrow(),
    fg.RAI(0.5),
    fg.FromArrays([[1, 0.1]], [3, 4]),
    fg.SGD(0.2, 0.9, 0.1, 0.01),
    fg.Converged(max_error=0.5, keep_training=True),
]
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.binary(max_size=3)
    | st.complex_numbers()
    | st.sampled_from([np.float32(0.5), np.int64(3), np.bool_(True), np.timedelta64(1, "s"), 10**400, int, *SPECS]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)


def check(error: InvalidExperiment) -> None:
    """Check that an error is one line that names a field and what would be accepted."""
    assert error.field
    assert error.accepted
    assert len(str(error).splitlines()) == 1


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
        (lambda: fg.SGD(1, 0, 0, 0, False, None, None, 7), "SGD argument 8", "at most 7 positional arguments"),
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
        (lambda: fg.mlp(2, 1, output="softmax"), "output", "one of 'linear', 'relu'"),
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
        check(error)
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
                check(error)
            else:
                assert isinstance(rebuilt, Spec)


def test_error_is_picklable_and_takes_a_prefix() -> None:
    error = InvalidExperiment("lr", MISSING, "a number").within("optimizer")
    again = pickle.loads(pickle.dumps(error))
    assert (again.field, again.value, again.accepted) == ("optimizer.lr", MISSING, "a number")
    assert str(again) == "optimizer.lr is missing: expected a number"
    assert InvalidExperiment("[1].bias", 1, "").within("layers").field == "layers[1].bias"


@given(ANYTHING | st.just(np.zeros((2000, 3))))
def test_shown_is_one_short_line(value: object) -> None:
    text = short_repr(value)
    assert len(text) <= 80
    assert len(text.splitlines()) <= 1


def test_shown_survives_a_repr_that_raises() -> None:
    assert short_repr(10**5000) == "<a value of type int>"


def test_network_counts_its_parts() -> None:
    net = fg.Network(
        fg.Linear(3, 5),
        fg.ReLU(),
        fg.Linear(5, 4, bias=False),
        fg.Tanh(),
        fg.Linear(4, 2),
        fg.ReLU(),
        fg.Sigmoid(),
    )
    assert (net.n_in, net.n_out) == (3, 2)
    assert net.param_shapes == [(3, 5), (5,), (5, 4), (4, 2), (2,)]
    assert net.n_params == sum(math.prod(shape) for shape in net.param_shapes) == 50
    assert net.relu_layers == (1, 3)
    assert net.linears == (fg.Linear(3, 5), fg.Linear(5, 4, bias=False), fg.Linear(4, 2))
    assert str(net) == "3-5-4-2 relu/tanh/relu+sigmoid, no bias in 2"


def test_equal_layers_in_a_row_are_counted() -> None:
    assert str(fg.mlp(2, *[16] * 10, 1)) == "2-(16 x10)-1 relu x10/linear"
    assert str(fg.mlp(2, 3, 3, 3, 1)) == "2-3-3-3-1 relu/relu/relu/linear"


def test_mlp_is_the_network_written_out() -> None:
    assert fg.mlp(2, 4, 1, hidden="relu", output="sigmoid") == NET
    assert repr(NET) == "Network(Linear(2, 4), ReLU(), Linear(4, 1), Sigmoid())"
    assert str(NET) == "2-4-1 relu/sigmoid"
    assert str(fg.mlp(2, 3, 1, hidden=fg.LeakyReLU(0.2), bias=False)) == "2-3-1 leaky_relu(0.2)/linear, no bias"
    assert fg.mlp(2, 3, 1, hidden="linear") == fg.Network(fg.Linear(2, 3), fg.Linear(3, 1))


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
    ],
)
def test_initializer_of_a_name(name: str, scheme: Initializer) -> None:
    assert from_call("init", Initializer, name) == scheme


@given(
    st.text(max_size=12)
    | ANYTHING
    | st.builds("{}({})".format, st.sampled_from(call_names(Initializer)), st.text("01-.,=nafi ow_", max_size=12))
)
def test_any_name_is_an_initializer_or_an_invalid_experiment(name: str) -> None:
    try:
        assert isinstance(from_call("init", Initializer, name), Initializer)
    except InvalidExperiment as error:
        check(error)


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
        "he_normal(mode='fan_in')",
        "uniform(1_0)",
        "from_function",
        "from_arrays(1)",
        3,
    ],
)
def test_no_such_initializer(name: str) -> None:
    with pytest.raises(InvalidExperiment, match="init"):
        from_call("init", Initializer, name)
