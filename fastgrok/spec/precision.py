"""Checks that a dtype holds the numbers of an experiment."""

import functools
import math
from typing import Any

import numpy as np

from fastgrok.datasets import Dataset
from fastgrok.errors import InvalidExperiment, joined
from fastgrok.spec.base import Spec
from fastgrok.spec.initializers.base import BiasWord, Distribution, Initializer, Scheme
from fastgrok.spec.initializers.custom import FromFunction
from fastgrok.spec.initializers.tensors import initial_tensors
from fastgrok.spec.layers import Linear
from fastgrok.spec.paths import children


def rounded(value: float, dtype: str) -> float:
    """Round a number to a dtype; infinite if it is too large."""
    if dtype == "float64":
        return float(value)
    with np.errstate(over="ignore", under="ignore"):
        return float(np.dtype(dtype).type(value))


def check_numbers(field: str, value: Any, dtype: str) -> None:
    """Raise unless the numbers of a spec, and of those in it, still lie within their limits when rounded to a dtype.

    Examples
    --------
    >>> import fastgrok as fg
    >>> check_numbers("stop", fg.Converged(loss=1e60), "float32")
    Traceback (most recent call last):
    fastgrok.errors.InvalidExperiment: stop.loss = 1e+60: expected a finite number ... in float32
    """
    items = children(value)
    for step, item in items:
        if isinstance(item, Spec | tuple):
            check_numbers(joined(field, step), item, dtype)
    if isinstance(value, tuple):
        return  # its numbers have limits that every dtype holds
    numbers = {name: number for name, number in items if isinstance(number, float)}
    changed = {name: rounded(number, dtype) for name, number in numbers.items() if rounded(number, dtype) != number}
    if not changed:
        return
    try:
        value.replace(**changed)
    except InvalidExperiment as error:
        number = numbers.get(error.field, error.value)
        raise InvalidExperiment(error.field, number, f"{error.accepted} in {dtype}").within(field) from None


def check_initial(
    init: Initializer, bias_init: Initializer | BiasWord, linears: tuple[Linear, ...], dtype: str
) -> None:
    """Raise unless `init` and `bias_init` fit the layers of a network, and a dtype holds their values.

    Examples
    --------
    >>> import fastgrok as fg
    >>> check_initial(fg.Constant(1e300), "same", (fg.Linear(2, 1),), "float32")
    Traceback (most recent call last):
    fastgrok.errors.InvalidExperiment: init = Constant(value=1e+300): expected ... float32 holds
    """
    is_hashed = isinstance(init, Scheme) and isinstance(bias_init, Scheme | str)
    check = _check_schemes if is_hashed else _check_schemes.__wrapped__
    check(init, bias_init, linears, dtype)


@functools.lru_cache(maxsize=256)  # configurations of a sweep have few networks
def _check_schemes(
    init: Initializer, bias_init: Initializer | BiasWord, linears: tuple[Linear, ...], dtype: str
) -> None:
    """Do what `check_initial` does."""
    for tensor in initial_tensors(init, bias_init, linears):
        if not all(math.isfinite(rounded(number, dtype)) for number in _extremes(tensor.source)):
            raise InvalidExperiment(tensor.field, tensor.scheme, f"a scheme whose values {dtype} holds")


def _extremes(source: Distribution | FromFunction | np.ndarray) -> tuple[float, ...]:
    """Return the numbers that a dtype must hold; those of a function are checked when it has returned them."""
    if isinstance(source, Distribution):
        too_wide = source.kind == "uniform" and math.isinf(source.b - source.a)
        return source.a, source.b, *source.numbers, math.inf if too_wide else 0.0
    return (float(abs(source).max()),) if isinstance(source, np.ndarray) else ()


def check_data(field: str, data: Dataset, dtype: str) -> None:
    """Raise unless every value of a dataset is finite in a dtype."""
    for name, table in (("X", data.X), ("y", data.y)):
        worst = int(np.abs(table).argmax())
        value = float(table.flat[worst])
        if np.isinf(rounded(value, dtype)):
            row, column = divmod(worst, table.shape[1])
            raise InvalidExperiment(f"{field}.{name}[{row}, {column}]", value, f"a number that {dtype} holds")
