"""The layers as columns: the sign of every delta, the direction of every weight, the units that block the flow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastgrok.errors import InvalidExperiment
from fastgrok.explain.sign_flow import SignFlow
from fastgrok.explain.sign_rules import UPDATES
from fastgrok.plots.labels import check_explanation
from fastgrok.plots.style import COLOURS, DEAD, axes_or_new

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_UNITS = 8
"""Units of a layer that are drawn; of more the first ones."""

_SIGNS = {1: "+", 0: "0", -1: "−"}
_STYLES: dict[int, dict[str, Any]] = {  # by the direction of a weight
    1: {"marker": "^", "color": COLOURS[0], "ls": "-"},
    -1: {"marker": "v", "color": COLOURS[5], "ls": "--"},
    0: {"marker": ".", "color": DEAD, "ls": ":"},
}


class Node(NamedTuple):
    """A unit of the input of a layer, or at the right end an output of the network."""

    column: int  # from 0, the inputs
    y: float  # its height: the middle of a column is 0, and the first unit is the highest
    sign: int  # of its delta: 1, 0, -1
    blocked: bool  # whether a delta arrives from the right and does not pass


class Edge(NamedTuple):
    """A connection of a unit with one of the next column."""

    column: int  # of the unit on the left
    y: tuple[float, float]  # the heights of the two units
    direction: int | None  # of the weight: 1 up, -1 down, 0 kept; None: an activation or a Skip, which has none


def sign_marks(flow: SignFlow, row: int = 0) -> tuple[list[Node], list[Edge]]:
    """Return the units and connections of one example.

    Parameters
    ----------
    flow
        What `fg.explain.sign_flow` returns.
    row
        Which of its examples, from 0.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(1, 1, bias=False), fg.Dataset([[1]], [1]))
    >>> sign_marks(fg.explain.sign_flow(exp, [[[0.5]]]))
    ([Node(column=0, y=0.0, sign=-1, blocked=False), Node(column=1, y=0.0, sign=-1, blocked=False)],
     [Edge(column=0, y=(0.0, 0.0), direction=1)])
    """
    check_explanation("flow", flow, SignFlow)
    if isinstance(row, bool) or not isinstance(row, int | np.integer) or not 0 <= row < len(flow.examples):
        raise InvalidExperiment("row", row, f"a number from 0 to {len(flow.examples) - 1}")
    nodes: list[Node] = []
    edges: list[Edge] = []
    right: list[float] = []  # heights in the column on the right
    for layer in flow.layers[:-1]:
        column = layer.number - 2
        heights = _heights(layer.taken.shape[1])
        for unit, y in enumerate(heights):
            blocked = layer.blocked is not None and bool(layer.blocked[row, unit])
            nodes.append(Node(column, y, int(layer.sign[row, unit]), blocked))
            if layer.direction_weight is not None:
                directions = layer.direction_weight[row, unit].tolist()
                edges += [Edge(column, (y, end), directions[j]) for j, end in enumerate(right)]
            elif right:
                edges.append(Edge(column, (y, y), None))
        right = heights
    return nodes[::-1], edges[::-1]


def _heights(width: int) -> list[float]:
    """Return the heights of the units of a column that are drawn."""
    n = min(width, MOST_UNITS)
    return [(n - 1) / 2 - k for k in range(n)]


def sign_flow(flow: SignFlow, ax: Axes | None = None, *, row: int = 0) -> Axes:
    """Draw the signs of one example: columns of units, the direction of each weight, blocked units crossed.

    Parameters
    ----------
    flow, ax, row
        See `sign_marks` and `fastgrok.plots`.

    Returns
    -------
    The axes. The sign in a unit is that of delta; a triangle upwards on a solid line is a weight that goes up,
    downwards on a dashed line one that goes down, a dot on a dotted line one that is kept.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(1, 1, bias=False), fg.Dataset([[1]], [1]))
    >>> sign_flow(fg.explain.sign_flow(exp, [[[0.5]]])).get_title()
    'Example 0: output 0.5, target 1'
    """
    nodes, edges = sign_marks(flow, row)
    ax = axes_or_new(ax)
    for k, edge in enumerate(edges):
        _draw_edge(edge, 0.3 + 0.1 * (k % 5), ax)
    for node in nodes:
        _draw_node(node, ax)
    top = max(node.y for node in nodes)
    spread = max(1.0, (top + 1) / 2)  # where columns are tall, all is drawn smaller
    _label_columns(flow, top, spread, ax)
    output, target = (", ".join(f"{x:.3g}" for x in a[row][:MOST_UNITS]) for a in (flow.output, flow.target))
    ax.set_title(f"Example {flow.examples[row]}: output {output}, target {target}")
    ax.set_xlim(-0.5, len(flow.layers) - 1.5)
    ax.set_ylim(-top - 0.9, top + 1.4 * spread)
    ax.set_axis_off()
    if any(edge.direction is not None for edge in edges):
        _draw_legend(ax)
    return ax


def _draw_edge(edge: Edge, along: float, ax: Axes) -> None:
    """Draw a line, and on it the mark of a weight."""
    (start, end), x = edge.y, edge.column
    if edge.direction is None:
        ax.plot([x, x + 1], [start, end], color="black", lw=0.8, zorder=1)
        return
    style = _STYLES[edge.direction]
    ax.plot([x, x + 1], [start, end], lw=1, zorder=1, **{**style, "marker": None})
    ax.plot(x + along, start + along * (end - start), ms=8, mec="white", mew=0.6, zorder=1, **{**style, "ls": ""})


def _draw_node(node: Node, ax: Axes) -> None:
    """Draw a unit with its sign, crossed where it blocks."""
    fill = DEAD if node.blocked else "white"
    ax.plot(node.column, node.y, "o", ms=19, mfc=fill, mec="black", mew=1, zorder=2)
    if node.blocked:
        ax.plot(node.column, node.y, "x", ms=14, color="black", mew=2, zorder=3)
    else:
        ax.text(node.column, node.y, _SIGNS[node.sign], ha="center", va="center", fontsize=12, zorder=3)


def _label_columns(flow: SignFlow, top: float, spread: float, ax: Axes) -> None:
    """Write the delta above each column, layers between columns, and below how many units are left out."""
    for layer in flow.layers[:-1]:
        column, width = layer.number - 2, layer.taken.shape[1]
        ax.text(column, top + 0.6 * spread, f"$\\delta^{{{layer.number}}}$", ha="center", fontsize=12)
        if column < len(flow.layers) - 2:
            name = f"L{layer.number}\n{layer.name}"
            size = 9 if len(flow.layers) < 10 else 6
            ax.text(column + 0.5, top + 0.85 * spread, name, ha="center", fontsize=size)
        if width > MOST_UNITS:
            ax.text(column, -top - 0.75, f"{width - MOST_UNITS} more", ha="center", fontsize=8)


def _draw_legend(ax: Axes) -> None:
    """Draw the marks of weights and of blocked units with their meanings."""
    from matplotlib.lines import Line2D

    marks = [Line2D([], [], ms=8, label=f"weight: {UPDATES[k]}", **_STYLES[k]) for k in (1, -1, 0)]
    marks.append(Line2D([], [], ls="none", marker="x", ms=8, mew=2, color="black", label="blocks the flow"))
    ax.legend(handles=marks, loc="upper center", bbox_to_anchor=(0.5, 0), ncols=4, frameon=False, fontsize=8)
