"""`fastgrok.explain.trace_variables`: its functions one by one."""

import fastgrok as fg
from fastgrok.explain.trace_variables import param_variables


def test_example_of_param_variables():
    assert param_variables(fg.mlp(2, 4, 1)) == ["weight_1", "bias_1", "weight_2", "bias_2"]
