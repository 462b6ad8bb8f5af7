"""`fastgrok.spec.recording`: its functions one by one."""

import fastgrok as fg
from fastgrok.spec.recording import Recording, checked_recording, round_epochs, sizes, variables


def test_example_of_checked_recording():
    assert checked_recording("log", None, 30).at == (0, 1, 2, 5, 10, 20, 30)


def test_example_of_round_epochs():
    assert round_epochs(30) == [0, 1, 2, 5, 10, 20, 30]


def test_example_of_variables():
    exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor())
    assert set(variables(exp, Recording(dead_units=True))) - set(variables(exp)) == {"dead_since"}


def test_example_of_sizes():
    assert sizes(fg.mlp(2, 4, 1)) == {"hidden_layer": 1, "layer": 2, "unit": 4, "epoch": 0}
