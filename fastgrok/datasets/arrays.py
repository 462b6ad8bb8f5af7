"""Checks of arrays and names before they become a dataset."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgrok.datasets.memory import check_fits
from fastgrok.errors import InvalidExperiment

MAX_ROWS = 10**7
"""Examples of a dataset at most."""


def examples_array(field: str, value: Any) -> NDArray[np.float64]:
    """Return a read-only float64 copy of shape (n_examples, n_columns), with rows and columns and finite values."""
    array = _numeric(field, value)
    if array.ndim == 1 and array.size:
        n = array.size
        expected = f"shape (n_examples, n_in): X.reshape(-1, 1) for {n} examples of one input, X.reshape(1, -1)"
        raise InvalidExperiment(field, value, f"{expected} for one example of {n} inputs")
    return _table(field, value, array)


def targets_array(field: str, value: Any) -> NDArray[np.float64]:
    """Return the same for targets; a 1-D array becomes a column."""
    array = _numeric(field, value)
    return _table(field, value, array[:, np.newaxis] if array.ndim == 1 else array)


def labels_array(value: Any, *, numbers_too: bool) -> list[Any] | None:
    """Return the labels of a 1-D array of words or truth values, or of numbers too; None if it holds others."""
    if _is_masked(value):
        return None
    try:
        array = np.asarray(value)
    except Exception:  # what `targets_array` says of it
        return None
    if array.ndim == 2 and array.shape[1] == 1 and array.dtype.kind in "UTO":
        array = array[:, 0]
    if array.ndim != 1 or not array.size or len(array) > MAX_ROWS:
        return None
    if array.dtype.kind in "UT" or (array.dtype.kind == "O" and all(isinstance(item, str) for item in array)):
        return [str(item) for item in array]
    if array.dtype.kind == "b" or (numbers_too and array.dtype.kind in "iu"):
        return list(array.tolist())
    if numbers_too and array.dtype.kind == "f" and np.isfinite(array).all():
        return [int(item) if float(item).is_integer() else float(item) for item in array.tolist()]
    return None


def check_unmasked(field: str, value: Any) -> None:
    """Raise if entries of an array, or of arrays in a list, are masked: NumPy would take what is below the mask."""
    if _is_masked(value):
        raise InvalidExperiment(field, value, "a value for every entry, and some are masked")


def _is_masked(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(map(_is_masked, value))
    return isinstance(value, np.ma.MaskedArray) and bool(np.ma.is_masked(value))


def _numeric(field: str, value: Any) -> NDArray[Any]:
    """Return an array of bools, integers or floats."""
    check_unmasked(field, value)
    try:
        array = np.asarray(value)
    except Exception as error:  # ragged lists, and whatever the `__array__` of others raises
        raise InvalidExperiment(field, value, "an array of real numbers, with rows of one length") from error
    if array.dtype.kind not in "biuf":
        words = "; Dataset.from_frame(df, target, categorical=[...]) makes inputs of words" if field == "X" else ""
        raise InvalidExperiment(field, value, f"an array of real numbers, and its dtype is {array.dtype}{words}")
    return array


def _table(field: str, value: Any, array: NDArray[Any]) -> NDArray[np.float64]:
    """Return a checked, read-only, C-contiguous float64 copy of a 2-D array."""
    if array.ndim != 2 or not array.size:
        raise InvalidExperiment(field, value, f"rows and columns, one or more, and its shape is {array.shape}")
    if len(array) > MAX_ROWS:
        raise InvalidExperiment(field, value, f"at most {MAX_ROWS:,} rows, and there are {len(array):,}")
    check_fits(field, array.shape, 3 * 8 * array.size)  # the copy, what is finite, and that without signs
    with np.errstate(over="ignore"):  # a longdouble too large becomes infinite, which is found below
        table = np.array(array, dtype=np.float64, order="C", copy=True)
    finite = np.isfinite(table)
    if not finite.all():
        row, column = map(int, np.argwhere(~finite)[0])
        raise InvalidExperiment(f"{field}[{row}, {column}]", float(table[row, column]), "a finite number")
    table += 0.0  # -0.0 becomes 0.0: what is equal is written equally
    table.flags.writeable = False
    return table


def finite_numbers(field: str, value: Any, count: int, each: str, *, nonzero: bool = False) -> tuple[float, ...]:
    """Return `count` finite numbers, one for `each`."""
    expected = f"{count} finite number{'s' * (count != 1)}, one for each {each}" + (", none of them 0" * nonzero)
    try:
        array = np.array(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidExperiment(field, value, expected) from error
    if array.shape != (count,) or not np.isfinite(array).all() or (nonzero and not array.all()):
        raise InvalidExperiment(field, value, expected)
    return tuple(array.tolist())


def text(field: str, value: Any) -> str:
    """Return a string that is not empty."""
    if not isinstance(value, str) or not value:
        raise InvalidExperiment(field, value, "a string that is not empty")
    return str(value)


def unique_names(field: str, value: Any, letter: str, count: int) -> tuple[str, ...]:
    """Return `count` names, each different."""
    if value is None:
        return tuple(f"{letter}{k}" for k in range(count))
    names = value.tolist() if isinstance(value, np.ndarray) else value
    if not isinstance(names, list | tuple) or len(names) != count:
        raise InvalidExperiment(field, value, f"a list of {count} names")
    checked = tuple(text(f"{field}[{k}]", name) for k, name in enumerate(names))
    if len(set(checked)) != count:
        twice = next(name for name in checked if checked.count(name) > 1)
        raise InvalidExperiment(field, value, f"names that differ, and {twice!r} is there twice")
    return checked
