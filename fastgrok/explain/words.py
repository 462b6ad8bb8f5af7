"""How layers and numbers are called in what is explained."""

from __future__ import annotations

import textwrap

import numpy as np

from fastgrok.layers import ACTIVATIONS, Layer

WIDTH = 100
"""Characters of a line at most."""

_NAMES = {cls: name for name, cls in ACTIVATIONS.items() if cls}


def layer_name(layer: Layer) -> str:
    """
    Return the name of a layer as `mlp` takes it; "linear" for a Linear layer.

    Parameters
    ----------
    layer
        Any.

    Examples
    --------
    >>> import fastgrok as fg
    >>> layer_name(fg.LeakyReLU(0.2)), layer_name(fg.Linear(2, 4))
    ('leaky_relu', 'linear')
    """
    return next((name for cls, name in _NAMES.items() if isinstance(layer, cls)), "linear")


def number(value: float | np.floating) -> str:
    """
    Return a number to six digits, and no minus before a zero.

    Parameters
    ----------
    value
        Any.

    Examples
    --------
    >>> number(-0.66), number(0.1 + 0.2), number(-0.0)
    ('-0.66', '0.3', '0')
    """
    return f"{float(value) + 0.0:.6g}"


def numbers(values: np.ndarray) -> str:
    """
    Return numbers in brackets.

    Parameters
    ----------
    values
        (n,).

    Examples
    --------
    >>> numbers(np.array([0.0, 0.25]))
    '(0, 0.25)'
    """
    return f"({', '.join(map(number, values))})"


def wrapped(text: str, indent: int = 0, hanging: int = 4) -> list[str]:
    """
    Return text in lines of at most 100 characters, broken between words.

    Parameters
    ----------
    text
        One paragraph.
    indent
        Blanks before its first line.
    hanging
        Blanks more before the others.

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
