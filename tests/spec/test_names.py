"""Names of other libraries, and the nearest name where one is misspelt."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastgrok as fg
from fastgrok.cli.flags import SWEEP_FLAGS
from fastgrok.datasets import Dataset
from fastgrok.errors import InvalidExperiment, hint
from fastgrok.spec import names
from fastgrok.spec.axes import checked_axes, grid
from fastgrok.spec.calls import classes_by_name, from_call
from fastgrok.spec.initializers.base import Initializer
from fastgrok.spec.layers import ACTIVATIONS
from fastgrok.spec.losses import LOSSES
from fastgrok.spec.names import plain, resolved
from fastgrok.spec.optimizers import Optimizer

NET = fg.mlp(2, 4, 1, output="sigmoid")
XOR = fg.datasets.xor()
TWO_OUTPUTS = Dataset(XOR.X, np.hstack([XOR.y, 1 - XOR.y]), name="two")
KINDS = {
    "initializers": (names.INITIALIZERS, list(classes_by_name(Initializer))),
    "activations": (names.ACTIVATIONS, list(ACTIVATIONS)),
    "losses": (names.LOSSES, list(LOSSES)),
    "optimizers": (names.OPTIMIZERS, list(classes_by_name(Optimizer))),
}


@pytest.mark.parametrize("kind", KINDS)
def test_no_name_means_two_things(kind: str) -> None:
    table, ours = KINDS[kind]
    theirs = [*table.same, *table.for_one_output, *table.other]
    assert len(set(map(plain, theirs))) == len(theirs)
    assert len(set(map(plain, ours))) == len(ours)
    assert not set(theirs) & set(ours)


@pytest.mark.parametrize(
    ("fields", "meant"),
    [
        ({"init": "he_normal"}, {"init": fg.HeNormal()}),
        ({"init": "kaiming_uniform_"}, {"init": fg.HeUniform()}),
        ({"init": "GlorotUniform"}, {"init": fg.XavierUniform()}),
        ({"init": "uniform(-2, 2)"}, {"init": fg.Uniform(-2, 2)}),
        ({"init": "torch_linear"}, {"init": fg.TorchLinear()}),
        ({"init": "trunc_normal_(std=0.5)"}, {"init": fg.TruncatedNormal(std=0.5)}),
        ({"bias_init": "zeros"}, {"bias_init": fg.Zeros()}),
        ({"bias_init": "ones"}, {"bias_init": fg.Constant(1)}),
        ({"optimizer": "adam"}, {"optimizer": fg.Adam()}),
        ({"optimizer": "SGD(lr=0.5, momentum=0.9)"}, {"optimizer": fg.SGD(lr=0.5, momentum=0.9)}),
        ({"loss": "mse"}, {"loss": "squared_error"}),
        ({"loss": "bce"}, {"loss": "binary_cross_entropy"}),
        ({"loss": "BinaryCrossentropy"}, {"loss": "binary_cross_entropy"}),
        ({"stop": "converged(accuracy=1)"}, {"stop": fg.Converged(accuracy=1)}),
        ({"restart": "restart(100)"}, {"restart": fg.Restart(100)}),
        ({"data": "xor(low=-1)"}, {"data": fg.datasets.xor(low=-1)}),
        (
            {"stop": ("early_stopping(9)", "converged(loss=0.1)"), "validation": XOR},
            {"stop": (fg.Converged(loss=0.1), fg.EarlyStopping(9)), "validation": XOR},
        ),
    ],
)
def test_a_name_is_the_spec(fields: dict[str, Any], meant: dict[str, Any]) -> None:
    named = fg.Experiment(**{"network": NET, "data": XOR, **fields})
    said = fg.Experiment(**{"network": NET, "data": XOR, **meant})
    assert named == said
    assert named.to_json() == said.to_json()
    assert fg.Experiment(NET, XOR).replace(**fields) == said


def test_activations_go_by_their_names() -> None:
    assert fg.mlp(2, 4, 1, hidden="ReLU", output="logistic") == NET
    assert fg.Network(fg.Linear(2, 4), "relu", fg.Linear(4, 1), "sigmoid") == NET
    assert fg.mlp(2, 4, 1, output="identity") == fg.mlp(2, 4, 1)


def test_the_values_of_an_axis_may_be_names() -> None:
    axes = checked_axes(
        {"init": ["kaiming_normal", "rai"], "bias_init": ["same", "zeros"], "optimizer": ["sgd", "adam"]}
    )
    assert [axis.values for axis in axes] == [
        (fg.HeNormal(), fg.RAI()),
        ("same", fg.Zeros()),
        (fg.SGD(), fg.Adam()),
    ]
    with pytest.raises(InvalidExperiment, match=r"axes\['init'\]\[1\] = 'rais': .*did you mean 'rai'\?"):
        checked_axes({"init": ["rai", "rais"]})


@pytest.mark.parametrize("initializer", list(classes_by_name(Initializer).values()))
def test_a_representation_is_read_as_a_name(initializer: type[Initializer]) -> None:
    arguments = {fg.Constant: [0.5], fg.Sparse: [0.5], fg.ByLayer: ["zeros", fg.Uniform(-2, 0.5)]}
    made = initializer(*arguments.get(initializer, []))
    assert from_call("init", Initializer, repr(made)) == made


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"init": "glorot_normal"}, "'xavier_normal'.*cuts off at two standard deviations"),
        ({"init": "random_uniform"}, r"'uniform\(-0.05, 0.05\)'"),
        ({"optimizer": "momentum"}, r"'sgd\(momentum=0.9\)'"),
        ({"init": "ones(2)"}, r"constant\(1\), or ones without arguments"),
        ({"init": "he_norml"}, r"; did you mean 'he_normal'\?"),
        ({"init": "kaiming_norml"}, r"; did you mean 'kaiming_normal'\?"),
        ({"optimizer": "adm"}, r"; did you mean 'adam'\?"),
        ({"loss": "half_square_error"}, r"; did you mean 'half_squared_error'\?"),
        ({"order": "fixd"}, r"; did you mean 'fixed'\?"),
        ({"data": "xro"}, r"; did you mean 'xor'\?"),
        ({"epoch": 1}, r"; did you mean 'epochs'\?"),
        ({"kernel_initializer": 1}, r"; did you mean 'init'\?"),
        ({"init": "he"}, r"; did you mean 'he_uniform' or 'he_normal'\?"),
        ({"order": "shuffle"}, r"; did you mean 'per_seed' or 'shared'\?"),
        ({"optimizer": "lbfgs"}, "expected 'rprop' for full batches"),
        ({"loss": "nll_loss"}, "expected 'cross_entropy' after a Softmax"),
        ({"lr": 1}, r"; did you mean optimizer=SGD\(lr=...\)\?"),
        ({"learning_rate": 1}, r"; did you mean optimizer=SGD\(lr=...\)\?"),
        ({"patience": 1}, r"; did you mean stop=EarlyStopping\(patience=...\)\?"),
        ({"stop_loss": 1}, r"; did you mean stop=Converged\(loss=...\)\?"),
        ({"restart_after": 1}, r"; did you mean restart=Restart\(after=...\)\?"),
        ({"hidden": 1}, r"; did you mean that of mlp, as in network=mlp"),
        ({"validation_split": 1}, r"; did you mean 'validation'\?"),
    ],
)
def test_the_error_says_what_is_meant(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidExperiment, match=said):
        fg.Experiment(**{"network": NET, "data": XOR, **fields})


@pytest.mark.parametrize(("name", "ours"), [("mse", "squared_error"), ("bce", "binary_cross_entropy")])
def test_a_mean_over_outputs_is_no_silent_synonym_of_a_sum(name: str, ours: str) -> None:
    with pytest.raises(InvalidExperiment, match=f"loss = {name!r}: expected {ours!r}, a sum over the outputs"):
        fg.Experiment(fg.mlp(2, 4, 2, output="sigmoid"), TWO_OUTPUTS, loss=name)
    assert resolved("loss", name, LOSSES, names.LOSSES, n_out=1) == ours


@pytest.mark.parametrize("name", ["mse", "MSE", "mean-squared-error", "MeanSquaredError", "mse_loss"])
def test_the_names_for_one_output_are_taken_wherever_a_loss_is_named(name: str) -> None:
    exp, meant = fg.Experiment(NET, XOR), fg.Experiment(NET, XOR, loss="squared_error")
    typed = {flag.name: flag for flag in SWEEP_FLAGS}["loss"].values(name)
    for values in ([name], typed):
        for axes in ({"loss": values}, [{"loss": value} for value in values]):
            assert [point.experiment for point in grid(exp, checked_axes(axes))] == [meant]
    assert exp.replace(loss=typed[0]) == fg.Experiment(NET, XOR, loss=name) == meant
    with pytest.raises(InvalidExperiment, match="expected 'squared_error', a sum over the outputs"):
        grid(fg.Experiment(fg.mlp(2, 4, 2), TWO_OUTPUTS), checked_axes({"loss": [name]}))


def test_a_misspelt_field_of_a_spec_and_a_path_have_a_nearest_one() -> None:
    with pytest.raises(InvalidExperiment, match=r"learning_rate = 0.1: .*; did you mean 'lr'\?"):
        fg.SGD(learning_rate=0.1)
    with pytest.raises(InvalidExperiment, match=r"path = .*; did you mean 'optimizer.momentum'\?"):
        fg.Experiment(NET, XOR).replace_at("optimizer.momentm", 0.5)
    with pytest.raises(InvalidExperiment, match=r"axes = 'optimiser': .*; did you mean 'optimizer'\?"):
        checked_axes({"optimiser": ["sgd"]})


def test_the_command_line_reads_the_same_names() -> None:
    read = {flag.name: flag for flag in SWEEP_FLAGS}
    assert read["init"].values("kaiming_normal,glorot_uniform") == [fg.HeNormal(), fg.XavierUniform()]
    assert read["activation"].values("ReLU,logistic") == ["relu", "sigmoid"]
    with pytest.raises(InvalidExperiment, match=r"--activation = 'rleu': .*; did you mean 'relu'\?"):
        read["activation"].values("rleu")


def test_a_hint_is_given_for_what_is_near_alone() -> None:
    assert hint("zzz", ["adam", "sgd"]) == hint(3, ["adam"]) == hint("a" * 1000, ["adam"]) == ""
