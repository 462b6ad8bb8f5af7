"""What all pictures share: colours that everybody can tell apart, lines that grey paper keeps apart, axes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000")
"""The palette of Okabe and Ito (2008), which colour-blind people tell apart."""

DASHES = ("-", "--", "-.", ":")
"""Changes with each colour, so that lines can be told apart in grey."""

_LINE = 12  # points from one name to the next
_ONE_COLUMN = 6  # names at most that are below each other

DEAD = "#999999"
"""What is dead is drawn grey, with a cross."""


class Look(NamedTuple):
    """How one of several lines looks."""

    color: str  # of `COLOURS`
    linestyle: str  # of `DASHES`


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


def axes_or_new(ax: Axes | None, height: float = 0.0) -> Axes:
    """Return the axes, or those of a new figure."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(layout="constrained")
    figure.set_figheight(max(height, figure.get_figheight()))
    return ax


def blended(color: str, amount: float) -> tuple[float, float, float]:
    """
    Return a colour mixed with white, so that less of it is lighter, in grey too.

    Examples
    --------
    >>> blended("#000000", 0.25)
    (0.75, 0.75, 0.75)
    """
    from matplotlib.colors import to_rgb

    red, green, blue = (1 - amount * (1 - part) for part in to_rgb(color))
    return red, green, blue


def ink(share: float) -> str:
    """
    Return "black" or "white": what can be read on a map that goes from dark to light.

    Examples
    --------
    >>> ink(0.1), ink(0.9)
    ('white', 'black')
    """
    return "black" if share > 0.5 else "white"


def legend_below(ax: Axes, title: str | None = None) -> None:
    """Say what stands for what below the axes, where long names hide nothing."""
    n = len(ax.get_legend_handles_labels()[1])
    style: dict[str, Any] = {"fontsize": "small"} if n <= _ONE_COLUMN else {"fontsize": "x-small", "ncols": 2}
    style |= {"loc": "upper center", "bbox_to_anchor": (0.5, 0.0), "borderaxespad": 4.5, "frameon": False}
    ax.legend(title=title, title_fontsize="small", **style)


def end_labels(ax: Axes, ends: Mapping[str, float]) -> None:
    """Write the name of each line at its right end, moved apart where they would overlap."""
    low, high = ax.get_ylim()
    ax.set_ylim(low, high)
    height = 72 * ax.bbox.height / ax.figure.dpi  # in points
    line = {"arrowstyle": "-", "color": DEAD, "linewidth": 0.6, "shrinkA": 1, "shrinkB": 0}
    style: dict[str, Any] = {"fontsize": "small", "verticalalignment": "center", "arrowprops": line}
    for (name, end), place in zip(ends.items(), apart(list(ends.values()), low, high, _LINE / height), strict=True):
        ax.annotate(
            name, (1.0, end), (1.04, place), xycoords=("axes fraction", "data"), annotation_clip=False, **style
        )


def apart(places: Sequence[float], low: float, high: float, gap: float) -> list[float]:
    """
    Return places moved so that none is too near another, in the order in which they are.

    Examples
    --------
    >>> apart([0.5, 0.5, 0.9], 0, 1, gap=0.2)
    [0.4, 0.6, 0.9]
    """
    step = gap * (high - low)
    groups: list[tuple[float, list[int]]] = []  # a middle, and the labels that are stacked around it
    for k in sorted(range(len(places)), key=lambda k: (places[k], k)):
        middle, members = places[k], [k]
        while groups and middle - groups[-1][0] < step * (len(members) + len(groups[-1][1])) / 2:
            _, below = groups.pop()
            members = below + members
            middle = sum(places[i] for i in members) / len(members)
        groups.append((middle, members))
    moved = [0.0] * len(places)
    for middle, members in groups:
        for position, k in enumerate(members):
            moved[k] = middle + step * (position - (len(members) - 1) / 2)
    return moved
