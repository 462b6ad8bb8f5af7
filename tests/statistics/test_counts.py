"""Whole numbers of seeds: parts add up to the whole, exactly and in any order, and survive JSON."""

import itertools
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastgrok as fg
from fastgrok.errors import InvalidExperiment
from fastgrok.spec.variables import Outcome
from fastgrok.statistics import Counts, Histogram, PairedCounts, PooledCounts, by_live_units
from fastgrok.statistics.histogram import loss_bins

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


def pooled(a: np.ndarray, b: np.ndarray, finished: np.ndarray | bool = True) -> PooledCounts:
    """Count seeds by whether they converge with a and with b, (n_strata, n_seeds)."""
    trained = np.broadcast_to(finished, a.shape)
    return PooledCounts.of_sums(((a.astype(int) - b) * trained).sum(axis=0), trained.sum(axis=0))


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


@pytest.mark.parametrize("more", [5, 30, 60, 90])
def test_pooled_p_values_go_over_into_those_of_a_normal(monkeypatch: pytest.MonkeyPatch, more: int) -> None:
    d = np.repeat([-2, -1, 1, 2], [200, 500, 500 + more, 200])
    counts = PooledCounts.of_sums(d, np.full(len(d), 2))
    exact = counts.p_value()
    monkeypatch.setattr("fastgrok.statistics.stratified._EXACT", 0)
    assert exact != counts.p_value() == pytest.approx(exact, rel=5e-3)


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


def test_rows_of_several_configurations_are_not_so_many_seeds(tmp_path):
    import pandas as pd

    exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=9)
    fg.sweep(exp, 5, {"lr": [0.1, 0.2]}, progress=False).save(tmp_path / "lr.parquet")
    frame = pd.read_parquet(tmp_path / "lr.parquet")
    with pytest.raises(InvalidExperiment, match=r"columns\['seed'\] = 0: expected each seed once"):
        Counts.of(frame, exp)
    assert Counts.of(frame[frame["optimizer.lr"] == 0.1], exp).n == 5
