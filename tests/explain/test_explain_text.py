"""`fastgrok.explain.text`: its functions one by one."""

import fastgrok as fg
from fastgrok.explain.text import example, param_names


def test_example_of_example():
    assert example(fg.datasets.xor(), 1) == "example 1 (0, 1 -> 1)"


def test_example_of_param_names():
    value = param_names(fg.Experiment(fg.mlp(2, 1), fg.datasets.and_()), 1)
    assert value == ["x0 -> unit 0", "x1 -> unit 0", "bias -> unit 0"]
