"""`fastgrok.spec.variables`: its functions one by one."""

from fastgrok.spec.variables import VARIABLES, with_not_run


def test_example_of_with_not_run():
    assert with_not_run(VARIABLES["outcome"]).attrs["flag_values"] == (-1, 0, 1, 2, 3, 4)
