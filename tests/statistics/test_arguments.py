"""What functions of statistics refuse, and what they say about it."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import fastgrok as fg
from fastgrok.errors import InvalidExperiment
from fastgrok.spec.experiment import Experiment
from fastgrok.statistics import Counts, PairedCounts, Survival, Table
from fastgrok.statistics.arguments import checked, integers

CHECKED = {cls.__name__ for cls in (Counts, Experiment, PairedCounts, Survival, Table)}


@checked
def annotated_with_a_string(n: int, counts: Counts) -> int:
    return n + counts.n


def test_annotations_that_are_strings_are_checked() -> None:
    assert annotated_with_a_string.__annotations__["counts"] == "Counts"
    assert annotated_with_a_string(2, counts=Counts.empty()) == 2
    for wrong in (lambda: annotated_with_a_string(2, [3]), lambda: annotated_with_a_string(2, counts=[3])):
        with pytest.raises(InvalidExperiment, match=r"counts = \[3\]: expected one Counts"):
            wrong()


def arguments() -> list[tuple[str, str]]:
    """Return every parameter of a public function of statistics that takes one of the classes that are checked."""
    functions = {name: getattr(fg.statistics, name) for name in fg.statistics.__all__}
    return [
        (name, parameter)
        for name, function in functions.items()
        if inspect.isfunction(function)
        for parameter, annotation in inspect.get_annotations(inspect.unwrap(function), eval_str=True).items()
        if parameter != "return" and getattr(annotation, "__name__", "") in CHECKED
    ]


def test_most_functions_of_statistics_take_what_is_checked() -> None:
    assert len({name for name, _ in arguments()}) > 15


@pytest.mark.parametrize(("name", "parameter"), arguments())
def test_every_such_argument_is_checked(name: str, parameter: str) -> None:
    with pytest.raises(InvalidExperiment) as caught:
        getattr(fg.statistics, name)(**{parameter: "something else"})
    assert caught.value.field == parameter


@pytest.mark.parametrize("value", [3.5, 3.0, True, [1, True], "3", None, [2**64], np.timedelta64(3)])
def test_what_is_no_integer_is_refused(value: object) -> None:
    with pytest.raises(InvalidExperiment, match=r"^n = .*: expected integers$"):
        integers("n", value)  # type: ignore[arg-type]


def test_integers_of_any_kind_and_shape_are_taken() -> None:
    for value in (3, np.uint8(3), [[1, 2], [3, 4]], np.array([1, 2], object), []):
        array = integers("n", value)
        assert array.dtype == np.int64
        assert array.tolist() == np.asarray(value).tolist()
