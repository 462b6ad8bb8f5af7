"""Whether seeds take equally long to converge: logrank tests."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fastgrok.errors import InvalidExperiment
from fastgrok.statistics import Counts, PairedCounts, logrank, paired_logrank

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of lifelines' own imports
    import lifelines.statistics

EPOCHS = st.lists(st.integers(1, 20) | st.just(-1), min_size=2, max_size=40)


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
