"""Differences of rates: the interval, McNemar, Holm, and how many seeds it takes; against scipy."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fastgrok.errors import InvalidExperiment
from fastgrok.statistics import Estimate, Table, clopper_pearson, holm, mcnemar, risk_difference, seeds_needed


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


@pytest.mark.parametrize("cells", [(0, 7, 3, 0), (0, 30, 2, 0), (80, 12, 3, 5), (4, 3, 1, 2), (990, 0, 1, 9)])
def test_the_interval_is_of_means_over_random_weights_with_one_seed_more(cells: tuple[int, int, int, int]) -> None:
    table = Table(*cells)
    same = table.both + table.neither
    draws = np.random.default_rng(0).dirichlet(np.maximum([table.only_a, table.only_b, same, 1], 1e-9), 200_000)
    means = draws[:, 0] - draws[:, 1]
    wanted = np.quantile(means - draws[:, 3], 0.025), np.quantile(means + draws[:, 3], 0.975)
    found = risk_difference(table)[1:]
    np.testing.assert_allclose(found, wanted, atol=0.03 * (wanted[1] - wanted[0]))  # three moments are taken


@pytest.mark.parametrize("only_a", [0, 1, 4, 9, 12])
def test_where_every_seed_differs_the_interval_is_nearly_clopper_and_pearsons(only_a: int) -> None:
    found = np.array(risk_difference(Table(0, only_a, 12 - only_a, 0))[1:], float)
    wanted = 2 * np.array(clopper_pearson(only_a, 12)) - 1
    np.testing.assert_allclose(found, wanted, atol=0.03)


@pytest.mark.parametrize("n", [3, 10, 30])
def test_the_interval_never_covers_less_than_it_says_by_all_tables(n: int) -> None:
    cells = np.array([(a, b, n - a - b) for a in range(n + 1) for b in range(n + 1 - a)])
    low, high = np.array([risk_difference(Table(same, a, b, 0))[1:] for a, b, same in cells.tolist()], float).T
    for ties, share in itertools.product((0, 0.1, 0.5, 0.9), np.linspace(0.5, 0.995, 34)):
        p = np.array([share * (1 - ties), (1 - share) * (1 - ties), ties])
        inside = (low <= p[0] - p[1] + 1e-9) & (p[0] - p[1] - 1e-9 <= high)
        assert stats.multinomial.pmf(cells, n, p) @ inside >= 0.95


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


def mcnemar_of(only_a: np.ndarray, only_b: np.ndarray) -> np.ndarray:
    """Return the p-values of the exact test."""
    return np.minimum(1, 2 * stats.binom.cdf(np.minimum(only_a, only_b), only_a + only_b, 0.5))


@pytest.mark.parametrize("discordant", [0.1, 0.3, 0.5])
@pytest.mark.parametrize("power", [0.5, 0.8, 0.9])
def test_of_so_many_seeds_the_exact_test_has_the_power_and_of_fewer_it_has_not(
    discordant: float, power: float
) -> None:
    """The power by all tables: binomially many discordant seeds, binomially many of these for one side."""
    n = seeds_needed(0.6, 0.5, discordant=discordant, power=power)
    powers = []
    for seeds in (n, n - 1):
        m = np.repeat(np.arange(seeds + 1), np.arange(seeds + 1) + 1)
        only_a = np.concatenate([np.arange(k + 1) for k in range(seeds + 1)])
        chances = stats.binom.pmf(m, seeds, discordant) * stats.binom.pmf(only_a, m, (1 + 0.1 / discordant) / 2)
        powers.append(float(chances @ (mcnemar_of(only_a, m - only_a) <= 0.05)))
    assert powers[0] >= power > powers[1]


def test_a_million_discordant_seeds_need_no_exact_sum() -> None:
    below, above = (seeds_needed(0.5, 0.5 - d, discordant=0.5, power=0.8) for d in (0.001405, 0.001395))
    assert 0.5 * below < 1_000_000 * 1.01
    assert above / below == pytest.approx((1405 / 1395) ** 2, rel=1e-3)


@pytest.mark.parametrize(("power", "shared"), [(0.8, 0.0), (0.9, 0.6), (0.5, 0.6), (0.3, 0.0)])
def test_so_many_seeds_see_the_difference_so_often(power: float, shared: float) -> None:
    rng = np.random.default_rng(11)
    p_a, p_b = 0.70, 0.66
    both = shared * min(p_a, p_b) + (1 - shared) * p_a * p_b
    n = seeds_needed(p_a, p_b, discordant=p_a + p_b - 2 * both, power=power)
    cells = rng.multinomial(n, [both, p_a - both, p_b - both, 1 - p_a - p_b + both], 20_000)
    seen = mcnemar_of(cells[:, 1], cells[:, 2]) <= 0.05
    assert np.mean(seen) == pytest.approx(power, abs=0.01)
    n = seeds_needed(p_a, p_b, power=power)
    a, b = rng.binomial(n, p_a, 20_000) / n, rng.binomial(n, p_b, 20_000) / n
    mean = (a + b) / 2
    seen = np.abs(a - b) > stats.norm.ppf(0.975) * np.sqrt(2 * mean * (1 - mean) / n)
    assert np.mean(seen) == pytest.approx(power, abs=0.02)


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99, 0.999])
def test_fewer_seeds_than_the_exact_test_can_see_anything_with_are_never_enough(confidence: float) -> None:
    n = seeds_needed(1.0, 0.0, discordant=1.0, power=0.5, confidence=confidence)
    assert mcnemar(Table(0, n, 0, 0)) <= 1 - confidence < mcnemar(Table(0, n - 1, 0, 0))
    # every discordant seed is for a, so that the test rejects where n of them are discordant, and only there
    enough = next(k for k in itertools.count(n) if stats.binom.sf(n - 1, k, 0.25) >= 0.01)
    assert seeds_needed(0.5, 0.25, discordant=0.25, power=0.01, confidence=confidence) == enough


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
