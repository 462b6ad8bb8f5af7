"""`fastgrok.explain.bricks`: its functions one by one."""

from fastgrok.explain.bricks import cells


def test_example_of_cells():
    assert (cells(2), cells(256)) == ([True, True], [True, True, True, False, True, True])
