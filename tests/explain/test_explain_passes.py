"""`fastgrok.explain.passes`: its functions one by one."""

import numpy as np

import fastgrok as fg
from fastgrok.explain.passes import network_pass


def test_example_of_network_pass():
    X, y = np.array([[1.0, 1.0]]), np.array([[4.0]])
    exp = fg.Experiment(fg.mlp(2, 1, output="relu"), fg.Dataset(X, y))
    value = [delta.tolist() for delta in network_pass(exp, [np.array([[1.0], [2.0]]), np.zeros(1)], X, y).deltas]
    assert value == [[[-1.0, -2.0]], [[-1.0]], [[-1.0]]]
