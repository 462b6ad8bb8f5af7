"""Who may train for a store."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Any

from fastgrok.errors import InvalidExperiment


def check_executor(executor: Any) -> None:
    """
    Raise unless it is None or an executor.

    Parameters
    ----------
    executor
        Any value.

    Raises
    ------
    InvalidExperiment
        If it is something else.
    """
    if executor is not None and not isinstance(executor, Executor):
        expected = "None, or a concurrent.futures.Executor, such as Client(...).get_executor() of Dask"
        raise InvalidExperiment("executor", executor, expected)
