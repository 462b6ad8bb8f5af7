"""`fastgrok.spec.initializers.custom`: its functions one by one."""

from fastgrok.spec.initializers.custom import as_initializer


def test_example_of_as_initializer():
    assert repr(as_initializer("init", [[[1, 2]]])) == "FromArrays(((1.0, 2.0),))"
