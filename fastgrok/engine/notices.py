"""What is being compiled now, in this process or for it: a progress bar says so while it lasts."""

import contextlib
import itertools
import os
from collections.abc import Callable, Iterator

_numbers = itertools.count()
_compiling: dict[int, tuple[str, Callable[[], bool]]] = {}


@contextlib.contextmanager
def compiling(what: str) -> Iterator[None]:
    """Say what is being compiled while the context lasts."""
    number = next(_numbers)
    _compiling[number] = what, lambda: True
    try:
        yield
    finally:
        _compiling.pop(number, None)


def announce(what: str, lasts: Callable[[], bool]) -> None:
    """Say what is being compiled for as long as a function says so."""
    _compiling[next(_numbers)] = what, lasts


def underway() -> list[str]:
    """Return what is being compiled now, each once."""
    for number, (_, lasts) in list(_compiling.items()):
        if not lasts():
            _compiling.pop(number, None)
    return list(dict.fromkeys(what for what, _ in list(_compiling.values())))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_compiling.clear)
