"""A progress bar on a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from fastgrok.engine.notices import underway


def compiling_line() -> str:
    """Return what is being compiled now, as one line; nothing if nothing is."""
    names = underway()
    return f"compiling {'; '.join(names)} ..." if names else ""


@contextmanager
def progress_bar(total: int, show: bool | None) -> Iterator[Callable[[int], object] | None]:
    """Show a bar on stderr while the context lasts; yield the function that moves it, or None without a bar."""
    if not (sys.stderr.isatty() if show is None else show):
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Bar(Progress):
        """A bar, and under it what is being compiled at the time of each refresh."""

        def get_renderables(self) -> Iterator[Any]:
            yield from super().get_renderables()
            if line := compiling_line():
                yield Text(line, no_wrap=True, overflow="ellipsis")

    columns = TextColumn("seeds"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("seeds", total=total)
        yield lambda finished: bar.advance(task, finished)
