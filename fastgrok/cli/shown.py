"""The table that `fastgrok sweep` and `fastgrok summary` print."""

import sys
from collections.abc import Iterable
from typing import Any


def show(rows: Iterable[Any], paths: Iterable[str]) -> None:
    """Print a table of configurations: the network and what varies."""
    from fastgrok.results.table import print_table

    shown = ["network", *(path for path in paths if path != "network")]
    print_table(list(rows), shown, sys.stdout)
