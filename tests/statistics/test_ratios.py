"""How many times as long one configuration takes as another."""

import numpy as np
import pytest

from fastgrok.statistics import Counts, PairedCounts, ratio_of_expected, ratio_of_medians


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
    barely = [5] * 27 + [-1] * 23
    both = Counts.of_epochs(barely, until=9)
    assert ratio_of_medians(both, both, PairedCounts.of(barely, barely)) == (1, None, None)  # neither may be reached
    never = Counts.of_epochs([-1] * 100, until=9)
    pair = PairedCounts.of([-1] * 100, fast)
    assert ratio_of_medians(never, counts[1], pair) == ratio_of_expected(never, counts[1], pair) == (None,) * 3


def test_where_epochs_are_few_the_ends_of_a_ratio_of_medians_are_ratios_of_epochs() -> None:
    """Half of a million seeds converge by epoch 4 but for 300, alike with both: the medians may be 4 or 5."""
    epochs = np.array([4] * 499_700 + [5] * 500_300)
    counts = Counts.of_epochs(epochs, until=9)
    others = Counts.of_epochs(epochs - 1, until=9)
    value, low, high = ratio_of_medians(counts, others, PairedCounts.of(epochs, epochs - 1))
    assert (value, low, high) == (5 / 4, 5 / 4, 4 / 3)
    value, low, high = ratio_of_medians(counts, others, PairedCounts.of(epochs, epochs[::-1] - 1))
    assert (low, high) == (1, 5 / 3)  # seeds that are unlike: one median may be 4 and the other, too


@pytest.mark.parametrize("n", [2, 4])
def test_a_median_of_few_seeds_may_be_any_epoch(n: int) -> None:
    epochs = np.arange(10, 10 + n)
    counts, paired = Counts.of_epochs(epochs, until=20), PairedCounts.of(epochs, epochs[::-1])
    assert ratio_of_medians(counts, counts, paired)[1:] == (None, None)
