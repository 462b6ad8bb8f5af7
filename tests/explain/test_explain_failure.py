"""Why a seed failed: the cause by its word, and the evidence by its numbers."""

import numpy as np
import pytest
import xarray as xr

import fastgrok as fg
from fastgrok.explain.causes.plateau import not_told_apart
from fastgrok.explain.trace import Moment
from fastgrok.spec.variables import OUTCOMES

XOR = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=300)
ONE_UNIT = fg.Experiment(
    fg.mlp(1, 1, 1, bias=False), fg.Dataset([[1]], [0]), optimizer=fg.SGD(lr=2), epochs=3, stop=None
)


def explained(experiment, seed=0, **kwargs):
    return fg.explain.failure(fg.replay(experiment, seed, **kwargs))


def assert_readable(found):
    text = str(found)
    assert max(map(len, text.splitlines())) <= 100
    assert "nan" not in text
    return text


@pytest.mark.parametrize("every", ["epoch", "step"])
def test_the_change_that_kills_the_only_unit_is_that_of_the_hand_calculation(every):
    # z = 1, output 1, e = 1: w2 -= 2 * 1 * 1, w1 -= 2 * 1 * w2 * 1, both from 1 to -1; then z = -1.
    found = explained(ONE_UNIT, params=[np.ones((1, 1, 1)), np.ones((1, 1, 1))], every=every)
    change = found.evidence.fatal_change
    assert (found.cause, found.evidence.layer, found.evidence.since.epoch) == ("dead", 1, 1)
    assert (change.z_before, change.z_after, change.weight_change, change.bias_change) == (1, -1, -2, None)
    assert change.examples == ((0,) if every == "step" else None)
    assert ("every='step'" in assert_readable(found)) == (every == "epoch")


def test_a_death_is_traced_to_its_update():
    found = explained(XOR, 65, every="step")
    assert [(death.unit, death.since, death.born) for death in found.evidence.deaths] == [
        (2, Moment(0, 0), True),
        (3, Moment(0, 0), True),
        (1, Moment(1, 2), False),
        (0, Moment(12, 46), False),
    ]
    change = found.evidence.fatal_change
    assert (change.before, change.after, change.examples) == (Moment(12, 45), Moment(12, 46), (1,))
    assert (change.z_before > 0).tolist() == [False, True, False, False]
    assert (change.z_after <= 0).all()
    # what the update did to the unit is what its z changed by, on every example
    np.testing.assert_allclose(
        change.z_after - change.z_before, XOR.data.X @ change.weight_change + change.bias_change, atol=1e-15
    )
    assert "The last one alive was unit 0. The update of step 46 (epoch 12), on example 1 (0, 1 -> 1)" in str(found)


def test_units_that_die_together_are_named_together():
    experiment = ONE_UNIT.replace_at("network", fg.mlp(1, 2, 1, bias=False))
    found = explained(experiment, params=[np.ones((1, 1, 2)), np.ones((1, 2, 1))])
    assert "The last ones alive, unit 0 and unit 1, died together; here is unit 1." in assert_readable(found)


def test_born_dead_names_the_layer():
    experiment = ONE_UNIT.replace_at("network", fg.mlp(1, 2, 2, 1, bias=False))
    params = [np.ones((1, 1, 2)), -np.ones((1, 2, 2)), np.ones((1, 2, 1))]
    found = explained(experiment, params=params)
    assert (found.cause, found.evidence.layer, found.evidence.fatal_change) == ("born_dead", 2, None)
    assert assert_readable(found).startswith("Born dead: z <= 0 for every example in all 2 units of ReLU layer 2")


@pytest.mark.parametrize("loss", ["half_squared_error", "squared_error"])
def test_a_linear_network_sits_on_the_plateau_where_nothing_is_told_apart(loss):
    experiment = fg.Experiment(
        fg.mlp(2, 4, 1, hidden="linear"), fg.datasets.xor(), loss=loss, optimizer=fg.SGD(lr=0.05)
    )
    found = explained(experiment)
    assert found.cause == "plateau"
    assert found.evidence.plateau.loss == (0.25 if loss == "squared_error" else 0.125)
    assert found.evidence.groups == ((0, 1, 2, 3),)
    assert found.evidence.gradient_norm == found.gradient_norm > 0
    assert "4 of 4 not told apart" in assert_readable(found)


def test_a_plateau_names_the_examples_and_since_when():
    trace = fg.replay(XOR, 3)
    evidence = fg.explain.failure(trace).evidence
    assert (evidence.plateau.loss, evidence.groups, evidence.since) == (0.0625, ((0, 1),), Moment(63, None))
    near = np.abs(trace["loss"].values - 0.0625) <= 0.05 * 0.125
    assert near[63:].all()
    assert not near[62]
    assert [(death.unit, death.born) for death in evidence.dead] == [(0, True), (1, True)]


def test_a_loss_that_only_passes_a_plateau_is_not_on_it():
    trace = fg.replay(XOR, 3)
    assert fg.explain.failure(trace.sel(epoch=slice(None, 80))).cause == "plateau"
    short = fg.replay(XOR.replace_at("epochs", 65), 3)
    assert short["plateau"] == 0.0625
    assert fg.explain.failure(short).cause == "slow"


def test_divergence_says_what_first_and_how_large_it_was_before():
    for every in ("epoch", "step"):
        trace = fg.replay(XOR.replace_at("optimizer.lr", 3.0), 0, every=every)
        found = fg.explain.failure(trace)
        evidence = found.evidence
        assert (found.cause, evidence.at.epoch, evidence.first) == ("diverged", 128, ("loss",))
        assert [one.variable for one in evidence.largest[:2]] == ["loss", "bias_2"]
        assert evidence.largest[0].value == np.nanmax(np.where(np.isfinite(trace["loss"]), trace["loss"], 0))
        assert evidence.dead_layers == (1,)
        assert f"Diverged: not finite at {evidence.at}: loss." in assert_readable(found)


def test_a_slow_seed_says_how_fast_the_loss_falls():
    # one linear weight, from 1 to 0: it is halved by each update, and the loss w**2 / 2 divided by 4
    experiment = fg.Experiment(
        fg.mlp(1, 1, bias=False),
        fg.Dataset([[1]], [0]),
        optimizer=fg.SGD(lr=0.5),
        epochs=8,
        stop=fg.Converged(loss=2.0**-19),
    )
    found = explained(experiment, params=[np.ones((1, 1, 1))])
    assert found.cause == "slow"
    assert found.evidence.loss_trend.rate == pytest.approx(-np.log(4), rel=1e-12)
    assert found.evidence.loss_trend.epochs_to_goal == pytest.approx(1.0, rel=1e-12)  # 2**-17 is a step away
    assert "the loss that was asked for is 1 epochs away" in assert_readable(found)


@pytest.mark.parametrize(
    ("experiment", "cause"),
    [
        (XOR.replace_at("epochs", 26), "converged"),
        (XOR.replace_at("epochs", 0), "untrained"),
        (fg.Experiment(fg.mlp(1, 1), fg.Dataset(np.arange(9.0)[:, None] / 9, np.arange(9) % 2)), "plateau"),
        (fg.Experiment(fg.mlp(2, 4, 1, hidden="tanh", bias=False), XOR.data, init=fg.Zeros()), "vanished"),
    ],
)
def test_other_ends_have_their_words(experiment, cause):
    found = explained(experiment, 1)
    assert found.cause == cause
    assert_readable(found)


def test_a_loss_that_jumps_about_is_flat():
    found = explained(XOR.replace(optimizer=fg.SGD(lr=0.5), batch_size="full", epochs=1000), 21)
    assert found.cause == "flat"
    assert_readable(found)


def test_a_seed_that_leaves_a_saddle_is_slow_and_one_at_it_is_not_stuck():
    """Of sigmoids none dies, and the plateau of a constant output is a saddle: the loss falls ever faster."""
    network = fg.mlp(2, 4, 1, hidden="sigmoid", output="sigmoid")
    experiment = fg.Experiment(network, XOR.data, optimizer=fg.SGD(lr=0.5), epochs=1000)
    rows = fg.run(experiment, 300, progress=False).dataset
    left = fg.run(experiment.replace(epochs=10_000), 300, progress=False).dataset
    open_ = np.flatnonzero((rows["outcome"] > 1) & (rows["loss_final"] > 0.1) & (left["outcome"] == 1))
    found = [explained(experiment, int(seed)) for seed in open_[:12]]
    assert len(found) == 12
    assert sum(each.cause in ("slow", "saddle") for each in found) >= 11
    assert any("ever faster" in assert_readable(each) for each in found)


NOISE = np.random.default_rng(0)
CORNERS = NOISE.integers(0, 2, (100, 2))
POINTS = fg.Dataset(CORNERS + 0.2 * NOISE.standard_normal((100, 2)), CORNERS[:, 0] != CORNERS[:, 1], classes=False)
CLOUDS = fg.Experiment(
    fg.mlp(2, 4, 1, output="sigmoid"),
    POINTS,
    loss="binary_cross_entropy",
    optimizer=fg.SGD(lr=0.5),
    batch_size="full",
    epochs=500,
    stop=fg.Converged(loss=0.01),
)


def test_groups_of_outputs_are_found_among_many_examples_and_what_stays_there_is_not_slow():
    """At (ln 2) / 2 and 75 %, half of the points have one output; 50,000 epochs do not change that."""
    rows = fg.run(CLOUDS, 200, progress=False).dataset
    later = fg.run(CLOUDS.replace(epochs=50_000), 200, progress=False).dataset
    stays = (np.abs(rows["loss_final"] - np.log(2) / 2) < 0.03) & (later["loss_final"] > 0.25)
    seeds = np.flatnonzero(stays)
    assert len(seeds) >= 8
    n_dead = 0
    for seed in map(int, seeds[:8]):
        found = explained(CLOUDS, seed)
        assert found.cause == "plateau"
        (group,) = found.evidence.groups
        assert 40 <= len(group) <= 50
        assert np.ptp(found.evidence.outputs[list(group)]) < 0.1
        text = assert_readable(found)
        assert f"- {len(group)} examples, " in text
        n_dead += len(found.dead)
        assert all(f"unit {death.unit} of layer 1 (since" in " ".join(text.split()) for death in found.dead)
    assert n_dead > 3


def test_what_is_slow_is_what_a_longer_run_finishes():
    rows = fg.run(CLOUDS.replace(epochs=5000), 60, progress=False).dataset
    causes = [explained(CLOUDS, seed).cause for seed in range(60)]
    slow = np.array([cause == "slow" for cause in causes])
    lower = rows["loss_final"].values < 0.1  # of 0.35 at the plateau
    assert slow.sum() > 30
    assert (slow & ~lower).sum() <= 2
    assert (~slow & lower).sum() <= 3


def test_rows_that_occur_three_times_count_once():
    three = fg.Dataset(np.tile(XOR.data.X, (3, 1)), np.tile(XOR.data.y, (3, 1)))
    found = explained(XOR.replace(data=three), 3)
    assert (found.cause, found.evidence.groups, found.evidence.plateau) == (
        "plateau",
        ((0, 1),),
        explained(XOR, 3).evidence.plateau,
    )
    assert "(2 of 4 not told apart)" in assert_readable(found)


def test_a_seed_without_criteria_is_converged_since_it_is_solved():
    trace = fg.replay(XOR.replace(stop=None), 1)
    found = fg.explain.failure(trace)
    assert (found.cause, found.outcome) == ("converged", "converged")
    solved = (trace["accuracy"].values == 1) & (trace["loss"].values <= 0.0625)
    assert solved[found.evidence.epoch :].all()
    assert not solved[found.evidence.epoch - 1]
    assert "no criteria were given" in assert_readable(found)


def test_a_criterion_that_cannot_be_met_is_named():
    data = fg.Dataset([[0], [0], [1]], [0, 1, 1])
    experiment = fg.Experiment(fg.mlp(1, 1), data, stop=fg.Converged(accuracy=1), epochs=3)
    text = assert_readable(explained(experiment))
    assert "accuracy 1 cannot be met: of 3 examples at most 2 can be right" in " ".join(text.split())


def test_a_gradient_that_vanishes_off_every_plateau_is_named():
    data = fg.Dataset([[0], [1]], [0, 1])
    experiment = fg.Experiment(fg.mlp(1, 1, output="sigmoid"), data, epochs=3)
    found = explained(experiment, params=[np.array([[[0.0]]]), np.array([[40.0]])])  # output 1 on both
    assert found.cause == "vanished"
    assert_readable(found)


def test_every_seed_gets_a_cause_that_its_outcome_allows():
    outcome = fg.run(XOR, 60, progress=False).dataset["outcome"].values
    allowed = {
        "converged": {"converged"},
        "dead": {"dead", "born_dead"},
        "trapped": {"plateau", "flat"},
        "unfinished": {"plateau", "slow", "flat"},
    }
    traces = fg.replay(XOR, range(60))
    for seed in range(60):
        found = fg.explain.failure(traces.sel(seed=seed))
        assert found.outcome == OUTCOMES[outcome[seed]]
        assert found.cause in allowed[found.outcome]
        assert str(found) == str(explained(XOR, seed))  # beside longer histories, and alone


@pytest.mark.parametrize("every", ["epoch", "step"])
def test_any_network_is_explained(every):
    y = np.stack([XOR.data.y[:, 0], 1 - XOR.data.y[:, 0]], axis=1)
    for network in (
        fg.mlp(2, 3, 3, 2),
        fg.mlp(2, 3, 2, hidden="leaky_relu", bias=False),
        fg.Network(fg.Linear(2, 2), fg.ReLU(), fg.Tanh()),
        fg.mlp(2, 2, hidden="sigmoid"),
    ):
        for dtype in ("float64", "float32"):
            experiment = fg.Experiment(network, fg.Dataset(XOR.data.X, y), epochs=40, dtype=dtype)
            for seed in range(3):
                assert_readable(explained(experiment, seed, every=every))


def test_a_trace_from_a_file_says_the_same(tmp_path):
    trace = fg.replay(XOR, 65, every="step")
    trace.to_netcdf(tmp_path / "trace.nc")
    with xr.open_dataset(tmp_path / "trace.nc") as read:
        assert str(fg.explain.failure(read)) == str(fg.explain.failure(trace))


def test_of_a_seed_that_began_again_the_last_attempt_is_explained():
    experiment = fg.Experiment(
        XOR.network, XOR.data, epochs=200, restart=fg.Restart(after=50), stop=fg.Converged(loss=1e-9)
    )
    plateau, dead = explained(experiment, 0), explained(experiment, 15)
    assert plateau.cause == "plateau"
    assert dead.cause in ("dead", "born_dead")
    for found in (plateau, dead):
        assert found.end.epoch == 200
        assert found.evidence.since.epoch > 150


def test_early_stopping_is_mentioned():
    data = fg.datasets.parity(4)
    training, validation = data.split(0.5, seed=1)
    experiment = fg.Experiment(
        fg.mlp(4, 6, 1, hidden="tanh"), training, validation=validation, stop=fg.EarlyStopping(patience=3)
    )
    trace = fg.replay(experiment, 0)
    assert trace["stopped_early"]
    found = fg.explain.failure(trace)
    assert found.cause in {"slow", "flat"}
    assert "EarlyStopping ended it" in assert_readable(found)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (fg.EarlyStopping(3, tol=1e-2, monitor="training"), "the training loss no longer improved by 0.01."),
        (fg.EarlyStopping(3, 1e-2, monitor="training"), "the training loss no longer improved by more than 0.01."),
        (fg.EarlyStopping(1, monitor="training"), "the training loss no longer improved."),
    ],
)
def test_the_training_loss_that_ended_a_seed_is_mentioned(rule, said):
    experiment = fg.Experiment(fg.mlp(4, 6, 1, hidden="tanh"), fg.datasets.parity(4), stop=rule)
    trace = fg.replay(experiment, 0)
    assert trace["stopped_early"]
    found = fg.explain.failure(trace)
    assert f"EarlyStopping ended it: {said}" in " ".join(assert_readable(found).split())
    best = int(trace["epoch_best"])
    assert found.restored == (best if 0 < best < int(trace["epochs_run"]) else None)
    assert found.outcome == "trapped"


def test_a_small_gradient_that_ended_a_seed_is_mentioned():
    trace = fg.replay(XOR.replace(stop=fg.Stationary(0.5)), 0)
    assert trace["stopped_early"]
    found = fg.explain.failure(trace)
    assert "Stationary ended it: the norm of the gradient is at most 0.5." in " ".join(assert_readable(found).split())


def test_outputs_are_joined_by_chains_only_where_targets_differ():
    targets = np.array([[0.0], [0.0], [1.0], [1.0]])
    assert not_told_apart(np.array([[0.0], [0.09], [0.18], [0.5]]), targets) == ((0, 1, 2),)
    assert not_told_apart(np.array([[0.0], [0.0], [1.0], [1.0]]), targets) == ()


@pytest.mark.parametrize("given", [None, XOR, xr.Dataset()])
def test_what_is_no_trace_is_refused(given):
    with pytest.raises(fg.InvalidExperiment, match=r"^trace = .*: expected what fg\.replay returns"):
        fg.explain.failure(given)


def test_several_seeds_are_refused():
    with pytest.raises(fg.InvalidExperiment, match="one seed of it"):
        fg.explain.failure(fg.replay(XOR, range(2)))
