"""A progress bar on a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fastgrok.engine.notices import is_shown, make_bar


@contextmanager
def progress_bar(total: int, show: bool | None) -> Iterator[Callable[[int], object] | None]:
    """Show a bar on stderr while the context lasts; yield the function that moves it, or None without a bar."""
    if not is_shown(show):
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

    with make_bar(TextColumn("seeds"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()) as bar:
        task = bar.add_task("seeds", total=total)
        yield lambda finished: bar.advance(task, finished)
