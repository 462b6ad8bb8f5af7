"""A progress bar on a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from fastgrok.engine.notices import underway


def compiling_line() -> str:
    """Return what is being compiled now, as one line; nothing if nothing is."""
    names = underway()
    return f"compiling {'; '.join(names)} ..." if names else ""


@contextmanager
def progress_bar(total: int, show: bool | None) -> Iterator[Callable[[int], object] | None]:
    """Show a bar on stderr while the context lasts; yield the function that moves it, or None without a bar."""
    if not _is_shown(show):
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

    with _bar(TextColumn("seeds"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()) as bar:
        task = bar.add_task("seeds", total=total)
        yield lambda finished: bar.advance(task, finished)


@contextmanager
def compiling_shown(show: bool | None) -> Iterator[None]:
    """Say on stderr what is being compiled while the context lasts."""
    with _bar() if _is_shown(show) else nullcontext():
        yield


def _is_shown(show: bool | None) -> bool:
    return sys.stderr.isatty() if show is None else show


def _bar(*columns: Any) -> Any:
    """Return a bar of such columns, and under it what is being compiled at the time of each refresh."""
    from rich.console import Console
    from rich.progress import Progress
    from rich.text import Text

    class Bar(Progress):
        """A bar, and a line."""

        def get_renderables(self) -> Iterator[Any]:
            yield from super().get_renderables()
            if line := compiling_line():
                yield Text(line, no_wrap=True, overflow="ellipsis")

    return Bar(*columns, console=Console(stderr=True), transient=True)
