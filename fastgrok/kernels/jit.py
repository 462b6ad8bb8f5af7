"""The only Numba decorators of the project: every compiled function goes through one of these two."""

import contextlib
import gc
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numba
from numba import _dispatcher
from numba.core.registry import CPUDispatcher

from fastgrok.kernels.cache import KernelCache
from fastgrok.kernels.lanes.environment import in_default_environment
from fastgrok.kernels.pipeline import DeviceCompiler, KernelCompiler

# No fastmath: a result is the same bits on every CPU. error_model="numpy": a division by zero is an infinity.
# No NRT, Numba's reference counts: who calls a kernel holds its arguments, and no kernel allocates.
_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}


class _DeviceFunction(CPUDispatcher):
    """The dispatcher of a device function: it has no machine code that Python could call."""

    def __call__(self, *args: Any) -> None:
        raise TypeError(f"{self.py_func.__name__} is a device function: only compiled functions can call it")

    def compile(self, sig: Any) -> Any:
        """Compile the function for types of arguments; unlike Numba's own this looks on no disk and keeps no time."""
        args = tuple(sig)
        if args not in self.overloads:
            self.add_overload(self._compiler.compile(args, None))
        return self.overloads[args].entry_point


def device(function: Callable[..., Any]) -> Any:
    """Compile a function that other kernels call; LLVM inlines it into each caller."""
    options = {"forceinline": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    dispatcher = numba.njit(pipeline_class=DeviceCompiler, **options, **_OPTIONS)(function)
    dispatcher.__class__ = _DeviceFunction
    return dispatcher


def by_kind(functions: Sequence[Callable[..., Any]]) -> Callable[..., Any]:
    """Return a device function run(kind, *args) that calls the function whose place is `kind`, an integer."""
    *before, last = functions

    @device
    def run(kind, *args):
        return last(*args)

    if len(set(functions)) > 1:
        for place, function in reversed(list(enumerate(before))):
            run = _either(place, function, run)
    return run


def _either(place: int, function: Callable[..., Any], otherwise: Callable[..., Any]) -> Callable[..., Any]:
    @device
    def run(kind, *args):
        if kind == place:
            return function(*args)
        return otherwise(kind, *args)

    return run


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Look for no garbage while this lasts: what a compile makes lives on, and a tenth of its time was looking."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


class _Kernel(CPUDispatcher):
    """The dispatcher of a kernel: it runs, and is compiled, in the default floating-point environment.

    Numba folds constants while it compiles, in Python's arithmetic, and the result is kept on disk.
    """

    __call__ = in_default_environment(CPUDispatcher.__call__)

    @in_default_environment
    def compile(self, sig: Any) -> Any:
        """Compile it for the types of some arguments, or read that from the cache."""
        with _no_collection():
            return super().compile(sig)


def kernel(*key: object) -> Callable[[Callable[..., Any]], Any]:
    """Compile a kernel that Python calls, cached on disk."""

    def decorate(function: Callable[..., Any]) -> Any:
        dispatcher = numba.njit(pipeline_class=KernelCompiler, no_cfunc_wrapper=True, **_OPTIONS)(function)
        dispatcher._cache = KernelCache(function.__qualname__, key)
        dispatcher.entry_points = {}
        dispatcher.__class__ = _Kernel
        return dispatcher

    return decorate


def bound(kernel: Any) -> Callable[..., None]:
    """Return a function that calls a kernel, each time with arguments of the types that they had the first time.

    Finding out the types of forty arrays in NamedTuples takes Numba 20 us at every call; what is compiled, called at
    once, takes 4 us to unpack them. It trusts the types: arrays keep their dtype, dimensions and contiguity, and what
    is None stays None.
    """
    entry: Callable[..., Any] | None = None

    @in_default_environment
    def call(*args: Any) -> None:
        nonlocal entry
        if entry is None:
            entry = _entry_point(kernel, args)
        entry(*args)

    return call


def _entry_point(kernel: Any, args: tuple[Any, ...]) -> Callable[..., Any]:
    """Return the compiled code of a kernel for arguments of these types, by Numba's own hash of them."""
    fingerprint = _dispatcher.compute_fingerprint(args)
    if fingerprint not in kernel.entry_points:
        kernel.entry_points[fingerprint] = kernel.compile(tuple(map(kernel.typeof_pyval, args)))
    return kernel.entry_points[fingerprint]


def is_cached(kernel: Any) -> bool:
    """Whether calling a kernel compiles nothing: it has been compiled in this process, or is on disk."""
    return bool(kernel.overloads) or kernel._cache.exists()
