"""How the texts of explanations name examples, layers and parameters, and break their lines."""

import functools
import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastgrok.datasets import Dataset
from fastgrok.errors import one_line
from fastgrok.spec.experiment import Experiment
from fastgrok.statistics.text import number

WIDTH = 100
"""Characters of a line of text at most."""

_MOST = 8  # numbers of an example that are said; inputs may be thousands

precise = functools.partial(number, digits=6)
"""Writes a number to six digits, as calculations show them."""


def numbers(values: np.ndarray) -> str:
    """Return numbers (n,) in brackets: (0, 0.25)."""
    return f"({', '.join(map(precise, values))})"


def example(data: Dataset, k: int) -> str:
    """Return an example by its number, inputs and targets."""
    return f"example {k} ({_row(data.X[k])} -> {_row(data.y[k])})"


def _row(values: Sequence[Any]) -> str:
    """Say the numbers of a row, the first ones if there are many."""
    return ", ".join([number(value) for value in values[:_MOST]] + ["..."] * (len(values) > _MOST))


def param_names(experiment: Experiment, layer: int) -> list[str]:
    """Return what to call each weight of a Linear layer, row by row, then each bias."""
    linear = experiment.network.linears[layer - 1]
    inputs = experiment.data.feature_names if layer == 1 else [f"unit {i}" for i in range(linear.fan_in)]
    sources = [one_line(name) for name in [*inputs, *["bias"] * linear.bias]]
    return [f"{source} -> unit {j}" for source in sources for j in range(linear.fan_out)]


def paragraph(*sentences: str) -> str:
    """Return sentences as lines of at most 100 characters; empty ones are left out."""
    return "\n".join(wrapped(" ".join(filter(None, sentences)), hanging=0))


def wrapped(text: str, indent: int = 0, hanging: int = 4) -> list[str]:
    """Return text in lines of at most 100 characters, broken between words."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + hanging),
        break_long_words=False,
        break_on_hyphens=False,
    )


def indented(text: str) -> str:
    """Return lines with two blanks before each."""
    return textwrap.indent(text, "  ")
