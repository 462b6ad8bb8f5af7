"""Tests of two configurations and more: McNemar, logrank, Holm, power, ratios; against scipy and lifelines."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fastgrok.errors import InvalidExperiment
from fastgrok.statistics import (
    Counts,
    Estimate,
    PairedCounts,
    Table,
    holm,
    logrank,
    mcnemar,
    paired_logrank,
    ratio_of_expected,
    ratio_of_medians,
    risk_difference,
    seeds_needed,
)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of lifelines' own imports
    import lifelines.statistics

EPOCHS = st.lists(st.integers(1, 20) | st.just(-1), min_size=2, max_size=40)


@given(st.builds(Table, *[st.integers(0, 10**6)] * 4))
def test_mcnemar_is_scipys_binomial_test(table: Table) -> None:
    discordant = table.only_a + table.only_b
    wanted = stats.binomtest(table.only_a, discordant).pvalue if discordant else 1.0
    assert mcnemar(table) == pytest.approx(wanted, rel=1e-6, abs=1e-300)


def test_a_difference_lies_within_its_interval_and_turns_with_the_sides() -> None:
    for table in (Table(80, 12, 3, 5), Table(0, 5, 0, 0), Table(0, 0, 0, 7), Table(10, 0, 0, 0), Table(0, 0, 1, 0)):
        value, low, high = risk_difference(table)
        assert -1 <= low <= value <= high <= 1
        assert low < high
        both, only_a, only_b, neither = table
        np.testing.assert_allclose(risk_difference(Table(both, only_b, only_a, neither)), (-value, -high, -low))
    assert risk_difference(Table(0, 0, 0, 0)) == Estimate(None, -1, 1)


def test_bonett_and_prices_interval_worked_by_hand() -> None:
    # Table(80, 12, 3, 5): n = 100, p_a = 13/102, p_b = 4/102, d = 9/102, variance = (17/102 - d**2)/102
    half = stats.norm.ppf(0.975) * np.sqrt((17 / 102 - (9 / 102) ** 2) / 102)
    np.testing.assert_allclose(risk_difference(Table(80, 12, 3, 5)), (0.09, 9 / 102 - half, 9 / 102 + half))


@given(EPOCHS, EPOCHS)
def test_logrank_of_two_is_scipys(a: list[int], b: list[int]) -> None:
    if not any(epoch > 0 for epoch in a + b):
        assert logrank([Counts.of_epochs(x, until=20) for x in (a, b)]).p_value == 1
        return
    ours = logrank([Counts.of_epochs(x, until=20) for x in (a, b)])
    data = [stats.CensoredData([e for e in x if e > 0], right=[20] * x.count(-1)) for x in (a, b)]
    with np.errstate(invalid="ignore", divide="ignore"):
        theirs = stats.logrank(*data)
    if np.isfinite(theirs.statistic):
        assert ours.statistic == pytest.approx(theirs.statistic**2, rel=1e-6, abs=1e-9)
        assert ours.p_value == pytest.approx(theirs.pvalue, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("k", [2, 3, 5])
def test_logrank_of_several_is_that_of_lifelines(k: int) -> None:
    rng = np.random.default_rng(k)
    for _ in range(5):
        samples = [rng.integers(1, 40, rng.integers(20, 60)) for _ in range(k)]
        last = np.concatenate(samples)
        theirs = lifelines.statistics.multivariate_logrank_test(
            np.minimum(last, 30), np.repeat(np.arange(k), [len(x) for x in samples]), last <= 30
        )
        ours = logrank([Counts.of_epochs(np.where(x <= 30, x, -1), until=30) for x in samples])
        assert ours.df == k - 1
        assert (ours.statistic, ours.p_value) == pytest.approx((theirs.test_statistic, theirs.p_value), rel=1e-8)


def test_logrank_wants_two() -> None:
    with pytest.raises(InvalidExperiment, match="two configurations"):
        logrank([Counts.of_epochs([1], until=2)])


def test_paired_logrank_is_the_sum_over_seeds_squared() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.integers(1, 15, (2, 50))  # below 16 each epoch has a bin of its own: the covariance is exact
    a[rng.random(50) < 0.3] = -1
    b[rng.random(50) < 0.4] = -1
    ours = paired_logrank(*(Counts.of_epochs(x, until=14) for x in (a, b)), PairedCounts.of(a, b))
    added = np.zeros(50)
    for t in range(1, 15):
        at_a, at_b = ((x < 0) | (x >= t) for x in (a, b))
        n = at_a.sum() + at_b.sum()
        hazard = ((a == t).sum() + (b == t).sum()) / n
        added += at_b.sum() / n * ((a == t) - at_a * hazard) - at_a.sum() / n * ((b == t) - at_b * hazard)
    assert ours.statistic == pytest.approx(added.sum() ** 2 / (50 * added.var()), rel=1e-9)


def test_paired_logrank_compares_the_epochs_that_all_seeds_were_seen_for() -> None:
    """Runs of 63 and of 200 epochs: what one does after epoch 63 says nothing of the other."""
    rng = np.random.default_rng(9)
    horizons, p_values = (63, 200), {1.0: [], 1.5: []}
    for slower, found in p_values.items():
        for _ in range(400):
            luck = rng.exponential(80, 100)
            a, b = (np.ceil(luck * rng.exponential(scale, 100)).astype(int) + 1 for scale in (1, slower))
            a, b = (np.where(x <= last, x, -1) for x, last in zip((a, b), horizons, strict=True))
            counts = [Counts.of_epochs(x, until=last) for x, last in zip((a, b), horizons, strict=True)]
            found.append(paired_logrank(*counts, PairedCounts.of(a, b)).p_value)
        a, b = (np.where(x <= 63, x, -1) for x in (a, b))
        short = [Counts.of_epochs(x, until=63) for x in (a, b)]
        assert paired_logrank(*short, PairedCounts.of(a, b)).p_value == pytest.approx(found[-1], rel=1e-9)
    assert 0.03 <= np.mean(np.array(p_values[1.0]) <= 0.05) <= 0.075
    assert np.mean(np.array(p_values[1.5]) <= 0.05) > 0.3


def test_paired_tests_want_the_same_seeds() -> None:
    one, two = Counts.of_epochs([1], until=2), Counts.of_epochs([1, 2], until=2)
    with pytest.raises(InvalidExperiment, match="the same seeds"):
        paired_logrank(one, two, PairedCounts.of([1], [2]))
    with pytest.raises(InvalidExperiment, match="epochs_b"):
        PairedCounts.of([1], [1, 2])


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_rejects_step_by_step(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    for alpha in (0.01, 0.05, 0.3):
        rejected, left = set(), sorted(range(len(p_values)), key=p_values.__getitem__)
        for step, k in enumerate(left):
            if p_values[k] * (len(p_values) - step) > alpha:
                break
            rejected.add(k)
        assert {k for k, p in enumerate(adjusted) if p <= alpha} == rejected


def test_holm_rejects_what_is_no_probability() -> None:
    with pytest.raises(InvalidExperiment, match="p_values"):
        holm([0.5, np.nan])


def test_twice_as_long_is_a_ratio_of_two() -> None:
    rng = np.random.default_rng(1)
    b = rng.integers(10, 500, 400)
    counts = [Counts.of_epochs(x, until=1000) for x in (2 * b, b)]
    paired = PairedCounts.of(2 * b, b)
    for ratio in (ratio_of_medians, ratio_of_expected):
        value, low, high = ratio(*counts, paired)
        assert value == pytest.approx(2)
        assert 1.8 < low <= 2 <= high < 2.2  # alike as they are, the ratio is all but certain
        apart = ratio(*counts, PairedCounts.of(2 * b, rng.permutation(b)))
        assert apart.high - apart.low > 2 * (high - low)
        swapped = ratio(*counts[::-1], PairedCounts.of(b, 2 * b))
        np.testing.assert_allclose(swapped, (1 / value, 1 / high, 1 / low))


def test_a_ratio_of_what_was_not_reached_is_none_or_open() -> None:
    slow, fast = [5] * 45 + [9] * 7 + [-1] * 48, [3] * 90 + [-1] * 10
    counts, paired = [Counts.of_epochs(x, until=9) for x in (slow, fast)], PairedCounts.of(slow, fast)
    value, low, high = ratio_of_medians(*counts, paired)
    assert (value, high) == (pytest.approx(3), None)
    assert low == pytest.approx(5 / 3)
    assert ratio_of_medians(*counts[::-1], PairedCounts.of(fast, slow)).low is None
    never = Counts.of_epochs([-1] * 100, until=9)
    pair = PairedCounts.of([-1] * 100, fast)
    assert ratio_of_medians(never, counts[1], pair) == ratio_of_expected(never, counts[1], pair) == (None,) * 3


@pytest.mark.parametrize(("power", "shared"), [(0.8, 0.0), (0.9, 0.6), (0.5, 0.6), (0.3, 0.0)])
def test_so_many_seeds_see_the_difference_so_often(power: float, shared: float) -> None:
    rng = np.random.default_rng(11)
    p_a, p_b = 0.70, 0.66
    both = shared * min(p_a, p_b) + (1 - shared) * p_a * p_b
    n = seeds_needed(p_a, p_b, discordant=p_a + p_b - 2 * both, power=power)
    cells = rng.multinomial(n, [both, p_a - both, p_b - both, 1 - p_a - p_b + both], 20_000)
    score = (cells[:, 1] - cells[:, 2]) / np.sqrt(np.maximum(cells[:, 1] + cells[:, 2], 1))
    assert np.mean(np.abs(score) > stats.norm.ppf(0.975)) == pytest.approx(power, abs=0.02)
    n = seeds_needed(p_a, p_b, power=power)
    a, b = rng.binomial(n, p_a, 20_000) / n, rng.binomial(n, p_b, 20_000) / n
    mean = (a + b) / 2
    seen = np.abs(a - b) > stats.norm.ppf(0.975) * np.sqrt(2 * mean * (1 - mean) / n)
    assert np.mean(seen) == pytest.approx(power, abs=0.02)


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99, 0.999])
def test_fewer_seeds_than_the_exact_test_can_see_anything_with_are_never_enough(confidence: float) -> None:
    n = seeds_needed(1.0, 0.0, discordant=1.0, power=0.5, confidence=confidence)
    assert mcnemar(Table(0, n, 0, 0)) <= 1 - confidence < mcnemar(Table(0, n - 1, 0, 0))
    assert seeds_needed(0.5, 0.25, discordant=0.25, power=0.01, confidence=confidence) == 4 * n


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"rate_b": 0.5}, "rate_b"),
        ({"rate_b": 1.5}, "rate_b"),
        ({"rate_b": 0.4, "power": 1.0}, "power"),
        ({"rate_b": 0.4, "confidence": 0.0}, "confidence"),
        ({"rate_b": 0.4, "discordant": 0.05}, "discordant"),
        ({"rate_b": 0.4, "discordant": 0.95}, "discordant"),
    ],
)
def test_power_rejects_what_cannot_be(arguments: dict[str, float], field: str) -> None:
    with pytest.raises(InvalidExperiment) as caught:
        seeds_needed(0.5, **arguments)
    assert caught.value.field == field
