"""Plateaus found from the data, seeds on them, clusters of final losses; dead units against outcome."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastgrok as fg
from fastgrok.errors import InvalidExperiment
from fastgrok.spec.losses import Loss
from fastgrok.statistics import Counts, Histogram, loss_clusters, nearest_plateau, plateau_shares, plateaus, rate
from fastgrok.statistics.histogram import Split, loss_bins

XOR = fg.datasets.xor()

EXP = fg.Experiment(fg.mlp(2, 3, 1), XOR, bias_init="same", epochs=2000)

THIRD = -(math.log(1 / 3) / 3 + 2 * math.log(2 / 3) / 3)


@pytest.fixture(scope="module")
def result() -> fg.Result:
    return fg.run(EXP, seeds=2000, progress=False)


@pytest.mark.parametrize(
    ("loss", "atoms"),
    [
        ("squared_error", [0, 1 / 8, 1 / 6, 1 / 4]),
        ("half_squared_error", [0, 1 / 16, 1 / 12, 1 / 8]),
        ("huber", [0, 1 / 16, 1 / 12, 1 / 8]),
        ("binary_cross_entropy", [0, math.log(2) / 2, 3 / 4 * THIRD, math.log(2)]),
    ],
)
def test_the_plateaus_of_xor_are_the_four_atoms(loss: Loss, atoms: list[float]) -> None:
    found = plateaus(XOR, loss)
    np.testing.assert_allclose([plateau.loss for plateau in found], atoms, rtol=1e-12, atol=1e-15)
    assert [plateau.merged for plateau in found] == [0, 2, 3, 4]
    assert found[0].name == "all told apart"
    assert found[2].name == "3 of 4 not told apart"


def test_the_plateaus_of_classes_are_those_of_their_shares() -> None:
    """With two outputs for two classes, the cross-entropy is that of one output."""
    classes = fg.Dataset(XOR.X, np.hstack([1 - XOR.y, XOR.y]))
    of_one, of_two = plateaus(XOR, "binary_cross_entropy"), plateaus(classes, "cross_entropy")
    np.testing.assert_allclose([p.loss for p in of_two], [p.loss for p in of_one], rtol=1e-12, atol=1e-15)


def test_the_best_output_for_absolute_errors_is_the_median() -> None:
    data = fg.Dataset([[0], [0], [0]], [0, 1, 5])
    (plateau,) = plateaus(data, "absolute_error")
    assert plateau.loss == pytest.approx((1 + 0 + 4) / 3)
    (plateau,) = plateaus(data, "huber")  # where two errors of 1 or more hold each other, and the third is 0
    assert plateau.loss == pytest.approx((0.5 + 0 + 3.5) / 3)


def test_examples_with_equal_inputs_are_never_told_apart() -> None:
    data = fg.Dataset([[0], [0], [1]], [0, 1, 1])
    found = plateaus(data, "squared_error")
    np.testing.assert_allclose([plateau.loss for plateau in found], [1 / 6, 2 / 9])
    assert [plateau.merged for plateau in found] == [2, 3]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=4))
def test_plateaus_are_those_of_all_functions_on_the_examples(targets: list[tuple[int, int]]) -> None:
    data = fg.Dataset([[k] for k in range(len(targets))], targets)
    losses = set()
    for code in range(len(targets) ** len(targets)):  # every map of examples to groups, most of them several times
        groups = [code // len(targets) ** k % len(targets) for k in range(len(targets))]
        loss = 0.0
        for group in set(groups):
            inside = data.y[np.array(groups) == group]
            loss += np.sum((inside - inside.mean(axis=0)) ** 2)
        losses.add(round(loss / len(targets), 9))
    found = [round(plateau.loss, 9) for plateau in plateaus(data, "squared_error")]
    np.testing.assert_allclose(found, sorted(losses), atol=2e-9)


def test_plateaus_of_many_examples_are_rejected() -> None:
    assert len(plateaus(fg.datasets.parity(3), "squared_error")) > 4
    with pytest.raises(InvalidExperiment, match="at most 8 examples"):
        plateaus(fg.datasets.parity(4), "squared_error")
    with pytest.raises(InvalidExperiment, match="loss"):
        plateaus(XOR, "mse")  # type: ignore[arg-type]
    with pytest.raises(InvalidExperiment, match="a target from 0 to 1"):
        plateaus(fg.Dataset([[0]], [2]), "binary_cross_entropy")


def test_the_nearest_plateau_is_within_the_tolerance_or_none() -> None:
    atoms = plateaus(XOR, "squared_error")
    losses = [[0.0, 0.0124, 0.0126], [0.125, 0.1458, 0.1459], [0.2376, 0.3, np.nan]]
    wanted = [[0, 0, np.nan], [1 / 8, np.nan, np.nan], [1 / 4, np.nan, np.nan]]
    np.testing.assert_allclose(nearest_plateau(losses, atoms), wanted)
    np.testing.assert_allclose(nearest_plateau([0.1458, 0.1459, np.inf], atoms, 0.1), [1 / 8, 1 / 6, np.nan])
    with pytest.raises(InvalidExperiment, match="tolerance"):
        nearest_plateau(0.1, atoms, -1)
    with pytest.raises(InvalidExperiment, match="plateaus"):
        nearest_plateau(0.1, [])


def test_trapped_seeds_sit_on_plateaus(result: fg.Result) -> None:
    counts, atoms = result.counts[0], plateaus(XOR, EXP.loss)
    rows = plateau_shares(counts, atoms)
    left = result.dataset["loss_final"].to_numpy()[result.dataset["epochs_to_converge"].to_numpy() < 0]
    near = nearest_plateau(left, atoms)
    assert [row.n for row in rows[:-1]] == [int(np.sum(near == atom.loss)) for atom in atoms]
    assert sum(row.n for row in rows) == counts.n - counts.n_converged == len(left)
    assert rows[-1].plateau is None
    assert rows[-1].n <= 0.02 * len(left)
    assert rows[1].share == rate(rows[1].n, counts.n)


def test_clusters_are_found_without_knowing_the_plateaus(result: fg.Result) -> None:
    counts = result.counts[0]
    clusters = loss_clusters(counts)
    np.testing.assert_allclose([cluster.peak for cluster in clusters], [1 / 16, 1 / 12, 1 / 8], rtol=0.016)
    assert all(cluster.plateau is None for cluster in clusters)
    named = loss_clusters(counts, plateaus(XOR, EXP.loss))
    assert [cluster.plateau.merged for cluster in named if cluster.plateau] == [2, 3, 4]
    assert sum(cluster.n for cluster in named) == counts.n - counts.n_converged


def test_clusters_are_where_most_losses_are() -> None:
    rng = np.random.default_rng(1)
    losses = np.concatenate([rng.normal(1, 0.02, 900), rng.normal(3, 0.02, 90), [2.0]])
    rest = Split(Histogram.of([]), Histogram.of(loss_bins(losses)))
    counts = Counts(
        991, False, (0, 0, 0, 0, 991), Histogram.of([]), Histogram.of([9] * 991), Histogram.of([]), 0, losses=rest
    )
    clusters = loss_clusters(counts)
    assert [cluster.n for cluster in clusters] in ([900, 91], [901, 90])
    assert clusters[0].low <= losses.min()
    assert clusters[-1].high > losses.max()
    assert loss_clusters(Counts.of_epochs([1], until=2)) == []
