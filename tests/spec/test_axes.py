"""The axes of a sweep."""

import numpy as np
import pytest

import fastgrok as fg
from fastgrok.spec.axes import labelled_axis


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([1, np.int64(2)], (1, 2)),
        ([1, 0.5], (1.0, 0.5)),
        ([True, False], (True, False)),
        ([1, True], ("1", "True")),
        ([1, "full"], ("1", "full")),
        ([None, fg.Converged(loss=0.1)], ("None", repr(fg.Converged(loss=0.1)))),
        ([fg.Dataset([[1]], [1]), fg.Dataset([[2]], [1])], ("data", "data #2")),
        ([fg.mlp(2, 1)], ("2-1 linear",)),
    ],
)
def test_labels_are_numbers_or_distinct_strings(values: list[object], labels: tuple[object, ...]) -> None:
    assert labelled_axis("path", values).labels == labels
