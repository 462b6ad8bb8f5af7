"""Units as circles in columns, layer by layer, with edges between them: how networks are drawn."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.errors import one_line
from fastgrok.plots.labels import layer_name
from fastgrok.plots.style import COLOURS, DEAD, blended
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.layers import Linear
from fastgrok.statistics.text import short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POSITIVE, NEGATIVE = COLOURS[0], COLOURS[5]
"""The colours of edges, by the sign of their number."""

WHITE = {"facecolor": "white", "edgecolor": "none", "pad": 1.2, "alpha": 0.9}
"""The box behind a text that stands on edges."""

GREY = (0.75, 0.75, 0.75)
"""The colour of units that let nothing through."""

_MAX_UNITS = 10  # of a layer; of larger ones the first and the last
_MAX_NUMBERS = 12  # edges whose numbers are written
_MAX_DISTANCE = 1.5  # between the nodes of a small layer
_CROWDED = 3  # nodes are smaller where a column is higher than this, from its middle


@dataclass(frozen=True)
class Place:
    """The position of a unit in the picture."""

    layer: int  # the number of the Linear layer that it belongs to; 0: it is an input
    unit: int  # its number in the layer, from 0
    x: float  # the number of its column, from the left
    y: float  # its height; 0 is the middle


class Edge(NamedTuple):
    """A connection of two units."""

    source: Place
    target: Place
    value: float  # the number on it: a weight, or a product


def layer_widths(experiment: Experiment) -> list[int]:
    """Return the number of inputs, and of units of each Linear layer."""
    linears = experiment.network.linears
    return [linears[0].fan_in, *(linear.fan_out for linear in linears)]


def skip_columns(experiment: Experiment) -> list[tuple[int, int]]:
    """Return for each Skip the columns from which and to which it leads."""
    layers = experiment.network.layers
    columns = [0, *itertools.accumulate(isinstance(layer, Linear) for layer in layers)]  # of what each layer takes in
    return [(columns[start], columns[end]) for start, end in experiment.network.skips]


def places(widths: Sequence[int]) -> list[list[Place]]:
    """Return the places of the units of each layer, from the top: of more than 10 the first 5 and the last 4."""
    slots = [min(width, _MAX_UNITS) for width in widths]
    return [list(_column(layer, width, max(slots))) for layer, width in enumerate(widths)]


def _column(layer: int, width: int, most: int) -> Iterator[Place]:
    """Yield the places of the units of a layer; `most` are the slots of the largest layer."""
    n = min(width, _MAX_UNITS)
    apart = min(_MAX_DISTANCE, (most - 1) / (n - 1)) if n > 1 else 1.0
    for slot in range(n):
        if width > n and slot == n // 2:  # for the number of units that are left out
            continue
        unit = slot if width == n or slot < n // 2 else width - n + slot
        yield Place(layer, unit, float(layer), apart * ((n - 1) / 2 - slot))


def edges_between(columns: Sequence[Sequence[Place]], numbers: Sequence[NDArray[Any]]) -> list[Edge]:
    """Return the edges between neighbouring columns; numbers: (fan_in, fan_out) for each layer, of all its units."""
    return [
        Edge(source, target, matrix[source.unit, target.unit].item())
        for (sources, targets), matrix in zip(itertools.pairwise(columns), numbers, strict=True)
        for source, target in itertools.product(sources, targets)
    ]


def largest_size(arrays: Sequence[NDArray[Any]]) -> float:
    """Return the largest absolute value among finite numbers; 1 if there is none but 0."""
    sizes = np.concatenate([np.abs(array).ravel() for array in arrays])
    return float(sizes[np.isfinite(sizes)].max(initial=0.0)) or 1.0


def crowded(nodes: Sequence[Place]) -> bool:
    """Return whether nodes and the numbers in them must be small."""
    return max(abs(node.y) for node in nodes) > _CROWDED


def draw_edges(edges: Sequence[Edge], largest: float, ax: Axes) -> None:
    """Draw edges: solid or dashed, wide or thin, dark or light; a 0 dotted; with its number where there are few."""
    from matplotlib.collections import LineCollection

    for color, style, sign in ((POSITIVE, "solid", 1), (NEGATIVE, "dashed", -1), (DEAD, "dotted", 0)):
        chosen = [edge for edge in edges if (sign * edge.value > 0 if sign else edge.value == 0)]
        sizes = [abs(edge.value) / largest for edge in chosen]
        lines = LineCollection(
            [[(edge.source.x, edge.source.y), (edge.target.x, edge.target.y)] for edge in chosen],
            colors=[blended(color, 0.3 + 0.7 * size) if sign else color for size in sizes],
            linewidths=[0.4 + 4.6 * size if sign else 1.0 for size in sizes],
            linestyles=style,
            zorder=1,
        )
        if chosen:
            ax.add_collection(lines, autolim=False)
    if len(edges) <= _MAX_NUMBERS:
        for edge, (x, y) in zip(edges, _label_places(edges), strict=True):
            ax.text(x, y, short(edge.value), ha="center", va="center", fontsize=7, bbox=WHITE, zorder=2)


def _label_places(edges: Sequence[Edge]) -> Iterator[tuple[float, float]]:
    """Yield the position of the number of each edge: where the edges of its layer are as far apart as they get."""
    ends = sorted({(end.layer, -end.y) for edge in edges for end in (edge.source, edge.target)})
    heights = {layer: [-y for _, y in column] for layer, column in itertools.groupby(ends, key=lambda end: end[0])}
    steps = {layer: ys[0] - ys[1] if len(ys) > 1 else 1.0 for layer, ys in heights.items()}
    for source, target, _ in edges:
        n_sources, n_targets = (len(heights[node.layer]) for node in (source, target))
        near, far = steps[source.layer], steps[target.layer]
        near, far = (near * n_sources, far) if n_sources <= n_targets else (near, far * n_targets)
        share = min(max(near / (near + far), 0.25), 0.75)
        yield source.x + share * (target.x - source.x), source.y + share * (target.y - source.y)


def unit_size(nodes: Sequence[Place]) -> int:
    """Return the area of a unit, in square points."""
    return 330 if crowded(nodes) else 720


def draw_units(nodes: Sequence[Place], grey: Sequence[Place], ax: Axes) -> None:
    """Draw a circle for each unit; those of `grey` are filled."""
    for units, face in (([node for node in nodes if node not in grey], "white"), (grey, GREY)):
        style: dict[str, Any] = {"s": unit_size(nodes), "color": face, "edgecolors": "black", "zorder": 3}
        ax.scatter([unit.x for unit in units], [unit.y for unit in units], **style)


def draw_frame(nodes: Sequence[Place], experiment: Experiment, title: str, ax: Axes) -> None:
    """Name the layers, the inputs and the outputs, say how many units are left out, and fit the axes."""
    widths, data = layer_widths(experiment), experiment.data
    last = len(widths) - 1
    layer_names = [layer_name(experiment, layer).replace(", ", "\n") for layer in range(len(widths))]
    ax.set_title(title, pad=4 + 13 * max(name.count("\n") + 1 for name in layer_names))  # above them, in points
    for layer, width in enumerate(widths):
        column = [node for node in nodes if node.layer == layer]
        above: dict[str, Any] = {"ha": "center", "va": "bottom", "fontsize": "small"}
        ax.annotate(layer_names[layer], (layer, 1), xycoords=("data", "axes fraction"), **above)
        if width > len(column):
            gap = (column[_MAX_UNITS // 2 - 1].y + column[_MAX_UNITS // 2].y) / 2
            where: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": "small", "bbox": WHITE, "zorder": 4}
            ax.text(layer, gap, f"⋮ {width - len(column):,} more", **where)
        if layer in (0, last):
            names, side, away = (data.target_names, "left", 18) if layer else (data.feature_names, "right", -18)
            style: dict[str, Any] = {"ha": side, "va": "center", "fontsize": "small"}
            for node in column:
                ax.annotate(
                    one_line(names[node.unit]), (node.x, node.y), (away, 0), textcoords="offset points", **style
                )
    top = max(node.y for node in nodes)
    _draw_skips(experiment, -top - 0.3, ax)
    ax.set_xlim(-0.35, last + 0.35)
    ax.set_ylim(-top - 0.5, top + 0.5)
    ax.set_axis_off()


def _draw_skips(experiment: Experiment, y: float, ax: Axes) -> None:
    """Draw an arrow below the units for each Skip, from the column that it begins at to the one that it adds to."""
    for start, end in skip_columns(experiment):
        style = {"arrowstyle": "->", "color": "black", "connectionstyle": "arc3,rad=0.12"}
        ax.annotate("", (end, y), (start, y), arrowprops=style, annotation_clip=False, zorder=2)


def draw_legend(largest: float, ax: Axes, unit: dict[str, Any] | None) -> None:
    """Draw a legend below the network: for edges, and for the marker of a unit where there is one."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=POSITIVE, linewidth=2.5, label=f"positive, widest: {largest:.3g}"),
        Line2D([], [], color=NEGATIVE, linewidth=2.5, linestyle="--", label="negative"),
    ]
    if unit is not None:
        handles.append(Line2D([], [], linestyle="", **unit))
    place: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, 0.0), "ncols": 3}
    ax.legend(handles=handles, frameon=False, fontsize="small", **place)
