"""An experiment's dtype, which must hold every number."""

import math
import re

import numpy as np
import pytest

import fastgrok as fg
from fastgrok.errors import InvalidExperiment
from fastgrok.spec.precision import check_data, rounded

NET = fg.mlp(2, 4, 1, output="sigmoid")


EXP = fg.Experiment(NET, fg.datasets.xor())


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"data": fg.Dataset([[1, -1e300]], [0])}, "data.X[0, 1]"),
        ({"data": fg.Dataset([[1, 1], [1, 1]], [0, 1e39])}, "data.y[1, 0]"),
        ({"init": fg.Constant(1e300)}, "init"),
        ({"init": fg.Normal(0, 1e39)}, "init"),
        ({"bias_init": fg.Uniform(-1e39, 0)}, "bias_init"),
        ({"optimizer": fg.SGD(lr=1e39)}, "optimizer.lr"),
        ({"optimizer": fg.SGD(lr=1e-60)}, "optimizer.lr"),
        ({"optimizer": fg.SGD(momentum=math.nextafter(1, 0))}, "optimizer.momentum"),
        ({"stop": fg.Converged(loss=1e300)}, "stop.loss"),
    ],
)
def test_float32_must_hold_every_number(fields: dict, field: str) -> None:
    exp = EXP.replace(**fields)
    with pytest.raises(InvalidExperiment) as caught:
        exp.replace(dtype="float32")
    assert caught.value.field == field
    assert "float32" in caught.value.accepted
    assert "inf" not in str(caught.value)


def test_initial_distribution_must_be_finite_for_every_layer() -> None:
    with pytest.raises(InvalidExperiment, match="init"):
        EXP.replace(init=fg.XavierUniform(gain=1.7e308))


def test_bias_init_does_not_matter_without_biases() -> None:
    exp = EXP.replace(network=fg.mlp(2, 1, bias=False), bias_init=fg.Constant(1e300), dtype="float32")
    assert exp.n_params == 2


@pytest.mark.parametrize("dtype", ["float32", np.float32, np.dtype("float32")])
def test_dtype_is_kept_as_its_name(dtype: object) -> None:
    assert EXP.replace(dtype=dtype).dtype == "float32"


def test_example_of_rounded():
    assert repr((rounded(1e300, "float32"), rounded(1e-300, "float32"))) == "(inf, 0.0)"


def test_example_of_check_data():
    message = re.escape("data.X[0, 0] = 1e+300: expected a number that float32 holds")
    with pytest.raises(InvalidExperiment, match=message):
        check_data("data", fg.Dataset([[1e300]], [0]), "float32")
