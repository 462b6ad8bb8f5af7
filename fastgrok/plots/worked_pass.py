"""A network with the numbers of one pass: what goes along each edge, and what comes out of each unit."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastgrok.explain.worked_pass import LayerPass, WorkedPass
from fastgrok.plots.graph import (
    WHITE,
    Edge,
    Place,
    crowded,
    draw_circles,
    draw_edges,
    draw_frame,
    draw_legend,
    places,
)
from fastgrok.plots.style import axes_or_new, blended
from fastgrok.statistics.text import short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST = 4  # outputs in the title
_FITS = 5  # characters of a number that fits into a node
_AWAY = 15  # points from the middle of a node to the text beside it


@dataclass(frozen=True)
class PassNode(Place):
    """A unit in a pass."""

    activation: float  # what it gives out; of an input the input
    pre_activation: float | None  # z, what its products and its bias add up to; None of an input
    bias: float | None  # none if it has none
    delta: float | None  # dL/dz; None of an input
    off: bool  # whether the slope of its activation is 0 here, so that no delta passes it


class PassGraph(NamedTuple):
    """A pass through a network."""

    nodes: list[PassNode]  # layer by layer; of a layer of more than 10 units the first 5 and the last 4
    edges: list[Edge]  # those between these nodes, with the products x_i w_ij
    largest: float  # the largest size of a product, left out ones too


def pass_graph(found: WorkedPass) -> PassGraph:
    """
    Return the numbers of a pass as nodes and edges.

    Parameters
    ----------
    found
        What `fastgrok.explain.worked_pass` returns.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 1, bias=False), fg.datasets.xor())
    >>> graph = pass_graph(fg.explain.worked_pass(exp, [[[0.5], [-2.0]]], example=1))
    >>> [edge.value for edge in graph.edges], graph.nodes[-1].delta
    ([0.0, -2.0], -3.0)
    """
    columns = places([len(found.inputs), *(len(layer.activation) for layer in found.layers)])
    nodes = [[PassNode(p.layer, p.unit, p.x, p.y, float(found.inputs[p.unit]), None, None, None, False)
              for p in columns[0]]]  # fmt: skip
    edges: list[Edge] = []
    for layer, column in zip(found.layers, columns[1:], strict=True):
        nodes.append([_node(layer, place) for place in column])
        products = layer.products.tolist()
        pairs = itertools.product(nodes[-2], nodes[-1])
        edges += [Edge(source, target, products[source.unit][target.unit]) for source, target in pairs]
    sizes = np.concatenate([np.abs(layer.products).ravel() for layer in found.layers])
    largest = float(sizes[np.isfinite(sizes)].max(initial=0.0)) or 1.0
    return PassGraph([node for column in nodes for node in column], edges, largest)


def _node(layer: LayerPass, place: Place) -> PassNode:
    """Return what a unit does in a pass."""
    unit = place.unit
    return PassNode(
        place.layer,
        unit,
        place.x,
        place.y,
        float(layer.activation[unit]),
        float(layer.pre_activation[unit]),
        None if layer.bias is None else float(layer.bias[unit]),
        float(layer.delta[unit]),
        any(activation.slope[unit] == 0 for activation in layer.activations),
    )


def worked_pass(found: WorkedPass, ax: Axes | None = None) -> Axes:
    """
    Draw one pass: products on the edges, activations in the nodes, below them z and the bias b, above them delta.

    Parameters
    ----------
    found
        What `fastgrok.explain.worked_pass` returns.
    ax
        Where to draw; None: in a new figure.

    Notes
    -----
    An edge is the wider and the darker the larger its product is; that of a negative product is dashed, and of 0
    dotted. Up to 12 products are written beside their edges. A unit whose activation has the slope 0 here, so that no
    delta passes it, is grey. Of a layer of more than 10 units the first 5 and the last 4 are shown; where a layer has
    more than 7 there is no room for z and delta, which stand in the text.

    Examples
    --------
    >>> import fastgrok as fg, matplotlib.figure
    >>> exp = fg.Experiment(fg.mlp(2, 1, bias=False), fg.datasets.xor())
    >>> work = fg.explain.worked_pass(exp, [[[0.5], [-2.0]]], example=1)
    >>> fg.plots.worked_pass(work, matplotlib.figure.Figure().add_subplot()).get_title()
    'Example 1 of xor: output -2.00, target 1.00, loss 4.5'
    """
    graph, ax = pass_graph(found), axes_or_new(ax)
    draw_edges(graph.edges, graph.largest, ax)
    _draw_nodes(graph.nodes, ax)
    draw_frame(graph.nodes, found.experiment, ax)
    which = "An input" if found.example is None else f"Example {found.example} of {found.experiment.data.name}"
    output, target = (", ".join(map(short, values[:_MOST])) for values in (found.output, found.target))
    ax.set_title(f"{which}: output {output}, target {target}, loss {found.loss:.3g}", pad=30)
    _legend(graph, ax)
    return ax


def _draw_nodes(nodes: list[PassNode], ax: Axes) -> None:
    """Draw every unit with its numbers."""
    small = crowded(nodes)
    size, decimals = (330, 1) if small else (720, 2)
    draw_circles([node for node in nodes if not node.off], size, "white", ax)
    draw_circles([node for node in nodes if node.off], size, blended("#000000", 0.25), ax)
    for node in nodes:
        text = short(node.activation, decimals)
        font = (5.5 if small else 7.5) * (0.75 if len(text) > _FITS else 1)
        ax.text(node.x, node.y, text, ha="center", va="center", fontsize=font, zorder=5)
        if node.pre_activation is None or node.delta is None or small:
            continue
        below = f"z {short(node.pre_activation)}" + ("" if node.bias is None else f", b {short(node.bias)}")
        style: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "bbox": WHITE, "zorder": 4}
        where = (node.x, node.y)
        ax.annotate(below, where, (0, -_AWAY), va="top", fontsize=7, **style)
        ax.annotate(f"δ {short(node.delta)}", where, (0, _AWAY), va="bottom", fontsize=7, **style)


def _legend(graph: PassGraph, ax: Axes) -> None:
    """Say what stands for what."""
    from matplotlib.lines import Line2D

    circle: dict[str, Any] = {"marker": "o", "markersize": 10, "linestyle": "", "color": blended("#000000", 0.25)}
    off = Line2D([], [], markeredgecolor="black", label="slope 0: stops δ", **circle)
    draw_legend([off] if any(node.off for node in graph.nodes) else [], graph.largest, ax)
