"""How a store is completed: who trains, which part, and how. No bit of a row depends on it."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Any, NamedTuple, Self

from fastgrok.engine import arguments
from fastgrok.errors import InvalidExperiment


class How(NamedTuple):
    """The arguments of `Store.resume`, which explains them."""

    executor: Executor | None = None  # whose workers train; None: threads of this process
    part_of: tuple[int, int] | None = None  # (i, n) for the i-th of n parts of the work; None: all of it
    threads: int | None = None  # threads, without an executor; None: one for each CPU
    specialize: bool | None = None  # which driver trains; None: the one that saves time
    progress: bool | None = None  # whether to show a bar; None: on a terminal

    def checked(self) -> Self:
        """Return it, if it will do."""
        if self.executor is not None and not isinstance(self.executor, Executor):
            expected = "None, or a concurrent.futures.Executor, such as Client(...).get_executor() of Dask"
            raise InvalidExperiment("executor", self.executor, expected)
        if self.part_of is not None and not _is_part(self.part_of):
            raise InvalidExperiment("part_of", self.part_of, "None, or (i, n) with i from 1 to n")
        arguments.checked_integer("threads", self.threads, arguments.MAX_THREADS)
        if self.threads is not None and self.executor is not None:
            expected = "None with an executor: each of its workers trains in one thread"
            raise InvalidExperiment("threads", self.threads, expected)
        arguments.checked_flag("specialize", self.specialize)
        arguments.checked_flag("progress", self.progress)
        return self


def _is_part(value: Any) -> bool:
    """Whether a value is (i, n) with i from 1 to n."""
    if not isinstance(value, tuple | list) or len(value) != 2 or not all(type(number) is int for number in value):
        return False
    return bool(1 <= value[0] <= value[1])
