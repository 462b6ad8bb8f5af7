"""Colours that colour-blind readers tell apart, line styles for grey paper, axes, legends and cells of heat maps."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.errors import InvalidExperiment

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000")
"""The palette of Okabe and Ito (2008), which colour-blind people tell apart."""

DASHES = ("-", "--", "-.", ":")
"""Changes with each colour, so that lines can be told apart in grey."""

MARKERS = "osD^v"
"""Markers that are told apart at a small size."""

_LINE = 12  # points from one name to the next
_ONE_COLUMN = 6  # entries of a legend in one column, at most

DEAD = "#999999"
"""Grey: the colour of dead units, and of lines in the background."""


class LineStyle(NamedTuple):
    """Colour and dashes of a line."""

    color: str  # of `COLOURS`
    linestyle: str  # of `DASHES`


def line_styles() -> Iterator[LineStyle]:
    """Yield the styles of one line after the other, without end."""
    yield from map(LineStyle, itertools.cycle(COLOURS), itertools.cycle(DASHES))


def axes_or_new(ax: Axes | None, height: float = 0.0) -> Axes:
    """Return the axes, or those of a new figure at least `height` inches high."""
    import matplotlib.axes
    import matplotlib.pyplot as plt

    if ax is not None:
        if not isinstance(ax, matplotlib.axes.Axes):
            raise InvalidExperiment("ax", ax, "None, or the axes of a figure of matplotlib")
        return ax
    figure, ax = plt.subplots(layout="constrained")
    figure.set_figheight(max(height, figure.get_figheight()))
    return ax


def blended(color: str, amount: float) -> tuple[float, float, float]:
    """Return a colour mixed with white, so that less of it is lighter, in grey too."""
    from matplotlib.colors import to_rgb

    red, green, blue = (1 - amount * (1 - part) for part in to_rgb(color))
    return red, green, blue


def heat_map(values: NDArray[Any], ax: Axes, cmap: str, low: float, high: float) -> AxesImage:
    """Draw a cell for each value of a matrix, whatever the shape of the axes."""
    return ax.imshow(values, cmap=cmap, vmin=low, vmax=high, aspect="auto", interpolation="none")


def write_cells(texts: Sequence[Sequence[str]], light: NDArray[np.bool_], ax: Axes, **style: Any) -> None:
    """Write a text into each cell of a heat map: black where `light`, of shape (n_rows, n_columns), else white."""
    for (row, column), is_light in np.ndenumerate(light):
        if text := texts[row][column]:
            ax.text(column, row, text, ha="center", va="center", color="black" if is_light else "white", **style)


def legend_below(ax: Axes, title: str | None = None) -> None:
    """Draw a legend below the axes, where long names hide nothing."""
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
    """Return positions moved so that each is at least `gap` of the range from the next, in their order."""
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
