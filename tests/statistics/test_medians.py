"""Where two true medians may lie: ranks as they are drawn."""

import numpy as np
import pytest
from scipy import stats

from fastgrok.statistics.medians import ends_of_draws, ranks_of_medians


@pytest.mark.parametrize("alike", [-1.0, 0.0, 0.7, 1.0])
def test_either_rank_is_binomial_or_one_more_and_they_are_as_alike_as_is_asked(alike: float) -> None:
    n = 400, 900
    ranks = ranks_of_medians(n, alike)
    for drawn, size in zip(ranks, n, strict=True):
        places = np.arange(size + 2)
        wanted = (stats.binom.cdf(places, size, 0.5) + stats.binom.cdf(places - 1, size, 0.5)) / 2
        # Kolmogorov's distance of 2,000 draws, each used twice, is beyond this once in a million
        assert (
            abs(np.searchsorted(np.sort(drawn), places, side="right") / drawn.size - wanted).max() < 2.7 / 2000**0.5
        )
    assert np.corrcoef(ranks)[0, 1] == pytest.approx(alike, abs=0.06)


def test_to_swap_the_sides_changes_the_order_of_the_draws_alone() -> None:
    ranks, turned = ranks_of_medians((9, 400), 0.3), ranks_of_medians((400, 9), 0.3)
    np.testing.assert_array_equal(ranks, np.roll(turned[::-1], ranks.shape[1] // 2, axis=1))
    same = ranks_of_medians((50, 50), 1.0)
    np.testing.assert_array_equal(*same)


def test_what_is_no_number_is_beyond_either_end() -> None:
    drawn = np.array([np.nan, *np.arange(1.0, 40)])
    assert ends_of_draws(drawn, 0.95) == (1, 39)
    assert ends_of_draws(drawn, 0.99) == (-np.inf, np.inf)
