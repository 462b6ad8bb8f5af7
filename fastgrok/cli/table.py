"""What `fastgrok sweep` and `fastgrok summary` print: a table of configurations, or a comparison of them."""

import shutil
import sys
from collections.abc import Iterable
from typing import Any


def print_rows(rows: Iterable[Any], axes: Iterable[str]) -> None:
    """Print a table of configurations: the network and what varies."""
    from fastgrok.results.table import print_table

    paths = ["network", *(path for path in axes if path != "network")]
    print_table(list(rows), paths, sys.stdout)


def print_comparison(sweep: Any, axis: str) -> None:
    """Print how the values of an axis compare, as wide as the terminal is."""
    from fastgrok.statistics.comparison import compare

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    print(compare(sweep, axis).as_text(width), flush=True)
