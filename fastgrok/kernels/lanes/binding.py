"""What the code of a kernel is bound to: constants of one experiment in place of what is read when it runs."""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import llvmlite.binding as llvm
import numpy as np

from fastgrok.kernels import kinds
from fastgrok.kernels.machine import ENTRY, parse, simplify
from fastgrok.kernels.words import flat

PREFIX, IS_BOUND = "fixed.", ".is_bound"  # of the names of the globals
OVER = "fastgrok.over."  # marks of loops, and LLVM's of one that is to be written out
_WRITTEN_OUT = "llvm.loop.unroll.full"
_WRITTEN_OUT_WITH = {"example": "inputs", "layer": "sizes", "parameter": "params_vectors"}  # what has to be bound

_DECLARED = re.compile(rf"^declare (.*@{re.escape(kinds.PREFIX)}.*)$", re.MULTILINE)

Binding: TypeAlias = tuple[tuple[str, tuple[int, ...]], ...]
"""The words of each name that a kernel asks for (lanes/constants.py), and the kinds that it needs (kinds.py)."""


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


def kinds_asked(module: Any) -> list[str]:
    """Return the names of the functions that a module declares and that are made by themselves."""
    return [each.name for each in module.functions if each.is_declaration and each.name.startswith(kinds.PREFIX)]


def asks(module: Any) -> bool:
    """Whether a module is the same for several bindings."""
    return bool(names_asked(module) or kinds_asked(module))


def link(module: Any, binding: Binding, code_of_kind: Callable[[str], bytes]) -> Any:
    """Return a module with all that it asks for defined: as bound, or as not bound.

    code_of_kind(name): the LLVM code of a function of some kind.

    Loops over examples are written out where the examples are constants, those over layers where these are fixed, and
    those over parameters where they are in registers.
    """
    known = dict(binding)
    while wanted := [name for name in kinds_asked(module) if kinds.is_wanted(name, known)]:
        for name in wanted:
            part = parse(code_of_kind(name))
            entry = part.get_function(ENTRY)
            entry.name, entry.linkage = name, "linkonce_odr"
            module.link_in(part)
    module, names = _rewritten(module, known), names_asked(module)
    module.link_in(llvm.parse_assembly("\n".join(_definition(name, known.get(name)) for name in names)))
    simplify([each for each in module.functions if not each.is_declaration and f"@{PREFIX}" in str(each)])
    for name in names:
        for each in (PREFIX + name, PREFIX + name + IS_BOUND):
            module.get_global_variable(each).linkage = "internal"
    return module


def _rewritten(module: Any, known: Mapping[str, tuple[int, ...]]) -> Any:
    """Return a module whose loops are marked as they are bound, and whose kinds that are not linked are traps."""
    marks = [OVER + what for what, needed in _WRITTEN_OUT_WITH.items() if needed in known]
    missing = kinds_asked(module)
    if not marks and not missing:
        return module
    text = str(module)
    if marks:
        text = re.sub("|".join(map(re.escape, marks)), _WRITTEN_OUT, text)
    if missing:
        text = _DECLARED.sub(r"define linkonce_odr \1 {\n  call void @llvm.trap()\n  unreachable\n}", text)
        text += "\ndeclare void @llvm.trap()\n"
    return llvm.parse_assembly(text)


def _definition(name: str, words: tuple[int, ...] | None) -> str:
    """Return LLVM's code for what a name is bound to."""
    numbers = ", ".join(f"i64 {word}" for word in words or (0,))
    return (
        f"@{PREFIX}{name}{IS_BOUND} = constant i1 {'true' if words is not None else 'false'}\n"
        f"@{PREFIX}{name} = constant [{len(words or (0,))} x i64] [{numbers}], align 64"
    )
