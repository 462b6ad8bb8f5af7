"""Work that Ctrl-C must not cut in two."""

import contextvars
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

_R = TypeVar("_R")
_LOOKS = 0.1  # seconds from one look for Ctrl-C to the next


def apart(work: Callable[[], _R]) -> _R:
    """Return what a function returns. The main thread has another one call it, and Ctrl-C is raised here at once.

    Python raises KeyboardInterrupt between any two instructions of the main thread: in a finaliser, of which a
    compiler leaves many, it is lost; in a function that LLVM calls it crosses LLVM; elsewhere it leaves Numba half
    made. The other thread goes on to its end, and what it makes is there for the next call.
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    ended: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            ended.put((work(), None))
        except BaseException as error:
            ended.put((None, error))

    try:
        threading.Thread(target=contextvars.copy_context().run, args=(run,), name="fastgrok compiles").start()
    except RuntimeError:  # no more threads
        return work()
    while True:
        try:
            result, error = ended.get(timeout=_LOOKS)
        except queue.Empty:  # the signal may have come to another thread, or be one of Windows, and wakes nobody
            continue
        if error is not None:
            raise error
        return result
