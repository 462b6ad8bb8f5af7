"""What the code of a kernel is bound to: constants of one experiment in place of what is read when it runs."""

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

import llvmlite.binding as llvm
import numpy as np

from fastgrok.kernels.machine import simplify
from fastgrok.kernels.words import flat

PREFIX, IS_BOUND = "fixed.", ".is_bound"  # of the names of the globals
OVER = "fastgrok.over."  # marks of loops, and LLVM's of one that is to be written out
_WRITTEN_OUT = "llvm.loop.unroll.full"
_WRITTEN_OUT_WITH = {"example": "inputs", "layer": "sizes", "parameter": "params_vectors"}  # what has to be bound

Binding: TypeAlias = tuple[tuple[str, tuple[int, ...]], ...]
"""The words of each name that a kernel asks for (lanes/constants.py)."""


def bind_to(values: Mapping[str, Any]) -> Binding:
    """Return a binding to numbers, NamedTuples of them, and arrays."""
    return tuple((name, tuple(_words(value))) for name, value in values.items())


def _words(value: Any) -> list[int]:
    raw = value.tobytes() if isinstance(value, np.ndarray) else flat(value)
    words: list[int] = np.frombuffer(raw + bytes(-len(raw) % 8), np.int64).tolist()
    return words


def names_asked(module: Any) -> list[str]:
    """Return the names of what a module may be bound to."""
    asked = [each.name for each in module.global_variables if each.name.endswith(IS_BOUND)]
    return [name[len(PREFIX) : -len(IS_BOUND)] for name in asked]


def link(module: Any, binding: Binding) -> Any:
    """Return a module with all that it asks for defined: as bound, or as not bound.

    Loops over examples are written out where the examples are constants, those over layers where these are fixed, and
    those over parameters where they are in registers.
    """
    names = names_asked(module)
    if not names:
        return module
    known = dict(binding)
    marks = [OVER + what for what, needed in _WRITTEN_OUT_WITH.items() if needed in known]
    if marks:
        module = llvm.parse_assembly(re.sub("|".join(map(re.escape, marks)), _WRITTEN_OUT, str(module)))
    module.link_in(llvm.parse_assembly("\n".join(_definition(name, known.get(name)) for name in names)))
    simplify([each for each in module.functions if not each.is_declaration and f"@{PREFIX}" in str(each)])
    for name in names:
        for each in (PREFIX + name, PREFIX + name + IS_BOUND):
            module.get_global_variable(each).linkage = "internal"
    return module


def _definition(name: str, words: tuple[int, ...] | None) -> str:
    """Return LLVM's code for what a name is bound to."""
    numbers = ", ".join(f"i64 {word}" for word in words or (0,))
    return (
        f"@{PREFIX}{name}{IS_BOUND} = constant i1 {'true' if words is not None else 'false'}\n"
        f"@{PREFIX}{name} = constant [{len(words or (0,))} x i64] [{numbers}], align 64"
    )
