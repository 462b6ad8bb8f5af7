"""Statistics of seeds: Wilson's interval, Kaplan and Meier's estimate, the summary of a configuration."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import fastgrok as fg
from fastgrok.errors import InvalidExperiment
from fastgrok.schema import Outcome
from fastgrok.statistics.proportion import wilson
from fastgrok.statistics.summary import summarise
from fastgrok.statistics.survival import kaplan_meier, quantiles

EXP = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)


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


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ((1, 0), "n"),
        ((2, 1), "successes"),
        ((-1, 5), "successes"),
        ((1, 5, 1.0), "confidence"),
        ((np.nan, 5), "successes"),
    ],
)
def test_wilson_rejects_what_is_no_proportion(arguments: tuple[float, ...], field: str) -> None:
    with pytest.raises(InvalidExperiment) as caught:
        wilson(*arguments)
    assert caught.value.field == field


@given(st.lists(st.tuples(st.integers(1, 12), st.booleans()), min_size=1, max_size=60))
def test_kaplan_meier_is_scipys(seen: list[tuple[int, bool]]) -> None:
    last = np.array([epoch for epoch, _ in seen])
    observed = np.array([converged for _, converged in seen])
    ours = kaplan_meier(np.where(observed, last, -1), last)
    theirs = stats.ecdf(stats.CensoredData(uncensored=last[observed], right=last[~observed])).sf
    np.testing.assert_allclose(ours.share, theirs.evaluate(ours.time), rtol=1e-12)


@given(st.lists(st.integers(1, 20) | st.just(-1), min_size=1, max_size=60))
def test_under_one_horizon_the_estimate_is_the_share_of_all_seeds(epochs: list[int]) -> None:
    survival = kaplan_meier(epochs, [20 if epoch < 0 else epoch for epoch in epochs])
    left = [sum(epoch < 0 or epoch > t for epoch in epochs) for t in survival.time]
    assert survival.share.tolist() == [count / len(epochs) for count in left]


@given(st.lists(st.integers(1, 20) | st.just(-1), min_size=1, max_size=60))
def test_median_is_the_epoch_by_which_half_of_all_seeds_have_converged(epochs: list[int]) -> None:
    survival = kaplan_meier(epochs, [20 if epoch < 0 else epoch for epoch in epochs])
    reached = [t for t in range(1, 21) if 2 * sum(0 < epoch <= t for epoch in epochs) >= len(epochs)]
    assert quantiles(survival, 0.5) == [min(reached, default=None)]


def test_seeds_that_diverged_stay_at_risk_for_ever() -> None:
    epochs, run = [5, 6, -1, -1], [5, 6, 1, 1]
    assert quantiles(kaplan_meier(epochs, run, [False, False, True, True]), [0.5, 0.51]) == [6, None]
    assert quantiles(kaplan_meier(epochs, run), [0.5]) == [5]  # what censoring them at epoch 1 would promise


def test_no_convergence_has_no_quantiles() -> None:
    assert quantiles(kaplan_meier([-1, -1], [10, 10]), [0.0, 0.5, 1.0]) == [None, None, None]


def test_survival_rejects_what_does_not_fit() -> None:
    with pytest.raises(InvalidExperiment, match="epochs_to_converge"):
        kaplan_meier([], [])
    with pytest.raises(InvalidExperiment, match="epochs_run"):
        kaplan_meier([1, 2], [1])
    with pytest.raises(InvalidExperiment, match="shares"):
        quantiles(kaplan_meier([1], [1]), [1.5])


def columns(outcomes: list[Outcome], run: list[int], converge: list[int]) -> dict[str, np.ndarray]:
    return {
        "outcome": np.array(outcomes, np.int8),
        "epochs_run": np.array(run, np.int64),
        "epochs_to_converge": np.array(converge, np.int64),
    }


def test_summary_counts_every_seed_once() -> None:
    kinds = [Outcome.CONVERGED, Outcome.CONVERGED, Outcome.DEAD, Outcome.DIVERGED, Outcome.UNFINISHED]
    summary = summarise(columns(kinds, [10, 20, 100, 3, 100], [10, 20, -1, -1, -1]), EXP, 2.0)
    assert summary.outcomes == {"diverged": 1, "converged": 2, "dead": 1, "stalled": 0, "unfinished": 1}
    assert (summary.n, summary.converged, summary.rate) == (5, 2, 0.4)
    assert (summary.rate_low, summary.rate_high) == tuple(map(float, wilson(2, 5)))
    assert (summary.epochs_q25, summary.epochs_median) == (20, None)
    assert (summary.seed_epochs, summary.seed_epochs_per_second) == (233, 116.5)


def test_convergence_does_not_apply_without_a_criterion() -> None:
    summary = summarise(columns([Outcome.UNFINISHED], [100], [-1]), EXP.replace(stop=None), 0.0)
    assert summary.converged is summary.rate is summary.epochs_median is summary.seed_epochs_per_second is None
