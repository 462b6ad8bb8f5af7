"""`--compare`: which axis is meant, and the comparison of its values."""

import re
import shutil
import sys
from collections.abc import Collection
from typing import Any

from fastgrok.cli.flags import FIELD_FLAGS
from fastgrok.errors import InvalidExperiment, one_of
from fastgrok.spec.experiment import Experiment


def compared(name: str | None, axes: Collection[str], experiment: Experiment) -> str | None:
    """Return the axis whose values are compared; its first or last word, or the name of its flag, will do."""
    if name is None:
        return None
    word = name.removeprefix("--").replace("-", "_")
    names = {word, *(flag.field for flag in FIELD_FLAGS if flag.name == word)}
    found = [word] if word in axes else [path for path in axes if names & _names(path)]
    if len(found) != 1:
        expected = one_of(axes) if axes else "a field whose flag has a list, such as init"
        raise InvalidExperiment("--compare", name, expected)
    if experiment.criteria is None:
        raise InvalidExperiment("--compare", name, "no --no-stop beside it: it compares who meets the criteria")
    return found[0]


def _names(path: str) -> set[str]:
    """Return what an axis may be called: stop[0].loss is stop.loss, loss or stop as well."""
    plain = re.sub(r"\[\d+\]", "", path)
    return {path, plain, plain.rpartition(".")[2], plain.partition(".")[0]}


def show_comparison(sweep: Any, axis: str) -> None:
    """Print how the values of an axis compare, as wide as the terminal is."""
    from fastgrok.statistics.comparison import compare

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    print(compare(sweep, axis).as_text(width), flush=True)
