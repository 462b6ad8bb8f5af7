"""Signs and directions of a flow, unit by unit."""

import pytest
import registry
from matplotlib.axes import Axes

import fastgrok as fg
from fastgrok.plots.sign_flow import sign_flow, sign_marks


def flow_of(experiment: fg.Experiment) -> fg.explain.SignFlow:
    return fg.explain.sign_flow(experiment, [array[0] for array in fg.initial_params(experiment, [1])])


@pytest.mark.parametrize("name", ["mixed", "two_in_a_row", "linear"])
def test_marks_are_the_signs_and_directions_of_the_flow(name: str) -> None:
    exp = registry.experiment(name)
    flow = flow_of(exp)
    nodes, edges = sign_marks(flow, 2)
    for layer in flow.layers[:-1]:
        column = layer.number - 2
        shown = sorted((node for node in nodes if node.column == column), key=lambda node: -node.y)
        assert [node.sign for node in shown] == layer.sign[2].tolist()
        assert [node.blocked for node in shown] == (
            [False] * len(shown) if layer.blocked is None else layer.blocked[2].tolist()
        )
        if layer.direction_weight is not None:
            sent = sorted((e for e in edges if e.column == column), key=lambda e: (-e.y[0], -e.y[1]))
            assert [edge.direction for edge in sent] == layer.direction_weight[2].ravel().tolist()


def test_the_picture_crosses_what_blocks_and_points_where_weights_go(ax: Axes) -> None:
    exp = registry.experiment("mixed")
    flow = flow_of(exp)
    assert sign_flow(flow, ax, row=1) is ax
    nodes, edges = sign_marks(flow, 1)
    markers = [line.get_marker() for line in ax.lines]
    assert markers.count("x") == sum(node.blocked for node in nodes) > 0
    assert markers.count("^") == sum(edge.direction == 1 for edge in edges) > 0
    assert markers.count("v") == sum(edge.direction == -1 for edge in edges) > 0


def test_a_wide_layer_is_drawn_in_part(ax: Axes) -> None:
    exp = registry.experiment("width_256")
    flow = flow_of(exp)
    sign_flow(flow, ax)
    assert len([node for node in sign_marks(flow)[0] if node.column == 1]) == 8
    assert "248 more" in [text.get_text() for text in ax.texts]


def test_a_row_that_there_is_not_is_named() -> None:
    with pytest.raises(fg.InvalidExperiment, match="row = 1: expected a number from 0 to 0"):
        sign_marks(flow_of(fg.Experiment(fg.mlp(3, 1), fg.Dataset([[1, 1, 1]], [1]))), 1)
