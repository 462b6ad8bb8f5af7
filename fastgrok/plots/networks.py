"""A network as nodes and edges: with its parameters, and with the numbers of one pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from fastgrok.errors import one_line
from fastgrok.explain.layer_pass import LayerPass
from fastgrok.explain.trace import checked_time, experiment_of, time_dim, trimmed
from fastgrok.explain.worked_pass import WorkedPass
from fastgrok.plots.graph import (
    GREY,
    WHITE,
    Edge,
    Place,
    crowded,
    draw_edges,
    draw_frame,
    draw_legend,
    draw_units,
    edges_between,
    largest_size,
    layer_widths,
    places,
    unit_size,
)
from fastgrok.plots.labels import check_explanation, trace_title
from fastgrok.plots.style import axes_or_new
from fastgrok.statistics.text import short

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

_MAX_OUTPUTS = 4  # in the title
_MAX_CHARACTERS = 5  # of a number that fits into a node
_AWAY = 15  # points from the middle of a node to the text beside it


@dataclass(frozen=True)
class Node(Place):
    """A unit."""

    bias: float | None  # its bias; None: it has none
    dead: bool  # whether it is a ReLU unit that is dead


class Graph(NamedTuple):
    """A network at some time."""

    time: int  # the epoch or step
    nodes: list[Node]  # layer by layer; of a layer of more than 10 units the first 5 and the last 4
    edges: list[Edge]  # those between these nodes, with their weights
    left_out: list[int]  # for each layer, the inputs first, how many units are not among the nodes
    largest: float  # the largest size of a weight at any time, of those left out too


def network_graph(trace: xr.Dataset, at: int | None = None) -> Graph:
    """Return a network as nodes and edges.

    Parameters
    ----------
    trace, at
        See `fastgrok.plots`.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> graph = network_graph(fg.replay(exp, 42))
    >>> len(graph.nodes), len(graph.edges), [node.unit for node in graph.nodes if node.dead]
    (7, 12, [0])
    """
    trace = trimmed(trace)
    time = checked_time(trace, at)
    widths = layer_widths(experiment_of(trace))
    now = trace.sel({time_dim(trace): time})
    columns = [[_node(now, place) for place in column] for column in places(widths)]
    weights = [f"weight_{layer}" for layer in range(1, len(widths))]
    left_out = [width - len(column) for width, column in zip(widths, columns, strict=True)]
    nodes = [node for column in columns for node in column]
    edges = edges_between(columns, [now[name].values for name in weights])
    return Graph(time, nodes, edges, left_out, largest_size([trace[name].values for name in weights]))


def _node(now: xr.Dataset, place: Place) -> Node:
    """Return the unit at a place."""
    biases, dead = now.get(f"bias_{place.layer}"), now.get(f"dead_{place.layer}")
    bias = None if biases is None else float(biases[place.unit])
    return Node(**vars(place), bias=bias, dead=dead is not None and bool(dead[place.unit]))


def network(trace: xr.Dataset, at: int | None = None, ax: Axes | None = None) -> Axes:
    """Draw a network: weights as edges, biases in the nodes, dead units grey with a cross.

    Parameters
    ----------
    trace, at, ax
        See `fastgrok.plots`.

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
    dead = [node for node in graph.nodes if node.dead]
    draw_edges(graph.edges, graph.largest, ax)
    draw_units(graph.nodes, dead, ax)
    cross: dict[str, Any] = {"marker": "x", "color": "black"}
    size = unit_size(graph.nodes)
    ax.scatter([node.x for node in dead], [node.y for node in dead], s=size, linewidths=1.0, zorder=4, **cross)
    small = crowded(graph.nodes)
    for node in graph.nodes:
        if node.bias is not None:
            box = {"facecolor": GREY, "edgecolor": "none", "pad": 0.4} if node.dead else None
            style: dict[str, Any] = {"fontsize": 5.5 if small else 7.5, "bbox": box, "zorder": 5}
            ax.text(node.x, node.y, short(node.bias, 1 if small else 2), ha="center", va="center", **style)
    draw_frame(graph.nodes, experiment, trace_title(trace, graph.time), ax)
    draw_legend(graph.largest, ax, {"label": "dead unit", "markersize": 9, **cross} if dead else None)
    return ax


@dataclass(frozen=True)
class PassNode(Place):
    """A unit in a pass."""

    activation: float  # what it gives out; of an input the input
    pre_activation: float | None = None  # z, what its products and its bias add up to; None of an input
    bias: float | None = None  # none if it has none
    delta: float | None = None  # dL/dz; None of an input
    off: bool = False  # whether the slope of its activation is 0 here, so that no delta passes it


class PassGraph(NamedTuple):
    """A pass through a network."""

    nodes: list[PassNode]  # layer by layer; of a layer of more than 10 units the first 5 and the last 4
    edges: list[Edge]  # those between these nodes, with the products x_i w_ij
    largest: float  # the largest size of a product, of those left out too


def pass_graph(found: WorkedPass) -> PassGraph:
    """Return the numbers of a pass as nodes and edges.

    Parameters
    ----------
    found
        See `fastgrok.plots`.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 1, bias=False), fg.datasets.xor())
    >>> graph = pass_graph(fg.explain.worked_pass(exp, [[[0.5], [-2.0]]], example=1))
    >>> [edge.value for edge in graph.edges], graph.nodes[-1].delta
    ([0.0, -2.0], -3.0)
    """
    check_explanation("found", found, WorkedPass)
    inputs, *layers = places([len(found.inputs), *(len(layer.activation) for layer in found.layers)])
    columns = [[PassNode(**vars(place), activation=float(found.inputs[place.unit])) for place in inputs]]
    columns += [
        [_pass_node(layer, place) for place in column] for layer, column in zip(found.layers, layers, strict=True)
    ]
    products = [layer.products for layer in found.layers]
    nodes = [node for column in columns for node in column]
    return PassGraph(nodes, edges_between(columns, products), largest_size(products))


def _pass_node(layer: LayerPass, place: Place) -> PassNode:
    """Return a unit with its numbers in a pass."""
    unit = place.unit
    return PassNode(
        **vars(place),
        activation=float(layer.activation[unit]),
        pre_activation=float(layer.pre_activation[unit]),
        bias=None if layer.bias is None else float(layer.bias[unit]),
        delta=float(layer.delta[unit]),
        off=any(activation.slope[unit] == 0 for activation in layer.activations),
    )


def worked_pass(found: WorkedPass, ax: Axes | None = None) -> Axes:
    """Draw one pass: products on the edges, activations in the nodes, below them z and the bias b, above them delta.

    Parameters
    ----------
    found, ax
        See `fastgrok.plots`.

    Notes
    -----
    Edges are drawn as those of `network`, with products in place of weights; that of a product of 0 is dotted. A unit
    whose activation has the slope 0 here, so that no delta passes it, is grey. Where a layer has more than 7 units
    there is no room for z and delta, which stand in the text.

    Examples
    --------
    >>> import fastgrok as fg, matplotlib.figure
    >>> exp = fg.Experiment(fg.mlp(2, 1, bias=False), fg.datasets.xor())
    >>> work = fg.explain.worked_pass(exp, [[[0.5], [-2.0]]], example=1)
    >>> fg.plots.worked_pass(work, matplotlib.figure.Figure().add_subplot()).get_title()
    'Example 1 of xor: output -2.00, target 1.00, loss 4.5'
    """
    graph, ax = pass_graph(found), axes_or_new(ax)
    off = [node for node in graph.nodes if node.off]
    draw_edges(graph.edges, graph.largest, ax)
    draw_units(graph.nodes, off, ax)
    _write_numbers(graph.nodes, ax)
    example = (
        "An input" if found.example is None else f"Example {found.example} of {one_line(found.experiment.data.name)}"
    )
    output, target = (", ".join(map(short, values[:_MAX_OUTPUTS])) for values in (found.output, found.target))
    title = f"{example}: output {output}, target {target}, loss {found.loss:.3g}"
    draw_frame(graph.nodes, found.experiment, title, ax)
    circle = {"marker": "o", "markersize": 10, "color": GREY, "markeredgecolor": "black"}
    draw_legend(graph.largest, ax, {"label": "slope 0: stops δ", **circle} if off else None)
    return ax


def _write_numbers(nodes: list[PassNode], ax: Axes) -> None:
    """Write the activation into each unit, and where there is room z and b below it and delta above."""
    small = crowded(nodes)
    for node in nodes:
        text = short(node.activation, 1 if small else 2)
        font = (5.5 if small else 7.5) * (0.75 if len(text) > _MAX_CHARACTERS else 1)
        ax.text(node.x, node.y, text, ha="center", va="center", fontsize=font, zorder=5)
        if node.pre_activation is None or node.delta is None or small:
            continue
        below = f"z {short(node.pre_activation)}" + ("" if node.bias is None else f", b {short(node.bias)}")
        style: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "bbox": WHITE, "zorder": 4}
        ax.annotate(below, (node.x, node.y), (0, -_AWAY), va="top", fontsize=7, **style)
        ax.annotate(f"δ {short(node.delta)}", (node.x, node.y), (0, _AWAY), va="bottom", fontsize=7, **style)
