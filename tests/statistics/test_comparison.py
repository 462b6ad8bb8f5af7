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
    clustered_difference,
    clustered_rate,
    equivalence,
    holm,
    independent_difference,
    independent_mean_difference,
    independent_p,
    independent_probability_better,
    independent_ratio_of_expected,
    independent_ratio_of_medians,
    logrank,
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
        "HeNormal() converges more often than XavierNormal(gain=1.0) by 3.0 points [1.6, 4.5]; p = 1.5e-05 "
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
    assert "; but they differ in how soon: p = 0.03 (paired logrank, Holm over 6 pairs); a success with " in line
    alike = row._replace(logrank_p_holm=0.5)
    assert "; nor do they in how soon: p = 0.5 (" in words.pair_verdict(alike, 6, 0.05)
    for low, told in ((0.9, False), (1.05, True)):  # where the two tests of how soon differ, that is said
        line = words.pair_verdict(alike._replace(median_ratio=Estimate(1.2, low, 1.4)), 6, 0.05)
        assert (
            "a test of all epochs, though the median is 1.20 [1.05, 1.40] times as late with Xavier" in line
        ) == told


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


@pytest.fixture(scope="module")
def runs() -> tuple[fg.Result, fg.Result]:
    he = EXP.replace(init="he_normal")
    return fg.run(EXP, range(300), progress=False), fg.run(he, range(1000, 1500), progress=False)


def test_two_results_without_a_common_seed_are_two_samples(runs: tuple[fg.Result, fg.Result]) -> None:
    a, b = runs
    comparison = fg.compare(a, b)
    (row,) = comparison.samples.to_dict("records")
    k, m, j, n = (a.counts[0].n_converged, 300, b.counts[0].n_converged, 500)
    assert [row[name] for name in ("converged_a", "n_a", "converged_b", "n_b", "n")] == [k, m, j, n, 800]
    wanted = {
        "difference": independent_difference(k, m, j, n),
        "median_ratio": independent_ratio_of_medians(a.counts[0], b.counts[0]),
        "epochs_per_success_ratio": independent_ratio_of_expected(a.counts[0], b.counts[0]),
    }
    for name, estimate in wanted.items():
        np.testing.assert_array_equal([row[name], row[f"{name}_low"], row[f"{name}_high"]], np.array(estimate, float))
    assert row["score_p"] == independent_p(k, m, j, n)
    assert row["logrank_p"] == logrank([a.counts[0], b.counts[0]]).p_value
    text = repr(comparison)
    assert "on seeds of their own" in text
    assert "no seed is common to both: they are compared as two samples" in text
    assert "(score test, Holm over 1 pair)" in comparison.verdicts[0]
    assert "McNemar" not in text
    assert comparison.to_dict()["samples"][0]["n"] == 800


def test_two_results_are_paired_on_the_seeds_that_both_have(two: fg.Result) -> None:
    """In any order, whatever else either has: as the axis of a sweep says it."""
    exp = EXP.replace(network=fg.mlp(2, 8, 1))
    a = fg.run(exp.replace(init=INITS[0]), range(1000), progress=False)
    b = fg.run(exp.replace(init=INITS[1]), [*range(700, 200, -1), *range(5000, 5100)], progress=False)
    comparison = fg.compare(a, b, names=("Xavier's", "He's"))
    one = fg.compare(fg.sweep(exp, range(201, 701), {"init": INITS[:2]}, progress=False), "init").pair_rows[0]
    (row,) = comparison.pair_rows
    assert (row.a, row.b) == ("Xavier's", "He's")
    assert row._replace(a=one.a, b=one.b, stratum={}) == one._replace(stratum={})
    assert "both are compared on the 500 seeds that they have in common, paired" in repr(comparison)
    assert "the experiments differ in init" in repr(comparison)


def test_what_differs_between_two_results_is_said() -> None:
    """Whoever compares other epochs, data or criteria is to see it: the rates alone do not show it."""
    a = fg.run(EXP.replace(epochs=40), 30, progress=False)
    b = fg.run(EXP.replace(epochs=20, stop=fg.Converged(loss=0.1)), 30, progress=False)
    said = "the experiments differ in epochs, stop: how often seeds converge is by epoch 40 and by epoch 20; what is"
    assert any(note.startswith(said) for note in fg.compare(a, b).notes)
    assert "both are the same experiment" in fg.compare(a, fg.run(EXP.replace(epochs=40), 30, progress=False)).notes
    other = fg.run(EXP.replace(epochs=40, data=fg.datasets.and_()), 30, progress=False)
    assert "the experiments differ in data" in fg.compare(a, other, of="loss").notes


def test_two_sweeps_are_compared_configuration_by_configuration(tmp_path: Any) -> None:
    axes = {"lr": [0.1, 0.2]}
    a = fg.sweep(EXP, 60, axes, progress=False)
    store = fg.sweep(EXP.replace(init="he_normal"), range(100, 160), axes, store=tmp_path / "b", progress=False)
    rows = fg.compare(a, store).samples
    assert rows["optimizer.lr"].tolist() == [0.1, 0.2]
    paired = fg.compare(a, fg.sweep(EXP.replace(init="he_normal"), 60, {"lr": [0.2, 0.1]}, progress=False))
    assert [row.stratum["optimizer.lr"] for row in paired.pair_rows] == [0.1, 0.2]
    assert paired.pooled_rows is not None
    assert paired.pooled_rows[0].strata == 2


def test_losses_of_two_samples_are_compared(runs: tuple[fg.Result, fg.Result]) -> None:
    a, b = runs
    comparison = fg.compare(a, b, of="loss", margin=1.0)
    x, y = (each.dataset["loss_final"].to_numpy() for each in runs)
    (row,) = comparison.pair_rows
    assert (row.paired, row.n) == (False, 800)
    assert row.mean_difference == independent_mean_difference(x, y)
    assert (row.probability_better, row.p) == independent_probability_better(x, y)
    text = repr(comparison)
    assert "test of Brunner and Munzel" in text
    assert "no seed is common to both" in text
    assert "the difference is smaller than 1: " in comparison.verdicts[0]


def test_what_cannot_be_compared_is_said(two: fg.Result, runs: tuple[fg.Result, fg.Result]) -> None:
    a, b = runs
    few = fg.run(EXP, range(290, 690), progress=False)
    for call, message in (
        (lambda: fg.compare(a, few), "half or more, or none, are those of the other, and 10 are"),
        (lambda: fg.compare(a, two), "a run beside a run"),
        (lambda: fg.compare(two, a), "whose configurations are those of the first"),
        (lambda: fg.compare(a, "init"), "it has none; or another result"),
        (lambda: fg.compare(a, b, names=("x", "x")), "two names that differ"),
        (lambda: fg.compare(a, b, margin=0), "margin = 0: expected a number more than 0"),
        (
            lambda: fg.compare(a, b, margin=2),
            "margin = 2: expected a share of seeds, less than 1: 0.02 for two points",
        ),
        (lambda: fg.compare(two, "init", clusters="init"), "another axis of 3 values or more"),
        (lambda: fg.compare(two, "init", of="loss", clusters="lr"), "clusters"),
    ):
        with pytest.raises(fg.InvalidExperiment, match=re.escape(message)):
            call()


@pytest.mark.parametrize("margin", [0.002, 0.2])
def test_a_margin_says_whether_a_difference_is_smaller(two: fg.Result, margin: float) -> None:
    comparison = fg.compare(two, "init", margin=margin)
    (row,) = comparison.pairs.to_dict("records")
    table = comparison.pair_rows[0].table
    wanted = equivalence(lambda c: risk_difference(table, c), margin)
    assert (row["within_low"], row["within_high"], row["equivalence_p"]) == (*wanted.difference[1:], wanted.p_value)
    (line,) = comparison.verdicts
    how = "is smaller" if wanted.p_value <= 0.05 else "is not shown to be smaller"
    assert f"; the difference {how} than {100 * margin:g} points: " in line
    assert "(90 % interval; p" in line
    assert "equivalence_p" not in fg.compare(two, "init").pairs


def test_margins_are_adjusted_over_all_pairs(grid: fg.Result) -> None:
    comparison = fg.compare(grid, "init", margin=0.1)
    for rows in (comparison.pairs, comparison.pooled):
        np.testing.assert_array_equal(rows["equivalence_p_holm"], holm(rows["equivalence_p"]))


def test_with_a_shared_order_what_holds_for_one_shuffle_is_said_to() -> None:
    exp = EXP.replace(order="shared", epochs=60)
    swept = fg.sweep(exp, 60, {"init": INITS[:2], "order_seed": range(5)}, progress=False)
    one = fg.sweep(exp, 60, {"init": INITS[:2]}, progress=False)
    assert "all seeds have the same shuffles: intervals hold for one order_seed" in repr(fg.compare(one, "init"))
    assert "these 5 values of order_seed" in repr(fg.compare(swept, "init"))
    assert "shuffles" not in repr(fg.compare(swept, "order_seed"))
    comparison = fg.compare(swept, "init", clusters="order_seed")
    assert "hold for other seeds and other values of order_seed: clustered by both" in repr(comparison)
    met = (swept.dataset["epochs_to_converge"] > 0).transpose("init", "order_seed", "seed").to_numpy().astype(int)
    ones = np.ones(60, int)

    def counted(d: np.ndarray) -> tuple[PooledCounts, list[PooledCounts]]:
        return PooledCounts.of_sums(d.sum(axis=0), 5 * ones), [PooledCounts.of_sums(each, ones) for each in d]

    (row,) = comparison.pooled_rows
    assert (row.difference, row.p) == clustered_difference(*counted(met[0] - met[1]))
    assert [each.rate for each in comparison.cluster_rows] == [clustered_rate(*counted(each)) for each in met]
    assert "clustered by seed and by order_seed" in comparison.verdicts[0]
