"""What all pictures share: colours that everybody can tell apart, lines that grey paper keeps apart, axes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000")
"""The palette of Okabe and Ito (2008), which colour-blind people tell apart."""

DASHES = ("-", "--", "-.", ":")
"""Changes with each colour, so that lines can be told apart in grey."""

DEAD = "#999999"
"""What is dead is drawn grey, with a cross."""


class Look(NamedTuple):
    """
    How one of several lines looks.

    Parameters
    ----------
    color
        Of `COLOURS`.
    linestyle
        Of `DASHES`.
    """

    color: str
    linestyle: str


def looks() -> Iterator[Look]:
    """
    Yield how one line after the other looks, without end.

    Examples
    --------
    >>> next(looks())
    Look(color='#0072B2', linestyle='-')
    """
    for k in itertools.count():
        yield Look(COLOURS[k % len(COLOURS)], DASHES[k % len(DASHES)])


def axes_or_new(ax: Axes | None) -> Axes:
    """
    Return the axes, or those of a new figure.

    Parameters
    ----------
    ax
        Where to draw; None: in a new figure.
    """
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained")[1]
