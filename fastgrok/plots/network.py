"""A network as nodes and edges."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastgrok.explain.trace import checked_time, experiment_of, time_dim
from fastgrok.plots.graph import (
    Edge,
    Place,
    crowded,
    draw_circles,
    draw_edges,
    draw_frame,
    draw_legend,
    places,
)
from fastgrok.plots.recorded import recorded, title_of
from fastgrok.plots.style import axes_or_new, blended
from fastgrok.statistics.text import short

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Node(Place):
    """A unit."""

    bias: float | None  # its bias; None: it has none
    dead: bool  # whether it is a ReLU unit that is dead


class Graph(NamedTuple):
    """A network at some time."""

    time: int  # the epoch or step
    nodes: list[Node]  # layer by layer; of a layer of more than 10 units the first 5 and the last 4
    edges: list[Edge]  # those between these nodes
    left_out: list[int]  # for each layer, the inputs first, how many units are not among the nodes
    largest: float


def network_graph(trace: xr.Dataset, at: int | None = None) -> Graph:
    """
    Return a network as nodes and edges.

    Parameters
    ----------
    trace
        What `replay` returns, of one seed.
    at
        An epoch or step; None: the last.

    Raises
    ------
    InvalidExperiment
        If it is no trace of one seed, or was not recorded then.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> graph = network_graph(fg.replay(exp, 42))
    >>> len(graph.nodes), len(graph.edges), [node.unit for node in graph.nodes if node.dead]
    (7, 12, [0])
    """
    trace = recorded(trace)
    time = checked_time(trace, at)
    linears = experiment_of(trace).network.linears
    widths = [linears[0].fan_in, *(linear.fan_out for linear in linears)]
    now = trace.sel({time_dim(trace): time})
    layers = [[_node(now, place) for place in column] for column in places(widths)]
    edges = []
    for layer in range(1, len(widths)):
        weights = now[f"weight_{layer}"].values.tolist()
        pairs = itertools.product(layers[layer - 1], layers[layer])
        edges += [Edge(source, target, weights[source.unit][target.unit]) for source, target in pairs]
    sizes = np.concatenate([np.abs(trace[f"weight_{k}"].values).ravel() for k in range(1, len(widths))])
    largest = float(sizes[np.isfinite(sizes)].max(initial=0.0)) or 1.0
    left_out = [width - len(nodes) for width, nodes in zip(widths, layers, strict=True)]
    return Graph(time, [node for nodes in layers for node in nodes], edges, left_out, largest)


def _node(now: xr.Dataset, place: Place) -> Node:
    """Return the unit that stands at a place."""
    layer, unit = place.layer, place.unit
    biases, dead = now.get(f"bias_{layer}"), now.get(f"dead_{layer}")
    bias = None if biases is None else float(biases[unit])
    return Node(layer, unit, place.x, place.y, bias, dead is not None and bool(dead[unit]))


def network(trace: xr.Dataset, at: int | None = None, ax: Axes | None = None) -> Axes:
    """
    Draw a network: weights as edges, biases in the nodes, dead units grey with a cross.

    Parameters
    ----------
    trace
        What `replay` returns, of one seed.
    at
        An epoch or step; None: the last.
    ax
        Where to draw; None: in a new figure.

    Raises
    ------
    InvalidExperiment
        If it is no trace of one seed, or was not recorded then.

    Notes
    -----
    An edge is the wider and the darker the larger its weight is, relative to the largest at any time; that of a
    negative weight is dashed. Up to 12 weights are written beside their edges. Of a layer of more than 10 units the
    first 5 and the last 4 are shown.

    Examples
    --------
    >>> import fastgrok as fg, matplotlib.figure
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> fg.plots.network(fg.replay(exp, 42), 5, matplotlib.figure.Figure().add_subplot()).get_title()
    'Seed 42, epoch 5'
    """
    graph, experiment, ax = network_graph(trace, at), experiment_of(trace), axes_or_new(ax)
    draw_edges(graph.edges, graph.largest, ax)
    _draw_nodes(graph.nodes, ax)
    draw_frame(graph.nodes, experiment, ax)
    ax.set_title(title_of(trace, graph.time), pad=30)
    _legend(graph, ax)
    return ax


def _draw_nodes(nodes: list[Node], ax: Axes) -> None:
    """Draw every unit, and what is its bias."""
    small = crowded(nodes)
    size = 330 if small else 720
    grey = blended("#000000", 0.25)
    dead = [node for node in nodes if node.dead]
    draw_circles([node for node in nodes if not node.dead], size, "white", ax)
    draw_circles(dead, size, grey, ax)
    cross: dict[str, Any] = {"s": size, "marker": "x", "color": "black", "linewidths": 1.0, "zorder": 4}
    ax.scatter([node.x for node in dead], [node.y for node in dead], **cross)
    for node in nodes:
        if node.bias is not None:
            text = short(node.bias, 1 if small else 2)
            box = {"facecolor": grey, "edgecolor": "none", "pad": 0.4} if node.dead else None
            font = 5.5 if small else 7.5
            ax.text(node.x, node.y, text, ha="center", va="center", fontsize=font, bbox=box, zorder=5)


def _legend(graph: Graph, ax: Axes) -> None:
    """Say what stands for what."""
    from matplotlib.lines import Line2D

    dead = Line2D([], [], color="black", marker="x", markersize=9, linestyle="", label="dead unit")
    draw_legend([dead] if any(node.dead for node in graph.nodes) else [], graph.largest, ax)
