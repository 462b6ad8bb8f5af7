"""A pool of threads, and chunks of rows that it is given."""

import contextlib
import operator
import os
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from fastgrok.kernels.environment import in_default_environment

_call = in_default_environment(operator.call)  # of a task: a thread has an environment of its own


def cpu_count() -> int:
    """Return how many CPUs this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def thread_pool(threads: int | None) -> ThreadPoolExecutor:
    """Return threads for several calls of `train`; None: one for each CPU."""
    return ThreadPoolExecutor(threads or cpu_count(), thread_name_prefix="fastgrok")


def in_threads(
    task: Callable[[slice], None],
    n: int,
    size: int,
    threads: int,
    *,
    cancel: Callable[[], None],
    advance: Callable[[int], object] | None,
    pool: ThreadPoolExecutor | None = None,
    at_once: bool = False,
) -> bool:
    """Run the task on n rows in chunks of a size; return whether Ctrl-C ended that early.

    Chunks are given out as threads become free, so an interruption leaves none waiting; `cancel` has those that
    are under way return. A second Ctrl-C while they do is raised. `at_once` runs one task on all rows in this thread:
    starting another takes longer than little work does, and Ctrl-C is raised when that is done.
    """
    if at_once:
        size, threads = n, 1
    if at_once or (threads == 1 and threading.current_thread() is not threading.main_thread()):  # no Ctrl-C there
        for first in range(0, n, size):
            rows = slice(first, min(first + size, n))
            _call(task, rows)
            if advance is not None:
                advance(rows.stop - rows.start)
        return False
    waiting: dict[Future[None], int] = {}

    def collect() -> None:
        done, _ = wait(waiting, return_when=FIRST_COMPLETED)
        finished = sum(waiting.pop(future) for future in done if future.result() is None)
        if advance is not None:
            advance(finished)

    with contextlib.nullcontext(pool) if pool is not None else thread_pool(threads) as workers:
        try:
            for first in range(0, n, size):
                rows = slice(first, min(first + size, n))
                waiting[workers.submit(_call, task, rows)] = rows.stop - rows.start
                if len(waiting) > threads:
                    collect()
            while waiting:
                collect()
        except BaseException as error:
            cancel()
            wait(waiting)
            if not isinstance(error, KeyboardInterrupt):
                raise
            return True
    return False
