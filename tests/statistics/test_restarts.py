"""What a success costs when every attempt is cut off, and where to cut."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fastgrok.errors import InvalidExperiment
from fastgrok.statistics import (
    Counts,
    Histogram,
    PairedCounts,
    best_cutoff,
    clopper_pearson,
    expected_epochs,
    ratio_of_expected,
    survival_curve,
)

EPOCHS = st.lists(st.integers(1, 20) | st.just(-1), min_size=1, max_size=60)


def naive_cost(epochs: list[int], ends: list[int], cutoff: int) -> float:
    """Return the epochs spent by all attempts, for each that succeeds; without converging a seed ends at `ends`."""
    all_ends = [*(epoch if epoch > 0 else 20 for epoch in epochs), *ends]
    wins = sum(0 < epoch <= cutoff for epoch in epochs)
    return sum(min(end, cutoff) for end in all_ends) / wins if wins else np.inf


def counted(epochs: list[int], ends: list[int]) -> Counts:
    """Count seeds trained for 20 epochs, and some that diverged or stopped early."""
    never = Histogram.of(ends)
    lost = Counts(never.n, True, (never.n, 0, 0, 0, 0), Histogram.of([]), Histogram.of([]), never, sum(ends))
    return Counts.of_epochs(epochs, until=20) + lost


ENDS = st.lists(st.integers(1, 20), max_size=20)


@given(EPOCHS, ENDS, st.integers(1, 20))
def test_epochs_per_success_are_those_spent_by_all_attempts(epochs: list[int], ends: list[int], cutoff: int) -> None:
    value = expected_epochs(counted(epochs, ends), cutoff).value
    naive = naive_cost(epochs, ends, cutoff)
    assert value is None if np.isinf(naive) else value == pytest.approx(naive, rel=1e-12)


@given(EPOCHS, ENDS)
def test_without_a_cutoff_a_success_costs_all_epochs_run(epochs: list[int], ends: list[int]) -> None:
    counts = counted(epochs, ends)
    if counts.n_converged:
        assert expected_epochs(counts).value == pytest.approx(counts.seed_epochs / counts.n_converged, rel=1e-12)


def test_the_interval_of_the_cost_of_many_seeds_is_that_of_the_ratio_of_two_sums_over_seeds() -> None:
    epochs, ends = [4, 7, 9, 12, -1, -1] * 4000, [3, 15, 2] * 4000
    spent, met = np.array([4, 7, 9, 10, 10, 10, 3, 10, 2]), np.array([1, 1, 1, 0, 0, 0, 0, 0, 0])
    error = np.std(spent / spent.mean() - met / met.mean()) / np.sqrt(9 * 4000)
    found = expected_epochs(counted(epochs, ends), 10)
    wanted = found.value * np.exp(stats.norm.ppf(0.975) * error * np.array([-1, 1]))
    np.testing.assert_allclose(found[1:], wanted, rtol=3e-4)


@pytest.mark.parametrize(("k", "n"), [(5, 12), (30, 60), (50, 50)])
def test_where_all_seeds_cost_alike_the_interval_is_that_of_the_share(k: int, n: int) -> None:
    """Seeds converge at epoch 20 or not by 20: a success costs 20 / share; a seed more may cost 1, and not 20."""
    value, low, high = expected_epochs(counted([20] * k + [-1] * (n - k), []))
    share = clopper_pearson(k, n)
    assert value == 20 * n / k
    assert high == pytest.approx(20 / share.low, rel=0.06)
    assert 0.8 * 20 / share.high < low < 20 / share.high


def test_a_sample_without_failures_does_not_rule_them_out() -> None:
    """Of 50 seeds none fails; one in 14 may, at 1,000 epochs each."""
    epochs = np.random.default_rng(0).integers(20, 60, 50)
    counts, others = (Counts.of_epochs(x, 1000) for x in (epochs, epochs + 1))
    value, low, high = expected_epochs(counts, 1000)
    assert 0.85 * value < low < value < 2.5 * value < high < 5 * value
    value, low, high = ratio_of_expected(counts, others, PairedCounts.of(epochs, epochs + 1), cutoffs=(1000, 1000))
    assert low < 0.5 * value < 2 * value < high
    assert expected_epochs(Counts.of_epochs([3, -1, -1], 9)).high is None  # none may converge


@given(EPOCHS, ENDS)
def test_the_best_cutoff_costs_least(epochs: list[int], ends: list[int]) -> None:
    epochs = epochs * 3
    best = best_cutoff(counted(epochs, ends))
    enough = [cutoff for cutoff in range(1, 21) if sum(0 < epoch <= cutoff for epoch in epochs) >= 10]
    costs = [naive_cost(epochs, ends, cutoff) if cutoff in enough else np.inf for cutoff in range(1, 21)]
    if not enough:
        assert best == ((None, None, None), expected_epochs(counted(epochs, ends)))
        return
    assert best.expected.value == pytest.approx(min(costs), rel=1e-12)
    assert costs[best.cutoff.value - 1] == pytest.approx(min(costs), rel=1e-12)
    assert best.cutoff.low <= best.cutoff.value
    assert best.cutoff.high is None or best.cutoff.value <= best.cutoff.high


@pytest.mark.parametrize("seed", range(12))
def test_the_interval_of_the_cutoff_is_that_of_each_difference(seed: int) -> None:
    rng = np.random.default_rng(seed)
    epochs = rng.integers(1, 60, 80)
    epochs[rng.random(80) < 0.3] = -1
    never = Histogram.of(ends := rng.integers(1, 60, 6 * (seed % 3)))
    lost = Counts(never.n, True, (never.n, 0, 0, 0, 0), Histogram.of([]), Histogram.of([]), never, 0)
    best = best_cutoff(Counts.of_epochs(epochs, until=60) + lost).cutoff
    last = np.concatenate([np.where(epochs > 0, epochs, 60), ends])
    converges = np.arange(len(last)) < 80
    converges[:80] = epochs > 0

    def added(t: int) -> np.ndarray:
        """Return what each seed adds to log E(t), the mean being log E(t)."""
        met = converges & (last <= t)
        spent = np.minimum(last, t)
        return np.log(spent.mean() / met.mean()) + spent / spent.mean() - met / met.mean()

    good = []
    for t in [*np.unique(epochs[epochs > 0]).tolist(), 60]:
        difference = added(t) - added(best.value)
        if difference.mean() <= (stats.norm.ppf(0.975) + 0.8) * difference.std() / np.sqrt(len(last)) + 1e-12:
            good.append(t)
    latest = int(epochs.max())
    more = np.minimum(last, 60).mean() / (converges.mean() + stats.norm.ppf(0.975) ** 2 / len(last))
    at_latest = np.minimum(last, latest).mean() / converges.mean()
    is_open = good[-1] > latest or (good[-1] == latest and more <= at_latest)
    assert (best.low, best.high) == (good[0], None if is_open else good[-1])


def test_the_best_cutoff_is_open_above_where_never_giving_up_may_be_as_good() -> None:
    rng = np.random.default_rng(2)
    steady, stuck = rng.geometric(0.02, 300), rng.integers(1, 20, 300)
    for until in (80, 1000):
        seen = Counts.of_epochs(np.where(steady <= until, steady, -1), until)
        assert best_cutoff(seen).cutoff.high is None
    stuck[:100] = -1
    assert best_cutoff(Counts.of_epochs(stuck, until=1000)).cutoff.high < 20


def test_the_best_cutoff_is_open_above_where_the_run_was_too_short() -> None:
    """The last seed converges one epoch before the end of a run that ends before the best cut-off."""
    rng = np.random.default_rng(3)
    all_epochs = np.ceil(rng.normal(1000, 200, 1000)).astype(int)
    all_epochs[:300] = -1
    short = Counts.of_epochs(np.where(all_epochs < 1000, all_epochs, -1), until=1000)
    assert short.converged.values[-1] == 999
    value, low, high = best_cutoff(short).cutoff
    assert low <= value <= 999
    assert high is None
    value, low, high = best_cutoff(Counts.of_epochs(all_epochs, until=3000)).cutoff
    assert 999 < low <= value <= high < 3000


def test_one_lucky_seed_is_no_cutoff() -> None:
    """Of 2,000 seeds one converges at once, which costs 2,000 epochs; the rest cost 2,300 epochs."""
    rng = np.random.default_rng(4)
    epochs = np.where(rng.random(2000) < 0.25, np.ceil(rng.normal(300, 50, 2000)), -1).astype(int)
    epochs[:1200] = -1
    epochs[0] = 1
    counts = Counts.of_epochs(epochs, until=1000)
    assert expected_epochs(counts, 1).value == 2000 < best_cutoff(counts).expected.value
    assert best_cutoff(counts).cutoff.value > 200
    assert best_cutoff(counts).cutoff.low == 1
    paired = PairedCounts.of(epochs, epochs)
    value, low, high = ratio_of_expected(counts, counts, paired)
    assert value == 1
    assert low < 0.99 < 1.01 < high  # none of 2,000 is discordant, and more seeds would show some


@pytest.mark.parametrize("n", [0, 1, 9, 10])
def test_without_ten_successes_there_is_no_choice_of_a_cutoff(n: int) -> None:
    counts = Counts.of_epochs([3] * n + [-1] * 200, until=100)
    best = best_cutoff(counts)
    if n == 10:
        assert best.cutoff.value == 3
        return
    assert best == ((None, None, None), expected_epochs(counts))
    one = ratio_of_expected(counts, counts, PairedCounts.of([3] * n + [-1] * 200, [3] * n + [-1] * 200))
    assert one.value == (1 if n else None)


def test_without_a_criterion_nothing_is_said_of_convergence() -> None:
    none = Counts(3, False, (0, 0, 0, 0, 3), Histogram.of([]), Histogram.of([9] * 3), Histogram.of([]), 27)
    for statistic in (survival_curve, best_cutoff, expected_epochs):
        with pytest.raises(InvalidExperiment, match=r"criteria is missing: expected Converged\(\.\.\.\) in `stop`"):
            statistic(none)


def test_a_cutoff_beyond_what_was_seen_is_rejected() -> None:
    assert (
        expected_epochs(Counts.of_epochs([5, 7], until=9), 100).value
        == expected_epochs(Counts.of_epochs([5, 7], until=9)).value
    )
    for cutoff in (0, 10, True, 2.5, "5"):
        with pytest.raises(InvalidExperiment, match="cutoff"):
            expected_epochs(Counts.of_epochs([5, -1], until=9), cutoff)
    with pytest.raises(InvalidExperiment, match="counts"):
        best_cutoff(Counts.empty())
