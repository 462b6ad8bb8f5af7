"""Compiled functions: every one of the project goes through `device` or `kernel`."""

import contextlib
import functools
import gc
import importlib
import pkgutil
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from types import FunctionType
from typing import Any

from fastgrok.kernels import lanes
from fastgrok.kernels.apart import apart
from fastgrok.kernels.cache import KernelFiles, identity
from fastgrok.kernels.environment import in_default_environment
from fastgrok.kernels.kinds import stem_and_types
from fastgrok.kernels.lanes.binding import Binding, asks, link
from fastgrok.kernels.later import Later, fill_in
from fastgrok.kernels.machine import Code, lock, object_code, optimise, parse
from fastgrok.kernels.words import flat, flat_again, form


@functools.cache
def _pipeline() -> Any:
    """Return the module that compiles, imported with Numba and what is registered with it."""
    from fastgrok.kernels import pipeline

    for module in pkgutil.iter_modules(lanes.__path__, f"{lanes.__name__}."):
        importlib.import_module(module.name)
    pipeline.look_for_new()
    pipeline.make_known(Device)
    return pipeline


class Device:
    """A function that other compiled functions call; Numba sees it when it is first compiled."""

    def __init__(self, function: FunctionType) -> None:
        self.py_func = function
        functools.update_wrapper(self, function)

    @functools.cached_property
    def dispatcher(self) -> Any:
        """What Numba knows it as."""
        if fill_in(self.py_func):
            _pipeline().look_for_new()
        return _pipeline().dispatcher_of(self.py_func)

    def __call__(self, *args: Any) -> None:
        raise TypeError(f"{self.py_func.__name__} is a device function: only compiled functions can call it")


_devices: weakref.WeakValueDictionary[Any, Device] = weakref.WeakValueDictionary()


def device(function: Any) -> Any:
    """Compile a function that other kernels call; LLVM inlines it into each caller.

    Functions of one code that are closed over the same are one: Numba compiles it once for each form of arguments.
    """
    try:
        cells = tuple(_exactly(cell.cell_contents) for cell in function.__closure__ or ())
        key = function.__module__, function.__code__, function.__defaults__, cells
        known = _devices.get(key)
    except (ValueError, TypeError):  # a cell that is filled later, or what has no hash
        return Device(function)
    if known is None:
        known = _devices[key] = Device(function)
    return known


def _exactly(value: Any) -> Any:
    """Return what is equal for the same alone: 1 == 1.0 == True, and 0.0 == -0.0."""
    if isinstance(value, tuple):
        return type(value), *map(_exactly, value)
    return type(value), value.hex() if isinstance(value, float) else value


_kinds: dict[str, tuple[Device, KernelFiles]] = {}  # by the stem of the files


def _make_known(function: Any) -> str:
    """Keep a function to be found when a kernel declares it, and return the stem of its files."""
    files = KernelFiles("kind", (identity(function),))
    stem = files.stem()
    _kinds[stem] = function, files
    return stem


def by_kind(what: str, functions: Mapping[int, Callable[..., Any]], returns: int | None = None) -> Callable[..., Any]:
    """Return a device function run(kind, *args) that calls the function of the number `kind`.

    It returns the type of args[returns], or nothing. Kernels may be bound to the kinds of `what` that they need.
    """
    stems = {place: _make_known(function) for place, function in functions.items()}

    def make() -> Any:
        from fastgrok.kernels.lanes.choice import choice_of

        return choice_of(what, stems, returns)

    choose: Any = Later(make)

    @device
    def run(kind, *args):
        return choose(kind, args)

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


def _code_of_kind(name: str) -> bytes:
    """Return the LLVM code of a function that a kernel declares by this name, from the disk or from Numba."""
    stem, types = stem_and_types(name)
    (function, files), wanted = _kinds[stem], tuple(map(str, types))
    code: bytes | None = files.load(wanted)
    if code is None:
        with _no_collection():
            code = _pipeline().bitcode_of_kind(function, types, files.name(wanted))
        files.save(code, wanted)
    return code


_preparing = threading.local()  # seconds of each thread that went into compiling kernels and reading them


def working_seconds() -> float:
    """Return the CPU seconds of this thread without those in which it compiled kernels or read them."""
    return time.thread_time() - float(getattr(_preparing, "seconds", 0.0))


class Kernel:
    """A compiled function that Python calls.

    Numba makes LLVM's code of it, once for each form of arguments; LLVM makes machine code of that, once for each
    binding. Both are kept on disk, and made in the default floating-point environment: Numba folds constants in
    Python's arithmetic.
    """

    def __init__(self, function: Any, files: KernelFiles, binding: Binding = ()) -> None:
        self._function, self._files, self._binding = function, files, binding
        self._loaded: dict[Any, Code] = {}

    def bound_to(self, binding: Binding) -> "Kernel":
        """Return the kernel with constants in place of what it reads when it runs, the same one each time."""
        return _bound_kernel(self, binding)

    @property
    def stem(self) -> str:
        """What its files are called, but for the form of the arguments."""
        return self._files.stem(self._binding)

    @property
    def is_loaded(self) -> bool:
        """Whether it has been called in this process, or its code been read."""
        return bool(self._loaded)

    def is_cached(self) -> bool:
        """Whether calling it compiles nothing, if arguments have the form that they had before."""
        return self.is_loaded or self._files.exists(self._binding)

    def is_begun(self) -> bool:
        """Whether there is LLVM's code of it, from which machine code is made in a second."""
        return self._files.exists()

    def code(self, args: tuple[Any, ...]) -> Code:
        """Return machine code for arguments like these: loaded, read from disk or compiled."""
        wanted = form(args)
        if wanted not in self._loaded:
            apart(lambda: self._load(wanted, args))
        return self._loaded[wanted]

    @in_default_environment  # whose switch takes the lock in another thread when it is made: so it comes first
    def _load(self, wanted: Any, args: tuple[Any, ...]) -> None:
        before = working_seconds()
        with lock:
            if wanted not in self._loaded:
                self._loaded[wanted] = Code(self._machine_code(wanted, args))
        _preparing.seconds = time.thread_time() - before

    def _machine_code(self, wanted: Any, args: tuple[Any, ...]) -> bytes:
        code = self._files.load(wanted, self._binding)
        if code is None:
            code = object_code(self.module(args))
            self._files.save(code, wanted, self._binding)
        return code

    @in_default_environment
    def module(self, args: tuple[Any, ...]) -> Any:
        """Return the optimised LLVM module for arguments like these."""
        module = link(self._unbound(args), self._binding, _code_of_kind)
        optimise(module)
        return module

    def _unbound(self, args: tuple[Any, ...]) -> Any:
        """Return the LLVM module that Numba makes, of which nothing has been inlined yet."""
        wanted = form(args)
        code = self._files.load(wanted)
        if code is not None:
            return parse(code)
        with _no_collection():
            code = _pipeline().bitcode(self._function, args)
        module = parse(code)
        if asks(module):
            self._files.save(code, wanted)
        return module

    def __call__(self, *args: Any) -> None:
        """Run it."""
        _run(self.code(args), flat(*args))


@in_default_environment
def _run(code: Code, words: bytes) -> None:
    code.call(words)


@functools.lru_cache(maxsize=512)
def _bound_kernel(kernel: Kernel, binding: Binding) -> Kernel:
    return Kernel(kernel._function, kernel._files, binding)


def kernel(*key: object) -> Callable[[Callable[..., Any]], Kernel]:
    """Compile a kernel that Python calls, cached on disk."""
    return lambda function: Kernel(device(function), KernelFiles(function.__qualname__, key))


def bound(kernel: Kernel) -> Callable[..., None]:
    """Return a function that calls a kernel, each time with arguments of the form that they had the first time.

    It trusts the form: arrays keep their dtype and dimensions, and what is None stays None. An argument that is the
    very object of the call before is not looked at again, if it is small: it is kept until the next call.
    """
    code: Code | None = None
    known: dict[int, tuple[Any, bytes]] = {}

    def call(*args: Any) -> None:
        nonlocal code
        code = code or kernel.code(args)
        _run(code, flat_again(args, known))

    return call
