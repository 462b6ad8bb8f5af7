"""`fastgrok.cli.data`: its functions one by one."""

from fastgrok.cli.data import is_file


def test_example_of_is_file():
    assert (is_file("xor"), is_file("my.csv")) == (False, True)
