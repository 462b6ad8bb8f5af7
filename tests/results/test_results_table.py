"""`fastgrok.results.table`: its functions one by one."""

from fastgrok.results.table import cells


def test_example_of_cells():
    assert cells([]).header == ["n", "converged [95 %]", "median epochs", "time", "seed-epochs/s"]
