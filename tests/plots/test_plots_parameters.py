"""Weights over time, and before and after training."""

from typing import Any

import numpy as np
import pytest
import xarray as xr
from matplotlib.axes import Axes
from pictures import XOR, legend, rendered, texts

import fastgrok as fg
from fastgrok.errors import InvalidExperiment


def test_weights_are_those_of_the_trace(trace: xr.Dataset) -> None:
    curves = fg.plots.weight_curves(trace, 2)
    np.testing.assert_array_equal(curves.time, np.arange(87))
    np.testing.assert_array_equal(curves.weights, trace["weight_2"])
    assert curves.biases is not None
    np.testing.assert_array_equal(curves.biases, trace["bias_2"])


def test_every_weight_has_a_line_and_its_name_and_biases_are_dashed(trace: xr.Dataset, ax: Axes) -> None:
    rendered(fg.plots.weights(trace, 1, ax))
    lines = ax.lines[:-1]  # the last is that of 0
    assert [line.get_linestyle() for line in lines] == ["-", "-", "--"] * 4
    np.testing.assert_array_equal(lines[3].get_ydata(), trace["weight_1"][:, 0, 1])
    assert texts(ax)[3:6] == ["0 → 1", "1 → 1", "bias 1"]
    assert ax.get_title() == "Seed 42: layer 1, ReLU"


def test_many_weights_are_not_named_and_a_layer_may_have_no_biases(ax: Axes) -> None:
    exp = fg.Experiment(fg.mlp(2, 12, 1, bias=False), fg.datasets.xor(), epochs=2)
    rendered(fg.plots.weights(fg.replay(exp, 0), 1, ax))
    assert (len(ax.lines), texts(ax), ax.get_ylabel()) == (25, [], "weight")
    assert fg.plots.weight_curves(fg.replay(exp, 0), 1).biases is None


@pytest.mark.parametrize("layer", [0, 3, True, "1"])
def test_a_layer_that_is_not_there_is_refused(trace: xr.Dataset, layer: Any) -> None:
    with pytest.raises(InvalidExperiment, match=r"layer = .*the number of a Linear layer, 1 to 2"):
        fg.plots.weights(trace, layer)


def test_initial_and_final_weights_are_those_of_the_seeds(either: Any, result: fg.Result) -> None:
    found = fg.plots.initial_final_weights(either, 2, 1)
    np.testing.assert_array_equal(found.seeds, np.arange(200))
    np.testing.assert_array_equal(found.final, result.params[1][2])
    drawn = fg.initial_params(result.configurations[1].experiment, 200)
    np.testing.assert_array_equal(found.initial, drawn[2])


def test_initial_and_final_weights_of_a_run_without_biases() -> None:
    run = fg.run(fg.Experiment(fg.mlp(2, 4, 1, bias=False), fg.datasets.xor(), epochs=3), [5, 9], keep_params=True)
    found = fg.plots.initial_final_weights(run, 2)
    np.testing.assert_array_equal(found.final, run.params[1])
    assert found.seeds.tolist() == [5, 9]


def test_weights_are_counted_in_cells(either: Any, ax: Axes) -> None:
    rendered(fg.plots.initial_and_final(either, 1, 0, ax))
    (cells,) = ax.collections
    found = fg.plots.initial_final_weights(either, 1, 0)
    # 1600 weights; of the outermost 0.1 % at either end one or two are left out
    assert found.final.size - 4 <= cells.get_array().sum() <= found.final.size
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("initial weight", "final weight")
    assert legend(ax) == ["unchanged"]


def test_weights_that_were_not_kept_or_not_drawn_are_refused() -> None:
    with pytest.raises(InvalidExperiment, match="keep_params = False"):
        fg.plots.initial_and_final(fg.run(XOR, 2))
    own = fg.run(XOR, params=fg.initial_params(XOR, 2), keep_params=True)
    with pytest.raises(InvalidExperiment, match="whose initial parameters the seeds draw"):
        fg.plots.initial_and_final(own)
    again = XOR.replace(restart=fg.Restart(after=10))
    with pytest.raises(InvalidExperiment, match="restart"):
        fg.plots.initial_and_final(fg.run(again, 2, keep_params=True))
