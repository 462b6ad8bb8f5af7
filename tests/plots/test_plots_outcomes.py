"""Final losses with their plateaus, and dead units."""

from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from pictures import XOR, legend, rendered

import fastgrok as fg
from fastgrok.errors import InvalidExperiment
from fastgrok.plots import outcomes
from fastgrok.statistics.histogram import loss_bins, loss_centers
from fastgrok.statistics.proportion import wilson


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
    with pytest.raises(InvalidExperiment, match="one of 4 configurations: its place"):
        fg.plots.losses(either)
