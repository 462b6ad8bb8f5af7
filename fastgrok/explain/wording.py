"""How the texts of explanations say numbers, lists and examples."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

from fastgrok.datasets import Dataset
from fastgrok.display.layout import Cells, aligned
from fastgrok.display.numbers import one_line
from fastgrok.experiment import Experiment

WIDTH = 100
"""Characters of a line of text at most."""

_MOST = 8  # items of a list that are said; inputs and examples may be thousands


def number(value: Any) -> str:
    """
    Return a number to four digits.

    Parameters
    ----------
    value
        Any number.

    Examples
    --------
    >>> number(0.123456), number(-0.0), number(2)
    ('0.1235', '0', '2')
    """
    return f"{float(value) + 0.0:.4g}"


def counted(count: int, noun: str) -> str:
    """
    Return a number of things.

    Parameters
    ----------
    count
        0 or more.
    noun
        One of them.

    Examples
    --------
    >>> counted(1, "unit"), counted(1200, "unit")
    ('1 unit', '1,200 units')
    """
    return f"{count:,} {noun}{'s' * (count != 1)}"


def listed(items: Iterable[Any]) -> str:
    """
    Return things one after the other, the first eight of them if there are more.

    Parameters
    ----------
    items
        One or more.

    Examples
    --------
    >>> listed([1, 2, 3])
    '1, 2 and 3'
    """
    words = [str(item) for item in items]
    if len(words) > _MOST:
        words = [*words[: _MOST - 1], f"{len(words) - _MOST + 1:,} more"]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def example(data: Dataset, k: int) -> str:
    """
    Return an example by its number, inputs and targets.

    Parameters
    ----------
    data
        The examples.
    k
        From 0.

    Examples
    --------
    >>> import fastgrok as fg
    >>> example(fg.datasets.xor(), 1)
    'example 1 (0, 1 -> 1)'
    """
    return f"example {k} ({_row(data.X[k])} -> {_row(data.y[k])})"


def _row(values: Sequence[Any]) -> str:
    """Say the numbers of a row, the first ones if there are many."""
    return ", ".join([number(value) for value in values[:_MOST]] + ["..."] * (len(values) > _MOST))


def param_names(experiment: Experiment, layer: int) -> list[str]:
    """
    Return what to call each weight of a Linear layer, row by row, then each bias.

    Parameters
    ----------
    experiment
        What was trained.
    layer
        Its number, from 1.

    Examples
    --------
    >>> import fastgrok as fg
    >>> param_names(fg.Experiment(fg.mlp(2, 1), fg.datasets.and_()), 1)
    ['x0 -> unit 0', 'x1 -> unit 0', 'bias -> unit 0']
    """
    linear = experiment.network.linears[layer - 1]
    inputs = experiment.data.feature_names if layer == 1 else [f"unit {i}" for i in range(linear.fan_in)]
    sources = [one_line(name) for name in [*inputs, *["bias"] * linear.bias]]
    return [f"{source} -> unit {j}" for source in sources for j in range(linear.fan_out)]


def paragraph(*sentences: str) -> str:
    """
    Return sentences as lines of at most 100 characters; empty ones are left out.

    Parameters
    ----------
    *sentences
        Each with its full stop.
    """
    return textwrap.fill(" ".join(filter(None, sentences)), WIDTH, break_long_words=False, break_on_hyphens=False)


def bullet(text: str) -> str:
    """
    Return an item of a list as lines of at most 100 characters.

    Parameters
    ----------
    text
        What it says.

    Examples
    --------
    >>> bullet("one thing")
    '- one thing'
    """
    return textwrap.fill(
        text, WIDTH, initial_indent="- ", subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )


def table(header: Sequence[str], body: Sequence[Sequence[str]], n_labels: int = 1) -> str:
    """
    Return an aligned table.

    Parameters
    ----------
    header
        What stands above the columns.
    body
        Rows of as many cells.
    n_labels
        Columns that hold words; the others hold numbers.
    """
    rows = [[one_line(cell) for cell in row] for row in body]
    return "\n".join(aligned(Cells(list(header), rows, n_labels)))
