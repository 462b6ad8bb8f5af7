"""Missing values: which rows have them, and what may be done."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgrok.datasets.table import Table
from fastgrok.errors import InvalidExperiment

MISSING_RULES = ("drop", "mean")
"""What may be done about missing values: leave the rows out, or take the mean of the column."""

_NAMED = 5  # rows that an error names


def _lacks(column: Any) -> NDArray[np.bool_]:
    """Return where a list of labels or an array of numbers has no value."""
    if isinstance(column, np.ndarray):
        return np.isnan(column)
    return np.fromiter((label is None for label in column), np.bool_, len(column))


def complete_rows(table: Table, columns: dict[str, Any], n_inputs: int, missing: str | None) -> NDArray[np.int64]:
    """Return the rows to use: all, or those without a missing value; raise where a missing value cannot be."""
    lacking = np.zeros(table.n_rows, dtype=np.bool_)
    for k, (name, column) in enumerate(columns.items()):
        absent = _lacks(column)
        fillable = missing == "mean" and k < n_inputs and isinstance(column, np.ndarray)
        if absent.any() and missing != "drop" and not fillable:
            rows = np.flatnonzero(absent)
            offers = "missing='drop' leaves such rows out"
            if missing is None and k < n_inputs and isinstance(column, np.ndarray):
                offers += ", missing='mean' takes the mean of the column"
            others = f", as are {len(rows) - 1} more: {_rows(table, rows[1:])}" if len(rows) > 1 else ""
            expected = "a finite number" if isinstance(column, np.ndarray) else "a class or a category"
            table.fail(int(rows[0]), name, f"{expected}, and it is blank or missing{others}; {offers}")
        lacking |= absent if missing == "drop" else False
        if isinstance(column, np.ndarray) and np.isinf(column).any():
            table.fail(int(np.argmax(np.isinf(column))), name, "a finite number")
    if lacking.all():
        raise InvalidExperiment("missing", "drop", f"a row of {table.name} without a missing value")
    return np.flatnonzero(~lacking)


def _rows(table: Table, rows: NDArray[np.int64]) -> str:
    """Name some rows, the first few of them."""
    named = [table.row_name(int(row)) for row in rows[:_NAMED]]
    return ", ".join(named) + (", ..." if len(rows) > _NAMED else "")
