"""Errors: pickled, named by their field's path, on one line."""

import pickle
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import ANYTHING

from fastgrok import errors
from fastgrok.errors import MISSING, InvalidExperiment, check_keys, joined, one_of, short_repr, warn


def test_error_is_picklable_and_takes_a_prefix() -> None:
    error = InvalidExperiment("lr", MISSING, "a number").within("optimizer")
    again = pickle.loads(pickle.dumps(error))
    assert (again.field, again.value, again.accepted) == ("optimizer.lr", MISSING, "a number")
    assert str(again) == "optimizer.lr is missing: expected a number"
    assert InvalidExperiment("[1].bias", 1, "").within("layers").field == "layers[1].bias"


@given(ANYTHING | st.just(np.zeros((2000, 3))))
def test_short_repr_is_one_short_line(value: object) -> None:
    text = short_repr(value)
    assert len(text) <= 80
    assert len(text.splitlines()) <= 1


def test_short_repr_survives_a_repr_that_raises() -> None:
    assert short_repr(10**5000) == "<a value of type int>"


def test_example_of_short_repr():
    assert short_repr("a" * 1000)[-5:] == "aaaa'"
    assert len(short_repr("a" * 1000)) == 80


def test_example_of_one_of():
    assert one_of(["mean", "sum"]) == "one of 'mean', 'sum'"


def test_example_of_joined():
    assert (joined("network.layers", "[0]"), joined("optimizer", "lr")) == ("network.layers[0]", "optimizer.lr")


def test_example_of_check_keys():
    message = re.escape("slope = 1: expected only the fields of ReLU: gradient_at_zero")
    with pytest.raises(InvalidExperiment, match=message):
        check_keys("ReLU", {"type": "ReLU", "slope": 1}, ["gradient_at_zero"])


def test_a_warning_from_outside_points_at_the_line_that_asked_for_it() -> None:
    with pytest.warns(UserWarning, match="said") as said:
        warn("said", UserWarning)
    assert [Path(each.filename).name for each in said] == ["test_errors.py"]


def test_no_module_counts_frames_for_a_warning_itself() -> None:
    """A decorator more, and a count is wrong; `warn` looks for the caller. Kernels know no other room."""
    package = Path(errors.__file__).parent
    sources = [path for path in package.rglob("*.py") if package / "kernels" not in path.parents]
    assert [path.name for path in sources if "warnings.warn(" in path.read_text()] == ["errors.py"]
