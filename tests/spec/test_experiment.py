"""Experiments: validation, canonical JSON and identity."""

import hashlib
import itertools
import json
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import one_line

import fastgrok as fg
from fastgrok.errors import InvalidExperiment
from fastgrok.spec.base import Spec
from fastgrok.spec.optimizers import Optimizer

NET = fg.mlp(2, 4, 1, output="sigmoid")


EXP = fg.Experiment(NET, fg.datasets.xor())


modest = st.floats(-1e30, 1e30)


positive = st.floats(2.0**-60, 1e3)


share = st.floats(0, 1)


schemes = st.one_of(
    st.sets(modest, min_size=2, max_size=2).map(lambda ends: fg.Uniform(min(ends), max(ends))),
    st.builds(fg.Normal, modest, st.floats(0, 1e3)),
    st.builds(fg.XavierUniform, positive),
    st.builds(fg.XavierNormal, positive),
    st.builds(fg.Constant, modest),
    st.sampled_from([fg.HeUniform(), fg.HeNormal(), fg.Zeros(), fg.TorchLinear()]),
)


activations = st.one_of(
    st.builds(fg.ReLU, share), st.builds(fg.LeakyReLU, share), st.sampled_from([fg.Sigmoid(), fg.Tanh()])
)


@st.composite
def networks(draw: st.DrawFn) -> fg.Network:
    widths = draw(st.lists(st.integers(1, 5), min_size=2, max_size=4))
    layers: list[Spec] = []
    for fan_in, fan_out in itertools.pairwise(widths):
        layers.append(fg.Linear(fan_in, fan_out, draw(st.booleans())))
        layers.extend(draw(st.lists(activations, max_size=2)))
    return fg.Network(*layers)


@st.composite
def experiments(draw: st.DrawFn) -> fg.Experiment:
    net = draw(networks())
    rows = draw(st.integers(1, 3))
    X = draw(st.lists(st.lists(modest, min_size=net.n_in, max_size=net.n_in), min_size=rows, max_size=rows))
    y = draw(st.lists(st.lists(modest, min_size=net.n_out, max_size=net.n_out), min_size=rows, max_size=rows))
    return fg.Experiment(
        net,
        fg.Dataset(X, y, name=draw(st.text(min_size=1, max_size=5))),
        loss=draw(st.sampled_from(["half_squared_error", "squared_error"])),
        reduction=draw(st.sampled_from(["mean", "sum"])),
        init=draw(schemes),
        bias_init=draw(schemes | st.just("same")),
        stream=draw(st.sampled_from(["numpy", "numpy_legacy"])),
        optimizer=draw(st.builds(fg.SGD, positive, st.floats(0, 0.99), share, share)),
        batch_size=draw(st.integers(1, 9) | st.just("full")),
        order=draw(st.sampled_from(["fixed", "shared", "per_seed"])),
        epochs=draw(st.integers(0, 10**9)),
        stop=draw(st.none() | st.builds(fg.Converged, share, share | st.none(), share | st.none(), st.booleans())),
        dtype=draw(st.sampled_from(["float64", "float32"])),
    )


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from([np.float32, np.dtype("i4"), np.zeros(3), 10**400, fg.SGD(), fg.Zeros(), NET, EXP.data, EXP]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)


FIELDS = list(EXP.to_dict())[1:]


def test_defaults_are_those_of_the_design() -> None:
    written_out = fg.Experiment(
        network=NET,
        data=fg.datasets.xor(),
        loss="half_squared_error",
        reduction="mean",
        init=fg.Uniform(-1, 1),
        bias_init="default",
        stream="numpy",
        optimizer=fg.SGD(lr=0.1),
        batch_size=1,
        order="fixed",
        epochs=1000,
        stop=fg.Converged(loss=0.01),
        dtype="float64",
    )
    assert written_out == EXP


@pytest.mark.parametrize(
    ("fields", "field", "accepted"),
    [
        ({"network": fg.mlp(3, 1)}, "network", "a network with the 2 inputs of data 'xor', and it has 3"),
        ({"network": fg.mlp(2, 2)}, "network", "a network with the 1 outputs of data 'xor', and it has 2"),
        ({"network": None}, "network", "a Network, such as"),
        ({"data": [[1]]}, "data", "a Dataset, such as"),
        ({"loss": "hinge"}, "loss", "one of 'half_squared_error', 'squared_error', 'absolute_error', 'huber', "),
        ({"reduction": None}, "reduction", "one of 'mean', 'sum'"),
        ({"init": 1}, "init", "an initializer, such as"),
        ({"bias_init": 0}, "bias_init", "or 'same'"),
        ({"stream": "torch"}, "stream", "one of 'numpy', 'numpy_legacy'"),
        ({"optimizer": 0.1}, "optimizer", "an optimizer, such as"),
        ({"batch_size": 0}, "batch_size", "an integer at least 1 and at most 1000000000, or 'full'"),
        ({"batch_size": True}, "batch_size", "an integer at least 1"),
        ({"order": "random"}, "order", "one of 'fixed', 'shared', 'per_seed', 'with_replacement'"),
        (
            {"order": "with_replacement", "optimizer": fg.Rprop(), "batch_size": "full"},
            "order",
            "another order with Rprop",
        ),
        ({"order_seed": 1}, "order_seed", "0, or order='shared' with it"),
        ({"order": "shared", "order_seed": 2**32}, "order_seed", "an integer at least 0 and at most 4294967295"),
        ({"order": "shared", "order_seed": True}, "order_seed", "an integer"),
        ({"epochs": -1}, "epochs", "an integer at least 0 and at most 1000000000"),
        ({"epochs": 10**9 + 1}, "epochs", "an integer at least 0 and at most 1000000000"),
        ({"epochs": 10.0}, "epochs", "an integer at least 0"),
        ({"restart": 3}, "restart", "None, or a Restart"),
        ({"restart": fg.Restart(9), "stop": None}, "stop", "a Converged"),
        (
            {"restart": fg.Restart(9), "init": lambda rng, *fans: rng.random(fans)},
            "init",
            "that a kernel can draw again",
        ),
        ({"restart": fg.Restart(9), "bias_init": [[0.0] * 4, [0.0]]}, "bias_init", "that a kernel can draw again"),
        ({"stop": fg.EarlyStopping(9)}, "validation", "a Dataset"),
        ({"stop": fg.EarlyStopping(9, tol=0.1)}, "validation", "monitor='training'"),
        ({"stop": (fg.Converged(loss=1), fg.Converged(loss=2))}, "stop", "a tuple of one Converged"),
        ({"stop": (fg.Stationary(1), fg.Converged(loss=2), fg.Stationary(2))}, "stop", "one Stationary at most"),
        ({"stop": (fg.Converged(loss=2), fg.Stationary(1)), "restart": fg.Restart(9)}, "restart", "gradient_norm="),
        ({"validation": fg.datasets.parity(3)}, "network", "3 inputs of validation"),
        ({"validation": 0.25}, "validation", "None, or a Dataset"),
        ({"validation": fg.Dataset([[0, 1]], [1], feature_names=["x1", "x0"])}, "validation.feature_names", "x0, x1"),
        ({"optimizer": Optimizer}, "optimizer", "an optimizer, such as SGD(lr=0.1) or Adam()"),
        (
            {"dtype": "float32", "optimizer": fg.SGD(schedule=fg.CosineAnnealingLR(5, eta_min=1e300))},
            "optimizer.schedule.eta_min",
            "in float32",
        ),
        ({"check_every": 0}, "check_every", "an integer at least 1"),
        ({"epochs": 10**8, "optimizer": fg.SGD(schedule=fg.StepLR(9))}, "epochs", "at most 10000000 with a schedule"),
        ({"stop": 0.01}, "stop", "None, a stopping rule"),
        ({"dtype": "float16"}, "dtype", "one of 'float64', 'float32'"),
        ({"dtype": np.float16}, "dtype", "one of 'float64', 'float32'"),
        ({"epoch": 1}, "epoch", "only the fields of Experiment: network, data, loss"),
        (
            {"network": fg.mlp(2, 1), "loss": "binary_cross_entropy"},
            "loss",
            "Sigmoid() instead of Linear(2, 1)",
        ),
        (
            {"data": fg.Dataset([[1, 2], [3, 4]], [0, -1]), "loss": "binary_cross_entropy"},
            "data.y[1, 0]",
            "a target from 0 to 1",
        ),
        (
            {"network": fg.mlp(2, 3), "data": fg.Dataset([[1, 2]], [[0, 1, 0]]), "loss": "cross_entropy"},
            "loss",
            "Softmax() instead of Linear(2, 3)",
        ),
        (
            {"network": fg.mlp(2, 3, output="softmax"), "data": fg.Dataset([[1, 2]], [[0, 1, 0]])},
            "loss",
            "'cross_entropy' with a Softmax at the end",
        ),
        (
            {
                "network": fg.mlp(2, 2, output="softmax"),
                "data": fg.Dataset([[1, 2], [3, 4]], [[0, 1], [1, 1]]),
                "loss": "cross_entropy",
            },
            "data.y[1]",
            "probabilities that sum to 1",
        ),
    ],
)
def test_error_names_field_and_what_is_accepted(fields: dict, field: str, accepted: str) -> None:
    with pytest.raises(InvalidExperiment) as caught:
        fg.Experiment(**{"network": NET, "data": fg.datasets.xor(), **fields})
    assert caught.value.field == field
    assert accepted in caught.value.accepted


def test_missing_network_or_data_is_named() -> None:
    with pytest.raises(InvalidExperiment, match=r"^network is missing"):
        fg.Experiment()
    with pytest.raises(InvalidExperiment, match=r"^data is missing"):
        fg.Experiment(NET)
    with pytest.raises(InvalidExperiment, match=r"^Experiment argument 3 = 'mean'"):
        fg.Experiment(NET, fg.datasets.xor(), "mean")


def test_same_bias_init_follows_init() -> None:
    exp = EXP.replace(bias_init="same")
    assert exp.bias_initializer == fg.Uniform(-1, 1)
    assert exp.replace_at("init", fg.TorchLinear()).bias_initializer == fg.TorchLinear()
    assert EXP.bias_initializer == fg.Zeros()


def test_biases_that_are_not_said_are_those_of_the_init() -> None:
    torch = EXP.replace(init=fg.TorchLinear())
    assert torch.bias_initializer == fg.TorchLinear()
    assert torch.replace(bias_init=fg.Zeros()).bias_initializer == fg.Zeros()
    assert fg.Experiment.from_json(EXP.to_json()).replace(init=fg.TorchLinear()) == torch
    assert {EXP.replace(init=init).bias_initializer for init in (fg.HeNormal(), fg.KerasDense())} == {fg.Zeros()}


def test_what_was_written_with_zero_biases_keeps_them() -> None:
    plain = json.loads(EXP.replace(init=fg.TorchLinear()).to_json())
    old = fg.Experiment.from_json(json.dumps(plain | {"bias_init": {"type": "Zeros"}}))
    assert old.bias_initializer == fg.Zeros()


def test_batch_beyond_the_data_is_the_full_batch() -> None:
    sizes = [1, 3, 4, 5, 10**9, "full", np.int64(2)]
    assert [EXP.replace(batch_size=size).batch_rows for size in sizes] == [1, 3, 4, 4, 4, 4, 2]


@settings(deadline=None)
@given(experiments())
def test_json_brings_back_the_experiment_and_its_id(exp: fg.Experiment) -> None:
    text = exp.to_json()
    again = fg.Experiment.from_json(text)
    assert again == exp
    assert hash(again) == hash(exp)
    assert again.id == exp.id
    assert again.to_json() == text
    assert json.dumps(json.loads(text), sort_keys=True, separators=(",", ":")) == text
    assert pickle.loads(pickle.dumps(exp)) == exp
    assert repr(exp)


def test_id_is_of_the_content_and_stays_what_it_is() -> None:
    written_out = EXP.replace(bias_init=fg.Zeros())
    assert EXP.id == written_out.id == hashlib.sha256(written_out.to_json().encode()).hexdigest()[:16]
    assert EXP.id == fg.Experiment(NET, fg.datasets.xor(), optimizer=fg.SGD(lr=np.float64(0.1)), epochs=1000).id
    assert EXP.id != EXP.replace(epochs=1001).id
    assert EXP.id == "e20c8349f8378c5f"  # stores and reports refer to it: a change of the format must be meant


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=3))
def test_any_fields_make_an_experiment_or_an_invalid_experiment(fields: dict) -> None:
    try:
        exp = fg.Experiment(**{"network": NET, "data": EXP.data, **fields})
    except InvalidExperiment as error:
        one_line(error)
    else:
        assert fg.Experiment.from_json(exp.to_json()) == exp


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["type", "lr", "X"]), inner),
    max_leaves=4,
)


@settings(deadline=None)
@given(st.data())
def test_any_change_of_the_json_is_an_experiment_or_an_invalid_experiment(data: st.DataObject) -> None:
    plain = EXP.to_dict()
    inner = plain
    while True:
        key = data.draw(st.sampled_from(list(inner) if isinstance(inner, dict) else range(len(inner))))
        if isinstance(inner[key], dict | list) and data.draw(st.booleans()):
            inner = inner[key]
            continue
        if data.draw(st.booleans()):
            inner[key] = data.draw(JSON)
        else:
            del inner[key]
        break
    try:
        assert isinstance(fg.Experiment.from_json(json.dumps(plain)), fg.Experiment)
    except InvalidExperiment as error:
        one_line(error)


@given(st.text() | ANYTHING | st.integers(0, len(EXP.to_json())).map(lambda end: EXP.to_json()[:end]))
def test_any_text_is_an_experiment_or_an_invalid_experiment(text: str) -> None:
    try:
        assert fg.Experiment.from_json(text) == EXP
    except InvalidExperiment as error:
        one_line(error)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "valid JSON"),
        ("[" * 100_000, "valid JSON"),
        ("9" * 10_000, "valid JSON"),
        ('{"type":"Network","layers":[' * 300 + "]}" * 300, "."),
        ("[]", "a JSON object"),
        ("null", "a JSON object"),
        ('{"type":NaN}', "finite numbers"),
        ('{"type":"SGD","type":"SGD"}', "there twice"),
        ('{"type":"Experiment"}', "network is missing"),
        (json.dumps(fg.SGD().to_dict()), "'Experiment'"),
        (
            EXP.to_json().replace('"lr":0.1', '"lr":-1'),
            r"^optimizer\.lr = -1: expected a finite number greater than 0",
        ),
        (EXP.to_json().replace('"lr":0.1', '"lr":1e999'), r"^optimizer\.lr = inf"),
        (EXP.to_json().replace('"lr":0.1,', ""), r"^optimizer\.lr is missing"),
        (EXP.to_json().replace('"fan_in":4', '"fan_in":5'), r"^network\.layers\[2\] = Linear\(5, 1\)"),
        (EXP.to_json().replace('"fan_in":4', '"fan_in":"4"'), r"^network\.layers\[2\]\.fan_in = '4'"),
        (EXP.to_json().replace("[[0.0,0.0]", "[[0.0]"), r"^data\.X"),
        (
            EXP.to_json().replace('"epochs"', '"epoch"'),
            "^epoch = 1000: expected only the fields of Experiment",
        ),
    ],
)
def test_wrong_json_is_named(text: str, message: str) -> None:
    with pytest.raises(InvalidExperiment, match=message):
        fg.Experiment.from_json(text)


def test_repr_shows_what_is_not_default() -> None:
    assert repr(EXP) == "<Experiment 2-4-1 relu/sigmoid on xor>"
    assert repr(EXP.replace(epochs=5, dtype="float32")) == (
        "<Experiment 2-4-1 relu/sigmoid on xor: epochs=5, dtype='float32'>"
    )


def test_the_order_of_two_stopping_rules_makes_no_difference() -> None:
    rules = fg.Converged(loss=0.1), fg.EarlyStopping(9)
    one, other = (EXP.replace(validation=EXP.data, stop=pair) for pair in (rules, rules[::-1]))
    assert one == other
    assert one.id == other.id
    assert one.stop == rules


def test_an_order_seed_of_0_is_not_written_and_another_one_is():
    shared = EXP.replace(order="shared")
    assert "order_seed" not in shared.to_json()
    assert "order_seed" not in shared.to_dict()
    other = shared.replace(order_seed=3)
    assert '"order_seed":3' in other.to_json()
    assert fg.Experiment.from_json(other.to_json()) == other
    assert fg.Experiment.from_json(shared.to_json()) == shared
    assert other.id != shared.id
    assert "order_seed=3" in repr(other)
