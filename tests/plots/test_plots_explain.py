"""Pictures of explanations: what they compute, to the last digit, and what is drawn of it."""

from __future__ import annotations

import sys

import matplotlib

matplotlib.use("Agg")

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

import fastgrok as fg
from fastgrok.errors import InvalidExperiment

XOR = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=300)
MANUAL = fg.Experiment(fg.mlp(2, 2, 1, output="relu", bias=False), fg.datasets.xor())
ROUNDED = [[[0.66, -0.95], [-0.66, 0.95]], [[1.5], [1.0]]]  # the forward pass that the weights notebook prints


@pytest.fixture
def ax() -> Axes:
    return Figure(layout="constrained").add_subplot()


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def legend(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def rendered(ax: Axes) -> Axes:
    """Draw everything, so that what cannot be drawn says so."""
    ax.figure.draw_without_rendering()
    return ax


# Failure


def test_a_death_is_a_cross_at_its_time_and_loss_with_its_name(ax: Axes) -> None:
    trace = fg.replay(XOR, 65, every="step")
    story = fg.plots.failure_story(trace)
    loss = trace["loss"].values
    assert story.deaths == (
        (0, loss[0], "units 2 and 3 of layer 1, step 0"),
        (2, loss[2], "unit 1 of layer 1, step 2"),
        (46, loss[46], "unit 0 of layer 1, step 46"),
    )
    assert (story.cause, story.plateau, story.end, story.limits) == ("dead", None, None, None)
    rendered(fg.plots.failure(trace, ax))
    curve, crosses = ax.lines
    np.testing.assert_array_equal(curve.get_xydata(), np.column_stack([trace["step"], loss]))
    np.testing.assert_array_equal(crosses.get_xydata(), [death[:2] for death in story.deaths])
    assert texts(ax) == [death.name for death in sorted(story.deaths, key=lambda death: -death.loss)]
    assert (ax.get_title(), ax.get_xlabel()) == ("Seed 65: dead", "step (update)")


def test_a_plateau_is_a_named_line_and_the_time_since_which_the_loss_is_near_it(ax: Axes) -> None:
    trace = fg.replay(XOR, 3)
    evidence = fg.explain.failure(trace).evidence
    story = fg.plots.failure_story(trace)
    assert story.plateau == (evidence.since.epoch, 0.0625, evidence.plateau.name)
    assert [(death.time, death.name) for death in story.deaths] == [(0, "units 0 and 1 of layer 1, epoch 0")]
    rendered(fg.plots.failure(trace, ax))
    _, level, since, _ = ax.lines
    assert level.get_ydata() == [0.0625, 0.0625]
    assert since.get_xdata() == [story.plateau.since] * 2
    assert "plateau at 0.0625: 2 of 4 not told apart" in legend(ax)
    assert ax.get_yscale() == "linear"


@pytest.mark.parametrize("every", ["epoch", "step"])
def test_convergence_is_a_ring_at_the_last_update_of_its_epoch(every: str, ax: Axes) -> None:
    trace = fg.replay(XOR, 42, every=every)
    end = fg.plots.failure_story(trace).end
    time = {"epoch": 86, "step": 4 * 86}[every]
    assert end == (time, trace["loss"].sel({every: time}), "converged at epoch 86")
    ring = rendered(fg.plots.failure(trace, ax)).lines[-1]
    assert (ring.get_marker(), ring.get_xydata().tolist()) == ("o", [[time, end.loss]])


@pytest.mark.parametrize("every", ["epoch", "step"])
def test_a_divergence_is_a_line_on_a_logarithmic_axis_that_ends_where_numbers_can_be_drawn(
    every: str, ax: Axes
) -> None:
    trace = fg.replay(XOR.replace_at("optimizer.lr", 3.0), 0, every=every)
    at = int(np.flatnonzero(~np.isfinite(trace["loss"].values))[0])
    story = fg.plots.failure_story(trace)
    assert story.end is not None
    assert (story.cause, story.end.time) == ("diverged", at)
    assert story.end.name.startswith(f"diverged at {every} {at}")
    known = trace["loss"].values[:at]
    assert story.limits == (known[known > 0].min() / 2, 2e200)
    rendered(fg.plots.failure(trace, ax))
    assert (ax.get_yscale(), ax.lines[-1].get_xdata()) == ("log", [at, at])


def test_many_units_are_counted_and_of_many_crosses_the_first_and_the_last_are_named(
    ax: Axes, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = fg.replay(XOR.replace(network=fg.mlp(2, 40, 1), optimizer=fg.SGD(lr=1.5), epochs=50), 1, every="step")
    deaths = fg.plots.failure_story(trace).deaths
    counts = [int(np.sum(trace["dead_1"].sel(step=death.time))) for death in deaths]
    assert deaths[1].name == f"{counts[1] - counts[0]} units of layer 1, step {deaths[1].time}"
    assert len(deaths) == 5
    monkeypatch.setattr(sys.modules["fastgrok.plots.failure"], "_MAX_NAMES", 4)
    assert set(texts(rendered(fg.plots.failure(trace, ax)))) == {deaths[0].name, deaths[-1].name}


def test_of_a_seed_that_began_again_the_last_attempt_is_drawn(ax: Axes) -> None:
    trace = fg.replay(XOR.replace(restart=fg.Restart(after=20), epochs=50), 3)
    times = fg.plots.failure_story(trace).times
    attempts = trace["attempt_of"].sel(epoch=times).values
    assert times[0] > 0
    assert set(attempts) == {attempts[-1]}
    rendered(fg.plots.failure(trace, ax))


def test_a_failure_of_what_is_no_trace_is_refused() -> None:
    with pytest.raises(InvalidExperiment, match=r"trace = 3: expected what fg\.replay returns"):
        fg.plots.failure(3)


# Correlation


def test_a_correlation_is_the_strongest_of_its_unit_in_the_end(ax: Axes) -> None:
    found = fg.explain.correlation(fg.replay(XOR, 1))
    table = fg.plots.correlation_table(found)
    assert table.columns == ["z, target", "a, target", "input, a", "a, target if active", "input, a if active"]
    assert (table.rows, table.starts) == ([(1, 0), (1, 1), (1, 2), (1, 3), (2, 0)], [0, 4])
    assert table.applicable.tolist() == [[True] * 5] * 4 + [[True] * 3 + [False] * 2]
    np.testing.assert_array_equal(table.r[:4, 1], found.r["activation_target_1"].values[-1, :, 0])
    inputs = found.r["input_activation_1"].values[-1]
    np.testing.assert_array_equal(table.r[:4, 2], inputs[np.abs(inputs).argmax(axis=0), range(4)])
    assert table.r[4, 0] == found.r["z_target_2"].values[-1, 0, 0]
    assert np.isnan(table.r[2, 3:]).all()  # unit 2 is active on one example
    rendered(fg.plots.correlation(found, ax))
    assert len(ax.patches) == 2  # hatched; what is not asked is empty
    assert [patch.get_xy() for patch in ax.patches] == [(2.5, 1.5), (3.5, 1.5)]
    *numbers, first, second = texts(ax)
    assert numbers == [f"{r + 0.0:.2f}" for r in np.round(table.r, 2).ravel() if np.isfinite(r)]
    assert first == f"layer 1: conditional\nsince epoch 0\nunit 2, y0: r = {table.r[2, 1]:.2f}"
    assert second.startswith("layer 2: direct\nsince epoch 3\n")


def test_correlations_of_a_dead_network_are_hatched_and_nothing_is_found(ax: Axes) -> None:
    found = fg.explain.correlation(fg.replay(XOR, 65))
    rendered(fg.plots.correlation(found, ax))
    assert len(ax.patches) == 4 * 4 + 3
    assert texts(ax)[-2:] == ["layer 1: none\nsince epoch 12", "layer 2: none\nsince epoch 12"]


def test_of_a_large_layer_the_first_units_have_rows_and_a_network_without_relu_has_no_conditions(ax: Axes) -> None:
    exp = fg.Experiment(fg.mlp(2, 30, 20, 20, 1, hidden="tanh"), fg.datasets.xor(), epochs=2)
    found = fg.explain.correlation(fg.replay(exp, 1, every="step"))
    table = fg.plots.correlation_table(found)
    assert (table.starts, table.r.shape) == ([0, 16, 32, 48], (49, 3))
    assert table.applicable.all()
    rendered(fg.plots.correlation(found, ax))
    assert [label.get_text() for label in ax.get_yticklabels()] == [f"layer {k}" for k in range(1, 5)]
    assert texts(ax)[0].endswith("(the first 16 of 30 units)")
    assert len(ax.texts) == 4


# Worked pass


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
    trace = fg.replay(XOR, 42)
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
    trace = fg.replay(XOR.replace(optimizer=fg.SGD(lr=6.0)), 3)
    assert rendered(fg.plots.worked_pass(fg.explain.worked_pass(trace), ax)) is ax
