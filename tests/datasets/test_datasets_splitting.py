"""`fastgrok.datasets.dataset`: its functions one by one."""

import numpy as np

from fastgrok.datasets.splitting import split_rows


def test_example_of_split_rows():
    value = repr(split_rows(np.array([[0], [0], [1], [1]]), 2, 0, stratified=True))
    assert value == "(array([1, 3]), array([0, 2]))"
