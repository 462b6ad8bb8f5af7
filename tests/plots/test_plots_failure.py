"""The loss of one seed with what explains its end."""

import sys

import numpy as np
import pytest
from matplotlib.axes import Axes
from pictures import legend, rendered, texts

import fastgrok as fg
from fastgrok.errors import InvalidExperiment

XOR = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=300)


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
