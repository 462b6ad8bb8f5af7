"""The flags: one for every field."""

import re

import pytest

import fastgrok as fg
import fastgrok.api
from fastgrok.cli.flags import ACTIVATION_WORDS, EXPERIMENT_FLAGS, OF_COMMANDS, SWEEP_FLAGS, items, widths
from fastgrok.spec.base import registered
from fastgrok.spec.calls import describe
from fastgrok.spec.layers import ACTIVATIONS
from fastgrok.spec.optimizers import Optimizer
from fastgrok.spec.words import field_words

PLACES = {
    "optimizer": list(registered(Optimizer).values()),
    "stop": [fg.Converged, fg.EarlyStopping, fg.Stationary],
    "restart": [fg.Restart],
}


def test_every_field_of_an_experiment_has_a_flag() -> None:
    paths = set(describe(fg.Experiment))
    for place, classes in PLACES.items():
        paths |= {f"{place}.{name}" for cls in classes for name in describe(cls)}
    covered = {flag.field for flag in EXPERIMENT_FLAGS} | {flag.field.partition(".")[0] for flag in EXPERIMENT_FLAGS}
    assert paths <= covered
    activations = {name for cls in ACTIVATIONS.values() if cls is not None for name in describe(cls)}
    assert {ACTIVATION_WORDS[name] for name in activations} <= {
        flag.name for flag in EXPERIMENT_FLAGS if flag.field == "network"
    }


@pytest.mark.parametrize("command", list(OF_COMMANDS))
def test_a_flag_names_one_field(command: str) -> None:
    names = [flag.name for flag in OF_COMMANDS[command]]
    assert len(names) == len(set(names))


def test_what_an_activation_and_an_optimizer_both_have_is_said_with_their_names() -> None:
    fields = {flag.name: flag.field for flag in EXPERIMENT_FLAGS}
    assert (fields["elu_alpha"], fields["rmsprop_alpha"]) == ("network", "optimizer.alpha")
    assert "alpha" not in fields
    assert field_words("network", {"elu": fg.ELU, "leaky_relu": fg.LeakyReLU}) == {
        "alpha": "elu_alpha",
        "slope": "slope",
    }
    with pytest.raises(fg.InvalidExperiment, match=r"did you mean 'rmsprop_alpha'\?"):
        fg.sweep(fg.Experiment(fg.mlp(2, 1), "xor"), 2, {"alpha": [0.9]})


def test_a_path_of_an_experiment_has_a_flag_if_it_is_no_initializers_and_no_layers() -> None:
    plain = fg.Experiment(fg.mlp(2, 1), fg.datasets.xor(), optimizer=fg.Adam(), restart=fg.Restart(9))
    early = (fg.Converged(loss=1), fg.EarlyStopping(9), fg.Stationary(1))
    both = plain.replace(restart=None, stop=early, validation=fg.datasets.xor(), optimizer=fg.SGD())
    paths = {re.sub(r"stop\[.\]", "stop", path) for path in plain.paths() + both.paths()}
    inside = ("network.", "init.", "bias_init.")  # an initializer's numbers stand in its parentheses
    covered = {flag.field for flag in SWEEP_FLAGS} | {flag.field.partition(".")[0] for flag in SWEEP_FLAGS}
    assert {path for path in paths if not path.startswith(inside)} <= covered


def test_example_of_items():
    assert items("--init", "uniform(-2,2), he_normal") == ["uniform(-2,2)", "he_normal"]


def test_example_of_widths():
    assert (widths("--hidden", "4x2"), widths("--hidden", "none")) == ((4, 2), ())
