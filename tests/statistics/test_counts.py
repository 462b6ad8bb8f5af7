"""Whole numbers of seeds: parts add up to the whole, exactly and in any order, and survive JSON."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastgrok as fg
from fastgrok import statistics
from fastgrok.errors import InvalidExperiment
from fastgrok.spec.variables import Outcome
from fastgrok.statistics import (
    Counts,
    Histogram,
    PairedCounts,
    PooledCounts,
    by_live_units,
    mcnemar,
    risk_difference,
)
from fastgrok.statistics.histogram import loss_bins, loss_centers, loss_edges
from fastgrok.statistics.paired import epoch_bins

EXP = fg.Experiment(fg.mlp(2, 4, 3, 1), fg.datasets.xor(), epochs=30)

rows = st.lists(
    st.tuples(
        st.sampled_from(list(Outcome)),
        st.integers(1, 30),
        st.booleans(),
        st.floats(0, 1e300) | st.sampled_from([np.nan, np.inf]),
        st.integers(0, 4),
        st.integers(0, 3),
    ),
    max_size=12,
)


def columns(given_rows: list[tuple[int, int, bool, float, int, int]]) -> dict[str, np.ndarray]:
    outcome, last, met, loss, first, second = zip(*given_rows, strict=True) if given_rows else ((),) * 6
    dead = np.array([first, second], np.int32).reshape(2, -1).T
    run = np.array(last, np.int64)
    return {
        "outcome": np.array(outcome, np.int8),
        "epochs_run": run,
        "epochs_to_converge": np.where(np.array(met, bool), run, -1),
        "loss_final": np.array(loss, np.float64),
        "dead_units_initial": dead,
        "dead_units_final": dead,
    }


@given(st.tuples(rows, rows, rows))
def test_parts_add_up_to_the_whole_in_any_order(
    parts: tuple[list[tuple[int, int, bool, float, int, int]], ...],
) -> None:
    whole = Counts.of(columns(list(itertools.chain(*parts))), EXP)
    counted = [Counts.of(columns(part), EXP) for part in parts]
    for order in itertools.permutations(counted):
        assert (order[0] + order[1]) + order[2] == order[0] + (order[1] + order[2]) == whole
    assert sum(counted, Counts.empty()) == whole
    assert Counts.from_dict(json.loads(json.dumps(whole.to_dict()))) == whole
    assert hash(Counts.from_dict(whole.to_dict())) == hash(whole)


@given(st.lists(st.tuples(*[st.integers(1, 1000) | st.just(-1)] * 2), max_size=30), st.integers(0, 30))
def test_pairs_add_up_to_the_whole(epochs: list[tuple[int, int]], cut: int) -> None:
    both = np.array(epochs, int).reshape(-1, 2)
    whole = PairedCounts.of(*both.T)
    assert PairedCounts.of(*both[cut:].T) + PairedCounts.of(*both[:cut].T) == whole
    assert PairedCounts.from_dict(json.loads(json.dumps(whole.to_dict()))) == whole
    a, b = both.T > 0
    cells = (a & b, a & ~b, ~a & b, ~a & ~b)
    assert whole.table == tuple(int(cell.sum()) for cell in cells)
    assert whole.n == whole.table.n == len(epochs)


def test_counts_of_a_run_are_those_of_its_columns() -> None:
    result = fg.run(EXP.replace(epochs=300), seeds=200)
    counts, dataset = result.counts[0], result.dataset
    met = dataset["epochs_to_converge"].to_numpy() >= 0
    assert counts.n_converged == met.sum() > 0
    assert counts.seed_epochs == int(dataset["epochs_run"].sum())
    for name in ("initial", "final"):
        dead = dataset[f"dead_units_{name}"].to_numpy()
        for layer, split in enumerate(getattr(counts, f"dead_{name}")):
            assert split.converged == Histogram.of(dead[met, layer])
            assert split.rest == Histogram.of(dead[~met, layer])
    assert counts.losses.all == Histogram.of(loss_bins(dataset["loss_final"].to_numpy()))


def test_a_seed_that_was_stopped_early_no_longer_converges() -> None:
    given_rows = columns([(Outcome.UNFINISHED, 20, False, 0.2, 0, 0), (Outcome.UNFINISHED, 30, False, 0.2, 0, 0)])
    counts = Counts.of(given_rows | {"stopped_early": np.array([True, False])}, EXP)
    assert (counts.never, counts.censored) == (Histogram.of([20]), Histogram.of([30]))


def test_a_seed_that_diverges_after_it_converged_has_converged() -> None:
    counts = Counts.of(columns([(Outcome.DIVERGED, 9, True, np.nan, 0, 0)]), EXP)
    assert (counts.n_converged, counts.never.n, counts.losses.all.n) == (1, 0, 0)


def test_a_seed_that_ended_early_without_converging_never_converges_whatever_its_outcome() -> None:
    """`restore_best` gives a seed that diverged the finite parameters of before."""
    counts = Counts.of(columns([(Outcome.UNFINISHED, 12, False, 0.2, 0, 0)]), EXP)
    assert (counts.never, counts.censored.n) == (Histogram.of([12]), 0)


def test_layers_that_a_network_lacks_are_not_counted() -> None:
    one = fg.run(EXP.replace(network=fg.mlp(2, 4, 1)), seeds=5).counts[0]
    two = fg.run(EXP, seeds=7).counts[0]
    assert [split.all.n for split in (one + two).dead_initial] == [12, 7]
    assert one + two == two + one


def test_a_criterion_and_none_do_not_add_up() -> None:
    one, other = (fg.run(EXP.replace(stop=stop), seeds=2).counts[0] for stop in (None, fg.Converged(loss=0.1)))
    assert not one.has_criterion
    with pytest.raises(InvalidExperiment, match="criteria is missing"):
        one + other
    for counts in (one, other):
        assert counts + Counts.empty() == Counts.empty() + counts == counts
    no_seeds = [Counts.of(columns([]), EXP.replace(stop=stop)) for stop in (None, fg.Converged(loss=0.1))]
    for first, second in (no_seeds, no_seeds[::-1]):
        assert Counts.empty() + first == first + Counts.empty() == first
        with pytest.raises(InvalidExperiment, match="criteria is missing"):
            first + second


@pytest.mark.parametrize(
    "damage",
    [
        {"n": 4},
        {"never": {"values": [3], "counts": [1]}},
        {"never": 1},
        {"has_criterion": None},
        {"outcomes": {"diverged": 3}},
        {"converged": {"values": [2, 2], "counts": [1, 1]}},
        {"converged": {"values": [5, 2], "counts": [1, 1]}},
        {"converged": {"values": [2], "counts": [1, 1]}},
        {"converged": {"values": [2, 5], "counts": [1, 0]}},
        {"converged": {"values": [2.5, 5], "counts": [1, 1]}},
        {"converged": None},
        {"losses": {}},
    ],
)
def test_damaged_counts_are_rejected(damage: dict[str, object]) -> None:
    plain = Counts.of_epochs([2, 5, -1], until=9).to_dict()
    assert Counts.from_dict(plain).n == 3
    with pytest.raises(InvalidExperiment):
        Counts.from_dict(plain | damage)
    with pytest.raises(InvalidExperiment):
        Counts.from_dict({name: value for name, value in plain.items() if name not in damage})


@pytest.mark.parametrize("epochs", [[0], [10], [-2], [[1]]])
def test_epochs_that_cannot_be_are_rejected(epochs: list[int]) -> None:
    with pytest.raises(InvalidExperiment, match="epochs_to_converge"):
        Counts.of_epochs(epochs, until=9)


@given(st.lists(st.integers(-(2**62), 2**62) | st.integers(-5, 5), max_size=40))
def test_a_histogram_counts_each_value(values: list[int]) -> None:
    histogram = Histogram.of(values)
    distinct, counts = np.unique(np.array(values, np.int64), return_counts=True)
    assert (histogram.values.tolist(), histogram.counts.tolist()) == (distinct.tolist(), counts.tolist())
    assert histogram.total() == sum(values)


@given(st.lists(st.floats(0, 1e308), min_size=1))
def test_a_loss_is_in_its_bin(losses: list[float]) -> None:
    array = np.array(losses)
    bins = loss_bins(array)
    low, high = loss_edges(bins)
    assert np.all((low <= array) & (array < high))
    center = loss_centers(bins)
    assert np.all((low <= center) & (center < high))
    normal = array > 1e-300
    assert np.all((high - low)[normal] <= low[normal] / 64 * (1 + 1e-12))
    assert np.all(np.diff(loss_bins(np.sort(array))) >= 0)


def test_bins_of_epochs_ascend_and_are_narrow() -> None:
    epochs = np.arange(1, 100_000)
    bins = epoch_bins(epochs)
    assert np.all(np.diff(bins) >= 0)
    first = epochs[np.searchsorted(bins, bins)]
    assert np.all(epochs < first * 17 / 16 + 1)
    assert bins[0] == 1
    assert epoch_bins(np.array([2**62, -1])).max() < 1024


def pooled(a: np.ndarray, b: np.ndarray, finished: np.ndarray | bool = True) -> PooledCounts:
    """Count seeds by whether they converge with a and with b, (n_strata, n_seeds)."""
    trained = np.broadcast_to(finished, a.shape)
    return PooledCounts.of_sums(((a.astype(int) - b) * trained).sum(axis=0), trained.sum(axis=0))


@settings(deadline=None)  # scipy is imported
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30), st.integers(1, 3))
def test_one_stratum_pooled_is_the_paired_difference(seeds: list[tuple[bool, bool]], strata: int) -> None:
    a, b = np.array(seeds).T
    table = PairedCounts.of(np.where(a, 5, -1), np.where(b, 7, -1)).table
    assert pooled(a[None], b[None]) == PooledCounts.of_table(table)
    np.testing.assert_allclose(pooled(a[None], b[None]).difference(), risk_difference(table))
    repeated = pooled(np.tile(a, (strata, 1)), np.tile(b, (strata, 1)))  # says no more than once
    assert repeated.difference().value == pytest.approx(risk_difference(table).value)
    assert repeated.p_value() == PooledCounts.of_table(table).p_value() == pytest.approx(mcnemar(table), rel=1e-12)


@given(st.lists(st.tuples(*[st.booleans()] * 6), min_size=2, max_size=30), st.integers(0, 30))
def test_pooled_parts_add_up_to_the_whole(seeds: list[tuple[bool, ...]], cut: int) -> None:
    x = np.array(seeds).T.reshape(3, 2, -1)
    whole = pooled(*x)
    assert pooled(*x[..., :cut]) + pooled(*x[..., cut:]) == whole
    assert (whole.pairs, whole.seeds) == (x[2].sum(), x[2].any(axis=0).sum())
    assert PooledCounts.from_dict(json.loads(json.dumps(whole.to_dict()))) == whole
    with pytest.raises(InvalidExperiment):
        PooledCounts.from_dict(whole.to_dict() | {"pairs": None})


@settings(deadline=None)
@given(st.lists(st.integers(-3, 3), min_size=1, max_size=9))
def test_the_pooled_p_value_counts_all_signs(differences: list[int]) -> None:
    d = np.array(differences)
    sums = np.array(list(itertools.product([1, -1], repeat=len(d)))) @ d
    wanted = np.mean(abs(sums) >= abs(d.sum()))
    assert PooledCounts.of_sums(d, np.full(len(d), 3)).p_value() == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("more", [5, 30, 60, 90])
def test_pooled_p_values_go_over_into_those_of_a_normal(monkeypatch: pytest.MonkeyPatch, more: int) -> None:
    d = np.repeat([-2, -1, 1, 2], [200, 500, 500 + more, 200])
    counts = PooledCounts.of_sums(d, np.full(len(d), 2))
    exact = counts.p_value()
    monkeypatch.setattr("fastgrok.statistics.stratified._EXACT", 0)
    assert exact != counts.p_value() == pytest.approx(exact, rel=5e-3)


def test_a_seed_cannot_differ_in_more_strata_than_it_was_trained_in() -> None:
    for difference, pairs in (([2], [1]), ([1, 1], [1])):
        with pytest.raises(InvalidExperiment, match="pairs"):
            PooledCounts.of_sums(difference, pairs)


def test_sum_adds_parts_up_without_a_start() -> None:
    counts = [Counts.of_epochs([2, 5, -1], until=9), Counts.of_epochs([3], until=9)]
    assert sum(counts) == counts[0] + counts[1]
    pairs = [PairedCounts.of([2, -1], [3, 4]), PairedCounts.of([1], [1])]
    assert sum(pairs) == pairs[0] + pairs[1]
    pooled = [PooledCounts.of_sums([1, 0], [2, 2]), PooledCounts.of_sums([-1], [2])]
    assert sum(pooled) == pooled[0] + pooled[1]
    for wrong in (1, False, 0.0):
        with pytest.raises(TypeError):
            wrong + counts[0]  # type: ignore[operator]


def test_counts_of_a_file_of_rows_are_those_of_the_run(tmp_path: Path) -> None:
    result = fg.run(EXP.replace(epochs=300), seeds=200, progress=False)
    result.save(tmp_path / "rows.parquet")
    table = pq.read_table(tmp_path / "rows.parquet")
    arrow = dict(zip(table.column_names, table.columns, strict=True))
    for columns_ in (table.to_pandas(), arrow, table.to_pydict()):
        assert Counts.of(columns_, result.configurations[0].experiment) == result.counts[0]
    exp, frame = result.configurations[0].experiment, table.to_pandas()
    assert by_live_units(frame, exp, 2) == by_live_units(result.outputs[0].finished_metrics, exp, 2)
    with pytest.raises(InvalidExperiment, match=r"outcome = .*: expected names among diverged, converged, dead"):
        Counts.of({**arrow, "outcome": ["lucky"] * 200}, exp)
    with pytest.raises(InvalidExperiment, match=r"columns\['epochs_run'\] is missing"):
        Counts.of(frame.drop(columns="epochs_run"), exp)
    with pytest.raises(InvalidExperiment, match=r"columns\['dead_units_initial'\] is missing"):
        by_live_units(frame.drop(columns="dead_units_initial_1"), exp)


ONE = Counts.of_epochs([2, 5, -1], until=9)
PAIR = PairedCounts.of([2, 5, -1], [3, -1, -1])


@pytest.mark.parametrize(
    ("call", "field", "expected"),
    [
        (lambda: statistics.best_cutoff([ONE]), "counts", "one Counts, such as result.counts[0]"),
        (lambda: statistics.expected_epochs(counts=[ONE]), "counts", "one Counts"),
        (lambda: statistics.survival_curve([ONE]), "counts", "one Counts"),
        (lambda: statistics.ratio_of_expected(ONE, [ONE], PAIR), "b", "one Counts"),
        (lambda: statistics.ratio_of_medians(ONE, ONE, PAIR.table), "paired", "a PairedCounts"),
        (lambda: statistics.paired_logrank(ONE, ONE, None), "paired", "a PairedCounts"),
        (lambda: statistics.logrank(ONE), "configurations", "counts of two"),
        (lambda: statistics.mcnemar((1, 2, 3, 4)), "table", "a Table"),
        (lambda: statistics.risk_difference(PAIR), "table", "a Table"),
        (lambda: PooledCounts.of_table((1, 2, 3, 4)), "table", "a Table"),
        (lambda: statistics.quantile(ONE, 0.5), "curve", "what survival_curve or kaplan_meier returns"),
        (lambda: statistics.summarise([ONE], 1.0), "counts", "one Counts"),
        (lambda: statistics.outcome_shares([ONE]), "counts", "one Counts"),
        (lambda: statistics.dead_units([ONE]), "counts", "one Counts"),
        (lambda: statistics.dead_risk([ONE]), "counts", "one Counts"),
        (lambda: statistics.plateau_shares([ONE], []), "counts", "one Counts"),
        (lambda: statistics.loss_clusters([ONE]), "counts", "one Counts"),
        (lambda: Counts.of({}, None), "experiment", "an Experiment"),
    ],
)
def test_what_is_not_counts_is_said_to_be_not(call: Callable[[], object], field: str, expected: str) -> None:
    with pytest.raises(InvalidExperiment) as caught:
        call()
    assert caught.value.field == field
    assert caught.value.accepted.startswith(expected)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: statistics.wilson(3.5, 10), "successes = 3.5: expected integers from 0 to n = 10"),
        (lambda: statistics.wilson(3, 10.0), "n = 10.0: expected integers, 1 or more"),
        (lambda: statistics.wilson([1, True], 10), "successes = [1, True]: "),
        (lambda: statistics.clopper_pearson(np.array([1.0]), 10), "successes = "),
        (lambda: statistics.wilson("3", 10), "successes = '3'"),
        (lambda: statistics.wilson(1, 2**64), "n = 18446744073709551616"),
        (lambda: statistics.rate(True, 10), "successes = True"),
        (lambda: statistics.rate(0, False), "n = False"),
        (lambda: statistics.rate([1], [2]), "successes = [1]: expected one integer"),
        (lambda: statistics.rate(11, 10), "successes = 11: expected integers from 0 to n = 10"),
        (lambda: statistics.relative_risk(1.5, 10, 1, 10), "cases_a = 1.5"),
        (lambda: statistics.relative_risk(1, 10, 1, True), "n_b = True"),
        (lambda: Counts.of_epochs([1.5], until=9), "epochs_to_converge = [1.5]"),
        (lambda: PairedCounts.of([1.5], [2]), "epochs_a = [1.5]"),
        (lambda: PooledCounts.of_sums([0.5], [1]), "difference = [0.5]"),
    ],
)
def test_counts_of_seeds_are_integers(call: Callable[[], object], message: str) -> None:
    with pytest.raises(InvalidExperiment) as caught:
        call()
    assert str(caught.value).startswith(message)


def test_the_interval_of_one_proportion_is_plain_numbers() -> None:
    for interval in (statistics.wilson, statistics.clopper_pearson):
        for n in (10, np.int32(10), np.array(10)):
            assert [type(end) for end in interval(0, n)] == [float, float]
        assert interval([0], 10).low.shape == (1,)
    assert statistics.rate(np.int8(3), np.uint64(10)) == statistics.rate(3, 10)


def test_the_package_lists_what_it_offers() -> None:
    assert dir(statistics) == sorted(statistics.__all__)
