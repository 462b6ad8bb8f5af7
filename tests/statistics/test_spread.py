"""Continuous outcomes: quantiles over seeds by order statistics, from counts that add up."""

import json

import numpy as np
import pytest
from scipy.stats import binom

import fastgrok as fg
from fastgrok.errors import InvalidExperiment
from fastgrok.spec.variables import LARGER_IS_BETTER
from fastgrok.statistics import Counts, Estimate, order_quantile, spread, spreads
from fastgrok.statistics.histogram import accuracies, accuracy_bins, loss_bins, loss_edges, packed

DATA = fg.datasets.parity(6)
EXP = fg.Experiment(fg.mlp(6, 4, 1), DATA, validation=DATA, loss="squared_error", epochs=20)


def ones(n: int) -> np.ndarray:
    return np.ones(n, np.int64)


@pytest.mark.parametrize("n", [1, 5, 20, 100, 1000])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_an_interval_is_the_narrowest_of_ranks_whose_tails_are_small(n: int, share: float) -> None:
    found = order_quantile(np.arange(1.0, n + 1), ones(n), share)
    below = [rank for rank in range(1, n + 1) if binom.cdf(rank - 1, n, share) <= 0.025]
    above = [rank for rank in range(1, n + 1) if binom.sf(rank - 1, n, share) <= 0.025]
    wanted = Estimate(max(1, np.ceil(n * share - 1e-9)), max(below, default=None), min(above, default=None))
    assert found == wanted


def test_quantiles_are_those_of_the_seeds_one_by_one() -> None:
    values = np.random.default_rng(0).integers(0, 30, 500)
    distinct, counts = np.unique(values, return_counts=True)
    for share in (0.05, 0.5, 0.95):
        one_by_one = order_quantile(np.sort(values).astype(float), ones(500), share)
        assert order_quantile(distinct.astype(float), counts, share) == one_by_one
        assert one_by_one.value == np.quantile(values, share, method="inverted_cdf")


def test_the_best_seed_has_the_least_loss_and_the_largest_accuracy() -> None:
    values = np.array([0.25, 0.5, 1.0])
    assert spread(values, ones(3), larger_is_better=False)[1::4] == (0.25, 1.0)
    assert spread(values, ones(3), larger_is_better=True)[1::4] == (1.0, 0.25)


def test_a_share_or_a_confidence_that_is_none_is_named() -> None:
    for share, confidence, field in ((1.5, 0.95, "share"), (0.5, 95, "confidence")):
        with pytest.raises(InvalidExperiment, match=field):
            order_quantile(np.ones(1), ones(1), share, confidence)


def test_accuracies_are_exact_and_losses_are_within_their_bins() -> None:
    result = fg.run(EXP, 300)
    found = spreads(result.counts[0])
    assert list(found) == list(LARGER_IS_BETTER)
    for name, each in found.items():
        values = np.sort(result.dataset[name].values)
        wanted = np.quantile(values, [0.05, 0.5, 0.95], method="inverted_cdf")
        seen = [each.low.value, each.median.value, each.high.value]
        if name.startswith("accuracy"):
            np.testing.assert_allclose(seen, wanted, rtol=0, atol=2**-31)
            assert (each.best, each.worst) == pytest.approx((values[-1], values[0]), abs=2**-31)
        else:
            low, high = loss_edges(loss_bins(wanted))
            assert np.all((low <= seen) & (seen <= high))


def test_the_interval_of_losses_in_bins_holds_those_of_the_losses() -> None:
    """A hundred thousand losses within one bin: an interval of its middle alone would be nothing."""
    losses = np.random.default_rng(0).uniform(0.2501, 0.2519, 100_000)
    columns = {"outcome": np.full(100_000, 4), "epochs_run": np.full(100_000, 20), "loss_final": losses}
    columns["epochs_to_converge"] = np.full(100_000, -1)
    found = spreads(Counts.of(columns, EXP))["loss_final"]
    exact = spread(np.sort(losses), ones(100_000), larger_is_better=False)
    for ours, theirs in zip(
        (found.low, found.median, found.high), (exact.low, exact.median, exact.high), strict=True
    ):
        assert ours.low <= theirs.low < theirs.high <= ours.high


def test_counts_of_parts_add_up_to_those_of_the_whole() -> None:
    parts = [fg.run(EXP, seeds).counts[0] for seeds in (range(7), range(7, 60))]
    whole = fg.run(EXP, 60).counts[0]
    assert sum(parts) == whole
    assert whole.losses_validation.n == whole.accuracies.n == whole.accuracies_validation.n == 60
    assert Counts.from_dict(json.loads(json.dumps(whole.to_dict(packed)))) == whole


def test_seeds_that_diverge_are_worse_than_all_others() -> None:
    exp = EXP.replace(optimizer=fg.SGD(lr=1e9))
    counts = fg.run(EXP, 20).counts[0] + fg.run(exp, range(20, 40)).counts[0]
    assert counts.outcomes[0] > 10
    for name in ("loss_final", "loss_validation_final"):
        found = spreads(counts)[name]
        assert (found.n, found.worst, found.high.value) == (40, None, None)
        assert found.best is not None


def test_what_earlier_versions_did_not_count_is_left_out() -> None:
    counts = fg.run(EXP, 20).counts[0]
    plain = counts.to_dict()
    for name in ("accuracies", "losses_validation", "accuracies_validation"):
        del plain[name]
    old = Counts.from_dict(plain)
    assert list(spreads(old)) == ["loss_final"]
    assert old != counts
    assert old.agrees(counts)
    assert counts.agrees(old)
    assert not old.agrees(fg.run(EXP, range(20, 40)).counts[0])
    assert spreads(Counts.empty()) == spreads(Counts.of_epochs([1, -1], 3)) == {}


@pytest.mark.parametrize("n", [1, 3, 4, 1797, 45_999])
def test_an_accuracy_is_known_by_its_number(n: int) -> None:
    bins = accuracy_bins(np.arange(n + 1), n)
    assert np.all(np.diff(bins) > 0)
    np.testing.assert_allclose(accuracies(bins), np.arange(n + 1) / n, rtol=0, atol=2**-32)
