"""No difference larger than a margin: against statsmodels, and by simulation at the margin itself."""

import numpy as np
import pytest

from fastgrok.errors import InvalidExperiment
from fastgrok.statistics import (
    Estimate,
    Table,
    equivalence,
    independent_difference,
    independent_mean_difference,
    independent_p,
    mean_difference,
    risk_difference,
)

RNG = np.random.default_rng(6)
A, B = RNG.normal(0, 1, 80), RNG.normal(0.05, 1.2, 80)


@pytest.mark.parametrize("margin", [0.2, 0.4, 0.8])
def test_of_means_it_is_statsmodels_two_one_sided_t_tests(margin: float) -> None:
    weightstats = pytest.importorskip("statsmodels.stats.weightstats")
    paired = equivalence(lambda c: mean_difference(A, B, c), margin)
    assert paired.p_value == pytest.approx(weightstats.ttost_paired(A, B, -margin, margin)[0], rel=1e-6)
    own = equivalence(lambda c: independent_mean_difference(A, B, c), margin)
    wanted = weightstats.ttost_ind(A, B, -margin, margin, usevar="unequal")[0]
    assert own.p_value == pytest.approx(wanted, rel=1e-6)


def test_of_rates_it_is_the_score_test_at_the_margin() -> None:
    cells = (960, 1000, 955, 1000)
    found = equivalence(lambda c: independent_difference(*cells, c), 0.03)
    assert found.p_value == pytest.approx(
        max(independent_p(*cells, difference=d) for d in (0.03, -0.03)) / 2, rel=1e-6
    )
    assert found.difference == pytest.approx(independent_difference(*cells, 0.9))


def test_what_is_shown_agrees_with_the_interval() -> None:
    table = Table(800, 51, 49, 100)
    for margin in (0.001, 0.018, 0.019, 0.5):
        found = equivalence(lambda c: risk_difference(table, c), margin)
        assert (found.p_value <= 0.05) == (max(abs(x) for x in found.difference[1:] if x is not None) < margin)
    assert equivalence(lambda c: risk_difference(table, c), 0.001).p_value == 1
    assert equivalence(lambda _: Estimate(0.0, None, None), 1.0).p_value == 1  # open: nothing is known


@pytest.mark.parametrize("margin", [0, -1, float("nan"), float("inf"), True, "2"])
def test_a_margin_is_a_number_above_0(margin: float) -> None:
    with pytest.raises(InvalidExperiment, match="margin"):
        equivalence(lambda c: risk_difference(Table(1, 1, 1, 1), c), margin)


@pytest.mark.parametrize("n", [50, 300])
def test_configurations_that_differ_by_the_margin_are_seldom_taken_for_alike(n: int) -> None:
    drawn = np.random.default_rng(7).multinomial(n, [0.6, 0.15, 0.05, 0.2], 3000)
    distinct, times = np.unique(drawn, axis=0, return_counts=True)
    tables = [Table(*map(int, cells)) for cells in distinct]
    alike = [max(map(abs, risk_difference(table, 0.9)[1:])) < 0.1 for table in tables]  # type: ignore[arg-type]
    assert float(times @ np.array(alike)) / 3000 <= 0.05 + 3 * 0.004
