"""What the functions of this room check of their arguments."""

import functools
import inspect
import numbers
import sys
from collections.abc import Callable, Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, Literal, ParamSpec, TypeVar, get_args, get_origin

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgrok.errors import InvalidExperiment, one_of

_EXPECTED = {
    "Counts": "one Counts, such as result.counts[0]",
    "Experiment": "an Experiment, such as result.configurations[0].experiment",
    "PairedCounts": "a PairedCounts, such as PairedCounts.of(epochs_a, epochs_b)",
    "PooledCounts": "a PooledCounts, such as PooledCounts.of_sums([1, 0, -1], pairs=[1, 1, 1])",
    "Dataset": "a Dataset, such as fg.datasets.xor()",
    "Plateau": "a Plateau, of fastgrok.statistics.plateaus",
    "Survival": "what survival_curve or kaplan_meier returns",
    "Table": "a Table, such as that of PairedCounts.of(epochs_a, epochs_b)",
}
"""The classes that are checked, by their names, and what an error message accepts for each."""

_SAID = ("confidence", "shares")
"""Arguments of which every function says by itself what they must be."""

_P = ParamSpec("_P")
_R = TypeVar("_R")


def checked(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Return a function that says which argument is wrong where it expects a class above, a word, a list, numbers."""
    annotations = {name: p.annotation for name, p in inspect.signature(function, eval_str=True).parameters.items()}
    wanted = {name: check for name, each in annotations.items() if (check := _check_of(each)) and name not in _SAID}

    @functools.wraps(function)
    def wrapper(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        arguments = dict(zip(annotations, args, strict=False)) | kwargs
        for name, (is_right, expected) in wanted.items():
            if name in arguments and not is_right(arguments[name]):
                raise InvalidExperiment(name, arguments[name], expected)
        return function(*args, **kwargs)

    return wrapper


_Check = tuple[Callable[[Any], bool], str]


def _check_of(annotation: Any) -> _Check | None:
    """Return what tells whether a value is right for an annotation, and what is expected; None: anything is."""
    name = getattr(annotation, "__name__", "")
    if name in _EXPECTED and isinstance(annotation, type):
        return lambda value: isinstance(value, annotation), _EXPECTED[name]
    if annotation is bool:
        return lambda value: isinstance(value, bool | np.bool_), "True or False"
    if annotation in (int, float):  # which number it must be the function says
        return is_number, "a number"
    if get_origin(annotation) is UnionType and len(kinds := {*get_args(annotation)} - {NoneType}) == 1:
        return None if (inner := _check_of(*kinds)) is None else (_or_none(inner[0]), inner[1])
    if annotation == ArrayLike:
        return _is_numeric, "real numbers"
    if get_origin(annotation) is Literal:
        words = get_args(annotation)
        return lambda value: isinstance(value, str) and value in words, one_of(words)
    if get_origin(annotation) is Sequence and (inner := _check_of(get_args(annotation)[0])) is not None:
        listed = f"a list, each {inner[1]}"
        return lambda value: isinstance(value, list | tuple) and all(map(inner[0], value)), listed
    if get_origin(annotation) is Mapping:  # a range, in which a name is looked for, would be looked through
        return _is_columns, "columns by their names"
    if get_origin(annotation) is Callable:
        return callable, "a function"
    if get_origin(annotation) is np.ndarray:
        return _is_row, "an array of real numbers, (n,)"
    return None


def _or_none(is_right: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or is_right(value)


def _is_columns(value: Any) -> bool:
    """Whether a value may have columns: a mapping, a frame, a table of pyarrow."""
    return hasattr(value, "__getitem__") and not isinstance(value, Sequence | np.ndarray | np.generic | type)


def is_number(value: Any) -> bool:
    """Whether a value is a real number that a float can be."""
    huge = isinstance(value, int) and abs(value) > sys.float_info.max
    return isinstance(value, numbers.Real) and not isinstance(value, np.timedelta64) and not huge


def _is_numeric(value: Any) -> bool:
    """Whether a value is an array, or a list, of numbers."""
    try:
        array = np.asarray(value)
    except Exception:  # ragged lists, and whatever the `__array__` of others raises
        return False
    return array.dtype.kind in "iuf" or not array.size


def _is_row(value: Any) -> bool:
    """Whether a value is an array, or a list, of numbers in one dimension."""
    return _is_numeric(value) and np.ndim(value) == 1


def checked_cutoffs(cutoffs: Any) -> tuple[Any, Any]:
    """Return two cut-offs; which epochs they may be the functions say that take one."""
    if not isinstance(cutoffs, tuple | list) or len(cutoffs) != 2:
        raise InvalidExperiment("cutoffs", cutoffs, "two, each None or an epoch")
    return cutoffs[0], cutoffs[1]


def check_alike(**rows: Any) -> None:
    """Raise unless two rows are of one length."""
    (first, a), (second, b) = rows.items()
    if len(a) != len(b):
        raise InvalidExperiment(second, b, f"{len(a)} numbers, one for each of {first}")


def integers(field: str, values: ArrayLike, expected: str = "integers") -> NDArray[np.int64]:
    """Return whole numbers as an array; no float, however whole, no bool and no time is one."""
    try:
        array = np.asarray(values)
        if array.dtype.kind == "O" and all(map(_is_integer, array.flat)):
            array = array.astype(np.int64)
    except (ValueError, OverflowError):
        array = np.array(0.5)
    lost = array.dtype.kind == "u" and np.any(array > np.iinfo(np.int64).max)
    if (array.dtype.kind not in "iu" and array.size) or lost or _has_bool(values):
        raise InvalidExperiment(field, values, expected)
    return array.astype(np.int64, copy=False)


def _is_integer(value: Any) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool | np.timedelta64)


def _has_bool(values: ArrayLike) -> bool:
    """Say whether a list holds a bool, which NumPy makes an integer among integers."""
    return isinstance(values, list | tuple) and any(isinstance(x, bool | np.bool_) or _has_bool(x) for x in values)
