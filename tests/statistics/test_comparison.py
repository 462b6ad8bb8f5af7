"""`fg.compare`: the values of an axis of a sweep on the same seeds."""

import re
from typing import Any

import numpy as np
import pytest

import fastgrok as fg
import fastgrok.api
from fastgrok.statistics import (
    Counts,
    Estimate,
    PairedCounts,
    PooledCounts,
    best_cutoff,
    holm,
    mcnemar,
    paired_logrank,
    quantile,
    rate,
    ratio_of_expected,
    ratio_of_medians,
    risk_difference,
    survival_curve,
)
from fastgrok.statistics import comparison_text as words

EXP = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), bias_init=fg.Zeros(), epochs=400)
INITS = [fg.XavierNormal(), fg.HeNormal(), fg.TorchLinear()]
NAMES = ["XavierNormal(gain=1.0)", "HeNormal()", "TorchLinear()"]
AXES = {"network": [fg.mlp(2, 4, 1), fg.mlp(2, 8, 1)], "init": INITS}


@pytest.fixture(scope="module")
def two() -> fg.Result:
    return fg.sweep(EXP.replace(network=fg.mlp(2, 8, 1)), 1000, {"init": INITS[:2]}, progress=False)


@pytest.fixture(scope="module")
def grid() -> fg.Result:
    return fg.sweep(EXP, 300, AXES, progress=False)


def test_a_row_says_how_consistently_a_configuration_converges(grid: fg.Result) -> None:
    table = fg.compare(grid, "init", confidence=0.9).table
    assert table["init"].tolist() == NAMES * 2
    for row, counts in zip(table.to_dict("records"), grid.counts, strict=True):
        best = best_cutoff(counts, 0.9)
        wanted = {
            "rate": rate(counts.n_converged, counts.n, 0.9),
            "epochs_median": quantile(survival_curve(counts), 0.5, 0.9),
            "epochs_per_success": best.expected,
            "cutoff": best.cutoff,
        }
        for name, estimate in wanted.items():
            given = [row[name], row[f"{name}_low"], row[f"{name}_high"]]
            np.testing.assert_array_equal(given, np.array(estimate, float))


def test_pairs_are_compared_within_each_stratum(grid: fg.Result) -> None:
    comparison = fg.compare(grid, "init")
    pairs = comparison.pairs
    assert len(pairs) == 6
    epochs = grid.dataset["epochs_to_converge"]
    p_values = []
    for row in pairs.to_dict("records"):
        a, b = (epochs.sel(network=row["network"], init=row[side]).to_numpy() for side in "ab")
        paired = PairedCounts.of(a, b)
        counts = [Counts.of_epochs(x, until=400) for x in (a, b)]
        assert (row["both"], row["only_a"], row["only_b"], row["neither"]) == paired.table
        estimates = {
            "difference": risk_difference(paired.table),
            "median_ratio": ratio_of_medians(*counts, paired),
            "epochs_per_success_ratio": ratio_of_expected(*counts, paired),
        }
        for name, estimate in estimates.items():
            given = [row[name], row[f"{name}_low"], row[f"{name}_high"]]
            np.testing.assert_array_equal(given, np.array(estimate, float))
        assert row["mcnemar_p"] == mcnemar(paired.table)
        assert row["logrank_p"] == paired_logrank(*counts, paired).p_value
        p_values.append((row["mcnemar_p"], row["logrank_p"]))
    exact, ranks = zip(*p_values, strict=True)
    np.testing.assert_array_equal(pairs["mcnemar_p_holm"], holm(exact))
    np.testing.assert_array_equal(pairs["logrank_p_holm"], holm(ranks))


def test_pooled_differences_take_a_seed_with_its_strata_as_one(grid: fg.Result) -> None:
    pooled = fg.compare(grid, "init").pooled
    met = grid.dataset["epochs_to_converge"] >= 0
    for row in pooled.to_dict("records"):
        a, b = (met.sel(init=row[side]).transpose("network", "seed").to_numpy().astype(int) for side in "ab")
        counts = PooledCounts.of_sums((a - b).sum(axis=0), np.full(300, 2))
        assert [row["difference"], row["difference_low"], row["difference_high"]] == list(counts.difference())
        assert (row["p"], row["seeds"], row["strata"]) == (counts.p_value(), 300, 2)
    np.testing.assert_array_equal(pooled["p_holm"], holm(pooled["p"]))


def test_the_same_sweep_in_another_order_says_the_same(grid: fg.Result) -> None:
    other = fg.compare(fg.sweep(EXP, 300, dict(reversed(AXES.items())), progress=False), "init")
    key = ["network", "init"]
    mine, theirs = (c.table.sort_values(key)[[*key, "rate", "cutoff"]] for c in (fg.compare(grid, "init"), other))
    np.testing.assert_array_equal(mine, theirs)
    assert fg.compare(grid, "init").pooled.equals(other.pooled)


def test_the_verdict_is_in_plain_words(two: fg.Result) -> None:
    comparison = fg.compare(two, "init")
    (line,) = comparison.verdicts
    assert line.startswith(
        "HeNormal() converges more often than XavierNormal(gain=1.0) by 3.0 points [1.6, 4.4]; p = 1.5e-05 "
    )
    assert "(McNemar, Holm over 1 pair); a success with HeNormal() costs 0.5" in line
    assert comparison.pooled is None
    text = repr(comparison)
    assert line in text
    assert "converged [95 %]" in text
    assert "<table>" in comparison._repr_html_()
    assert line.replace("<", "&lt;") in comparison._repr_html_()


def test_no_difference_is_called_none(grid: fg.Result) -> None:
    comparison = fg.compare(grid, "init")
    first, *others = comparison.verdicts
    rows = comparison.pooled.to_dict("records")
    assert "more often than" in first
    for line, row in zip(others, rows, strict=True):
        assert (" are not seen to differ in how often they converge: " in line) == (row["p_holm"] > 0.05)
    assert "2 strata" in others[0]
    text = repr(comparison)
    assert "each interval is of 95 % by itself; p are adjusted by Holm over 6 pairs within the strata" in text
    assert "and over 3 pairs in the mean over them (one observation a seed)" in text


def test_a_difference_in_speed_alone_is_told(grid: fg.Result) -> None:
    """With 4 units He's networks converge as often as Xavier's, and sooner."""
    row = fg.compare(grid, "init").pair_rows[0]
    assert row.mcnemar_p_holm > 0.05 >= row.logrank_p_holm
    line = words.pair_verdict(row, 6, 0.05)
    assert "not seen to differ in how often they converge: -1.0 points" in line
    assert "; but they differ in how soon: p = 0.036 (paired logrank, Holm over 6 pairs); a success with " in line
    alike = row._replace(logrank_p_holm=0.5)
    assert "; nor do they in how soon: p = 0.5 (" in words.pair_verdict(alike, 6, 0.05)


def test_opposite_effects_in_two_strata_do_not_cancel_unseen(grid: fg.Result) -> None:
    comparison = fg.compare(grid, "init")
    pooled = comparison.pooled_rows[0]
    within = [row for row in comparison.pair_rows if (row.a, row.b) == (pooled.a, pooled.b)]
    up, down = (
        row._replace(mcnemar_p_holm=0.01, difference=Estimate(sign * 0.1, sign * 0.1 - 0.05, sign * 0.1 + 0.05))
        for sign, row in zip((1, -1), within, strict=True)
    )
    line = words.pooled_verdict(pooled, [up, down], 0.05)
    assert "within the strata they differ in 2 of 2 (XavierNormal(gain=1.0) more often in 1, HeNormal() in 1)" in line
    assert comparison.verdicts[1].endswith("within the strata they differ in 0 of 2, and in how soon in 2")


def test_with_restarts_a_success_costs_the_epochs_that_were_run() -> None:
    exp, axes = EXP.replace(restart=fg.Restart(after=60)), {"init": INITS[:2]}
    result = fg.sweep(exp, 300, axes, progress=False)
    comparison, counts = fg.compare(result, "init"), result.counts
    costs = [one.seed_epochs / one.n_converged for one in counts]
    assert comparison.table["epochs_per_success"].tolist() == pytest.approx(costs, rel=1e-12)
    assert comparison.table[["cutoff", "cutoff_low", "cutoff_high"]].isna().all(axis=None)
    assert comparison.pairs["epochs_per_success_ratio"][0] == pytest.approx(costs[0] / costs[1], rel=1e-12)
    never = fg.compare(fg.sweep(exp.replace(epochs=1), 20, axes, progress=False), "init")
    assert never.table["epochs_per_success"].isna().all()


def test_runs_of_different_lengths_are_compared_as_far_as_both_go() -> None:
    comparison = fg.compare(fg.sweep(EXP, 200, {"epochs": [100, 400]}, progress=False), "epochs")
    assert comparison.pairs["logrank_p"].tolist() == [1]  # the same seeds do the same for 100 epochs
    assert comparison.table["cutoff_high"].isna().tolist() == [True, False]
    assert "not bounded]" in repr(comparison)


def test_many_pairs_are_left_to_the_table() -> None:
    rates = [0.01 * k for k in range(1, 13)]
    text = repr(fg.compare(fg.sweep(EXP, 4, {"optimizer.lr": rates}, progress=False), "optimizer.lr"))
    assert "the table of 66 pairs is in `pairs`" in text
    assert "7 more of these sentences are in `verdicts`" in text
    axes = {"network": AXES["network"], "optimizer.lr": rates[:9]}
    text = repr(fg.compare(fg.sweep(EXP, 4, axes, progress=False), "optimizer.lr"))
    assert "the table of 72 pairs within the other axes is in `pairs`" in text
    assert "more of these" not in text


@pytest.mark.parametrize(
    ("axis", "message"), [("optimizer.lr", "one of 'network', 'init'"), (3, "one of 'network', 'init'")]
)
def test_an_axis_that_is_not_there_is_named_with_those_that_are(grid: fg.Result, axis: Any, message: str) -> None:
    with pytest.raises(fg.InvalidExperiment, match=message):
        fg.compare(grid, axis)


def test_a_run_has_no_axis_to_compare() -> None:
    with pytest.raises(fg.InvalidExperiment, match="this is a run"):
        fg.compare(fg.run(EXP, 2), "init")
    with pytest.raises(fg.InvalidExperiment, match="result"):
        fg.compare("result", "init")  # type: ignore[arg-type]


def test_without_a_criterion_there_is_nothing_to_compare(two: fg.Result) -> None:
    result = fg.sweep(EXP, 2, {"stop": [None, fg.Converged(loss=0.1)]}, progress=False)
    with pytest.raises(fg.InvalidExperiment, match="stop = None: expected a criterion"):
        fg.compare(result, "stop")
    with pytest.raises(fg.InvalidExperiment, match="confidence"):
        fg.compare(two, "init", confidence=95)


def interrupted(monkeypatch: pytest.MonkeyPatch, done: int, axes: dict[str, Any]) -> fg.Result:
    """Return a sweep whose last configuration that was come to has a third of its seeds, and the next none."""
    train, calls = fastgrok.api.train, 0

    def some(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls > done:
            raise KeyboardInterrupt
        trained = train(*args, **kwargs)
        if calls == done:
            trained.finished[::3] = False
        return trained

    with monkeypatch.context() as patch:
        patch.setattr("fastgrok.api.train", some)
        with pytest.warns(UserWarning, match="runs are finished"):
            return fg.sweep(EXP, 90, axes, progress=False)


def test_an_interrupted_sweep_compares_the_seeds_finished_with_both(monkeypatch: pytest.MonkeyPatch) -> None:
    comparison = fg.compare(interrupted(monkeypatch, 2, {"init": INITS}), "init")
    assert comparison.table["n"].tolist() == [90, 60, 0]
    (row,) = comparison.pairs.to_dict("records")
    assert row["n"] == 60
    whole = fg.compare(fg.sweep(EXP, np.arange(90)[np.arange(90) % 3 > 0], {"init": INITS[:2]}), "init")
    again = whole.pairs.to_dict("records")[0]
    assert {k: v for k, v in row.items() if v == v} == {k: v for k, v in again.items() if v == v}
    text = repr(comparison)
    assert text.startswith("<fastgrok.Comparison of init, interrupted: 120 runs are missing\n")
    assert re.search(r"HeNormal\(\) +60 ", text)
    assert re.search(r"TorchLinear\(\) +0 +- +- +- +-\n", text)
    assert (comparison.missing, whole.missing) == (120, 0)


def test_a_sweep_with_nothing_in_common_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    comparison = fg.compare(interrupted(monkeypatch, 1, {"init": INITS}), "init")
    assert comparison.pairs.empty
    assert "nothing to compare" in repr(comparison)


def test_sentences_of_many_values_and_pairs() -> None:
    best = words.best_verdict({"a": 2, "b": 0, "c": 0}, 0.05)
    assert best == "a converges more often than each of the 2 others (adjusted p <= 0.05)"
    assert words.best_verdict({"a": 1, "b": 1, "c": 0}, 0.05).startswith(
        "a and b converge more often than 1 of the 2"
    )
    note = words.footnote(3, 0, 0.95)
    assert note == "each interval is of 95 % by itself; p are adjusted by Holm over 3 pairs, each test by itself"
