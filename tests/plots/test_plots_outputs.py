"""Activations and the decision boundary."""

import numpy as np
import pytest
import xarray as xr
from matplotlib.axes import Axes
from pictures import goodfellow, legend, rendered, texts

import fastgrok as fg
from fastgrok.errors import InvalidExperiment


def test_activations_are_those_of_the_hidden_layer() -> None:
    found = fg.plots.activation_map(goodfellow(), 1, 0)
    assert found.values.tolist() == [[0, 0], [1, 0], [1, 0], [2, 1]]
    assert found.dead.tolist() == [False, False]
    assert (found.low, found.high) == (0, 2)


def test_few_activations_are_written_and_named_by_their_example(ax: Axes) -> None:
    rendered(fg.plots.activations(goodfellow(bias=-5.0), 1, 0, ax))
    assert texts(ax) == ["0.00", "0.00", "1.00", "0.00", "1.00", "0.00", "2.00", "0.00"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["0, 0 → 0", "0, 1 → 1", "1, 0 → 1", "1, 1 → 0"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0", "1\ndead"]


def test_of_many_activations_the_negative_ones_are_marked(ax: Axes) -> None:
    exp = fg.Experiment(fg.mlp(2, 20, 1, hidden="tanh"), fg.datasets.xor(), epochs=1)
    trace = fg.replay(exp, 0)
    rendered(fg.plots.activations(trace, ax=ax))
    (marks,) = ax.collections
    found = fg.plots.activation_map(trace)
    assert len(marks.get_offsets()) == (found.values < 0).sum() > 0
    assert texts(ax) == []


def test_the_grid_is_what_the_network_gives_out() -> None:
    grid = fg.plots.output_grid(goodfellow(), 0)
    assert grid.values.shape == (101, 101)
    assert (grid.values[0, 0], grid.values[50, 50], grid.values[-1, -1]) == (0, 1, -0.5)
    assert (grid.values[0, -1], grid.values[-1, 0]) == (1, 1)
    assert (grid.x0[0], grid.x0[50], grid.x1[-1], grid.midpoint) == (-0.25, 0.5, 1.25, 0.5)


def test_rows_of_the_grid_are_the_second_input() -> None:
    exp = fg.Experiment(fg.mlp(2, 1), fg.datasets.xor(), epochs=1, stop=None)
    trace = fg.replay(exp, 0, params=[np.array([[1.0], [10.0]]), np.array([0.0])])
    grid = fg.plots.output_grid(trace, 0)
    np.testing.assert_allclose(grid.values, grid.x0 + 10 * grid.x1[:, None])


def test_the_boundary_and_each_kind_of_target_is_drawn(ax: Axes) -> None:
    rendered(fg.plots.decision_boundary(goodfellow(), 0, ax))
    assert legend(ax) == ["target 0", "target 1"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x0", "x1")
    *_, none, one = ax.collections
    np.testing.assert_array_equal(none.get_offsets(), [[0, 0], [1, 1]])
    np.testing.assert_array_equal(one.get_offsets(), [[0, 1], [1, 0]])
    assert not np.array_equal(none.get_paths()[0].vertices, one.get_paths()[0].vertices)
    assert "0.5" in texts(ax)


def test_a_network_without_a_boundary_says_so(ax: Axes) -> None:
    exp = fg.Experiment(fg.mlp(2, 1), fg.datasets.xor(), epochs=1, stop=None)
    trace = fg.replay(exp, 0, params=[np.zeros((2, 1)), np.array([0.25])])
    assert texts(rendered(fg.plots.decision_boundary(trace, 0, ax))) == ["below 0.5 everywhere"]


def test_a_boundary_needs_two_inputs_and_an_output_that_is_there(trace: xr.Dataset) -> None:
    lights = fg.replay(fg.Experiment(fg.mlp(3, 1), fg.datasets.streetlights(), epochs=1), 0)
    with pytest.raises(InvalidExperiment, match="a network with two inputs"):
        fg.plots.decision_boundary(lights)
    with pytest.raises(InvalidExperiment, match="output = 1: expected the number of an output, 0 to 0"):
        fg.plots.decision_boundary(trace, output=1)
