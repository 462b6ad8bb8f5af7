"""Two configurations on seeds of their own: against statsmodels, a published table and likelihoods by hand."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from benchmarks.coverage import samples
from fastgrok.errors import InvalidExperiment
from fastgrok.statistics import (
    Counts,
    Estimate,
    PooledCounts,
    band_quantile,
    clustered_difference,
    clustered_rate,
    equivalence,
    expected_epochs,
    independent_difference,
    independent_mean_difference,
    independent_median_difference,
    independent_p,
    independent_probability_better,
    independent_ratio_of_expected,
    independent_ratio_of_medians,
    quantile,
    seeds_needed,
    simultaneous_band,
    survival_curve,
)
from fastgrok.statistics.two_samples import _likeliest

proportion = pytest.importorskip("statsmodels.stats.proportion")

CELLS = [(80, 100, 65, 100), (1, 10, 0, 40), (3, 7, 9, 11), (998, 1000, 995, 1000), (0, 10, 4, 5)]


@pytest.mark.filterwarnings("ignore:divide by zero")
@pytest.mark.parametrize("cells", CELLS)
def test_the_test_of_no_difference_is_statsmodels_score_test(cells: tuple[int, int, int, int]) -> None:
    wanted = proportion.test_proportions_2indep(*cells, method="score", compare="diff").pvalue
    assert independent_p(*cells) == pytest.approx(wanted, rel=1e-10)


@pytest.mark.parametrize(
    ("cells", "low", "high"), [((56, 70, 48, 80), 0.0528, 0.3382), ((9, 10, 3, 10), 0.1700, 0.8406)]
)
def test_the_interval_is_that_of_newcombes_table(cells: tuple[int, int, int, int], low: float, high: float) -> None:
    """Newcombe, "Interval estimation for the difference between independent proportions", 1998, table II."""
    assert independent_difference(*cells)[1:] == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@pytest.mark.parametrize(
    ("k", "m", "j", "n", "d"), [(80, 100, 65, 100, 0.1), (3, 7, 9, 11, -0.2), (0, 10, 0, 40, 0.2)]
)
def test_the_likeliest_rates_are_those_of_the_likelihood(k: int, m: int, j: int, n: int, d: float) -> None:
    def surprise(p: float) -> float:
        return -(k * np.log(p) + (m - k) * np.log(1 - p) + j * np.log(p - d) + (n - j) * np.log(1 - p + d))

    bounds = (max(d, 0) + 1e-12, min(1, 1 + d) - 1e-12)
    wanted = minimize_scalar(surprise, bounds=bounds, method="bounded", options={"xatol": 1e-12}).x
    assert _likeliest(k / m, j / n, n / m, d) == pytest.approx(wanted, abs=1e-6)


@given(st.integers(1, 300), st.integers(1, 300), st.data())
def test_an_interval_leaves_0_out_just_where_the_test_rejects(m: int, n: int, data: st.DataObject) -> None:
    k, j = data.draw(st.integers(0, m)), data.draw(st.integers(0, n))
    value, low, high = independent_difference(k, m, j, n)
    assert value is not None
    assert low is not None
    assert high is not None
    assert -1 <= low <= value <= high <= 1
    assert low < high
    turned = independent_difference(j, n, k, m)
    np.testing.assert_allclose(turned, (-value, -high, -low), atol=1e-9)
    p = independent_p(k, m, j, n)
    assert (low > 0 or high < 0) == (p < 0.05) or abs(p - 0.05) < 1e-6


def test_without_seeds_nothing_is_known_and_bad_counts_are_named() -> None:
    assert independent_difference(0, 0, 3, 5) == Estimate(None, -1, 1)
    assert independent_p(0, 0, 3, 5) == 1
    with pytest.raises(InvalidExperiment, match="converged_b = 6"):
        independent_difference(0, 1, 6, 5)
    with pytest.raises(InvalidExperiment, match="n_a"):
        independent_p(0, 1.5, 3, 5)  # type: ignore[arg-type]
    with pytest.raises(InvalidExperiment, match="difference = 1"):
        independent_p(0, 1, 3, 5, difference=1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda a: independent_ratio_of_expected(a, a, cutoffs=5), "cutoffs = 5: expected two"),
        (lambda a: independent_ratio_of_medians(a, 5), "b = 5: expected one Counts"),
        (lambda a: independent_p(1, 2, 1, 2, difference="much"), "difference = 'much': expected a number"),
        (
            lambda a: independent_mean_difference([[1, 2]], [1.0]),
            r"a = \[\[1, 2\]\]: expected an array of real numbers",
        ),
        (lambda a: independent_probability_better([1.0], ["x"]), "b = .*: expected an array of real numbers"),
        (lambda a: simultaneous_band(a), "curve = .*: expected what survival_curve"),
        (lambda a: band_quantile(0.95, ([1], [2])), "shares = .*: expected two shares of seeds"),
        (lambda a: equivalence(int, 0.1), "interval = .*: expected a function that returns an Estimate"),
        (lambda a: equivalence(lambda c: Estimate(0, 0, 0), 10**400), "margin = .*: expected a number"),
        (lambda a: clustered_rate(a, []), "seeds = .*: expected a PooledCounts"),
        (
            lambda a: clustered_difference(PooledCounts.of_sums([1], [1]), [a] * 3),
            "clusters = .*: expected a list, each",
        ),
    ],
)
def test_what_will_not_do_is_named(call: Callable[[Counts], object], message: str) -> None:
    with pytest.raises(InvalidExperiment, match=message):
        call(Counts.of_epochs([1, 2, -1], until=9))


def test_lists_will_do_for_values() -> None:
    a, b = [1, 2, 4, 9, 3, 7], [2, 5, 8, 9, 6, 1]
    for function in (independent_mean_difference, independent_median_difference, independent_probability_better):
        assert function(a, b) == function(np.array(a, float), np.array(b, float))


def test_seeds_needed_have_the_power_that_was_asked_for() -> None:
    n = seeds_needed(0.75, 0.6, power=0.8)
    drawn = np.random.default_rng(0).binomial(n, (0.75, 0.6), (4000, 2))
    power = np.mean([independent_p(int(k), n, int(j), n) <= 0.05 for k, j in drawn])
    assert power == pytest.approx(0.8, abs=0.02)


def test_the_ratio_of_medians_turns_with_the_sides_and_lies_on_epochs() -> None:
    a, b = Counts.of_epochs(range(20, 60), until=90), Counts.of_epochs(range(10, 50), until=90)
    value, low, high = independent_ratio_of_medians(a, b)
    assert value == 39 / 29
    assert low is not None
    assert high is not None
    np.testing.assert_allclose(independent_ratio_of_medians(b, a), (1 / value, 1 / high, 1 / low), rtol=0.01)
    ends = [quantile(survival_curve(x), 0.5) for x in (a, b)]
    corners = ends[0].low / ends[1].high, ends[0].high / ends[1].low  # type: ignore[operator]
    assert corners[0] < low < 1.1 < 1.6 < high < corners[1]


def test_many_seeds_in_few_epochs_leave_the_steps_between_them() -> None:
    halves = Counts.of_epochs([3] * 49_950 + [4] * 50_050, until=9)  # the true median may be 3 or 4
    whole = Counts.of_epochs([4] * 100_000, until=9)
    assert independent_ratio_of_medians(halves, whole) == pytest.approx((1, 0.75, 1))
    never = Counts.of_epochs([-1] * 30, until=9)
    assert independent_ratio_of_medians(never, whole) == Estimate(None, None, None)
    most = Counts.of_epochs([2] * 16 + [-1] * 14, until=9)
    assert independent_ratio_of_medians(most, whole)[1:] == (pytest.approx(0.5), None)


def test_the_ratio_of_costs_is_made_of_both_intervals() -> None:
    a, b = Counts.of_epochs([20, 30, 40, 60, -1, 80], until=100), Counts.of_epochs([10, 15, 21, 30, -1], until=100)
    value, low, high = independent_ratio_of_expected(a, b, cutoffs=(100, 50))
    (x, x_low, x_high), (y, y_low, y_high) = expected_epochs(a, 100), expected_epochs(b, 50)
    assert value == pytest.approx(x / y)  # type: ignore[operator]
    assert math.log(value / low) ** 2 == pytest.approx(math.log(x / x_low) ** 2 + math.log(y_high / y) ** 2)  # type: ignore[operator]
    assert math.log(high / value) ** 2 == pytest.approx(math.log(x_high / x) ** 2 + math.log(y / y_low) ** 2)  # type: ignore[operator]
    assert independent_ratio_of_expected(a, Counts.of_epochs([-1], until=100)) == Estimate(None, None, None)


@pytest.mark.parametrize("case", samples.RATES)
@pytest.mark.parametrize("sizes", [(10, 10), (20, 60), (100, 1000)])
def test_the_interval_of_a_difference_covers(case: str, sizes: tuple[int, int]) -> None:
    covers, rejects = samples.rates(case, sizes, 5000)  # the standard error of 95 % is 0.3 %
    assert covers >= 0.938
    assert covers + rejects == pytest.approx(1, abs=1e-3)


def test_ratios_cover() -> None:
    found = samples.times("a tenth never converges", (30, 90), 100)  # docs/comparing.md has more
    assert found.ratio_of_medians >= 0.95 - 3 * 0.022
    assert found.logrank <= 0.05 + 3 * 0.022
