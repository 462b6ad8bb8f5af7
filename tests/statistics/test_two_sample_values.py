"""Continuous outcomes on seeds of their own: against scipy, and where nothing scatters."""

import numpy as np
import pytest
from scipy import stats

from benchmarks.coverage import samples
from fastgrok.statistics import (
    Estimate,
    independent_difference,
    independent_mean_difference,
    independent_median_difference,
    independent_probability_better,
    order_quantile,
)

RNG = np.random.default_rng(5)
A, B = RNG.exponential(1, 30), RNG.exponential(1.5, 70)


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.999])
def test_the_difference_of_means_is_welchs(confidence: float) -> None:
    wanted = stats.ttest_ind(A, B, equal_var=False).confidence_interval(confidence)
    np.testing.assert_allclose(independent_mean_difference(A, B, confidence)[1:], wanted, rtol=1e-12)


def test_where_no_seed_differs_from_another_the_interval_is_open() -> None:
    assert independent_mean_difference(np.ones(9), np.ones(7)) == Estimate(0, None, None)
    assert independent_mean_difference(np.ones(1), B)[1:] == (None, None)
    assert independent_mean_difference(np.array([1, np.inf]), B) == Estimate(None, None, None)


def test_the_probability_is_mann_whitneys_and_its_test_that_of_brunner_and_munzel() -> None:
    found = independent_probability_better(A, B)
    assert found.probability.value == pytest.approx(1 - stats.mannwhitneyu(A, B).statistic / (30 * 70))
    ends = [min(A.min(), B.min()), max(A.max(), B.max())]
    more = [np.concatenate([x, ends]) for x in (A, B)]
    assert found.p_value == pytest.approx(stats.brunnermunzel(*more).pvalue, rel=1e-10)
    larger = independent_probability_better(A, B, larger_is_better=True)
    assert larger.p_value == pytest.approx(found.p_value)
    np.testing.assert_allclose(larger.probability[0], 1 - found.probability.value)  # type: ignore[operator]


def test_samples_that_are_apart_or_all_alike_have_an_interval_with_a_width() -> None:
    apart = independent_probability_better(np.zeros(10), np.ones(10))
    assert apart.probability.value == 1
    assert apart.probability.low is not None
    assert 0.7 < apart.probability.low < 0.9
    assert apart.p_value < 1e-4
    alike = independent_probability_better(np.zeros(10), np.zeros(10))
    assert alike.p_value == 1
    _, low, high = alike.probability
    assert 0.2 < low < 0.4 < 0.6 < high < 0.8  # type: ignore[operator]
    diverged = independent_probability_better(np.array([np.inf, 1]), np.array([np.inf, 2]))
    assert diverged.probability.value == pytest.approx((0.5 + 2) / 4)


def test_of_two_outcomes_alone_it_is_the_difference_of_rates() -> None:
    a, b = np.repeat([0.0, 1.0], [160, 40]), np.repeat([0.0, 1.0], [130, 70])
    found = independent_probability_better(a, b).probability
    d = independent_difference(160, 200, 130, 200)
    np.testing.assert_allclose(found, [(1 + x) / 2 for x in d], atol=2e-3)  # type: ignore[operator]
    p, q = 161 / 202, 131 / 202  # Agresti and Caffo's interval
    half = stats.t.ppf(0.975, 398) * np.sqrt((p * (1 - p) + q * (1 - q)) / 201)
    np.testing.assert_allclose(found[1:], [0.5 + (p - q - half) / 2, 0.5 + (p - q + half) / 2], atol=2e-4)


def test_the_difference_of_medians() -> None:
    value, low, high = independent_median_difference(A, B)
    assert value == np.sort(A)[14] - np.sort(B)[34]
    ends = [order_quantile(np.sort(x), np.ones(len(x), int), 0.5) for x in (A, B)]
    corners = ends[0].low - ends[1].high, ends[0].high - ends[1].low  # type: ignore[operator]
    assert corners[0] < low < value < high < corners[1]  # type: ignore[operator]
    assert independent_median_difference(np.zeros(30), np.zeros(40)) == Estimate(0, 0, 0)
    assert independent_median_difference(np.zeros(2), B)[1:] == (None, None)  # too few for an interval
    assert independent_median_difference(np.full(9, np.inf), B) == Estimate(None, None, None)


@pytest.mark.parametrize("outcome", ["skewed losses", "losses on plateaus"])
def test_the_intervals_cover(outcome: str) -> None:
    found = samples.finals(outcome, (60, 30), 150)._asdict()  # docs/comparing.md has more
    assert found.pop("rejected") <= 0.05 + 3 * 0.018
    assert found.pop("mean_difference") > 0.8  # of so skewed losses, and so few: see the page
    assert {name: share for name, share in found.items() if share < 0.95 - 3 * 0.018} == {}
