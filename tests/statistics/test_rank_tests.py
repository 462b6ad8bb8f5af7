"""Whether seeds take equally long to converge: logrank tests."""

import itertools
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fastgrok.errors import InvalidExperiment
from fastgrok.statistics import ChiSquared, Counts, PairedCounts, logrank, paired_logrank

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
        if min(len(a), len(b)) >= 20:  # with fewer it is that of dealing seeds, see below
            assert ours.p_value == pytest.approx(theirs.pvalue, rel=1e-6, abs=1e-12)


def dealt(samples: list[list[int]], until: int) -> tuple[float, float]:
    """Return the p-value by every deal, and that of chi-squared with their variance: residuals, epoch by epoch."""
    x, sizes = np.concatenate(samples), [len(each) for each in samples]
    residuals = np.zeros(len(x))
    for t in range(1, until + 1):
        at_risk, met = (x < 0) | (x >= t), x == t
        residuals += met - at_risk * (met.sum() / max(at_risk.sum(), 1))

    def far(order: tuple[int, ...]) -> float:
        parts = np.split(residuals[list(order)], np.cumsum(sizes)[:-1])
        return sum(part.sum() ** 2 / len(part) for part in parts) * (len(x) - 1) / np.square(residuals).sum()

    seen = far(tuple(range(len(x))))
    orders = itertools.permutations(range(len(x))) if len(x) < 9 else []
    return float(np.mean([far(order) >= seen - 1e-9 for order in orders] or [np.nan])), seen


@pytest.mark.parametrize(
    "samples", [([2, 3, 5, -1], [4, 6, -1, -1]), ([1, 1], [2, 3, 4], [9, -1, -1]), ([1] * 3, [5] * 5)]
)
def test_of_few_seeds_every_deal_is_counted(samples: tuple[list[int], ...]) -> None:
    found = logrank([Counts.of_epochs(x, until=9) for x in samples])
    assert found.p_value == pytest.approx(dealt(list(samples), 9)[0], rel=1e-12)
    assert found.df == len(samples) - 1


def test_of_few_and_many_seeds_the_variance_is_that_of_deals_and_none_where_limits_differ() -> None:
    few, many = [1, 2, 2, 5], [*range(1, 10)] * 7
    found = logrank([Counts.of_epochs(x, until=9) for x in (few, many)])
    assert found.p_value == pytest.approx(stats.chi2.sf(dealt([few, many], 9)[1], 1), rel=1e-9)
    longer = logrank([Counts.of_epochs([*few, -1], until=9), Counts.of_epochs([*many, 20, -1], until=90)])
    assert longer.p_value == pytest.approx(stats.chi2.sf(longer.statistic, 1), rel=1e-12)


@pytest.mark.parametrize(("sizes", "samples"), [((5, 5), 400), ((10, 10), 1000), ((5, 60), 1000)])
def test_few_seeds_that_do_not_differ_are_not_told_apart_more_often_than_it_says(
    sizes: tuple[int, int], samples: int
) -> None:
    rng = np.random.default_rng(4)
    drawn = ([np.ceil(500 * rng.weibull(1.3, n)).astype(int) for n in sizes] for _ in range(samples))
    p = np.array([logrank([Counts.of_epochs(x, until=2**14) for x in both]).p_value for both in drawn])
    assert np.mean(p <= 0.05) <= 0.05 + 3 * (0.05 * 0.95 / samples) ** 0.5
    assert np.mean(p <= 0.01) <= 0.01 + 3 * (0.01 * 0.99 / samples) ** 0.5


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


def apart(a: np.ndarray, b: np.ndarray, until: int) -> np.ndarray:
    """Return half of the residual of each seed with a less that with b, from the pooled hazard, epoch by epoch."""
    residuals = np.zeros((2, len(a)))
    for t in range(1, until + 1):
        both = np.stack([a, b])
        at_risk, met = (both < 0) | (both >= t), both == t
        residuals += met - at_risk * (met.sum() / max(at_risk.sum(), 1))
    return (residuals[0] - residuals[1]) / 2


def paired(a: np.ndarray, b: np.ndarray, until: int) -> ChiSquared:
    return paired_logrank(*(Counts.of_epochs(x, until) for x in (a, b)), PairedCounts.of(a, b))


@pytest.mark.parametrize("n", [1, 2, 3, 9, 12, 50])
def test_paired_logrank_is_the_sum_over_seeds_squared(n: int) -> None:
    rng = np.random.default_rng(n)
    a, b = rng.integers(1, 15, (2, n))  # below 16 each epoch has a bin of its own: the covariance is exact
    a[rng.random(n) < 0.3] = -1
    b[rng.random(n) < 0.4] = -1
    ours, added = paired(a, b, 14), apart(a, b, 14)
    squares = np.square(added).sum()
    assert ours.statistic == pytest.approx(added.sum() ** 2 / squares if squares else 0.0, rel=1e-9)
    if n <= 12:
        signs = np.array(list(itertools.product((-1, 1), repeat=n)))
        as_far = abs(signs @ added) >= abs(added.sum()) - 1e-9
        assert ours.p_value == as_far.mean()
    else:
        assert ours.p_value == pytest.approx(stats.chi2.sf(ours.statistic, 1))


def test_seeds_that_all_agree_are_no_proof_when_they_are_few_and_are_when_they_are_many() -> None:
    """All seeds take 5 epochs with one and 9 with the other: about their mean nothing varies."""
    for n in (1, 2, 6, 10, 20, 21, 100):
        result = paired(np.full(n, 5), np.full(n, 9), 20)
        assert result.statistic == pytest.approx(n)
        assert result.p_value == pytest.approx(2.0 ** (1 - n) if n <= 20 else stats.chi2.sf(n, 1))
    assert paired(np.full(9, 5), np.full(9, 5), 20).p_value == paired(np.full(9, -1), np.full(9, -1), 20).p_value == 1
    assert paired(np.full(9, 500), np.full(9, 501), 900).p_value == 2.0**-8  # in one bin of epochs


def test_where_few_of_many_seeds_differ_their_signs_are_counted() -> None:
    a = np.full(10_000, -1)
    a[:5] = 7
    assert paired(a, np.full(10_000, -1), 20).p_value == 2.0**-4


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
