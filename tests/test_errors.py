"""Errors: pickled, named by their field's path, on one line."""

import pickle

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from samples import ANYTHING

from fastgrok.errors import MISSING, InvalidExperiment, short_repr


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
