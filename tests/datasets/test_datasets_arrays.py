"""`fastgrok.datasets.arrays`: its functions one by one."""

from fastgrok.datasets.arrays import examples_array, targets_array, text, unique_names


def test_example_of_examples_array():
    assert repr(examples_array("X", [[1, 2], [3, 4]]).dtype) == "dtype('float64')"


def test_example_of_targets_array():
    assert targets_array("y", [1, 2]).shape == (2, 1)


def test_example_of_text():
    assert text("name", "xor") == "xor"


def test_example_of_unique_names():
    assert unique_names("feature_names", None, "x", 2) == ("x0", "x1")
