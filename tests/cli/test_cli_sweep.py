"""`fastgrok sweep` in memory: its table, its JSON, its files."""

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from commands import QUICK, Outcome

import fastgrok as fg
import fastgrok.api
from fastgrok.cli import main
from fastgrok.cli.sweep import is_store_path, seeds_of
from fastgrok.spec.variables import OUTCOMES
from fastgrok.statistics.proportion import wilson


def test_a_sweep_is_compared(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["sweep", "xor", "--lr", "0.1,0.2", "--seeds", "64", "--epochs", "200", "--compare", "lr"]
    said = Outcome(arguments, capsys)
    assert said.status == 0
    assert "How consistently" in said.out
    comparison = json.loads(Outcome([*arguments, "--json"], capsys).out)["comparison"]
    assert comparison["axis"] == "optimizer.lr"
    assert comparison["verdicts"][-1] in said.out


@pytest.mark.parametrize(
    ("flags", "name"),
    [
        (["--hidden", "2,4"], "hidden"),
        (["--batch-size", "2,full"], "batch-size"),
        (["--restart-after", "2,4"], "restart"),
        (["--optimizer", "sgd,adam", "--lr", "0.1,0.01"], "optimizer"),
        (["--stop-loss", "0.1,0.01"], "stop.loss"),
    ],
)
def test_an_axis_to_compare_has_the_names_of_its_flag_and_field(
    flags: list[str], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(["sweep", "xor", *QUICK, *flags, "--compare", name])
    assert left.value.code == 0
    assert "Comparison of" in capsys.readouterr().out


def test_a_label_leaves_out_what_another_axis_says() -> None:
    axes = {"optimizer": [fg.SGD(), fg.Adam()], "optimizer.lr": [0.1, 0.01]}
    result = fg.sweep(fg.Experiment(fg.mlp(2, 1), fg.datasets.xor(), epochs=2), 5, axes, progress=False)
    assert result.summary()["optimizer"].tolist() == ["SGD()", "SGD()", "Adam()", "Adam()"]
    assert "lr=0.1" in fg.compare(result, "optimizer.lr").verdicts[0]


def test_a_sweep_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["sweep", "xor", "--hidden", "2,4", "--lr", "0.1,0.5", "--seeds", "50", "--epochs", "60"]
    outcome = Outcome(arguments, capsys)
    assert outcome.status == 0
    told = (
        "\nNothing, or nearly nothing, converged in 1 of 4 configurations. The first, hidden=2, lr=0.5: 0 of 50 seeds"
    )
    assert outcome.err.startswith(told)  # beside the table, which is alone in a pipe
    header, rule, *rows = outcome.out.splitlines()
    assert header.split()[:3] == ["hidden", "lr", "n"]  # what varies, by the words of the flags
    assert "converged [95 %]" in header
    assert set(rule) == {"-", " "}
    assert [row.split()[:2] for row in rows] == [["2", "0.1"], ["2", "0.5"], ["4", "0.1"], ["4", "0.5"]]


def test_json_has_exact_counts_and_experiments(capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(Outcome(["sweep", "xor", "--json", "--seeds", "10:60", "--lr", "0.1,0.5"], capsys).out)
    assert document["interrupted"] is False
    assert document["seeds"] == {"n": 50, "first": 10, "stop": 60}
    assert "interrupted" not in document["provenance"]
    for row, lr in zip(document["configurations"], [0.1, 0.5], strict=True):
        experiment = fg.Experiment.from_dict(row["experiment"])
        assert experiment.optimizer == fg.SGD(lr=lr)
        assert row["experiment_id"] == experiment.id
        assert row["n"] == 50 == sum(row["outcomes"].values())
        assert isinstance(row["lanes"], int)
        assert [row["rate_low"], row["rate_high"]] == list(map(float, wilson(row["converged"], 50)))


def test_json_has_neither_data_nor_rows_unless_asked(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    arguments = ["sweep", "xor", "--json", "--seeds", "3,5", "--epochs", "9", "--lr", "0.1,0.5"]
    said = Outcome(arguments, capsys).out
    assert not {"X", "y", "rows"} & _keys(json.loads(said))
    document = json.loads(Outcome([*arguments, "--with-rows"], capsys).out)
    result = fg.sweep(fg.Experiment(fg.mlp(2, 4, 1), "xor", epochs=9), [3, 5], {"lr": [0.1, 0.5]}, progress=False)
    for configuration, output in zip(document["configurations"], result.outputs, strict=True):
        rows = configuration["rows"]
        assert rows["seed"] == [3, 5]
        assert [OUTCOMES.index(word) for word in rows["outcome"]] == output.metrics["outcome"].tolist()
        for name in ("loss_final", "epochs_run", "dead_units_final"):
            assert rows[name] == output.metrics[name].tolist()
    path = tmp_path / "my.csv"
    path.write_text("a,y\n0.25,0.5\n1.5,1.25\n")
    own = json.loads(Outcome(["sweep", "--data", str(path), "--target", "y", "--json", *QUICK], capsys).out)
    assert not {"X", "y"} & _keys(own)
    with pytest.raises(fg.InvalidExperiment, match="X and y: data of one's own are not in this"):
        fg.Experiment.from_dict(own["configurations"][0]["experiment"])


def _keys(document: Any) -> set[str]:
    """Return the keys of a document, however deep."""
    if isinstance(document, dict):
        return set(document).union(*map(_keys, document.values()))
    return set().union(*map(_keys, document)) if isinstance(document, list) else set()


def test_json_of_large_data_has_their_hash(capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(Outcome(["sweep", "parity7", "--json", "--seeds", "3,5", "--epochs", "1"], capsys).out)
    assert document["seeds"] == {"n": 2, "values": [3, 5]}
    data = document["configurations"][0]["experiment"]["data"]
    assert data["content_hash"] == fg.datasets.parity(7).content_hash
    assert "X" not in data


def test_an_axis_of_data_shows_their_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    shown = Outcome(["sweep", "xor,xor(low=-1)", *QUICK], capsys).out
    assert "xor(low=-1)" in shown


def test_an_interrupted_run_says_how_much_is_missing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt_at_the_second_point(monkeypatch)
    outcome = Outcome(["sweep", "xor", "--lr", "0.1,0.2,0.3", *QUICK], capsys)
    assert outcome.status == 130
    assert outcome.err == "fastgrok: interrupted: 8 of 24 runs are finished\n"
    rows = outcome.out.splitlines()[2:]
    assert [("0 of 8" in row) for row in rows] == [False, True, True]
    document = json.loads(Outcome(["sweep", "xor", "--lr", "0.1,0.2,0.3", "--json", *QUICK], capsys).out)
    assert [row["n"] for row in document["configurations"]] == [8, 0, 0]
    assert document["interrupted"] is True


def interrupt_at_the_second_point(monkeypatch: pytest.MonkeyPatch) -> None:
    """Press Ctrl-C when the second configuration begins."""
    train = fg.api.train

    def interrupted(experiment: fg.Experiment, *args: Any, **kwargs: Any) -> Any:
        if experiment.optimizer.lr > 0.1:
            raise KeyboardInterrupt
        return train(experiment, *args, **kwargs)

    monkeypatch.setattr("fastgrok.api.train", interrupted)


@pytest.mark.parametrize("more", [["--hidden", "4"], ["--hidden", "2,4x4", "--lr", "0.1,0.2"]])
def test_eighty_columns_are_enough_and_break_no_number(
    more: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["sweep", "xor", "--seeds", "2000", "--epochs", "100", *more]
    whole = Outcome(arguments, capsys).out
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    narrow = Outcome(arguments, capsys).out
    assert max(map(len, narrow.splitlines())) <= 80
    for word in ("2,000", "converged [95 %]", "median epochs", "unfinished", "seed-epochs/s"):
        assert word in whole
        assert word in narrow


def test_the_result_is_written_where_out_says(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "result.parquet"
    outcome = Outcome(
        ["sweep", "xor", *QUICK, "--init", "uniform(-2,2),he_normal", "--out", str(path), "--quiet"], capsys
    )
    assert (outcome.status, outcome.out, outcome.err) == (0, "", "")
    assert pq.read_table(path)["init"].to_pylist() == ["Uniform(low=-2.0, high=2.0)"] * 8 + ["HeNormal()"] * 8


@pytest.mark.parametrize("ending", ["parquet", "nc"])
def test_a_file_is_shown_and_compared_as_it_was(
    ending: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = str(tmp_path / f"result.{ending}")
    arguments = ["sweep", "xor", "--init", "zeros,rai", "--seeds", "50", "--epochs", "100", "--out", path]
    table = Outcome(arguments, capsys).out
    assert Outcome(["summary", path], capsys).out == table
    document = json.loads(Outcome(["summary", path, "--json"], capsys).out)
    assert [one["n"] for one in document["configurations"]] == [50, 50]
    compared = Outcome([*arguments, "--compare", "init"], capsys).out
    assert Outcome(["summary", path, "--compare", "init"], capsys).out == compared
    assert "by loss\n" in Outcome(["summary", path, "--compare", "init", "--of", "loss"], capsys).out
    assert "--compare = 'lr': expected one of 'init'" in Outcome(["summary", path, "--compare", "lr"], capsys).err


def test_a_file_of_ones_own_is_trained(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "my.csv"
    path.write_text("a,b,kind,size\n0,1,red,1\n1,1,blue,2\n1,0,green,1\n")
    classes = ["--target", "kind", "--features", "a,b", "--output", "sigmoid", "--loss", "binary_cross_entropy"]
    assert "2-4-3" in Outcome(["sweep", "--data", str(path), *classes, *QUICK], capsys).out
    numbers = ["--target", "size,b", "--features", "a"]
    assert "1-4-2" in Outcome(["sweep", "--data", str(path), *numbers, *QUICK], capsys).out


def test_example_of_seeds_of():
    value = repr((seeds_of("1e3"), seeds_of("42:43"), seeds_of("3,5,8")))
    assert value == "(range(0, 1000), range(42, 43), [3, 5, 8])"


def test_example_of_is_store_path():
    value = (is_store_path("runs/xor"), is_store_path("xor.parquet"), is_store_path(None))
    assert value == (True, False, False)
