"""The floating-point environment of a thread: its rounding mode, whether denormals count as zero, what traps.

A library can leave it changed, in a call or by being loaded (the start-up code that `gcc -ffast-math` links into it).
Arithmetic, also that of Python and NumPy, then gives other bits.
"""

import ctypes
import functools
from collections.abc import Callable
from typing import Any, NamedTuple, ParamSpec, TypeVar

import llvmlite.binding as llvm

from fastgrok.kernels.apart import apart
from fastgrok.kernels.machine import lock

_P = ParamSpec("_P")
_R = TypeVar("_R")


class _Register(NamedTuple):
    """The control register of an architecture."""

    default: int  # to nearest, denormals kept, nothing traps: what the ABI says that a program starts with
    ctype: Any
    exchange: str  # LLVM code of exchange(new), which returns what it was


_MXCSR = """
declare void @llvm.x86.sse.stmxcsr(ptr)
declare void @llvm.x86.sse.ldmxcsr(ptr)

define i32 @exchange(i32 %new) {
  %place = alloca i32
  call void @llvm.x86.sse.stmxcsr(ptr %place)
  %old = load i32, ptr %place
  store i32 %new, ptr %place
  call void @llvm.x86.sse.ldmxcsr(ptr %place)
  ret i32 %old
}
"""

_FPCR = """
declare i64 @llvm.aarch64.get.fpcr()
declare void @llvm.aarch64.set.fpcr(i64)

define i64 @exchange(i64 %new) {
  %old = call i64 @llvm.aarch64.get.fpcr()
  call void @llvm.aarch64.set.fpcr(i64 %new)
  ret i64 %old
}
"""

REGISTERS = {
    "x86_64": _Register(0x1F80, ctypes.c_uint32, _MXCSR),
    "aarch64": _Register(0, ctypes.c_uint64, _FPCR),
    "arm64": _Register(0, ctypes.c_uint64, _FPCR),  # Apple's name for it
}
"""By the architecture in LLVM's triple."""

_TINY = float.fromhex("0x1p-1022")  # the smallest normal number
_ULP = float.fromhex("0x1p-52")  # of 1


def check_arithmetic() -> None:
    """Raise if this thread does not round to nearest, or takes denormals for zero."""
    one, tiny, half = 1.0, _TINY, 0.5
    up, down = one + _ULP * half * half, -one - _ULP * half * half  # both between two numbers, nearer to that of one
    between = one + _ULP * (one + half)  # halfway: to the even number, up
    if up != 1.0 or down != -1.0 or between != one + _ULP + _ULP or tiny * half + tiny * half != tiny:
        raise FloatingPointError(
            "this thread does not compute as IEEE 754 says by default: another library has changed its rounding mode "
            "or has denormals taken for zero, which fastgrok cannot undo on this architecture"
        )


def _refuse(control: int) -> int:
    """Stand for the exchange where the register is not known."""
    check_arithmetic()
    return control


def machine_code(triple: str, code: str) -> tuple[Any, Any]:
    """Return LLVM's machine for a triple and a module of the code, checked."""
    machine = llvm.Target.from_triple(triple).create_target_machine()
    module = llvm.parse_assembly(code)
    module.triple = triple
    module.verify()
    return machine, module


class _Environment:
    """The switch of this process, made when it is first needed, in some 5 ms."""

    def __init__(self, triple: str) -> None:
        self._register = REGISTERS.get(triple.split("-")[0])
        self._made: tuple[Any, Callable[[int], int]] | None = None  # LLVM's engine, which owns the code, and it
        self.default = 0 if self._register is None else self._register.default
        self.exchange: Callable[[int], int] = _refuse if self._register is None else self._first_exchange

    def _first_exchange(self, control: int) -> int:
        self.exchange = exchange = apart(self._make)
        return exchange(control)

    def _make(self) -> Callable[[int], int]:
        with lock:  # LLVM's, which is not held in a process that is forked
            if self._made is None and self._register is not None:
                llvm.initialize_native_target()
                llvm.initialize_native_asmprinter()
                machine, module = machine_code(llvm.get_process_triple(), self._register.exchange)
                engine = llvm.create_mcjit_compiler(module, machine)
                engine.finalize_object()
                address, ctype = engine.get_function_address("exchange"), self._register.ctype
                self._made = engine, ctypes.PYFUNCTYPE(ctype, ctype)(address)  # keeps the GIL, unlike CFUNCTYPE
        return _refuse if self._made is None else self._made[1]


_environment = _Environment(llvm.get_process_triple())


def in_default_environment(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Have a function called in the default floating-point environment, and the caller's put back afterwards.

    Both exchanges together take some 0.6 us. They are calls of machine code that no compiler sees into, so that no
    arithmetic is moved across them.
    """

    @functools.wraps(function)
    def call(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        before = _environment.exchange(_environment.default)
        try:
            return function(*args, **kwargs)
        finally:
            _environment.exchange(before)

    return call
