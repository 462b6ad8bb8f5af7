"""The only Numba decorators of the project: every compiled function goes through one of these two."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba

from fastgrok.kernels.cache import KernelCache

# No fastmath: a result is the same bits on every CPU. error_model="numpy": a division by zero is an infinity.
_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}


def device(function: Callable) -> Any:
    """Compile a function that other kernels call; LLVM inlines it into each caller."""
    return numba.njit(forceinline=True, **_OPTIONS)(function)


def kernel(*key: object) -> Callable[[Callable], Any]:
    """Compile a kernel that Python calls, cached on disk.

    Parameters
    ----------
    key
        Everything that the function closes over (sizes, lane count, dtype name), as text: two kernels of the
        same name with equal keys must be the same code.
    """

    def decorate(function: Callable) -> Any:
        dispatcher = numba.njit(**_OPTIONS)(function)
        dispatcher._cache = KernelCache(function.__qualname__, key)
        return dispatcher

    return decorate
