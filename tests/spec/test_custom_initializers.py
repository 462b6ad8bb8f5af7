"""Initial values from functions and arrays: what they may give, and how they are written."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from initial import ARRAYS, DATA, experiment, laplace, shuffled

import fastgrok as fg
from fastgrok.errors import InvalidExperiment


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda rng, *fans: rng.random(3), r"shape \(3,\)"),
        (lambda rng, *fans: np.full(fans, np.nan), "gave ndarray"),
        (lambda rng, *fans: "abc", "gave str"),
        (lambda rng, *fans: None, "gave NoneType"),
        (lambda rng, *fans: np.full(fans, 1j), "gave ndarray"),
        (lambda rng, *fans: np.full(fans, 1e39), "float32 does not hold"),
    ],
)
def test_what_a_function_returns_is_checked(function: Any, said: str) -> None:
    exp = experiment(function, fg.Zeros(), dtype="float32")
    for draw in (fg.initial_params, lambda exp, seeds: fg.run(exp, seeds=seeds, progress=False)):
        with pytest.raises(
            InvalidExperiment, match=rf"^init = FromFunction\(.*finite numbers of shape \(2, 5\).*{said}"
        ):
            draw(exp, seeds=3)


def test_an_error_in_a_function_is_its_own() -> None:
    def broken(rng: Any, fan_in: int, fan_out: int) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        fg.initial_params(experiment(broken, fg.Zeros()), seeds=3)


def test_arrays_are_written_whole_and_a_function_by_its_name_alone() -> None:
    exp = experiment(ARRAYS)
    assert exp.init == fg.FromArrays(*ARRAYS)
    assert fg.Experiment.from_json(exp.to_json()) == exp
    assert json.loads(exp.to_json())["init"]["arrays"] == [array.tolist() for array in ARRAYS]
    assert exp.id != experiment([array + 1 for array in ARRAYS]).id

    exp = experiment(laplace, fg.FromFunction(shuffled))
    plain = json.loads(exp.to_json())
    assert plain["init"] == {"type": "FromFunction", "function": f"{laplace.__module__}:laplace"}
    with pytest.raises(
        InvalidExperiment, match=rf"init\.function = '{laplace.__module__}:laplace': expected .*give it again"
    ):
        fg.Experiment.from_json(exp.to_json())
    assert exp == experiment(fg.FromFunction(laplace), shuffled)


def test_large_arrays_have_a_short_repr() -> None:
    assert repr(fg.FromArrays(np.zeros((10, 10)))) == "FromArrays(<1 arrays of 100 numbers>)"
    assert repr(fg.FromFunction(laplace)) == f"FromFunction({laplace.__module__}:laplace)"


def test_functions_and_arrays_make_an_axis() -> None:
    exp = fg.Experiment(fg.mlp(2, 1, bias=False), DATA, epochs=2)
    axes = {"init": [laplace, [np.ones((2, 1))], [np.zeros((2, 1))], fg.HeNormal()]}
    result = fg.sweep(exp, seeds=4, axes=axes, progress=False)
    labels = result.dataset["init"].values.tolist()
    assert labels[0] == f"FromFunction({laplace.__module__}:laplace)"
    assert labels[1] == "FromArrays(((1.0,), (1.0,)))"
    with pytest.raises(InvalidExperiment, match=r"^axes\['init'\]\[1\]\.arrays\[0\] = 'a'"):
        fg.sweep(exp, seeds=4, axes={"init": [laplace, ["a"]]}, progress=False)
