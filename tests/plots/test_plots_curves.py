"""Loss and accuracy: what is computed, to the last digit, and what is drawn of it."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from pictures import XOR, legend, rendered

import fastgrok as fg


def made_up() -> xr.Dataset:
    """Four seeds, of which two end early and one diverges."""
    trace = fg.replay(XOR.replace(epochs=2, stop=None), range(4))
    loss = [[4, 3, 2], [1, 1, np.nan], [8, 9, np.nan], [np.nan, np.nan, np.nan]]
    return trace.assign(loss=(("seed", "epoch"), loss), epochs_run=("seed", [2, 1, 1, 2]))


def test_bands_are_quantiles_of_all_seeds_of_which_those_that_ended_keep_their_last_loss() -> None:
    bands = fg.plots.loss_bands(made_up())
    assert list(bands) == ["training"]
    # at epoch 2 the losses are 2, 1 (since epoch 1), 9 (since epoch 1) and none, which is the largest
    np.testing.assert_array_equal(bands["training"].time, [0, 1, 2])
    np.testing.assert_array_equal(bands["training"].median, [4, 3, 2])
    np.testing.assert_array_equal(bands["training"].low_50, [1, 1, 1])
    np.testing.assert_array_equal(bands["training"].high_50, [8, 9, 9])
    np.testing.assert_array_equal(bands["training"].low_90, [1, 1, 1])
    np.testing.assert_array_equal(bands["training"].high_90, [np.inf, np.inf, np.inf])


def test_bands_of_one_seed_are_its_curve(trace: xr.Dataset) -> None:
    (bands,) = fg.plots.accuracy_bands(trace).values()
    for values in bands[1:]:
        np.testing.assert_array_equal(values, trace["accuracy"])


def test_one_of_several_seeds_is_shown_up_to_its_end(ax: Axes) -> None:
    seeds = [42, 3]
    one = fg.replay(XOR, seeds).isel(seed=0)
    assert len(one["epoch"]) == 101
    (line,) = fg.plots.loss(one, ax).lines
    np.testing.assert_array_equal(line.get_ydata(), fg.replay(XOR, 42)["loss"])


def test_a_curve_has_its_axes_named(trace: xr.Dataset, ax: Axes) -> None:
    assert fg.plots.loss(trace, ax) is ax
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_title()) == ("epoch", "mean loss", "Seed 42")
    assert len(ax.lines) == 1
    assert not ax.collections
    assert ax.get_legend() is None


def test_many_seeds_have_a_median_and_two_bands(ax: Axes) -> None:
    rendered(fg.plots.loss(made_up(), ax))
    assert legend(ax) == ["training, median", "90 % of the seeds", "50 % of the seeds"]
    assert (len(ax.lines), len(ax.collections), ax.get_title()) == (1, 2, "4 seeds")


def test_validation_has_a_curve_of_its_own(ax: Axes) -> None:
    exp = XOR.replace(validation=fg.Dataset([[0.1, 0.2], [0.9, 0.1]], [0, 1]))
    trace = fg.replay(exp, 42)
    rendered(fg.plots.accuracy(trace, ax))
    assert legend(ax) == ["training", "validation"]
    np.testing.assert_array_equal(ax.lines[1].get_ydata(), trace["accuracy_validation"])
    assert ax.lines[0].get_linestyle() != ax.lines[1].get_linestyle()


def test_a_trace_by_steps_is_drawn_over_steps(ax: Axes) -> None:
    trace = fg.replay(XOR.replace(epochs=5), [42, 3], every="step")
    assert rendered(fg.plots.loss(trace, ax)).get_xlabel() == "step (update)"
    assert len(ax.lines[0].get_xdata()) == 21
    assert fg.plots.network(trace.sel(seed=42), 7).get_title() == "Seed 42, step 7"
