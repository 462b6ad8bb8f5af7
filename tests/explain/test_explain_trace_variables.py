"""`fastgrok.explain.trace_variables`: its functions one by one."""

import fastgrok as fg
from fastgrok.explain.trace_variables import activation_places, param_variables


def test_example_of_param_variables():
    assert param_variables(fg.mlp(2, 4, 1)) == ["weight_1", "bias_1", "weight_2", "bias_2"]


def test_example_of_activation_places():
    assert activation_places(fg.mlp(2, 4, 1)) == [(0, 1), (2, 2)]
