"""Differences of continuous outcomes on the same seeds."""

import math

import numpy as np
import pytest
from scipy.stats import binomtest, trim_mean, ttest_rel

from fastgrok.statistics import Estimate, Table, mcnemar
from fastgrok.statistics import paired_values as values

RNG = np.random.default_rng(0)
A, B = RNG.standard_normal((2, 200))


def test_the_mean_difference_is_that_of_the_paired_t() -> None:
    found = ttest_rel(A, B).confidence_interval(0.9)
    assert values.mean_difference(A, B, 0.9) == pytest.approx(((A - B).mean(), found.low, found.high))


def test_a_shift_is_the_difference_of_means_and_of_medians() -> None:
    for function in (values.mean_difference, values.median_difference):
        assert function(A + 3, A) == pytest.approx((3.0, 3.0, 3.0))


def test_a_difference_of_medians_turns_with_the_sides_and_is_open_of_few_seeds() -> None:
    value, low, high = values.median_difference(A, B)
    assert values.median_difference(B, A) == pytest.approx((-value, -high, -low))
    for n in (1, 2, 4):
        assert values.median_difference(A[:n], B[:n])[1:] == (None, None)
    assert None not in values.median_difference(A[:10], B[:10])


def test_the_interval_of_medians_is_wider_for_seeds_that_are_not_alike() -> None:
    widths = [(found := values.median_difference(A, b)).high - found.low for b in (A + 0.1 * B, B)]
    assert widths[0] < widths[1] / 2


def test_the_sign_test_is_the_binomial_one_without_ties() -> None:
    table = Table(both=7, only_a=30, only_b=15, neither=0)
    assert mcnemar(table) == pytest.approx(binomtest(15, 45).pvalue)
    assert values.probability_better(table).value == pytest.approx((30 + 7 / 2) / 52)


def test_which_of_two_is_better_depends_on_the_outcome() -> None:
    a, b = np.array([1.0, 2, 3, np.inf]), np.array([2.0, 2, 1, np.inf])
    assert values.better(a, b, larger_is_better=True).tolist() == [-1, 0, 1, 0]
    assert values.better(a, b, larger_is_better=False).tolist() == [1, 0, -1, 0]


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7, 100, 1001])
def test_the_interquartile_mean_is_the_trimmed_mean_of_scipy(n: int) -> None:
    x = RNG.standard_normal(n)
    found = values.interquartile_mean(x)
    assert found.value == pytest.approx(trim_mean(x, 0.25))
    assert (found.low is None) == (found.high is None) == (n <= 5)
    assert n <= 5 or found.low <= found.value <= found.high


def test_groups_of_neighbours_give_the_interval_of_single_seeds() -> None:
    x = RNG.standard_normal(2000)
    ordered, rng = np.sort(x), np.random.default_rng(1)
    plain = [np.sort(rng.choice(ordered, 2000))[500:1500].mean() for _ in range(1000)]
    found = values.interquartile_mean(x)
    width = found.high - found.low
    np.testing.assert_allclose([found.low, found.high], np.quantile(plain, [0.025, 0.975]), atol=0.1 * width)


def test_of_few_seeds_the_interval_of_an_interquartile_mean_is_wider_than_resamples_or_open() -> None:
    for n in (1, 2, 5):
        assert values.interquartile_mean(A[:n])[1:] == (None, None)
    x = A[:8]
    plain = np.sort(np.random.default_rng(1).choice(x, (2000, 8)), axis=1)[:, 2:6].mean(axis=1)
    found, resampled = values.interquartile_mean(x), np.quantile(plain, [0.025, 0.975])
    assert found.low < resampled[0]
    assert resampled[1] < found.high


def test_what_is_not_finite_has_no_mean_but_may_have_a_median() -> None:
    few = np.where(np.arange(200) < 20, np.inf, A)
    none = Estimate(None, None, None)
    assert values.mean_difference(few, B) == none
    assert math.isfinite(values.median_difference(few, B).high)
    assert values.interquartile_mean(few).high is not None
    most = np.where(np.arange(200) < 150, np.inf, A)
    assert values.median_difference(most, B) == values.interquartile_mean(most) == none


@pytest.mark.parametrize(("n", "n_infinite"), [(1_000, 200), (1_000, 240), (1_000, 250), (10_000, 2_401), (90, 22)])
def test_near_a_quarter_of_infinite_losses_the_middle_half_keeps_its_finite_end(n: int, n_infinite: int) -> None:
    x = np.where(np.arange(n) < n - n_infinite, np.arange(float(n)), np.inf)
    value, low, high = values.interquartile_mean(x)
    plain = np.sort(np.random.default_rng(1).choice(x, (1_000, n)), axis=1)[:, int(n / 4) : n - int(n / 4)].mean(
        axis=1
    )
    wanted = np.quantile(plain, [0.025, 0.975], method="inverted_cdf")
    assert low == pytest.approx(wanted[0], abs=0.1 * (value - wanted[0]))
    assert (high is None) == bool(np.isinf(wanted[1]))
    assert values.interquartile_mean(np.where(np.isinf(x), np.nan, x)) == (value, low, high)
    mirrored = values.interquartile_mean(-x)
    assert mirrored.value == -value
    assert mirrored.high == pytest.approx(-low, abs=0.1 * (value - low))


def test_of_no_seeds_there_is_nothing_and_of_one_no_interval() -> None:
    for function in (values.mean_difference, values.median_difference):
        assert function(A[:0], A[:0]) == (None, None, None)
    assert values.mean_difference(A[:1], B[:1])[1:] == (None, None)


def test_over_strata_a_seed_is_one_observation() -> None:
    once = values.pooled_mean_difference(A, np.ones(200), 0.95)
    thrice = values.pooled_mean_difference(3 * A, np.full(200, 3.0), 0.95)
    assert thrice == pytest.approx(once)
