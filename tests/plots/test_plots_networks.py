"""Networks as nodes and edges: their weights, and the numbers of one pass."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from pictures import XOR, goodfellow, legend, rendered, texts

import fastgrok as fg

MANUAL = fg.Experiment(fg.mlp(2, 2, 1, output="relu", bias=False), fg.datasets.xor())
ROUNDED = [[[0.66, -0.95], [-0.66, 0.95]], [[1.5], [1.0]]]  # the forward pass that the weights notebook prints
LONG = XOR.replace(epochs=300)


def test_a_network_is_its_units_and_its_weights() -> None:
    graph = fg.plots.network_graph(goodfellow(), 0)
    assert [(node.layer, node.unit, node.x, node.y, node.bias) for node in graph.nodes] == [
        (0, 0, 0.0, 0.5, None),
        (0, 1, 0.0, -0.5, None),
        (1, 0, 1.0, 0.5, 0.0),
        (1, 1, 1.0, -0.5, -1.0),
        (2, 0, 2.0, 0.0, 0.0),
    ]
    assert [edge.value for edge in graph.edges] == [1, 1, 1, 1, 1, -2]
    assert (graph.edges[-1].source, graph.edges[-1].target) == (graph.nodes[3], graph.nodes[4])
    assert not any(node.dead for node in graph.nodes)
    assert (graph.time, graph.left_out, graph.largest) == (0, [0, 0, 0], 2.0)


def test_dead_units_are_marked_with_a_cross(ax: Axes) -> None:
    trace = goodfellow(bias=-5.0)
    assert [(node.layer, node.unit) for node in fg.plots.network_graph(trace, 0).nodes if node.dead] == [(1, 1)]
    rendered(fg.plots.network(trace, 0, ax))
    live, dead, crosses = (one for one in ax.collections if not isinstance(one, LineCollection))
    assert (len(live.get_offsets()), len(dead.get_offsets())) == (4, 1)
    np.testing.assert_array_equal(crosses.get_offsets(), [[1.0, -0.5]])
    assert legend(ax) == ["positive, widest: 2", "negative", "dead unit"]


def test_negative_weights_are_dashed_and_width_is_their_size(ax: Axes) -> None:
    rendered(fg.plots.network(goodfellow(), 0, ax))
    positive, negative = (one for one in ax.collections if isinstance(one, LineCollection))
    assert (len(positive.get_segments()), len(negative.get_segments())) == (5, 1)
    assert positive.get_linestyles()[0][1] is None
    assert negative.get_linestyles()[0][1] is not None
    np.testing.assert_allclose(positive.get_linewidths(), 0.4 + 4.6 / 2)
    np.testing.assert_allclose(negative.get_linewidths(), 5.0)
    assert {"-2.00", "-1.00", "x1", "y", "layer 1\nReLU"} <= set(texts(ax)) | {"y"}


def test_a_weight_of_zero_is_dotted_and_no_zero_has_a_sign(ax: Axes) -> None:
    trace = fg.replay(fg.Experiment(fg.mlp(2, 1), fg.datasets.xor(), epochs=1, stop=None), 0)
    trace["weight_1"][0] = [[0.0], [-0.001]]
    trace["bias_1"][0] = [-0.001]
    rendered(fg.plots.network(trace, 0, ax))
    negative, zero = (one for one in ax.collections if isinstance(one, LineCollection))
    assert (len(negative.get_segments()), len(zero.get_segments())) == (1, 1)
    assert negative.get_linestyles() != zero.get_linestyles()
    assert texts(ax)[:3] == ["0.00"] * 3


def test_of_a_large_layer_the_first_and_the_last_units_are_shown(ax: Axes) -> None:
    trace = fg.replay(fg.Experiment(fg.mlp(2, 30, 1), fg.datasets.xor(), epochs=1), 0)
    graph = fg.plots.network_graph(trace)
    assert [node.unit for node in graph.nodes if node.layer == 1] == [0, 1, 2, 3, 4, 26, 27, 28, 29]
    assert (graph.left_out, len(graph.edges)) == ([0, 21, 0], 27)
    assert "⋮ 21 more" in texts(rendered(fg.plots.network(trace, ax=ax)))


def test_a_pass_is_the_numbers_that_the_source_prints(ax: Axes) -> None:
    work = fg.explain.worked_pass(MANUAL, ROUNDED, example=1)
    graph = fg.plots.pass_graph(work)
    error = work.output[0] - 1
    assert [(node.layer, node.unit, node.x, node.y) for node in graph.nodes] == [
        (0, 0, 0.0, 0.5), (0, 1, 0.0, -0.5), (1, 0, 1.0, 0.5), (1, 1, 1.0, -0.5), (2, 0, 2.0, 0.0),
    ]  # fmt: skip
    assert [(node.activation, node.pre_activation, node.bias, node.delta, node.off) for node in graph.nodes] == [
        (0.0, None, None, None, False),
        (1.0, None, None, None, False),
        (0.0, -0.66, None, 0.0, True),
        (0.95, 0.95, None, error, False),
        (0.95, 0.95, None, error, False),
    ]
    assert [edge.value for edge in graph.edges] == [0, 0, -0.66, 0.95, 0, 0.95]
    assert (graph.edges[-1].source, graph.edges[-1].target) == (graph.nodes[3], graph.nodes[4])
    assert graph.largest == 0.95
    rendered(fg.plots.worked_pass(work, ax))
    positive, negative, zero = (one for one in ax.collections if isinstance(one, LineCollection))
    assert [len(lines.get_segments()) for lines in (positive, negative, zero)] == [2, 1, 3]
    on, off = (one for one in ax.collections if not isinstance(one, LineCollection))
    assert (len(on.get_offsets()), off.get_offsets().tolist()) == (4, [[1.0, 0.5]])
    assert texts(ax)[:6] == ["0.00", "0.00", "-0.66", "0.95", "0.00", "0.95"]
    assert {"z -0.66", "δ 0.00", "z 0.95", "δ -0.05", "x0", "y0", "layer 1\nReLU"} <= set(texts(ax))
    assert ax.get_title() == "Example 1 of xor: output 0.95, target 1.00, loss 0.00125"
    assert legend(ax) == ["positive, widest: 0.95", "negative", "slope 0: stops δ"]


def test_a_bias_stands_beside_z(ax: Axes) -> None:
    trace = fg.replay(LONG, 42)
    work = fg.explain.worked_pass(trace, example=3)
    layer = work.layers[1]
    node = fg.plots.pass_graph(work).nodes[-1]
    assert (node.pre_activation, node.bias, node.delta) == (layer.pre_activation[0], layer.bias[0], layer.delta[0])
    rendered(fg.plots.worked_pass(work, ax))
    assert f"z {node.pre_activation:.2f}, b {node.bias:.2f}" in texts(ax)


def test_large_layers_of_a_pass_are_abbreviated_as_those_of_a_network(ax: Axes) -> None:
    trace = fg.replay(fg.Experiment(fg.mlp(2, 30, 1), fg.datasets.xor(), epochs=1), 0)
    work = fg.explain.worked_pass(trace, example=[0.5, 2.0], target=[1.0])
    graph, network = fg.plots.pass_graph(work), fg.plots.network_graph(trace)
    assert [(node.unit, node.x, node.y) for node in graph.nodes] == [
        (node.unit, node.x, node.y) for node in network.nodes
    ]
    assert graph.edges[0].value == 0.5 * network.edges[0].value
    shown = texts(rendered(fg.plots.worked_pass(work, ax)))
    assert "⋮ 21 more" in shown
    assert not any(text.startswith("z ") for text in shown)
    assert ax.get_title().startswith("An input: output ")


def test_a_pass_of_a_seed_that_diverges_is_drawn(ax: Axes) -> None:
    trace = fg.replay(LONG.replace(optimizer=fg.SGD(lr=6.0)), 3)
    assert rendered(fg.plots.worked_pass(fg.explain.worked_pass(trace), ax)) is ax
