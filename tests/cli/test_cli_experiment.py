"""What flags ask for: an experiment and its axes."""

from pathlib import Path

import pytest
from commands import defaults, refused

import fastgrok as fg
import fastgrok.api
from fastgrok.cli.experiment import flags_of, request
from fastgrok.cli.flags import EXPERIMENT_FLAGS
from fastgrok.spec.words import NETWORK_WORDS


def test_the_defaults_are_those_of_an_experiment() -> None:
    made = request("xor", defaults())
    assert made.experiment == fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor())
    assert made.axes == {}


LISTS = {
    "hidden": "2,4x4,none",
    "activation": "relu,tanh",
    "output": "linear,sigmoid",
    "loss": "half_squared_error,squared_error",
    "reduction": "mean,sum",
    "init": "uniform(-2,2),he_normal",
    "bias_init": "zeros,same",
    "stream": "numpy,numpy_legacy",
    "lr": "0.1,0.2",
    "momentum": "0,0.9",
    "weight_decay": "0,0.1",
    "l1": "0,0.1",
    "batch_size": "1,full",
    "order": "fixed,with_replacement",
    "dropout": "0,0.5",
    "epochs": "10,20",
    "stop_loss": "0.1,0.2",
    "stop_max_error": "0.1,0.2",
    "stop_accuracy": "1,0.5",
    "dtype": "float64,float32",
    "gradient_at_zero": "0,1",
    "optimizer": "sgd,adam",
    "clip_norm": "0.1,1",
    "schedule": "step_lr(10,gamma=0.5),cosine_annealing_lr(100)",
    "check_every": "1,10",
    "restart_after": "10,20",
    "restart_patience": "10,20",
    "lr_factors": "(1,0.1),(0,1)",
    "restart_gradient_norm": "0.1,0.01",
}

NEEDING = {  # lists that another flag must go with
    "beta1": ("0.9,0.5", {"optimizer": "adam"}),
    "beta2": ("0.9,0.5", {"optimizer": "adam"}),
    "eps": ("1e-8,1e-4", {"optimizer": "adam"}),
    "restart_at_most": ("1,2", {"restart_after": "10"}),
    "restart_monitor": ("training,accuracy", {"restart_patience": "10"}),
    "restart_min_delta": ("0,0.1", {"restart_patience": "10"}),
    "gradient_norm": ("0,1e-3", {"no_stop": True}),
    "order_seed": ("0,1", {"order": "shared"}),
    "patience": ("5,9", {"validation": "0.5", "no_stop": True}),
    "min_delta": ("0,0.1", {"validation": "0.5", "no_stop": True, "patience": "9"}),
    "monitor": ("validation,training", {"validation": "0.5", "no_stop": True, "patience": "9"}),
    "tol": ("0,1e-4", {"monitor": "training", "no_stop": True, "patience": "9"}),
}


@pytest.mark.parametrize("name", LISTS)
def test_every_list_spans_an_axis(name: str) -> None:
    made = request("xor", {**defaults(), name: LISTS[name]})
    field = next(flag.field for flag in EXPERIMENT_FLAGS if flag.name == name)
    path = name if name in NETWORK_WORDS else field
    assert {path: len(values) for path, values in made.axes.items()} == {path: 3 if name == "hidden" else 2}


@pytest.mark.parametrize("name", NEEDING)
def test_every_list_that_needs_another_flag_spans_an_axis(name: str) -> None:
    text, others = NEEDING[name]
    made = request("xor", {**defaults(), **others, name: text})
    field = next(flag.field for flag in EXPERIMENT_FLAGS if flag.name == name)
    assert {path: len(values) for path, values in made.axes.items()} == {field: 2}


def test_a_criterion_beside_patience_has_its_place_in_the_tuple() -> None:
    made = request("xor", {**defaults(), "stop_loss": "0.1,0.2", "patience": "5", "validation": "0.5"})
    assert made.axes == {"stop[0].loss": [0.1, 0.2]}
    assert made.experiment.validation.n_examples == made.experiment.data.n_examples == 2


def test_several_datasets_and_slopes_span_axes() -> None:
    made = request("xor,and,or", {**defaults(), "activation": "leaky_relu,tanh", "slope": "0.1,0.2"})
    assert [data.name for data in made.axes["data"]] == ["xor", "and", "or"]
    assert list(map(str, made.axes["network"])) == [
        "2-4-1 leaky_relu(0.1)/linear",
        "2-4-1 leaky_relu(0.2)/linear",
        "2-4-1 tanh/linear",
    ]


def test_criteria_that_are_given_replace_the_default() -> None:
    made = request("xor", {**defaults(), "stop_accuracy": "1", "keep_training": True})
    assert made.experiment.stop == fg.Converged(accuracy=1, keep_training=True)
    assert request("xor", {**defaults(), "no_stop": True}).experiment.stop is None


def test_none_is_a_value_of_an_axis() -> None:
    lists = {"schedule": "none,step_lr(10)", "clip_norm": "none,1", "restart_after": "none,100"}
    made = request("xor", {**defaults(), **lists})
    assert made.axes == {
        "optimizer.clip_norm": [None, 1.0],
        "optimizer.schedule": [None, fg.StepLR(10)],
        "restart": [None, fg.Restart(100)],
    }


def test_restarts_on_a_plateau_are_asked_for_by_flags() -> None:
    flags = {"restart_patience": "50", "restart_monitor": "accuracy"}
    made = request("xor", {**defaults(), **flags}).experiment
    assert made.restart == fg.Restart(patience=50, monitor="accuracy")
    axes = request("xor", {**defaults(), **flags, "restart_after": "none,100"}).axes
    assert axes == {"restart.after": [None, 100]}
    with pytest.raises(fg.InvalidExperiment, match=r"^--restart-monitor = 'accuracy': expected --restart-after or"):
        request("xor", {**defaults(), "restart_monitor": "accuracy"})
    rules = request("xor", {**defaults(), "gradient_norm": "1e-4", "no_stop": True}).experiment.stop
    assert rules == fg.Stationary(1e-4)


def test_validation_files_have_the_columns_of_the_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "train.csv").write_text("a,b,label\n0,0,no\n1,0,yes\n0,1,yes\n")
    (tmp_path / "held.csv").write_text("b,a,label\n0.5,1,yes\n0,0.25,no\n")
    (tmp_path / "other.csv").write_text("b,a,label\n0.5,1,yes\n0,0.25,zebra\n")
    values = {**defaults(), "data": str(tmp_path / "train.csv"), "target": "label"}
    made = request(None, {**values, "validation": str(tmp_path / "held.csv")}).experiment
    assert made.validation.X.tolist() == [[1, 0.5], [0.25, 0]]
    files = [f"--{name}={tmp_path}/{file}.csv" for name, file in (("data", "train"), ("validation", "other"))]
    said = refused(["sweep", *files, "--target", "label"], capsys)
    assert "line 3, column 'label' = 'zebra': expected one of the values known: 'no', 'yes'" in said
    (tmp_path / "xor.csv").write_text("x0,x1,y0\n0,1,1\n1,1,0\n")
    named = request("xor", {**defaults(), "validation": str(tmp_path / "xor.csv"), "target": "y0"}).experiment
    assert named.validation.n_examples == 2


def test_example_of_flags_of():
    assert [flag.option for flag in flags_of("stop[1].patience")] == ["--patience"]
    of_network = [flag.name for flag in flags_of("network")]
    assert of_network[:6] == ["hidden", "activation", "output", "bias", "dropout", "skip"]
    assert set(of_network) == {flag.name for flag in EXPERIMENT_FLAGS if flag.field == "network"}


def test_skip_is_a_flag_of_networks_with_layers_of_one_width() -> None:
    assert request("xor", {**defaults(), "hidden": "4x4", "skip": True}).experiment.network == fg.mlp(
        2, 4, 4, 1, skip=True
    )
    with pytest.raises(
        fg.InvalidExperiment, match="--skip = True: expected no --skip, or two hidden layers of one width"
    ):
        request("xor", {**defaults(), "skip": True})
