"""Convergence over epochs, and over two axes of a sweep."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from pictures import XOR, legend, rendered, texts

import fastgrok as fg
from fastgrok.errors import InvalidExperiment
from fastgrok.statistics.proportion import wilson, wilson_of_shares

DRAWN = ["XavierNormal(gain=1.0)", "HeNormal()"]


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


def test_in_the_mean_over_further_axes_a_seed_counts_once() -> None:
    axes = {"optimizer.lr": [0.05, 0.1], "network": [fg.mlp(2, 2, 1), fg.mlp(2, 4, 1)], "epochs": [20, 100]}
    swept = fg.sweep(XOR, 50, axes, progress=False)
    table = fg.plots.rate_table(swept, "epochs", "network")
    met = swept.dataset["epochs_to_converge"]
    assert table.n.tolist() == [[50, 50], [50, 50]]
    cell = table.rates[1][0]
    k = int((met.isel(network=0, epochs=1) > 0).sum())
    assert cell.value == k / 100
    ends = wilson_of_shares(np.array([k / 2, k]), np.array([50, 100]), 0.95)
    alone, all_apart = ends.high - ends.low  # as alike as can be, and no more alike than seeds are
    width = cell.high - cell.low  # type: ignore[operator]
    assert all_apart * (1 - 1e-9) <= width <= alone * (50 / 49) ** 0.5  # of a variance with n - 1


def test_a_band_that_holds_the_whole_curve_is_wider_and_says_so(either: Any, ax: Axes) -> None:
    at_each, whole = (fg.plots.convergence_curves(either, band=b) for b in ("pointwise", "simultaneous"))
    for narrow, wide in zip(at_each, whole, strict=True):
        inside = (narrow.share > 0.06) & (narrow.share < 0.94)
        assert np.all(wide.low[inside] < narrow.low[inside])
        assert np.all(wide.high[inside] > narrow.high[inside])
        assert np.all((wide.low <= wide.share) & (wide.share <= wide.high))
        assert np.all(np.diff(wide.low) >= 0)
        assert np.all(np.diff(wide.high) >= 0)
        assert wide.final == narrow.final
    rendered(fg.plots.convergence(either, ax, band="simultaneous"))
    assert ax.get_title() == "200 seeds each; bands of 95 % hold at all epochs at once"
    with pytest.raises(InvalidExperiment, match="band = 'nair'"):
        fg.plots.convergence(either, ax, band="nair")  # type: ignore[arg-type]


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
