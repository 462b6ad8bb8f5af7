"""What the functions of this room check of their arguments."""

import functools
import inspect
import numbers
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgrok.errors import InvalidExperiment

_EXPECTED = {
    "Counts": "one Counts, such as result.counts[0]",
    "Experiment": "an Experiment, such as result.configurations[0].experiment",
    "PairedCounts": "a PairedCounts, such as PairedCounts.of(epochs_a, epochs_b)",
    "Survival": "what survival_curve or kaplan_meier returns",
    "Table": "a Table, such as that of PairedCounts.of(epochs_a, epochs_b)",
}
"""The classes that are checked, by their names, and what an error message accepts for each."""

_P = ParamSpec("_P")
_R = TypeVar("_R")


def checked(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Return a function that says which argument is wrong where it expects one of the classes above."""
    annotations = {name: p.annotation for name, p in inspect.signature(function, eval_str=True).parameters.items()}
    wanted = {name: cls for name, cls in annotations.items() if getattr(cls, "__name__", "") in _EXPECTED}

    @functools.wraps(function)
    def wrapper(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        arguments = dict(zip(annotations, args, strict=False)) | kwargs
        for name, cls in wanted.items():
            if name in arguments and not isinstance(arguments[name], cls):
                raise InvalidExperiment(name, arguments[name], _EXPECTED[cls.__name__])
        return function(*args, **kwargs)

    return wrapper


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
