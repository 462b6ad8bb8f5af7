"""Types of fields, and the words of error messages for what each accepts."""

import math
import numbers
import types
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import numpy as np
from pydantic import BeforeValidator, Field
from pydantic.fields import FieldInfo

from fastgrok.errors import one_of


def _as_float(value: Any) -> float:
    if isinstance(value, bool | np.timedelta64) or not isinstance(value, numbers.Real):
        raise ValueError("not a number")
    try:
        number = float(value)
    except (ArithmeticError, TypeError) as error:
        raise ValueError("not a number that float64 can hold") from error
    if not math.isfinite(number):
        raise ValueError("not finite")
    return number + 0.0  # -0.0 becomes 0.0: what is equal is written equally


def _as_int(value: Any) -> int:
    if isinstance(value, bool | np.timedelta64) or not isinstance(value, numbers.Integral):
        raise ValueError("not an integer")
    return int(value)


def _as_bool(value: Any) -> Any:
    return bool(value) if isinstance(value, np.bool_) else value


Number = Annotated[float, BeforeValidator(_as_float)]
"""A finite real number, of Python or NumPy, kept as a float. Neither a bool nor a string is one."""

Integer = Annotated[int, BeforeValidator(_as_int)]
"""A whole number, of Python or NumPy, kept as an int. Neither a bool nor 1.0 is one."""

Bool = Annotated[bool, BeforeValidator(_as_bool)]
"""True or False, of Python or NumPy."""

Positive = Annotated[Number, Field(gt=0)]
NotNegative = Annotated[Number, Field(ge=0)]
Share = Annotated[Number, Field(ge=0, le=1)]
Epochs = Annotated[Integer, Field(ge=1, le=10**9)]

_NAMES = {float: "a finite number", int: "an integer", bool: "True or False", type(None): "None"}
_BOUNDS = {"gt": "greater than", "ge": "at least", "lt": "less than", "le": "at most"}


def accepted(annotation: Any, metadata: Iterable[Any] = ()) -> str:
    """Return in words what a field accepts, from the annotation that validates it."""
    constraints = list(metadata)
    if get_origin(annotation) is Annotated:
        annotation, *inner = get_args(annotation)
        constraints = inner + constraints
    described = [item.description for item in constraints if isinstance(item, FieldInfo)]
    if any(described):
        return next(text for text in described if text)
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        return ", or ".join(accepted(choice) for choice in get_args(annotation))
    if origin is Literal:
        return one_of(get_args(annotation))
    name = _NAMES.get(annotation, f"a {getattr(annotation, '__name__', annotation)}")
    limits = " and ".join(_limits(constraints))
    return f"{name} {limits}" if limits else name


def alternatives(annotation: Any) -> Iterator[Any]:
    """Yield the types that a field may have, and the words of its Literals."""
    if get_origin(annotation) is Annotated:
        yield from alternatives(get_args(annotation)[0])
    elif get_origin(annotation) is Literal:
        yield from get_args(annotation)
    elif get_args(annotation):
        for choice in get_args(annotation):
            yield from alternatives(choice)
    else:
        yield annotation


def words(annotation: Any) -> list[str]:
    """Return the words that a field may have as values."""
    return [word for word in alternatives(annotation) if isinstance(word, str)]


def _limits(constraints: Iterable[Any]) -> Iterable[str]:
    """Yield one phrase for each bound among the constraints."""
    for item in constraints:
        if isinstance(item, FieldInfo):
            yield from _limits(item.metadata)
        else:
            for attribute, words in _BOUNDS.items():
                if getattr(item, attribute, None) is not None:
                    yield f"{words} {getattr(item, attribute)}"
