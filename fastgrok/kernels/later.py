"""Things that compiled functions name and that are imported when they are compiled: Numba takes as long as NumPy.

A kernel that is on disk is called without Numba. So what the modules of kernels take from it at their head is a
`Later`, and is put in its place in the module, or in the closure, when Numba first looks at a function there.
"""

import importlib
from collections.abc import Callable
from types import FunctionType
from typing import Any


class Later:
    """Something that is made when it is needed."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make


def later(module: str, name: str) -> Any:
    """Return what stands for a name of a module."""
    return Later(lambda: getattr(importlib.import_module(module), name))


def fill_in(function: FunctionType) -> bool:
    """Put what a function names in the place of what stands for it, and return whether anything did."""
    names, found = function.__globals__, False
    for name in function.__code__.co_names:
        if isinstance(thing := names.get(name), Later):
            names[name], found = thing.make(), True
    for cell in function.__closure__ or ():
        if isinstance(thing := cell.cell_contents, Later):
            cell.cell_contents, found = thing.make(), True
    return found
