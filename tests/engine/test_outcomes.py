"""What becomes of seeds: each word is true of those that have it."""

import numpy as np
import pytest

import fastgrok as fg
from fastgrok.engine.outcomes import with_earlier
from fastgrok.spec.recording import NOTHING, Recording
from fastgrok.spec.variables import OUTCOMES, Outcome

XOR = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=1000)
SIGMOIDS = fg.Experiment(
    fg.mlp(2, 4, 1, hidden="sigmoid", output="sigmoid"), fg.datasets.xor(), optimizer=fg.SGD(lr=0.5)
)


def rows_of(experiment, seeds=1000, **options):
    return fg.run(experiment, seeds, progress=False, **options).dataset


@pytest.mark.parametrize(("epochs", "check_every"), [(500, 400), (600, 1)])
def test_what_is_restored_says_nothing_of_how_training_went_on(epochs, check_every):
    """A patience that never ends: but for networks that die after their best epoch, outcomes are those without it."""
    other = fg.Dataset(XOR.data.X, 1 - XOR.data.y)  # the best epoch is an early one
    plain = XOR.replace(validation=other, epochs=epochs, check_every=check_every, stop=fg.Converged(loss=0.01))
    watched = plain.replace(stop=(plain.stop, fg.EarlyStopping(patience=10_000)))
    with_it, without = rows_of(watched)["outcome"].values, rows_of(plain)["outcome"].values
    np.testing.assert_array_equal(with_it[without != Outcome.DEAD], without[without != Outcome.DEAD])
    assert set(with_it[without == Outcome.DEAD]) <= {Outcome.DEAD, Outcome.TRAPPED}
    assert counted(rows_of(watched))["trapped"] > 100


def counted(rows):
    return dict(zip(OUTCOMES, np.bincount(rows["outcome"], minlength=len(OUTCOMES)).tolist(), strict=True))


@pytest.mark.parametrize(
    "experiment",
    [
        XOR,
        XOR.replace(order="shared"),
        XOR.replace(order="per_seed", optimizer=fg.SGD(lr=0.05, momentum=0.9)),
        XOR.replace(optimizer=fg.Adam(lr=0.01), batch_size="full"),
        fg.Experiment(fg.mlp(2, 4, 1, output="sigmoid"), XOR.data, loss="binary_cross_entropy", epochs=1000),
        XOR.replace(dtype="float32"),
    ],
)
def test_seeds_on_plateaus_are_trapped_in_every_batch_mode_and_do_not_move_on(experiment):
    rows, later = rows_of(experiment), rows_of(experiment.replace(epochs=10_000))
    counts = counted(rows)
    trapped = rows["outcome"].values == Outcome.TRAPPED
    moved = trapped & (later["outcome"].values == Outcome.CONVERGED)
    assert counts["trapped"] > 250
    assert counts["unfinished"] <= 0.1 * counts["trapped"]
    assert moved.sum() <= 0.02 * counts["trapped"]


def test_the_first_command_of_the_readme_says_trapped():
    counts = counted(rows_of(XOR.replace(init=fg.Uniform(-1, 1)), 20_000))
    assert counts["unfinished"] < 0.001 * counts["trapped"]


def test_examples_that_occur_several_times_have_the_plateaus_of_single_ones():
    """Shuffled, seeds that stay near one are trapped; updates are three times as many an epoch."""
    thrice = fg.Dataset(np.tile(XOR.data.X, (3, 1)), np.tile(XOR.data.y, (3, 1)))
    rows = rows_of(XOR.replace(data=thrice, order="per_seed", epochs=400))
    trapped = rows["outcome"].values == Outcome.TRAPPED
    assert np.isfinite(rows["plateau"].values[trapped]).mean() > 0.9
    assert counted(rows)["unfinished"] <= 0.1 * trapped.sum()


@pytest.mark.parametrize("epochs", [300, 1000, 3000])
def test_a_seed_at_a_saddle_is_not_trapped(epochs):
    """A constant output is a saddle of sigmoids: all but a few seeds have left it after 3,000 epochs."""
    rows = rows_of(SIGMOIDS.replace(epochs=epochs))
    assert counted(rows)["trapped"] <= 0.005 * len(rows["seed"])
    assert epochs > 300 or (rows["loss_final"] > 0.11).mean() > 0.75


def test_a_loss_that_creeps_down_for_a_tiny_learning_rate_is_not_at_rest():
    assert counted(rows_of(XOR.replace(optimizer=fg.SGD(lr=1e-4))))["trapped"] <= 10


def test_short_runs_are_not_called_trapped():
    assert counted(rows_of(XOR.replace(epochs=200)))["trapped"] == 0
    assert with_earlier(NOTHING, XOR.replace(epochs=249)).earlier == 0
    assert with_earlier(NOTHING, XOR.replace(epochs=250)).earlier == 200
    assert with_earlier(NOTHING, SIGMOIDS.replace(epochs=999)).earlier == 0
    assert with_earlier(NOTHING, SIGMOIDS.replace(epochs=2500)).earlier == 2000  # or 10,000 updates
    assert with_earlier(NOTHING, XOR.replace(epochs=1000, order="per_seed")).earlier == 500


def test_without_criteria_solved_seeds_are_converged_and_none_of_them_trapped():
    asked, free = rows_of(XOR), rows_of(XOR.replace(stop=None))
    solved = free["outcome"].values == Outcome.CONVERGED
    np.testing.assert_array_equal(solved, asked["outcome"].values == Outcome.CONVERGED)
    assert (free["epochs_to_converge"] == -1).all()
    right = (free["accuracy_final"] == 1) & (free["loss_final"] < 0.0625)
    assert not (right.values & (free["outcome"].values >= Outcome.DEAD)).any()


def test_targets_that_are_no_classes_are_solved_by_their_loss():
    x = np.linspace(-1, 1, 9)[:, None]
    data = fg.Dataset(x, 2 * x)
    experiment = fg.Experiment(fg.mlp(1, 1), data, optimizer=fg.SGD(lr=0.05), stop=None)
    spread = float(np.mean((2 * x) ** 2) / 2)
    for epochs in (1, 10, 100):
        rows = rows_of(experiment.replace(epochs=epochs), 100)
        solved = rows["loss_final"].values <= 0.01 * spread
        np.testing.assert_array_equal(rows["outcome"].values == Outcome.CONVERGED, solved)


def test_a_dead_network_is_not_solved_though_its_output_is_right():
    experiment = fg.Experiment(fg.mlp(1, 1, 1, bias=False), fg.Dataset([[1]], [0]), epochs=1, stop=None)
    rows = fg.run(experiment, params=[-np.ones((1, 1, 1)), np.ones((1, 1, 1))]).dataset
    assert (rows["loss_final"], rows["outcome"]) == (0, Outcome.DEAD)


def test_an_attempt_that_began_late_is_not_called_trapped():
    experiment = XOR.replace(stop=fg.Converged(loss=1e-30), epochs=1000, restart=fg.Restart(after=150))
    assert counted(rows_of(experiment))["trapped"] == 0
    early = experiment.replace(restart=fg.Restart(after=150, at_most=1))
    assert counted(rows_of(early))["trapped"] > 0


def test_no_other_result_depends_on_the_earlier_epoch(monkeypatch):
    """The parameters that are recorded there change no bit, with whatever is recorded besides."""
    options = {"record_at": [0, 10, 800, 1000], "track": "dead_units", "keep_params": True}
    with_it = fg.run(XOR, 64, progress=False, **options)
    for module in ("training", "alike", "choice"):
        monkeypatch.setattr(f"fastgrok.engine.{module}.with_earlier", lambda recording, experiment: recording)
    without = fg.run(XOR, 64, progress=False, **options)
    for name in without.dataset.data_vars:
        if name != "outcome":
            np.testing.assert_array_equal(with_it.dataset[name], without.dataset[name])
    for ours, theirs in zip(with_it.params, without.params, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert counted(without.dataset)["trapped"] == 0


def test_a_replay_has_the_outcome_and_the_times_that_it_had():
    rows = rows_of(XOR, 40)
    for seed in (1, 3, 65):
        trace = fg.replay(XOR, seed, record_at=[0, 7])
        assert trace["epoch"].values.tolist() == sorted({0, 7, int(trace["epochs_run"])})
        if seed < 40:
            assert trace["outcome"] == rows["outcome"][seed]


def test_outcomes_are_the_same_in_chunks_and_lanes_and_beside_other_configurations():
    whole = rows_of(XOR, 200)["outcome"].values
    np.testing.assert_array_equal(whole, rows_of(XOR, 200, lanes=4, chunk_size=7, threads=2)["outcome"].values)
    np.testing.assert_array_equal(whole, rows_of(XOR, 200, specialize=True)["outcome"].values)
    sweep = fg.sweep(XOR, 200, {"lr": [0.05, 0.1, 0.2]}, progress=False).dataset
    np.testing.assert_array_equal(whole, sweep["outcome"].sel({"optimizer.lr": 0.1}).values)


def test_the_epoch_is_among_those_that_are_recorded():
    recording = with_earlier(Recording(at=(0, 5, 800), dead_units=True), XOR)
    assert recording.epochs == (5, 800)
    assert with_earlier(Recording(at=(0, 5)), XOR).epochs == (5, 800)


def xor_of_two_units(scale=1.0):
    """Return parameters with which a 2-2-1 ReLU network without training has XOR's targets times a scale."""
    weight, out = np.array([[[1.0, -1.0], [-1.0, 1.0]]]), np.full((1, 2, 1), scale)
    return [weight, np.zeros((1, 2)), out, np.zeros((1, 1))]


@pytest.mark.parametrize("epochs", [0, 1])
@pytest.mark.parametrize("stop", [None, fg.Converged(loss=0.01)])
def test_a_perfect_solution_is_never_called_trapped(epochs, stop):
    experiment = fg.Experiment(fg.mlp(2, 2, 1), XOR.data, epochs=epochs, stop=stop)
    outcome = fg.run(experiment, params=xor_of_two_units()).dataset["outcome"]
    asked_too_soon = stop is not None and epochs == 0  # criteria are of what training leads to
    assert outcome == (Outcome.UNFINISHED if asked_too_soon else Outcome.CONVERGED)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_outcomes_do_not_depend_on_the_scale_of_the_targets(scale):
    data = fg.Dataset(XOR.data.X, XOR.data.y * scale)
    network = fg.Network(fg.Linear(2, 4), fg.ReLU(), fg.Linear(4, 1))
    fresh = fg.initial_params(XOR, 1000)
    params = [*fresh[:2], fresh[2] * scale, fresh[3] * scale]
    for epochs in (0, 1):
        experiment = fg.Experiment(network, data, epochs=epochs, stop=None, optimizer=fg.SGD(lr=1e-12 / scale**2))
        counts = counted(fg.run(experiment, params=params, progress=False).dataset)
        assert counts["trapped"] == 0
        assert counts["diverged"] == 0
        one = experiment.replace(data=XOR.data, optimizer=fg.SGD(lr=1e-12))
        assert counts == counted(fg.run(one, params=list(fresh), progress=False).dataset)


def test_a_loss_that_grows_without_bound_diverges_before_it_overflows():
    rows = rows_of(XOR.replace(optimizer=fg.SGD(lr=3.0), epochs=12), 200)
    grown = rows["loss_final"].values > 1e6 * np.maximum(rows["loss_initial"].values, 0.125)
    assert np.isfinite(rows["loss_final"].values[grown]).any()
    assert (rows["outcome"].values[grown] == Outcome.DIVERGED).all()
    still = np.isfinite(rows["loss_final"].values) & ~grown
    assert (rows["outcome"].values[still] != Outcome.DIVERGED).all()
    seed = int(np.flatnonzero(grown & np.isfinite(rows["loss_final"].values))[0])
    told = str(fg.explain.failure(fg.replay(XOR.replace(optimizer=fg.SGD(lr=3.0), epochs=12), seed)))
    assert told.startswith("Diverged: the loss grew from ")
    exact = fg.Experiment(fg.mlp(1, 1), fg.Dataset([[1]], [0]), epochs=1, stop=None)  # nothing to grow from
    at_rest = fg.run(exact, params=[np.full((1, 1, 1), 1e-9), np.zeros((1, 1))]).dataset
    assert at_rest["outcome"] == Outcome.CONVERGED


@pytest.mark.parametrize("specialize", [False, True])
def test_a_unit_that_a_gradient_passes_at_zero_is_not_dead(specialize):
    """z = 0 for every example: dead where the gradient there is 0, and else it learns."""
    data, params = fg.Dataset([[1], [2]], [1, 2]), [np.zeros((1, 1, 1)), np.ones((1, 1, 1))]
    dead = {}
    for at_zero in (0, 1):
        network = fg.Network(fg.Linear(1, 1, bias=False), fg.ReLU(at_zero), fg.Linear(1, 1, bias=False))
        experiment = fg.Experiment(network, data, epochs=300, stop=None)
        rows = fg.run(experiment, params=params, specialize=specialize, track="dead_units").dataset
        dead[at_zero] = [
            int(rows[name].values.ravel()[0]) for name in ("dead_units_initial", "dead_since", "outcome")
        ]
        trace = fg.replay(experiment, 0, params=params) if at_zero else None
    assert dead == {0: [1, 0, Outcome.DEAD], 1: [0, -1, Outcome.CONVERGED]}
    assert not trace["dead_1"].any()


def test_a_dead_network_that_meets_a_loose_criterion_has_converged():
    experiment = fg.Experiment(
        fg.mlp(1, 1, 1, bias=False), fg.Dataset([[1]], [0.1]), epochs=5, stop=fg.Converged(loss=1)
    )
    rows = fg.run(experiment, params=[-np.ones((1, 1, 1)), np.ones((1, 1, 1))]).dataset
    assert (rows["outcome"], rows["dead_units_final"]) == (Outcome.CONVERGED, 1)


def test_an_output_at_the_midpoint_is_on_no_side():
    network = fg.Network(fg.Linear(1, 1, bias=False))
    for targets, share in (([0, 1, 1], 0), ([0, 0.5, 1], 1 / 3)):
        experiment = fg.Experiment(network, fg.Dataset([[1], [1], [1]], targets), epochs=0, stop=None)
        assert fg.run(experiment, params=[np.full((1, 1, 1), 0.5)]).dataset["accuracy_final"] == share
