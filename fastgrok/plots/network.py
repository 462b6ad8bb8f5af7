"""A network as nodes and edges."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastgrok.plots.recorded import layer_name, recorded, title_of
from fastgrok.plots.style import COLOURS, axes_or_new, blended
from fastgrok.trace import checked_time, experiment_of, time_dim

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

_SHOWN = 10  # units of a layer at most; of larger ones the first and the last
_NUMBERED = 12  # edges at most whose weights are written
_STRETCH = 1.5  # how far apart the nodes of a small layer are at most
_POSITIVE, _NEGATIVE = COLOURS[0], COLOURS[5]
_WHITE = {"facecolor": "white", "edgecolor": "none", "pad": 1.2, "alpha": 0.9}


class Node(NamedTuple):
    """
    A unit.

    Parameters
    ----------
    layer
        The number of the Linear layer that it belongs to; 0: it is an input.
    unit
        Its number in the layer, from 0.
    x
        Where it stands.
    y
        Where it stands; 0 is the middle.
    bias
        Its bias; None: it has none.
    dead
        Whether it is a ReLU unit that is dead.
    """

    layer: int
    unit: int
    x: float
    y: float
    bias: float | None
    dead: bool


class Edge(NamedTuple):
    """
    A weight.

    Parameters
    ----------
    source
        Where it comes from.
    target
        Where it leads to.
    weight
        The weight.
    """

    source: Node
    target: Node
    weight: float


class Graph(NamedTuple):
    """
    A network at some time.

    Parameters
    ----------
    time
        The epoch or step.
    nodes
        Layer by layer; of a layer of more than 10 units the first 5 and the last 4.
    edges
        Those between these nodes.
    left_out
        For each layer, the inputs first, how many units are not among the nodes.
    largest
        The largest size of a weight at any time: what the widths of the edges are relative to, so that pictures of
        one seed can be compared.
    """

    time: int
    nodes: list[Node]
    edges: list[Edge]
    left_out: list[int]
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
    layers = [list(_nodes(now, layer, widths)) for layer in range(len(widths))]
    edges = []
    for layer in range(1, len(widths)):
        weights = now[f"weight_{layer}"].values.tolist()
        pairs = itertools.product(layers[layer - 1], layers[layer])
        edges += [Edge(source, target, weights[source.unit][target.unit]) for source, target in pairs]
    sizes = np.concatenate([np.abs(trace[f"weight_{k}"].values).ravel() for k in range(1, len(widths))])
    largest = float(sizes[np.isfinite(sizes)].max(initial=0.0)) or 1.0
    left_out = [width - len(nodes) for width, nodes in zip(widths, layers, strict=True)]
    return Graph(time, [node for nodes in layers for node in nodes], edges, left_out, largest)


def _nodes(now: xr.Dataset, layer: int, widths: list[int]) -> Iterator[Node]:
    """Yield the nodes of a layer, from the top."""
    slots = [min(width, _SHOWN) for width in widths]
    biases, dead = now.get(f"bias_{layer}"), now.get(f"dead_{layer}")
    width, n = widths[layer], slots[layer]
    apart = min(_STRETCH, (max(slots) - 1) / (n - 1)) if n > 1 else 1.0
    for slot in range(n):
        if width > n and slot == n // 2:  # here stands how many are left out
            continue
        unit = slot if width == n or slot < n // 2 else width - n + slot
        bias = None if biases is None else float(biases[unit])
        place = apart * ((n - 1) / 2 - slot)
        yield Node(layer, unit, float(layer), place, bias, dead is not None and bool(dead[unit]))


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
    _draw_edges(graph, ax)
    _draw_nodes(graph, ax)
    for layer, left_out in enumerate(graph.left_out):
        name = layer_name(experiment, layer).replace(", ", "\n")
        ax.annotate(name, (layer, 1), xycoords=("data", "axes fraction"), ha="center", va="bottom", fontsize="small")
        if left_out:
            heights = [node.y for node in graph.nodes if node.layer == layer]
            gap = (heights[_SHOWN // 2 - 1] + heights[_SHOWN // 2]) / 2
            where: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": "small", "bbox": _WHITE, "zorder": 4}
            ax.text(layer, gap, f"⋮ {left_out:,} more", **where)
    for node in graph.nodes:
        if node.layer in (0, len(graph.left_out) - 1):
            data = experiment.data
            names, side = (data.target_names, "left") if node.layer else (data.feature_names, "right")
            offset = (18 if node.layer else -18, 0)
            style: dict[str, Any] = {"ha": side, "va": "center", "fontsize": "small"}
            ax.annotate(names[node.unit], (node.x, node.y), offset, textcoords="offset points", **style)
    ax.set_xlim(-0.35, len(graph.left_out) - 0.65)
    top = max(node.y for node in graph.nodes)
    ax.set_ylim(-top - 0.5, top + 0.5)
    ax.set_title(title_of(trace, graph.time), pad=30)
    ax.set_axis_off()
    _legend(graph, ax)
    return ax


def _draw_edges(graph: Graph, ax: Axes) -> None:
    """Draw every weight: solid or dashed, wide or thin, dark or light, and with its number where there are few."""
    from matplotlib.collections import LineCollection

    for color, style, sign in ((_POSITIVE, "solid", 1), (_NEGATIVE, "dashed", -1)):
        edges = [edge for edge in graph.edges if sign * edge.weight > 0]
        sizes = [abs(edge.weight) / graph.largest for edge in edges]
        lines = LineCollection(
            [[(edge.source.x, edge.source.y), (edge.target.x, edge.target.y)] for edge in edges],
            colors=[blended(color, 0.3 + 0.7 * size) for size in sizes],
            linewidths=[0.4 + 4.6 * size for size in sizes],
            linestyles=style,
            zorder=1,
        )
        ax.add_collection(lines, autolim=False)
    if len(graph.edges) <= _NUMBERED:
        for edge, (x, y) in zip(graph.edges, _label_places(graph), strict=True):
            ax.text(x, y, f"{edge.weight:.2f}", ha="center", va="center", fontsize=7, bbox=_WHITE, zorder=2)


def _label_places(graph: Graph) -> Iterator[tuple[float, float]]:
    """Yield where the number of each edge stands: where the edges of its layer are as far apart as they get."""
    heights = [[node.y for node in graph.nodes if node.layer == layer] for layer in range(len(graph.left_out))]
    steps = [ys[0] - ys[1] if len(ys) > 1 else 1.0 for ys in heights]
    for source, target, _ in graph.edges:
        n_sources, n_targets = (len(heights[node.layer]) for node in (source, target))
        near, far = (n_sources * steps[source.layer], steps[target.layer])
        share = near / (near + far)
        if n_sources > n_targets:
            near, far = n_targets * steps[target.layer], steps[source.layer]
            share = far / (near + far)
        share = min(max(share, 0.25), 0.75)
        yield source.x + share * (target.x - source.x), source.y + share * (target.y - source.y)


def _draw_nodes(graph: Graph, ax: Axes) -> None:
    """Draw every unit, and what is its bias."""
    crowded = max(abs(node.y) for node in graph.nodes) > 3
    size = 330 if crowded else 720
    for dead, face in ((False, "white"), (True, blended("#000000", 0.25))):
        nodes = [node for node in graph.nodes if node.dead == dead]
        style: dict[str, Any] = {"s": size, "color": face, "edgecolors": "black", "zorder": 3}
        ax.scatter([node.x for node in nodes], [node.y for node in nodes], **style)
        if dead:
            cross: dict[str, Any] = {"s": size, "marker": "x", "color": "black", "linewidths": 1.0, "zorder": 4}
            ax.scatter([node.x for node in nodes], [node.y for node in nodes], **cross)
    for node in graph.nodes:
        if node.bias is not None:
            text = f"{node.bias:.1f}" if crowded else f"{node.bias:.2f}"
            box = {"facecolor": blended("#000000", 0.25), "edgecolor": "none", "pad": 0.4} if node.dead else None
            font = 5.5 if crowded else 7.5
            ax.text(node.x, node.y, text, ha="center", va="center", fontsize=font, bbox=box, zorder=5)


def _legend(graph: Graph, ax: Axes) -> None:
    """Say what stands for what."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=_POSITIVE, linewidth=2.5, label=f"positive, widest: {graph.largest:.3g}"),
        Line2D([], [], color=_NEGATIVE, linewidth=2.5, linestyle="--", label="negative"),
    ]
    if any(node.dead for node in graph.nodes):
        handles.append(Line2D([], [], color="black", marker="x", markersize=9, linestyle="", label="dead unit"))
    place: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, 0.0), "ncols": 3}
    ax.legend(handles=handles, frameon=False, fontsize="small", **place)
