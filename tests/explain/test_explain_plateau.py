"""`fastgrok.explain.causes.plateau`: its functions one by one."""

import numpy as np

from fastgrok.explain.causes.plateau import not_told_apart


def test_example_of_not_told_apart():
    assert not_told_apart(np.array([[0.5], [0.51], [1.0]]), np.array([[0.0], [1.0], [1.0]])) == ((0, 1),)
