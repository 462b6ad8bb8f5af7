"""Pictures: what they compute, to the last digit, and what is drawn of it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from matplotlib.animation import FFMpegWriter
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from PIL import Image

import fastgrok as fg
from fastgrok.errors import InvalidExperiment
from fastgrok.plots import outcomes, style
from fastgrok.statistics.histogram import loss_bins, loss_centers
from fastgrok.statistics.proportion import wilson

XOR = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
DRAWN = ["XavierNormal(gain=1.0)", "HeNormal()"]
SWEPT = {"init": [fg.XavierNormal(), fg.HeNormal()], "optimizer.lr": [0.02, 0.1]}

# Goodfellow, Bengio, Courville, "Deep Learning", 6.1: h = relu(x W + c), output h w + b is XOR exactly.
GOODFELLOW = [np.ones((2, 2)), np.array([0.0, -1.0]), np.array([[1.0], [-2.0]]), np.array([0.0])]


@pytest.fixture(autouse=True)
def _no_figure_is_left_open() -> Iterator[None]:
    assert plt.get_fignums() == []
    yield
    plt.close("all")


@pytest.fixture
def ax() -> Axes:
    return matplotlib.figure.Figure(layout="constrained").add_subplot()


@pytest.fixture(scope="module")
def trace() -> xr.Dataset:
    return fg.replay(XOR, 42)


@pytest.fixture(scope="module")
def result() -> fg.Result:
    return fg.sweep(XOR, 200, SWEPT, keep_params=True, progress=False)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> fg.Store:
    path = tmp_path_factory.mktemp("plots") / "store"
    return fg.sweep(XOR, 200, SWEPT, store=path, keep_params=True, progress=False)


@pytest.fixture(params=["result", "store"])
def either(request: pytest.FixtureRequest) -> Any:
    """A sweep in memory, and the same sweep on disk."""
    return request.getfixturevalue(request.param)


def goodfellow(*, bias: float = -1.0) -> xr.Dataset:
    exp = fg.Experiment(fg.mlp(2, 2, 1), fg.datasets.xor(), epochs=1, stop=None)
    params = [np.array(array) for array in GOODFELLOW]
    params[1][1] = bias
    return fg.replay(exp, 0, params=params)


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def legend(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def rendered(ax: Axes) -> Axes:
    """Draw everything, so that what cannot be drawn says so."""
    ax.figure.draw_without_rendering()
    return ax


def test_importing_the_pictures_loads_no_library_that_draws_or_holds_tables() -> None:
    code = "import sys, fastgrok.plots; print(sorted({'matplotlib', 'pandas', 'xarray'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_picture_without_axes_is_in_a_figure_of_its_own(trace: xr.Dataset) -> None:
    drawn = fg.plots.loss(trace)
    assert [plt.figure(k) for k in plt.get_fignums()] == [drawn.figure]


# Loss and accuracy


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


def test_a_trace_from_a_file_gives_the_same_pictures(trace: xr.Dataset, tmp_path: Path) -> None:
    trace.to_netcdf(tmp_path / "trace.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "trace.nc", engine="h5netcdf") as read:
        assert fg.plots.network_graph(read) == fg.plots.network_graph(trace)
        np.testing.assert_array_equal(fg.plots.output_grid(read).values, fg.plots.output_grid(trace).values)


@pytest.mark.parametrize("draw", ["loss", "accuracy", "weights", "network", "activations", "decision_boundary"])
def test_what_is_no_trace_is_refused(draw: str) -> None:
    with pytest.raises(InvalidExperiment, match=r"trace = 3: expected what fg\.replay returns"):
        getattr(fg.plots, draw)(3)
    assert plt.get_fignums() == []


# Weights


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


def test_names_that_would_overlap_are_moved_apart_in_their_order() -> None:
    moved = style.apart([0.5, 0.1, 0.5, 0.52], 0, 1, gap=0.1)
    assert moved[1] == 0.1
    assert np.allclose(np.diff([moved[0], moved[2], moved[3]]), 0.1)


# The network


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


def test_an_epoch_that_was_not_recorded_is_refused(trace: xr.Dataset) -> None:
    with pytest.raises(InvalidExperiment, match="epoch = 87: expected one that was recorded, from 0 to 86"):
        fg.plots.network(trace, 87)
    assert plt.get_fignums() == []


@pytest.mark.parametrize("draw", ["loss", "accuracy", "weights", "network", "activations"])
def test_a_seed_that_diverges_is_drawn(draw: str, ax: Axes) -> None:
    trace = fg.replay(XOR.replace(optimizer=fg.SGD(lr=6.0)), 3)
    assert not np.isfinite(trace["loss"][-1])
    assert rendered(getattr(fg.plots, draw)(trace, ax=ax)) is ax


# Activations


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


# The decision boundary


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


# Convergence


def test_convergence_is_the_share_of_all_seeds_with_wilsons_interval(either: Any, result: fg.Result) -> None:
    curves = fg.plots.convergence_curves(either)
    assert [curve.name for curve in curves] == [f"{init}, lr={lr}" for init in DRAWN for lr in (0.02, 0.1)]
    for curve, one in zip(curves, result.outputs, strict=True):
        met = one.finished_metrics["epochs_to_converge"]
        converged = np.array([np.sum((met > 0) & (met <= epoch)) for epoch in curve.epochs])
        assert (curve.n, curve.epochs[0], curve.epochs[-1], curve.share[0]) == (200, 0, 100, 0)
        np.testing.assert_array_equal(curve.share, converged / 200)
        low, high = wilson(converged, 200)
        np.testing.assert_allclose(curve.low, low, atol=1e-12)
        np.testing.assert_allclose(curve.high, high, atol=1e-12)


def test_each_configuration_has_a_curve_a_band_and_its_rate(either: Any, ax: Axes) -> None:
    rendered(fg.plots.convergence(either, ax))
    assert (len(ax.lines), len(ax.collections), ax.get_title()) == (4, 4, "200 seeds each")
    assert len({(line.get_color(), line.get_linestyle()) for line in ax.lines}) == 4
    last = either.summary().iloc[-1]
    assert legend(ax)[-1].startswith(f"HeNormal(), lr=0.1: {100 * last['rate']:.0f} % [")


def test_without_a_criterion_there_is_no_convergence() -> None:
    run = fg.run(XOR.replace(stop=None, epochs=2), 4)
    for draw in (fg.plots.convergence, lambda result: fg.plots.rates(result)):
        with pytest.raises(InvalidExperiment):
            draw(run)
    assert plt.get_fignums() == []


@pytest.mark.parametrize("draw", ["convergence", "rates", "dead_units", "losses", "initial_and_final"])
def test_what_is_no_result_is_refused(draw: str) -> None:
    with pytest.raises(InvalidExperiment, match=r"result = 3: expected what fg\.run, fg\.sweep or fg\.open_store"):
        getattr(fg.plots, draw)(3)


# Rates


def test_rates_are_those_of_the_summary(either: Any) -> None:
    table = fg.plots.rate_table(either)
    assert (table.rows, table.columns) == ("init", "optimizer.lr")
    assert (list(table.row_labels), table.column_labels) == (DRAWN, (0.02, 0.1))
    assert table.n.tolist() == [[200, 200], [200, 200]]
    frame = either.summary()
    flat = [cell for row in table.rates for cell in row]
    assert [cell.value for cell in flat] == frame["rate"].tolist()
    assert [cell.low for cell in flat] == frame["rate_low"].tolist()
    assert [cell.high for cell in flat] == frame["rate_high"].tolist()


def test_the_axes_of_a_table_may_be_exchanged(result: fg.Result) -> None:
    table, other = fg.plots.rate_table(result), fg.plots.rate_table(result, columns="init")
    assert (other.rows, other.columns) == ("optimizer.lr", "init")
    assert other.rates[1][0] == table.rates[0][1]


def test_seeds_of_further_axes_are_counted_together() -> None:
    axes = {"optimizer.lr": [0.05, 0.1], "network": [fg.mlp(2, 2, 1), fg.mlp(2, 4, 1)], "epochs": [20, 100]}
    swept = fg.sweep(XOR, 50, axes, progress=False)
    table = fg.plots.rate_table(swept, "epochs", "network")
    met = swept.dataset["epochs_to_converge"]
    assert table.n.tolist() == [[100, 100], [100, 100]]
    assert table.rates[1][0].value == int((met.isel(network=0, epochs=1) > 0).sum()) / 100


def test_each_cell_has_its_rate_and_its_interval(either: Any, ax: Axes) -> None:
    rendered(fg.plots.rates(either, ax=ax))
    cell = fg.plots.rate_table(either).rates[0][0]
    assert len(texts(ax)) == 4
    assert texts(ax)[0] == f"{100 * cell.value:.0f} %\n[{100 * cell.low:.0f}, {100 * cell.high:.0f}]"
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_title()) == ("optimizer.lr", "init", "200 seeds each")


@pytest.mark.parametrize(("rows", "columns"), [("epochs", None), ("init", "init"), (None, "epochs")])
def test_an_axis_that_is_not_there_is_refused(result: fg.Result, rows: Any, columns: Any) -> None:
    with pytest.raises(InvalidExperiment, match=r"'init'|'optimizer\.lr'"):
        fg.plots.rates(result, rows, columns)


# Dead units


def test_dead_shares_are_the_means_of_the_layers(either: Any, result: fg.Result) -> None:
    rows = fg.plots.dead_shares(either)
    assert [row.layer for row in rows] == [1] * 4
    for row, one in zip(rows, result.outputs, strict=True):
        for share, when in ((row.initial, "initial"), (row.final, "final")):
            mean = one.finished_metrics[f"dead_units_{when}"].mean() / 4
            assert share.value == pytest.approx(mean, rel=1e-12)
            assert share.low < mean < share.high


def test_the_interval_of_a_layer_of_one_unit_is_wilsons_of_the_seeds() -> None:
    (row,) = fg.plots.dead_shares(fg.run(fg.Experiment(fg.mlp(2, 1, 1), fg.datasets.xor(), epochs=5), 100))
    dead = round(100 * row.initial.value)
    assert 0 < dead < 100
    np.testing.assert_allclose(row.initial[1:], wilson(dead, 100), rtol=1e-12)


def test_the_interval_of_units_that_die_together_is_that_of_so_many_seeds() -> None:
    shares = [outcomes._share(fg.statistics.Histogram.of([0] * 30 + [w] * 10), w, 0.95) for w in (1, 8)]
    np.testing.assert_allclose(shares[1], shares[0], rtol=1e-12)
    np.testing.assert_allclose(shares[0], [0.25, *wilson(10, 40)], rtol=1e-12)


def test_no_dead_unit_in_any_seed_has_the_interval_of_none_of_the_seeds() -> None:
    share = outcomes._share(fg.statistics.Histogram.of([0] * 40), 4, 0.95)
    assert share == (0, *map(float, wilson(0, 40)))


def test_each_layer_has_a_hollow_and_a_filled_marker(either: Any, ax: Axes) -> None:
    rendered(fg.plots.dead_units(either, ax))
    assert len(ax.containers) == 8
    faces = [bar[0].get_markerfacecolor() for bar in ax.containers]
    assert faces[::2] == ["white"] * 4
    assert "white" not in faces[1::2]
    assert set(legend(ax)) >= {"at initialisation", "in the end", "HeNormal(), lr=0.1"}


def test_a_network_without_relu_has_no_dead_units() -> None:
    with pytest.raises(InvalidExperiment, match="a ReLU layer"):
        fg.plots.dead_units(fg.run(fg.Experiment(fg.mlp(2, 1), fg.datasets.xor(), epochs=1), 2))


# Final losses


def test_losses_are_counted_and_plateaus_named(ax: Axes) -> None:
    run = fg.run(fg.Experiment(fg.mlp(2, 3, 1), fg.datasets.xor(), bias_init="same", epochs=2000), 500)
    found = fg.plots.loss_histogram(run)
    final, met = run.dataset["loss_final"].values, run.dataset["epochs_to_converge"].values > 0
    assert not found.logarithmic
    assert (found.edges[0], len(found.edges)) == (0, 41)
    assert (found.converged.sum(), found.rest.sum(), found.not_finite) == (met.sum(), (~met).sum(), 0)
    for losses, counted in ((final[met], found.converged), (final[~met], found.rest)):
        np.testing.assert_array_equal(np.histogram(loss_centers(loss_bins(losses)), found.edges)[0], counted)
    known = [(row.plateau.loss, row.n) for row in found.plateaus if row.plateau]
    assert [loss for loss, _ in known] == pytest.approx([0, 1 / 16, 1 / 12, 1 / 8])
    on = run.dataset["plateau"].values
    assert [n for _, n in known[1:]] == [int(np.isclose(on, loss).sum()) for loss, _ in known[1:]]
    rendered(fg.plots.losses(run, ax=ax))
    assert f"0.0625, 2 of 4 not told apart: {known[1][1]}" in legend(ax)
    assert f"converged: {met.sum()}" in legend(ax)
    assert len(ax.lines) == 4
    assert sum(bar.get_height() for bar in ax.patches) == 500


def test_losses_of_many_sizes_are_on_a_logarithmic_axis(ax: Axes) -> None:
    run = fg.run(XOR.replace(stop=None, epochs=1000), 200)
    found = fg.plots.loss_histogram(run)
    final = run.dataset["loss_final"].values
    assert found.logarithmic
    assert found.edges[0] == 1e-6 * 0.25
    assert found.converged.sum() == 0
    assert found.rest.sum() == 200
    assert found.rest[0] == (final < found.edges[1]).sum() > 50
    rendered(fg.plots.losses(run, ax=ax))
    assert (ax.get_xscale(), len(ax.lines)) == ("log", 3)
    assert ax.get_xlabel() == "mean loss after the last update (first bar: and below)"


def test_losses_that_are_no_numbers_are_told(ax: Axes) -> None:
    params = fg.initial_params(XOR, 3)
    params[0][1] *= 1e150  # the second of three networks diverges
    run = fg.run(XOR, params=params)
    found = fg.plots.loss_histogram(run)
    assert (found.not_finite, found.converged.sum() + found.rest.sum()) == (1, 2)
    assert "no finite loss: 1" in legend(rendered(fg.plots.losses(run, ax=ax)))


def test_a_configuration_is_chosen_by_its_place_or_its_labels(either: Any) -> None:
    by_place = fg.plots.loss_histogram(either, 3)
    by_labels = fg.plots.loss_histogram(either, {"init": "HeNormal()", "optimizer.lr": 0.1})
    np.testing.assert_array_equal(by_place.converged, by_labels.converged)
    assert by_place.converged.sum() == either.counts[3].n_converged
    with pytest.raises(InvalidExperiment, match="the place of one of 4 configurations"):
        fg.plots.losses(either)


# Initial and final weights


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


# The film


def test_frames_are_spread_over_the_epochs(trace: xr.Dataset) -> None:
    assert fg.plots.frame_times(trace, 3) == [0, 43, 86]
    assert fg.plots.frame_times(trace) == list(range(87))
    with pytest.raises(InvalidExperiment, match="frames = 1"):
        fg.plots.frame_times(trace, 1)


@pytest.mark.parametrize("name", ["xor", "streetlights"])
def test_a_film_has_its_frames_and_leaves_no_figure_open(name: str, tmp_path: Path) -> None:
    data = getattr(fg.datasets, name)()
    trace = fg.replay(fg.Experiment(fg.mlp(data.X.shape[1], 4, 1), data, epochs=20), 1)
    path = fg.plots.animate(trace, tmp_path / "film.gif", frames=3)
    with Image.open(path) as film:
        shown = []
        for k in range(film.n_frames):
            film.seek(k)
            shown.append(np.asarray(film.convert("RGB")).copy())
    assert len(shown) >= 3
    assert not np.array_equal(shown[0], shown[1])
    assert not np.array_equal(shown[1], shown[2])
    assert plt.get_fignums() == []


def test_a_film_that_cannot_be_written_is_refused(
    trace: xr.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InvalidExperiment, match=r"ends in \.gif or \.mp4"):
        fg.plots.animate(trace, tmp_path / "film.avi")
    with pytest.raises(InvalidExperiment, match="a file that can be written"):
        fg.plots.animate(trace, tmp_path / "nowhere" / "film.gif", frames=2)
    with pytest.raises(InvalidExperiment, match="frames_per_second"):
        fg.plots.animate(trace, tmp_path / "film.gif", frames_per_second=0)
    monkeypatch.setattr(FFMpegWriter, "isAvailable", classmethod(lambda cls: False))
    with pytest.raises(InvalidExperiment, match=r"\.mp4 needs ffmpeg"):
        fg.plots.animate(trace, tmp_path / "film.mp4")
    assert list(tmp_path.iterdir()) == []
