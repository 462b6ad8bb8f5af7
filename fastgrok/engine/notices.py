"""What a terminal shows while it lasts: how far work is, and what is compiled, in this process or for it."""

import contextlib
import itertools
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

_numbers = itertools.count()
_compiling: dict[int, tuple[str, Callable[[], bool]]] = {}
_here = threading.local()  # whether this thread has said what it compiles
_PATIENCE = 2.0  # seconds of work that nobody needs to see


class _Compiled(Protocol):
    """A kernel."""

    def is_cached(self) -> bool: ...


@contextlib.contextmanager
def compiling(what: str) -> Iterator[None]:
    """Say what is being compiled while the context lasts, unless it is part of what this thread says already."""
    if getattr(_here, "says", False):
        yield
        return
    number = next(_numbers)
    _compiling[number] = what, lambda: True
    _here.says = True
    try:
        _line.appear()
        yield
    finally:
        _here.says = False
        _compiling.pop(number, None)


def announced(what: str, *kernels: _Compiled) -> contextlib.AbstractContextManager[None]:
    """Say what is compiled, if it is: reading it from the cache takes no time to speak of."""
    return contextlib.nullcontext() if all(kernel.is_cached() for kernel in kernels) else compiling(what)


def announce(what: str, lasts: Callable[[], bool]) -> None:
    """Say what is being compiled for as long as a function says so."""
    _compiling[next(_numbers)] = what, lasts
    _line.appear()


def underway() -> list[str]:
    """Return what is being compiled now, each once."""
    for number, (_, lasts) in list(_compiling.items()):
        if not lasts():
            _compiling.pop(number, None)
    return list(dict.fromkeys(what for what, _ in list(_compiling.values())))


def compiling_line() -> str:
    """Return what is being compiled now, as one line; nothing if nothing is."""
    names = underway()
    return f"compiling {'; '.join(names)} ..." if names else ""


def is_shown(show: bool | None) -> bool:
    """Whether something is shown on stderr; None: if it is a terminal. A service may have none, or a closed one."""
    if sys.stderr is None or getattr(sys.stderr, "closed", False):
        return False
    return bool(sys.stderr.isatty()) if show is None else show


def shown(show: bool | None) -> contextlib.AbstractContextManager[None]:
    """Say on stderr what is being compiled while the context lasts; where nothing is, nothing is written."""
    return _line.asked_for() if is_shown(show) else contextlib.nullcontext()


@contextlib.contextmanager
def progress_bar(total: int, show: bool | None, what: str = "seeds") -> Iterator[Callable[[int], object] | None]:
    """Show a bar on stderr while the context lasts; yield the function that moves it, or None without a bar.

    Unless it was asked for, it appears after two seconds: of what is done sooner nobody needs to know.
    """
    if not is_shown(show):
        yield None
        return
    due, done, task = time.monotonic() + (0.0 if show else _PATIENCE), 0, None

    def advance(finished: int) -> None:
        nonlocal done, task
        done += finished
        if task is None and time.monotonic() >= due:
            task = _line.appear().add_task(what, total=total)
        if task is not None:
            _line.appear().update(task, completed=done)

    with _line.asked_for():
        advance(0)
        try:
            yield advance
        finally:
            if task is not None:
                _line.appear().remove_task(task)


def make_bar() -> Any:
    """Return a bar of each task, and under it what is being compiled at the time of each refresh."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Bar(Progress):
        """Bars, and a line."""

        def get_renderables(self) -> Iterator[Any]:
            yield from super().get_renderables()
            if line := compiling_line():
                yield Text(line, no_wrap=True, overflow="ellipsis")

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    return Bar(*columns, console=Console(stderr=True), transient=True)


class _Line:
    """The bars and the line of whoever asked for them: they appear with the first thing that is said."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._n_asked = 0
        self._bar: Any = None

    @contextlib.contextmanager
    def asked_for(self) -> Iterator[None]:
        """Have it appear if something is compiled while the context lasts."""
        with self._lock:
            self._n_asked += 1
        try:
            yield
        finally:
            with self._lock:
                self._n_asked -= 1
                if not self._n_asked and self._bar is not None:
                    self._bar.stop()
                    self._bar = None

    def appear(self) -> Any:
        """Appear, if that was asked for, and return the bar."""
        with self._lock:
            if self._n_asked and self._bar is None:
                self._bar = make_bar()
                self._bar.start()
            return self._bar


_line = _Line()


def _forget() -> None:
    """Forget what the process compiles that this one was forked from."""
    global _line
    _compiling.clear()
    _line, _here.says = _Line(), False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
