"""From LLVM code to machine code of this CPU, and to something that can be called."""

import ctypes
import functools
import os
import threading
from collections.abc import Callable, Iterable
from typing import Any

import llvmlite.binding as llvm

from fastgrok.kernels.target import description

ENTRY = "fastgrok_kernel"
"""The name of the function that a kernel's code is called by."""

_PROTOTYPE = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)
_KNOWN = {"memcpy", "memmove", "memset"}  # what LLVM calls of its own accord
_OF_C = {"exp", "log", "log1p", "sqrt"}  # and what is in C's library of mathematics

lock = threading.RLock()
"""Held by whoever is at work with LLVM: what it shares among modules is for one thread at a time."""

if hasattr(os, "register_at_fork"):  # LLVM must not be at work in a process that is forked
    os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release)


@functools.cache
def _target() -> Any:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_triple(description()[0])


def _new_machine() -> Any:
    """Return LLVM's machine of this CPU, for code that is called where it is loaded."""
    target = _target()
    _, name, features = description()
    is_x86 = target.name.startswith("x86")
    return target.create_target_machine(
        cpu=name, features=features, opt=3, reloc="static" if is_x86 else "default", codemodel="jitdefault", jit=True
    )


@functools.cache
def machine() -> Any:
    """Return the machine that code is made for."""
    return _new_machine()


def _builder(machine: Any) -> Any:
    """Return what makes passes: kernels are written in vectors, so LLVM has none to look for."""
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    options.loop_vectorization = options.slp_vectorization = False
    return llvm.create_pass_builder(machine, options)


def function_passes() -> tuple[Any, Any]:
    """Return LLVM's passes for a function alone, and their builder."""
    builder = _builder(machine())
    return builder.getFunctionPassManager(), builder


def parse(bitcode: bytes) -> Any:
    """Return the module of some bitcode."""
    machine()
    return llvm.parse_bitcode(bitcode)


def simplify(functions: Iterable[Any]) -> None:
    """Put constants in, and write short loops out, in functions that nothing has been inlined into yet.

    Later, when all is one function, what a loop over layers calls would be there once for every kind of layer.
    """
    builder, passes = _builder(machine()), llvm.create_new_function_pass_manager()
    for _ in range(2):
        passes.add_sroa_pass()
        passes.add_instruction_combine_pass()
        passes.add_simplify_cfg_pass()
        passes.add_sccp_pass()
        passes.add_loop_simplify_pass()
        passes.add_loop_rotate_pass()
        passes.add_instruction_combine_pass()
        passes.add_loop_unroll_pass()
    passes.add_sroa_pass()
    passes.add_instruction_combine_pass()
    passes.add_simplify_cfg_pass()
    for function in functions:
        passes.run(function, builder)


def optimise(module: Any) -> None:
    """Optimise a module for this CPU."""
    builder = _builder(machine())
    builder.getModulePassManager().run(module, builder)


def object_code(module: Any) -> bytes:
    """Return the machine code of an optimised module, which needs nothing that is not in it."""
    needed = {each.name for each in module.functions if each.is_declaration and not each.name.startswith("llvm.")}
    if needed := needed - _KNOWN - _OF_C:
        raise RuntimeError(f"a kernel needs {', '.join(sorted(needed))}, which is not compiled with it")
    code: bytes = machine().emit_object(module)
    return code


class Code:
    """Machine code that has been loaded. Called with words, it lets other threads of Python run."""

    def __init__(self, code: bytes) -> None:
        with lock:
            module = llvm.parse_assembly("")
            module.triple = description()[0]
            self._engine = llvm.create_mcjit_compiler(module, _new_machine())  # owns the code
            self._engine.add_object_file(llvm.ObjectFileRef.from_data(code))
            self._engine.finalize_object()
            function = _PROTOTYPE(self._engine.get_function_address(ENTRY))
        self.call: Callable[[bytes], None] = _caller(function)


def _caller(function: Callable[..., int]) -> Callable[[bytes], None]:
    """Return call(words); Numba's functions have places for a result and an exception, too."""
    nothing = ctypes.create_string_buffer(16)
    place = ctypes.addressof(nothing)

    def call(words: bytes, _nothing: Any = nothing) -> None:
        if function(place, place + 8, words):
            raise RuntimeError("a kernel raised an exception, which no kernel has reason to")

    return call
