"""`fastgrok.datasets.names`: its functions one by one."""

from fastgrok.datasets.names import split_call


def test_example_of_split_call():
    value = repr(split_call("init", "uniform(-2, high=0.5)"))
    assert value == "Call(name='uniform', args=(-2,), kwargs={'high': 0.5})"
