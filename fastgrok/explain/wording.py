"""How the texts of explanations say numbers, lists and examples."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from fastgrok.datasets import Dataset
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.layers import ACTIVATIONS, Layer
from fastgrok.statistics.layout import Cells, aligned
from fastgrok.statistics.numbers import one_line

WIDTH = 100
"""Characters of a line of text at most."""

_NAMES = {cls: name for name, cls in ACTIVATIONS.items() if cls}
_MOST = 8  # items of a list that are said; inputs and examples may be thousands


def number(value: Any) -> str:
    """
    Return a number to four digits.

    Examples
    --------
    >>> number(0.123456), number(-0.0), number(2)
    ('0.1235', '0', '2')
    """
    return f"{float(value) + 0.0:.4g}"


def precise(value: float | np.floating) -> str:
    """
    Return a number to six digits, and no minus before a zero.

    Examples
    --------
    >>> precise(-0.66), precise(0.1 + 0.2), precise(-0.0)
    ('-0.66', '0.3', '0')
    """
    return f"{float(value) + 0.0:.6g}"


def numbers(values: np.ndarray) -> str:
    """
    Return numbers in brackets.

    values: (n,).

    Examples
    --------
    >>> numbers(np.array([0.0, 0.25]))
    '(0, 0.25)'
    """
    return f"({', '.join(map(precise, values))})"


def counted(count: int, noun: str) -> str:
    """
    Return a number of things.

    Examples
    --------
    >>> counted(1, "unit"), counted(1200, "unit")
    ('1 unit', '1,200 units')
    """
    return f"{count:,} {noun}{'s' * (count != 1)}"


def listed(items: Iterable[Any]) -> str:
    """
    Return things one after the other, the first eight of them if there are more.

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


def layer_name(layer: Layer) -> str:
    """
    Return the name of a layer as `mlp` takes it; "linear" for a Linear layer.

    Examples
    --------
    >>> import fastgrok as fg
    >>> layer_name(fg.LeakyReLU(0.2)), layer_name(fg.Linear(2, 4))
    ('leaky_relu', 'linear')
    """
    return next((name for cls, name in _NAMES.items() if isinstance(layer, cls)), "linear")


def param_names(experiment: Experiment, layer: int) -> list[str]:
    """
    Return what to call each weight of a Linear layer, row by row, then each bias.

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
    """Return sentences as lines of at most 100 characters; empty ones are left out."""
    return "\n".join(wrapped(" ".join(filter(None, sentences)), hanging=0))


def wrapped(text: str, indent: int = 0, hanging: int = 4) -> list[str]:
    """
    Return text in lines of at most 100 characters, broken between words.

    Examples
    --------
    >>> [len(line) for line in wrapped("0.25 " * 30, indent=2)]
    [96, 60]
    """
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + hanging),
        break_long_words=False,
        break_on_hyphens=False,
    )


def bullet(text: str) -> str:
    """
    Return an item of a list as lines of at most 100 characters.

    Examples
    --------
    >>> bullet("one thing")
    '- one thing'
    """
    return "\n".join(wrapped(f"- {text}", hanging=2))


def table(header: Sequence[str], body: Sequence[Sequence[str]], n_labels: int = 1) -> str:
    """Return an aligned table."""
    rows = [[one_line(cell) for cell in row] for row in body]
    return "\n".join(aligned(Cells(list(header), rows, n_labels)))
