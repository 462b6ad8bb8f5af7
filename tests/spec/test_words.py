"""Short words as axes: their paths, the networks that they make, and how configurations are named by them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastgrok as fg
from fastgrok.cli.flags import EXPERIMENT_FLAGS
from fastgrok.errors import InvalidExperiment
from fastgrok.spec.axes import checked_axes, grid, index_of
from fastgrok.spec.words import (
    NETWORK_WORDS,
    OUTCOME_WORDS,
    WORDS,
    outcome_named,
    outcome_word,
    reshaped,
    widths_text,
    word_of_path,
)

EXP = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=3)


def varied(axes: dict[str, Any], experiment: fg.Experiment = EXP) -> list[fg.Experiment]:
    return [each.experiment for each in grid(experiment, checked_axes(axes))]


def test_words_are_the_flags_of_the_command_line() -> None:
    flags = {flag.name: flag.field for flag in EXPERIMENT_FLAGS if "." in flag.field and "network" not in flag.field}
    assert flags == WORDS
    assert set(NETWORK_WORDS) <= {flag.name for flag in EXPERIMENT_FLAGS if flag.field == "network"}


def test_a_word_is_the_axis_of_its_path() -> None:
    (axis,) = checked_axes({"lr": [0.1, 0.2]})
    assert axis == checked_axes({"optimizer.lr": [0.1, 0.2]})[0]
    assert [each.criteria.loss for each in varied({"stop-loss": [0.1, 0.2]})] == [0.1, 0.2]
    with pytest.raises(InvalidExperiment, match="one axis of each field"):
        checked_axes({"lr": [0.1], "optimizer.lr": [0.2]})


@pytest.mark.parametrize(
    ("axes", "networks"),
    [
        ({"hidden": [2, (3, 5), "none"]}, ["2-2-1 relu/linear", "2-3-5-1 relu/relu/linear", "2-1 linear"]),
        ({"activation": ["tanh", fg.LeakyReLU(0.2)]}, ["2-4-1 tanh/linear", "2-4-1 leaky_relu(0.2)/linear"]),
        ({"output": ["Sigmoid"]}, ["2-4-1 relu/sigmoid"]),
        ({"bias": [True, False]}, ["2-4-1 relu/linear", "2-4-1 relu/linear, no bias"]),
        ({"dropout": [0, 0.5]}, ["2-4-1 relu/linear", "2-4-1 relu+dropout(0.5)/linear"]),
        ({"dropout": [0.25], "hidden": [(3, 2)]}, ["2-3-2-1 relu+dropout(0.25)/relu+dropout(0.25)/linear"]),
        ({"hidden": ["2x3"], "activation": ["linear"]}, ["2-2-3-1 linear/linear/linear"]),
    ],
)
def test_words_of_a_network_make_another_one(axes: dict[str, Any], networks: list[str]) -> None:
    assert [str(each.network) for each in varied(axes)] == networks


def test_a_network_without_hidden_layers_gets_those_of_mlp() -> None:
    assert reshaped(fg.mlp(2, 1, output="tanh"), "hidden", 3) == fg.mlp(2, 3, 1, output="tanh")


def test_an_output_and_the_loss_that_needs_it_vary_together() -> None:
    made = varied({"loss": ["binary_cross_entropy"], "output": ["sigmoid"]})
    assert str(made[0].network) == "2-4-1 relu/sigmoid"


def test_widths_have_numbers_for_labels_where_all_are_numbers() -> None:
    assert checked_axes({"hidden": [2, np.int64(4), "8"]})[0].labels == (2, 4, 8)
    assert checked_axes({"hidden": [2, [4, 4], None]})[0].labels == ("2", "4x4", "none")
    assert widths_text((4, 4)) == "4x4"


@pytest.mark.parametrize("value", [0, 4.5, True, "4x", "wide", (4, 0), 5000])
def test_what_is_no_width_is_refused(value: Any) -> None:
    with pytest.raises(InvalidExperiment, match=r"axes\['hidden'\]\[0\] = .*a width from 1 to 4096"):
        checked_axes({"hidden": [value]})


def test_a_network_of_several_kinds_has_no_such_axis() -> None:
    mixed = fg.Network(fg.Linear(2, 3), fg.ReLU(), fg.Linear(3, 3), fg.Tanh(), fg.Linear(3, 1))
    with pytest.raises(InvalidExperiment, match="one activation in all hidden layers"):
        varied({"hidden": [2]}, EXP.replace(network=mixed))


def test_a_network_keeps_its_dropout_where_another_word_varies() -> None:
    dropped = EXP.replace(network=fg.mlp(2, 4, 1, dropout=0.5))
    (made,) = varied({"hidden": [3]}, dropped)
    assert made.network == fg.mlp(2, 3, 1, dropout=0.5)
    assert reshaped(dropped.network, "dropout", 0.0) == EXP.network
    other = fg.Network(fg.Linear(2, 4), fg.Dropout(0.5), fg.ReLU(), fg.Linear(4, 1))
    with pytest.raises(InvalidExperiment, match="one dropout"):
        reshaped(other, "hidden", 3)


@pytest.mark.parametrize("value", [1, -0.5, "half", True])
def test_what_is_no_rate_is_refused(value: Any) -> None:
    with pytest.raises(InvalidExperiment, match=r"axes\['dropout'\]\[0\] = .*at least 0 and less than 1"):
        checked_axes({"dropout": [value]})


def test_results_are_asked_by_the_same_words(tmp_path: Path) -> None:
    axes = {"hidden": [2, 4], "lr": [0.01, 0.1], "init": ["he_normal", "rai"]}
    result = fg.sweep(EXP, 5, axes, progress=False)
    assert result.dataset["hidden"].dtype == np.int64
    assert "several networks" in repr(result)
    assert result.dataset["optimizer.lr"].dtype == np.float64
    assert index_of(result.configurations, {"hidden": 4, "lr": 0.1, "init": "kaiming_normal"}) == 6
    assert index_of(result.configurations, {"hidden": "4", "--lr": "0.1", "init": fg.RAI()}) == 7
    assert fg.compare(result, "lr").axis == fg.compare(result, "optimizer.lr").axis == "optimizer.lr"
    store = fg.sweep(EXP, 5, axes, store=tmp_path / "store", progress=False)
    read = fg.open_store(store.path)
    assert [each.labels for each in read.configurations] == [each.labels for each in result.configurations]
    assert read.counts == result.counts
    with pytest.raises(InvalidExperiment, match=r"axis = 'hiden': expected .*; did you mean 'hidden'\?"):
        fg.compare(result, "hiden")


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("loss", "loss_final"),
        ("loss_final", "loss_final"),
        ("validation-loss", "loss_validation_final"),
        ("validation accuracy", "accuracy_validation_final"),
        ("val_accuracy", "accuracy_validation_final"),
    ],
)
def test_a_continuous_outcome_has_a_word(said: str, name: str) -> None:
    assert outcome_named("of", said) == name
    assert outcome_word(name) in OUTCOME_WORDS


def test_the_word_of_a_path_is_its_flag() -> None:
    assert [word_of_path(path) for path in ("optimizer.lr", "stop[0].loss", "init")] == ["lr", "stop_loss", "init"]
    assert {word_of_path(path) for path in WORDS.values()} == set(WORDS)


def test_widths_are_read_back_from_a_store(tmp_path: Path) -> None:
    store = fg.sweep(EXP, 2, {"hidden": [2, (3, 3), ()]}, store=tmp_path / "store", progress=False)
    read = fg.open_store(store.path)
    assert [each.labels["hidden"] for each in read.configurations] == ["2", "3x3", "none"]
    assert [each.experiment.id for each in read.configurations] == [
        each.experiment.id for each in store.configurations
    ]
