"""`fastgrok.explain.layer_pass`: its functions one by one."""

from fastgrok.explain.layer_pass import factor


def test_example_of_factor():
    assert (factor(2), factor(-0.5)) == ("2", "(-0.5)")
