"""Proportions and ratios of them, with their intervals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from fastgrok import statistics
from fastgrok.errors import InvalidExperiment
from fastgrok.statistics import clopper_pearson, rate, relative_risk, wilson


def test_the_interval_of_one_proportion_is_plain_numbers() -> None:
    for interval in (statistics.wilson, statistics.clopper_pearson):
        for n in (10, np.int32(10), np.array(10)):
            assert [type(end) for end in interval(0, n)] == [float, float]
        assert interval([0], 10).low.shape == (1,)
    assert statistics.rate(np.int8(3), np.uint64(10)) == statistics.rate(3, 10)


@given(st.integers(1, 10**6), st.data(), st.sampled_from([0.5, 0.9, 0.95, 0.999]))
def test_wilson_is_scipys(n: int, data: st.DataObject, confidence: float) -> None:
    k = data.draw(st.integers(0, n))
    theirs = stats.binomtest(k, n).proportion_ci(confidence, method="wilson")
    np.testing.assert_allclose(wilson(k, n, confidence), theirs, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("n", [1, 2, 3, 1000, 10**9, 10**15])
def test_wilson_is_exact_at_its_edges(n: int) -> None:
    none, every = wilson(0, n), wilson(n, n)
    assert none.low == 0
    assert every.high == 1
    assert 0 < none.high < 1
    assert 0 < every.low < 1


def test_wilson_of_arrays_is_that_of_each_number() -> None:
    low, high = wilson([[0, 1], [5, 10]], 10)
    assert low.shape == high.shape == (2, 2)
    assert (low[1, 0], high[1, 0]) == wilson(5, 10)


@given(st.integers(1, 10**6), st.data(), st.sampled_from([0.5, 0.9, 0.95, 0.999]))
def test_clopper_pearson_is_scipys(n: int, data: st.DataObject, confidence: float) -> None:
    k = data.draw(st.integers(0, n))
    theirs = stats.binomtest(k, n).proportion_ci(confidence, method="exact")
    # theirs are roots, sought to an absolute 1e-12
    np.testing.assert_allclose(clopper_pearson(k, n, confidence), theirs, rtol=1e-8, atol=1e-11)


def test_a_rate_has_the_interval_that_is_asked_for() -> None:
    assert rate(3, 10) == (0.3, *map(float, wilson(3, 10)))
    assert rate(3, 10, method="clopper_pearson") == (0.3, *map(float, clopper_pearson(3, 10)))
    assert rate(0, 0) == (None, 0, 1)
    with pytest.raises(InvalidExperiment, match="'wilson', 'clopper_pearson'"):
        rate(3, 10, method="wald")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ((1, 0), "n"),
        ((2, 1), "successes"),
        ((-1, 5), "successes"),
        ((1, 5, 1.0), "confidence"),
        ((np.nan, 5), "successes"),
        (([1, 2], []), "n"),
        (([1, 2], [3, 4, 5]), "n"),
    ],
)
def test_wilson_rejects_what_is_no_proportion(arguments: tuple[float, ...], field: str) -> None:
    with pytest.raises(InvalidExperiment) as caught:
        wilson(*arguments)
    assert caught.value.field == field


@given(st.integers(1, 200), st.integers(1, 200), st.data())
def test_the_relative_risk_is_scipys_and_lies_within_its_interval(n_a: int, n_b: int, data: st.DataObject) -> None:
    a, b = data.draw(st.integers(0, n_a)), data.draw(st.integers(1, n_b))
    ours = relative_risk(a, n_a, b, n_b)
    theirs = stats.contingency.relative_risk(a, n_a, b, n_b)
    assert ours.value == pytest.approx(theirs.relative_risk)
    assert ours.low <= ours.value <= ours.high


@pytest.mark.parametrize("table", [(3, 10, 5, 12), (0, 7, 3, 9), (7, 7, 2, 9), (9, 300, 30, 40), (1, 2, 1, 1)])
def test_at_the_ends_of_a_relative_risk_the_score_is_that_of_the_likeliest_proportions(
    table: tuple[int, int, int, int],
) -> None:
    a, n_a, b, n_b = table
    _, low, high = relative_risk(*table)
    for end, sign in ((low, 1), (high, -1)):
        if end:
            p = np.linspace(0, min(1, 1 / end), 2_000_001)[1:-1]  # of b
            likelihood = special.xlogy(a, end * p) + special.xlog1py(n_a - a, -end * p)
            best = p[np.argmax(likelihood + special.xlogy(b, p) + special.xlog1py(n_b - b, -p))]
            variance = end * best * (1 - end * best) / n_a + end**2 * best * (1 - best) / n_b
            score = (a / n_a - end * b / n_b) / np.sqrt(variance * (n_a + n_b) / (n_a + n_b - 1))
            assert score == pytest.approx(sign * stats.norm.ppf(0.975), rel=1e-3)


def test_the_relative_risk_of_many_seeds_is_scipys() -> None:
    theirs = stats.contingency.relative_risk(30_000, 100_000, 20_000, 100_000).confidence_interval(0.95)
    np.testing.assert_allclose(relative_risk(30_000, 100_000, 20_000, 100_000)[1:], theirs, rtol=1e-4)


def test_a_risk_without_cases_is_open_or_none() -> None:
    assert relative_risk(0, 10, 0, 10) == relative_risk(1, 10, 0, 0) == (None, None, None)
    assert relative_risk(3, 10, 0, 10)[::2] == (None, None)
    assert relative_risk(0, 10, 3, 10).value == 0
    with pytest.raises(InvalidExperiment, match="cases_b"):
        relative_risk(1, 10, 11, 10)
