"""Simultaneous bands: the quantile by simulation, what lies in them, and how often they hold the whole curve."""

import numpy as np
import pytest

from benchmarks.coverage import samples
from fastgrok.errors import InvalidExperiment
from fastgrok.statistics import band, band_quantile, clopper_pearson, kaplan_meier, simultaneous_band

RNG = np.random.default_rng(8)


@pytest.mark.parametrize("shares", [(0.1, 0.9), (0.05, 0.95)])
def test_the_quantile_is_that_of_a_brownian_bridge_over_its_deviation(shares: tuple[float, float]) -> None:
    first, last = shares
    steps = 2000  # of the Ornstein-Uhlenbeck process that it is in the time log(u / (1 - u)) / 2
    r = np.exp(-np.log(last * (1 - first) / (first * (1 - last))) / 2 / steps)
    x = RNG.standard_normal(20_000)
    most = abs(x)
    for _ in range(steps):
        x = r * x + np.sqrt(1 - r * r) * RNG.standard_normal(len(x))
        np.maximum(most, abs(x), out=most)
    for confidence in (0.9, 0.95, 0.99):  # steps miss some crossings
        assert np.mean(most <= band_quantile(confidence, shares)) == pytest.approx(confidence, abs=0.011)


def test_at_one_epoch_it_is_clopper_and_pearsons_interval_with_a_larger_quantile() -> None:
    low, high = simultaneous_band(kaplan_meier([5] * 60 + [-1] * 40, [5] * 60 + [9] * 40), 0.95)
    from scipy.special import ndtr

    wanted = clopper_pearson(40, 100, 1 - 2 * float(ndtr(-band_quantile(0.95))))
    np.testing.assert_allclose([low[0], high[0]], wanted, rtol=1e-9)


@pytest.mark.parametrize("early", [False, True])
def test_it_is_wider_than_the_interval_at_each_epoch_and_never_rises(early: bool) -> None:
    epochs = RNG.integers(1, 90, 200)
    until = np.where(RNG.random(200) < 0.3, RNG.integers(1, 90, 200), 100) if early else np.full(200, 60)
    met = epochs <= until
    curve = kaplan_meier(np.where(met, epochs, -1), np.where(met, epochs, until))
    low, high = simultaneous_band(curve)
    at_each = band(curve)
    inside = (curve.share < 0.95) & (curve.share > 0.05)
    assert np.all(low[inside] <= at_each.low[inside])
    assert np.all(high[inside] >= at_each.high[inside])
    assert np.all(np.diff(low) <= 0)
    assert np.all(np.diff(high) <= 0)
    assert np.all((low <= curve.share) & (curve.share <= high))
    assert high[curve.share > 0.95].tolist() == [1.0] * int(np.sum(curve.share > 0.95))


def test_no_events_no_band() -> None:
    assert simultaneous_band(kaplan_meier([-1, -1], [9, 9])).low.tolist() == []


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0, 0.9), (0.9, 0.1), 0.1, (0.1, 1)])
def test_shares_are_two_the_smaller_first(shares: tuple[float, float]) -> None:
    with pytest.raises(InvalidExperiment, match="shares"):
        band_quantile(0.95, shares)


@pytest.mark.parametrize("n", [10, 100])
def test_it_holds_the_whole_curve(n: int) -> None:
    assert samples.bands("40 % censored", n, 200).simultaneous >= 0.95 - 3 * 0.015
    assert samples.bands("40 % censored", n, 200).at_each_epoch < 0.9  # what an interval at each epoch is not
