"""Epochs to convergence under censoring: curve, band, quantiles, restricted mean; against scipy and lifelines."""

import warnings

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

import fastgrok as fg
from fastgrok.errors import InvalidExperiment
from fastgrok.statistics import (
    Counts,
    Estimate,
    Histogram,
    band,
    clopper_pearson,
    expected_epochs,
    kaplan_meier,
    order_quantile,
    quantile,
    quantiles,
    restricted_mean,
    survival_curve,
    wilson,
)
from fastgrok.statistics.bounded import of_stretches

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of lifelines' own imports
    import lifelines
    import lifelines.utils

EPOCHS = st.lists(st.integers(1, 20) | st.just(-1), min_size=1, max_size=60)

CENSORED = st.lists(st.tuples(st.integers(1, 30), st.booleans()), min_size=2, max_size=60)


def fitted(seen: list[tuple[int, bool]]) -> tuple[lifelines.KaplanMeierFitter, np.ndarray, np.ndarray]:
    last, observed = (np.array(column) for column in zip(*seen, strict=True))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of lifelines, where nothing was observed
        return lifelines.KaplanMeierFitter().fit(last, observed), last, observed


REGIMES = {
    "converged": {},
    "keep_training": {"stop": fg.Converged(loss=0.01, keep_training=True)},
    "early": {"stop": (fg.Converged(loss=0.01), fg.EarlyStopping(patience=5, restore_best=False))},
    "early_best": {"stop": (fg.Converged(loss=0.01), fg.EarlyStopping(patience=5))},
    "early_best_keep": {"stop": (fg.Converged(loss=0.01, keep_training=True), fg.EarlyStopping(patience=5))},
    "restart": {"restart": fg.Restart(after=40)},
    "restart_once": {"restart": fg.Restart(after=40, at_most=1)},
}


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


@pytest.mark.parametrize("n", [*range(1, 40), 97, 1000])
def test_the_quantile_of_k_of_n_is_the_kth_epoch(n: int) -> None:
    """However k / n and 1 - k / n are rounded, with seeds that never converge and without."""
    every = np.arange(1, n + 1)
    assert quantiles(survival_curve(Counts.of_epochs(every, until=n)), every / n) == every.tolist()
    curve = kaplan_meier([*every[:-1], -1], [*every[:-1], n])
    assert quantiles(curve, every / n) == [*every[:-1].tolist(), None]
    with_ends = [quantile(curve, k / n) for k in (1, n)]
    assert all(x.low is None or x.value is None or x.low <= x.value for x in with_ends)


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
    for share in (1.5, "half", [0.5]):
        with pytest.raises(InvalidExperiment, match="share = "):
            quantile(kaplan_meier([1], [1]), share)  # type: ignore[arg-type]
    for epochs in ([5, -1], [0, -1], [-2, 1], [1.5, 1], [True, False]):
        with pytest.raises(InvalidExperiment, match="epochs_to_converge"):
            kaplan_meier(epochs, [3, 3])


def test_a_run_that_only_stops_early_has_a_stop_and_no_criterion() -> None:
    data = fg.datasets.xor()
    exp = fg.Experiment(fg.mlp(2, 4, 1), data, validation=data, epochs=9, stop=fg.EarlyStopping(patience=5))
    with pytest.raises(InvalidExperiment, match=r"^criteria is missing: expected Converged"):
        survival_curve(fg.run(exp, seeds=2, progress=False).counts[0])


@given(EPOCHS, st.integers(0, 3))
def test_a_curve_of_counts_is_that_of_the_seeds(epochs: list[int], never: int) -> None:
    counts = Counts.of_epochs(epochs, until=20)
    gone = Counts(never, True, (never, 0, 0, 0, 0), Histogram.of([]), Histogram.of([]), Histogram.of([3] * never), 0)
    ours = survival_curve(counts + gone)
    last = [20 if epoch < 0 else epoch for epoch in epochs] + [3] * never
    theirs = kaplan_meier(epochs + [-1] * never, last, [False] * len(epochs) + [True] * never)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a, b)


@settings(max_examples=30)
@given(CENSORED)
def test_the_log_log_band_is_that_of_lifelines(seen: list[tuple[int, bool]]) -> None:
    theirs, last, observed = fitted(seen)
    curve = kaplan_meier(np.where(observed, last, -1), last)
    inside = curve.share > 0
    ends = theirs.confidence_interval_.loc[curve.time[inside]].to_numpy()
    low, high = band(curve, method="log-log")
    np.testing.assert_allclose(np.column_stack([low, high])[inside], ends, rtol=1e-9)


@settings(max_examples=30)
@given(CENSORED)
def test_the_median_is_that_of_lifelines(seen: list[tuple[int, bool]]) -> None:
    theirs, last, observed = fitted(seen)
    curve = kaplan_meier(np.where(observed, last, -1), last)
    assume(not np.any(np.abs(curve.share - 0.5) < 1e-9))  # where theirs depends on how it was rounded
    median = quantile(curve, 0.5).value
    assert median == (None if np.isinf(theirs.median_survival_time_) else theirs.median_survival_time_)


@settings(max_examples=30)
@given(CENSORED)
def test_the_restricted_mean_is_that_of_lifelines(seen: list[tuple[int, bool]]) -> None:
    theirs, last, observed = fitted(seen)
    curve = kaplan_meier(np.where(observed, last, -1), last)
    until = int(last.max())
    wanted = lifelines.utils.restricted_mean_survival_time(theirs, t=until)
    np.testing.assert_allclose(restricted_mean(curve, until).value, wanted, rtol=1e-9)


@given(EPOCHS)
def test_under_one_horizon_the_band_is_wilsons_interval_of_the_share(epochs: list[int]) -> None:
    counts = Counts.of_epochs(epochs, until=20)
    curve = survival_curve(counts)
    left = np.array([sum(epoch < 0 or epoch > t for epoch in epochs) for t in curve.time], int)
    np.testing.assert_allclose(band(curve), wilson(left, np.full(len(left), counts.n)), rtol=1e-9, atol=1e-12)


@given(EPOCHS)
def test_under_one_horizon_the_restricted_mean_is_a_plain_mean(epochs: list[int]) -> None:
    mean = restricted_mean(survival_curve(Counts.of_epochs(epochs, until=20)), 20)
    capped = np.array([20 if epoch < 0 else epoch for epoch in epochs])
    np.testing.assert_allclose(mean.value, capped.mean(), rtol=1e-12)
    np.testing.assert_allclose(mean.standard_error, capped.std() / np.sqrt(len(epochs)), rtol=1e-9, atol=1e-9)


def test_what_is_not_reached_is_none() -> None:
    curve = survival_curve(Counts.of_epochs([5] * 45 + [-1] * 55, until=9))
    assert quantile(curve, 0.5) == Estimate(None, 5, None)
    assert quantile(curve, 0.4) == Estimate(5, 5, None)
    assert quantile(curve, 0.1) == Estimate(5, 5, 5)
    assert quantile(survival_curve(Counts.of_epochs([-1, -1], until=9)), 0.5) == Estimate(None, None, None)


@pytest.mark.parametrize("n", [4, 5, 30, 400])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_quantile_has_the_interval_of_order_statistics(n: int, share: float) -> None:
    """Epochs 2, 3, ...: where no seed is early enough for the lower end, it is the first epoch of all."""
    epochs = np.arange(2, n + 2)
    value, low, high = order_quantile(epochs.astype(float), np.ones(n, int), share)
    assert quantile(survival_curve(Counts.of_epochs(epochs, n + 1)), share) == (value, low or 1, high)
    missed = Counts.of_epochs(np.where(epochs <= n // 2 + 1, epochs, -1), n // 2 + 1)
    seen = [None if x is None or x > n // 2 + 1 else x for x in (value, low or 1, high)]
    assert list(quantile(survival_curve(missed), share)) == seen


def test_a_restricted_mean_ends_where_seeds_were_last_seen() -> None:
    curve = survival_curve(Counts.of_epochs([5, -1], until=9))
    assert restricted_mean(curve).value == 7
    for until in (10, 0, True):
        with pytest.raises(InvalidExperiment, match="until"):
            restricted_mean(curve, until)
    assert restricted_mean(survival_curve(Counts.of_epochs([5, 7], until=9)), 100).value == 6
    assert restricted_mean(kaplan_meier([-1, 7], [5, 7]), 100).value == 7  # the last seed has converged
    nobody = kaplan_meier([-1, -1], [5, 7], never=True)
    with pytest.raises(InvalidExperiment, match="until"):
        restricted_mean(nobody)
    assert restricted_mean(nobody, 100).value == 100


def test_a_mean_of_seeds_that_all_converge_soon_leaves_room_for_one_that_does_not() -> None:
    """Of 50 seeds none fails, and up to 7 % may: of samples without a failure there would be 2.5 %."""
    epochs = np.random.default_rng(0).integers(20, 60, 50)
    mean = restricted_mean(survival_curve(Counts.of_epochs(epochs, 1000)), 1000)
    assert mean.high == pytest.approx(epochs.mean() + clopper_pearson(0, 50).high * (1000 - epochs.mean()), rel=0.05)
    assert mean.value - mean.low < 3 * mean.standard_error
    nobody = restricted_mean(survival_curve(Counts.of_epochs([-1] * 50, 1000)))
    assert (nobody.value, nobody.high) == (1000, 1000)
    assert nobody.low == pytest.approx(1 + clopper_pearson(50, 50).low * 999, rel=0.02)


@pytest.mark.parametrize(("k", "n"), [(0, 20), (3, 10), (10, 20), (18, 20), (40, 1000)])
def test_the_mean_of_two_values_has_the_interval_of_a_share(k: int, n: int) -> None:
    """Seeds converge at epoch 1 or not by 101: the mean is 1 + 100 x share."""
    mean = restricted_mean(survival_curve(Counts.of_epochs([-1] * k + [1] * (n - k), 101)), 101)
    low, high = clopper_pearson(k, n)
    np.testing.assert_allclose([mean.low, mean.high], [1 + 100 * low, 1 + 100 * high], atol=1.2)


def test_the_weights_of_a_restricted_mean_are_beta_distributed() -> None:
    """Moments of the area under a curve that falls by random factors, against 200,000 draws of it."""
    lengths, left, gone = np.array([5.0, 3, 20, 40]), np.array([9.0, 4, 2]), np.array([1.0, 2, 1])
    factors = np.random.default_rng(0).beta(left, gone, (200_000, 3))
    areas = np.concatenate([np.ones((200_000, 1)), factors.cumprod(axis=1)], axis=1) @ lengths
    found = of_stretches(lengths, left, gone)
    assert found.mean == pytest.approx(areas.mean(), rel=2e-3)
    assert found.variance == pytest.approx(areas.var(), rel=1e-2)
    assert found.third == pytest.approx(((areas - areas.mean()) ** 3).mean(), rel=5e-2)
    for share in (0.025, 0.975):
        assert found.quantile(share) == pytest.approx(np.quantile(areas, share), rel=6e-2)  # of three factors


@pytest.mark.parametrize("diverging", [False, True])
@pytest.mark.parametrize("regime", REGIMES)
def test_the_curve_of_a_run_ends_at_the_share_that_did_not_converge(regime: str, diverging: bool) -> None:
    """Nobody is censored before the last epoch: not who diverged, nor who was stopped early."""
    data = fg.datasets.xor()
    exp = fg.Experiment(fg.mlp(2, 4, 1), data, validation=data, epochs=300)
    if diverging:
        exp = exp.replace(network=fg.mlp(2, 4, 1, hidden="tanh"), init=fg.Uniform(-3, 3), optimizer=fg.SGD(0.5))
    result = fg.run(exp.replace(**REGIMES[regime]), seeds=300, progress=False)
    (counts,), curve = result.counts, survival_curve(result.counts[0])
    assert 0 < counts.n_converged < 300
    assert curve.share[-1] == (300 - counts.n_converged) / 300 == pytest.approx(1 - result.summaries[0].rate)
    assert set(counts.censored.values.tolist()) <= {300}
    if regime != "restart":
        assert (counts.never.n > 0) == (diverging or "early" in regime)
    if "keep" not in regime:
        value = expected_epochs(counts).value
        assert value == pytest.approx(int(result.dataset.epochs_run.sum()) / counts.n_converged)
