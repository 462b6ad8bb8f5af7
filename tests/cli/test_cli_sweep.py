"""The command line: what it prints, and its exit statuses."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastgrok as fg
import fastgrok.api
from fastgrok.cli import main
from fastgrok.cli.experiment import request
from fastgrok.cli.flags import EXPERIMENT_FLAGS, SWEEP_FLAGS
from fastgrok.spec.base import registered
from fastgrok.spec.calls import call_names, describe
from fastgrok.spec.initializers import Initializer
from fastgrok.spec.layers import ACTIVATIONS
from fastgrok.spec.optimizers import Optimizer
from fastgrok.spec.variables import OUTCOME_MEANINGS
from fastgrok.statistics.proportion import wilson

QUICK = ["--seeds", "8", "--epochs", "20"]


class Outcome:
    """What a command line printed, and its exit status."""

    def __init__(self, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as left:
            main(arguments)
        self.status = left.value.code
        self.out, self.err = capsys.readouterr()


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Return the one line that a bad command line prints."""
    outcome = Outcome(arguments, capsys)
    assert outcome.status == 2
    assert outcome.out == ""
    assert outcome.err.startswith("fastgrok: error: ")
    assert outcome.err.count("\n") == 1
    return outcome.err


def defaults() -> dict[str, object]:
    return {flag.name: flag.default for flag in SWEEP_FLAGS}


def process(*arguments: str, **options: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "fastgrok", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, **options)  # type: ignore[call-overload]


PLACES = {
    "optimizer": list(registered(Optimizer).values()),
    "stop": [fg.Converged, fg.EarlyStopping],
    "restart": [fg.Restart],
}


def test_every_field_of_an_experiment_has_a_flag() -> None:
    paths = set(describe(fg.Experiment))
    for place, classes in PLACES.items():
        paths |= {f"{place}.{name}" for cls in classes for name in describe(cls)}
    covered = {flag.field for flag in EXPERIMENT_FLAGS} | {flag.field.partition(".")[0] for flag in EXPERIMENT_FLAGS}
    assert paths <= covered
    activations = {name for cls in ACTIVATIONS.values() if cls is not None for name in describe(cls)}
    assert activations <= {flag.name for flag in EXPERIMENT_FLAGS if flag.field == "network"}


def test_a_path_of_an_experiment_has_a_flag_if_it_is_no_initializers_and_no_layers() -> None:
    plain = fg.Experiment(fg.mlp(2, 1), fg.datasets.xor(), optimizer=fg.Adam(), restart=fg.Restart(9))
    early = (fg.Converged(loss=1), fg.EarlyStopping(9))
    both = plain.replace(restart=None, stop=early, validation=fg.datasets.xor(), optimizer=fg.SGD())
    paths = {re.sub(r"stop\[.\]", "stop", path) for path in plain.paths() + both.paths()}
    inside = ("network.", "init.", "bias_init.")  # an initializer's numbers stand in its parentheses
    covered = {flag.field for flag in SWEEP_FLAGS} | {flag.field.partition(".")[0] for flag in SWEEP_FLAGS}
    assert {path for path in paths if not path.startswith(inside)} <= covered


def test_the_defaults_are_those_of_an_experiment() -> None:
    made = request("xor", defaults())
    assert made.experiment == fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor())
    assert made.axes == {}


LISTS = {
    "hidden": "2,4x4,none",
    "activation": "relu,tanh",
    "output": "linear,sigmoid",
    "loss": "half_squared_error,squared_error",
    "reduction": "mean,sum",
    "init": "uniform(-2,2),he_normal",
    "bias_init": "zeros,same",
    "stream": "numpy,numpy_legacy",
    "lr": "0.1,0.2",
    "momentum": "0,0.9",
    "weight_decay": "0,0.1",
    "l1": "0,0.1",
    "batch_size": "1,full",
    "order": "fixed,shared",
    "epochs": "10,20",
    "stop_loss": "0.1,0.2",
    "stop_max_error": "0.1,0.2",
    "stop_accuracy": "1,0.5",
    "dtype": "float64,float32",
    "gradient_at_zero": "0,1",
    "optimizer": "sgd,adam",
    "clip_norm": "0.1,1",
    "schedule": "step_lr(10,gamma=0.5),cosine_annealing_lr(100)",
    "check_every": "1,10",
    "restart_after": "10,20",
}
NEEDING = {  # lists that another flag must go with
    "beta1": ("0.9,0.5", {"optimizer": "adam"}),
    "beta2": ("0.9,0.5", {"optimizer": "adam"}),
    "eps": ("1e-8,1e-4", {"optimizer": "adam"}),
    "restart_at_most": ("1,2", {"restart_after": "10"}),
    "patience": ("5,9", {"validation": "0.5", "no_stop": True}),
    "min_delta": ("0,0.1", {"validation": "0.5", "no_stop": True, "patience": "9"}),
}


@pytest.mark.parametrize("name", LISTS)
def test_every_list_spans_an_axis(name: str) -> None:
    made = request("xor", {**defaults(), name: LISTS[name]})
    field = next(flag.field for flag in EXPERIMENT_FLAGS if flag.name == name)
    assert {path: len(values) for path, values in made.axes.items()} == {field: 3 if name == "hidden" else 2}


@pytest.mark.parametrize("name", NEEDING)
def test_every_list_that_needs_another_flag_spans_an_axis(name: str) -> None:
    text, others = NEEDING[name]
    made = request("xor", {**defaults(), **others, name: text})
    field = next(flag.field for flag in EXPERIMENT_FLAGS if flag.name == name)
    assert {path: len(values) for path, values in made.axes.items()} == {field: 2}


def test_a_criterion_beside_patience_has_its_place_in_the_tuple() -> None:
    made = request("xor", {**defaults(), "stop_loss": "0.1,0.2", "patience": "5", "validation": "0.5"})
    assert made.axes == {"stop[0].loss": [0.1, 0.2]}
    assert made.experiment.validation.n_examples == made.experiment.data.n_examples == 2


def test_several_datasets_and_slopes_span_axes() -> None:
    made = request("xor,and,or", {**defaults(), "activation": "leaky_relu,tanh", "slope": "0.1,0.2"})
    assert [data.name for data in made.axes["data"]] == ["xor", "and", "or"]
    assert list(map(str, made.axes["network"])) == [
        "2-4-1 leaky_relu(0.1)/linear",
        "2-4-1 leaky_relu(0.2)/linear",
        "2-4-1 tanh/linear",
    ]


def test_criteria_that_are_given_replace_the_default() -> None:
    made = request("xor", {**defaults(), "stop_accuracy": "1", "keep_training": True})
    assert made.experiment.stop == fg.Converged(accuracy=1, keep_training=True)
    assert request("xor", {**defaults(), "no_stop": True}).experiment.stop is None


def test_none_is_a_value_of_an_axis() -> None:
    lists = {"schedule": "none,step_lr(10)", "clip_norm": "none,1", "restart_after": "none,100"}
    made = request("xor", {**defaults(), **lists})
    assert made.axes == {
        "optimizer.clip_norm": [None, 1.0],
        "optimizer.schedule": [None, fg.StepLR(10)],
        "restart": [None, fg.Restart(100)],
    }


def test_validation_files_have_the_columns_of_the_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "train.csv").write_text("a,b,label\n0,0,no\n1,0,yes\n0,1,yes\n")
    (tmp_path / "held.csv").write_text("b,a,label\n0.5,1,yes\n0,0.25,no\n")
    (tmp_path / "other.csv").write_text("b,a,label\n0.5,1,yes\n0,0.25,zebra\n")
    values = {**defaults(), "data": str(tmp_path / "train.csv"), "target": "label"}
    made = request(None, {**values, "validation": str(tmp_path / "held.csv")}).experiment
    assert made.validation.X.tolist() == [[1, 0.5], [0.25, 0]]
    files = [f"--{name}={tmp_path}/{file}.csv" for name, file in (("data", "train"), ("validation", "other"))]
    assert "validation.target_names" in refused(["sweep", *files, "--target", "label"], capsys)
    (tmp_path / "xor.csv").write_text("x0,x1,y0\n0,1,1\n1,1,0\n")
    named = request("xor", {**defaults(), "validation": str(tmp_path / "xor.csv"), "target": "y0"}).experiment
    assert named.validation.n_examples == 2


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
    assert (outcome.status, outcome.err) == (0, "")
    header, rule, *rows = outcome.out.splitlines()
    assert header.split()[:2] == ["network", "optimizer.lr"]
    assert "converged [95 %]" in header
    assert set(rule) == {"-", " "}
    assert [row.split()[:2] for row in rows] == [["2-2-1", "relu/linear"]] * 2 + [["2-4-1", "relu/linear"]] * 2


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


def test_a_file_of_ones_own_is_trained(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "my.csv"
    path.write_text("a,b,kind,size\n0,1,red,1\n1,1,blue,2\n1,0,green,1\n")
    classes = ["--target", "kind", "--features", "a,b", "--output", "sigmoid", "--loss", "binary_cross_entropy"]
    assert "2-4-3" in Outcome(["sweep", "--data", str(path), *classes, *QUICK], capsys).out
    numbers = ["--target", "size,b", "--features", "a"]
    assert "1-4-2" in Outcome(["sweep", "--data", str(path), *numbers, *QUICK], capsys).out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "command is missing"),
        (["nope"], "No such command"),
        (["sweep"], "data is missing"),
        (["sweep", "nope"], "data = 'nope': expected a name (xor, and, or, parity3"),
        (["sweep", "my.csv"], "for a file: --data my.csv"),
        (["sweep", "xor.npz"], "for a file: --data xor.npz"),
        (["sweep", "xor(low=-1"], "closing parenthesis"),
        (["sweep", "xor", "--hidden", "0"], "none for no hidden layer"),
        (["sweep", "xor", "--hidden", "100000"], "--hidden = '100000': expected widths from 1 to 4096"),
        (["sweep", "xor", "--hidden", "x".join("2" * 300)], "--hidden = "),
        (["sweep", "xor", "--slope", "0.3"], "--slope = '0.3': expected a network with a leaky_relu layer"),
        (["sweep", "xor", "--activation", "tanh", "--gradient-at-zero", "1"], "--gradient-at-zero = '1'"),
        (["sweep", "xor", "--hidden", "none", "--gradient-at-zero", "1"], "--gradient-at-zero = '1'"),
        (["sweep", "xor", "--seeds", "3,x"], "--seeds = 'x'"),
        (["sweep", "xor", "--epochs", "1.5e0"], "--epochs = '1.5e0': expected an integer"),
        (["sweep", "xor", "and"], "unexpected extra argument"),
        (["sweep", "xor", "--nope"], "No such option"),
        (["sweep", "xor", "--lr"], "requires an argument"),
        (["sweep", "xor", "--threads", "x"], "--threads"),
        (["sweep", "xor", "--threads", "0"], "threads = 0"),
        (["sweep", "xor", "--lanes", "3"], "lanes = 3"),
        (["sweep", "xor", "--lr", "fast"], "--lr = 'fast': expected a finite number greater than 0"),
        (["sweep", "xor", "--lr", "-1"], "lr = -1.0"),
        (["sweep", "xor", "--lr", "0.1,"], "--lr = '0.1,'"),
        (["sweep", "xor", "--lr", "0.1,.1"], "differ"),
        (["sweep", "xor", "--seeds", "0"], "--seeds = '0'"),
        (["sweep", "xor", "--seeds", "-5:5"], "seeds"),
        (["sweep", "xor", "--seeds", "1000000000000"], "memory"),
        (["sweep", "xor", "--hidden", "4y4"], "--hidden = '4y4'"),
        (["sweep", "xor", "--optimizer", "rmsprop"], "one of 'sgd', 'adam'"),
        (["sweep", "xor", "--optimizer", "sgd,adam", "--momentum", "0.9"], "another --optimizer: adam has none"),
        (["sweep", "xor", "--schedule", "warmup"], "one of 'step_lr', 'exponential_lr', 'cosine_annealing_lr'"),
        (["sweep", "xor", "--schedule", "step_lr(0)"], "schedule step_lr.step_size = 0"),
        (["sweep", "xor", "--restart-at-most", "3"], "--restart-after with it"),
        (["sweep", "xor", "--restart-after", "9", "--no-stop"], "--no-stop = True: expected a Converged"),
        (["sweep", "xor", "--min-delta", "0.1"], "--patience with it"),
        (["sweep", "xor", "--seeds", "100,000"], "100_000 for 100,000 seeds"),
        (["sweep", "xor", "--stop-loss", "-1"], "--stop-loss = -1"),
        (["sweep", "xor", "--restart-after", "0"], "--restart-after = 0"),
        (["sweep", "--data", "nofile.csv", "--target", "y"], f"--data = '{Path('nofile.csv').absolute()}'"),
        (["sweep", "xor", "--patience", "9"], "--validation is missing"),
        (["sweep", "xor", "--validation", "0.1"], "a share that leaves some of the 4 examples on either side"),
        (["sweep", "xor,and", "--validation", "0.5"], "one dataset of which it is a share"),
        (["sweep", "xor", "--stratified"], "--validation with a share of the examples"),
        (["sweep", "xor", "--track", "dead_units"], "--out with a file"),
        (["sweep", "xor", "--compare", "init"], "a field whose flag has a list"),
        (["sweep", "xor", "--lr", "0.1,1", "--compare", "init"], "one of 'optimizer.lr'"),
        (["sweep", "xor", "--lr", "0.1,1", "--compare", "lr", "--no-stop"], "no --no-stop beside it"),
        (["sweep", "xor", "--record-at", "-1", "--out", "a.parquet"], "an epoch from 0 to 1000"),
        (["sweep", "xor", "--loss", "binary_cross_entropy"], "--output sigmoid"),
        (["sweep", "xor", "--init", "uniform(1"], "--init"),
        (["sweep", "xor", "--no-stop", "--stop-loss", "1"], "--stop-loss"),
        (["sweep", "xor", "--target", "y"], "a CSV file, by --data or --validation"),
        (["sweep", "parity3", "--validation", "0.5", "--split-seed", "-1"], "--split-seed = -1"),
        (["sweep", "xor", "--data", "my.csv"], "either a name"),
        (["sweep", "--data", "missing.csv"], "--target is missing"),
        (["sweep", "--data", "missing.csv", "--target", "y"], "an existing file"),
        (["sweep", "--data", "missing.npz"], "an existing file"),
        (["sweep", "xor,parity3"], "2 inputs"),
        (["sweep", "xor", "--out", "a.txt"], "ends in .parquet or .nc"),
        (["sweep", "xor", "--out", "missing/a.parquet"], "No such file or directory"),
        (["info", "more"], "unexpected extra argument"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert words in refused(arguments, capsys)


WORDS = st.one_of(
    st.sampled_from(
        ["xor", "and,or", "parity3", "none", "0", "1", "2,4", "4x4", "full", "same", "-1", "nan", "1e400"]
    ),
    st.sampled_from(
        ["he_normal", "uniform(-2,2),zeros", "normal(", "sigmoid", "sum", "per_seed", "9" * 5000, ",", ""]
    ),
    st.text(max_size=4),
)
OPTIONS = st.sampled_from([flag.parameter.default.param_decls[0].split("/")[0] for flag in SWEEP_FLAGS]).filter(
    lambda option: option not in ("--specialize", "--lanes", "--threads", "--epochs", "--seeds", "--out")
)


@settings(max_examples=150, deadline=None)
@given(st.lists(OPTIONS | WORDS, max_size=6))
def test_whatever_the_command_line_says_it_is_done_or_refused(words: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["sweep", "xor", *words, *QUICK])
    assert left.value.code in (0, 2)


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert Outcome(["--version"], capsys).out == f"fastgrok {fg.__version__}\n"
    shown = Outcome(["sweep", "--help"], capsys)
    assert shown.status == 0
    assert all("--" + flag.name.replace("_", "-") in shown.out for flag in SWEEP_FLAGS)
    words = " ".join(shown.out.split())
    assert all(name in words for name in call_names(Initializer))
    assert all(f"{name} {meaning}" in words for name, meaning in OUTCOME_MEANINGS.items())
    assert "midpoint" in words


def test_info_says_what_runs_here(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FASTGROK_CACHE_DIR", str(tmp_path / "kernels"))
    facts = json.loads(Outcome(["info", "--json"], capsys).out)
    assert facts["versions"]["fastgrok"] == fg.__version__
    assert facts["vector_bits"] in (128, 256, 512)
    assert facts["lanes"]["specialised"]["float32"] == 2 * facts["lanes"]["specialised"]["float64"]
    assert facts["cache"] == {"directory": str(tmp_path / "kernels"), "kernels": 0, "bytes": 0, "writable": True}
    assert str(tmp_path / "kernels") in Outcome(["info"], capsys).out


def test_a_pipe_gets_whole_lines_and_no_escape_codes() -> None:
    ran = process("sweep", "xor", *QUICK, "--init", "uniform(-1.23456789,1.23456789),he_normal", "--lr", "0.1,0.2")
    out, err = ran.communicate(timeout=60)
    assert (ran.returncode, err) == (0, "")
    assert "\x1b" not in out
    assert len({len(line) for line in out.splitlines()}) == 1
    assert len(out.splitlines()[0]) > 100


def test_a_terminal_gets_a_table_and_a_bar() -> None:
    pty = pytest.importorskip("pty")
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "fastgrok", "sweep", "xor", *QUICK]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "200"}
    ran = subprocess.Popen(command, stdout=slave, stderr=slave, env=environment)
    os.close(slave)
    shown = b""
    while chunk := _read(master):
        shown += chunk
    assert ran.wait(timeout=60) == 0
    os.close(master)
    assert "─" in shown.decode()
    assert b"2-4-1 relu/linear" in shown
    assert b"\x1b" in shown


def _read(master: int) -> bytes:
    """Read from a terminal; nothing once it is closed on the other side."""
    try:
        return os.read(master, 4096)
    except OSError:
        return b""


def test_a_broken_pipe_is_quiet() -> None:
    ran = process("sweep", "xor", *QUICK)
    assert ran.stdout is not None
    assert ran.stderr is not None
    ran.stdout.close()
    assert ran.stderr.read() == ""
    assert ran.wait(timeout=60) == 0
    ran.stderr.close()


def test_a_closed_stdout_and_a_full_disk_are_survived() -> None:
    command = f"{sys.executable} -m fastgrok sweep xor {' '.join(QUICK)}"
    assert subprocess.run(["sh", "-c", f"{command} >&-"], check=False, timeout=60).returncode == 0
    full = subprocess.run(
        ["sh", "-c", f"{command} > /dev/full"], check=False, timeout=60, capture_output=True, text=True
    )
    assert full.returncode == 1
    assert full.stderr.count("\n") == 1
    assert "No space left" in full.stderr


TOLD = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored by background jobs
from fastgrok.engine import program
from fastgrok.cli import main
train = program.Program.train
def told(*args):
    print("training", file=sys.stderr, flush=True)
    return train(*args)
program.Program.train = told
main(sys.argv[1:])
"""


def test_ctrl_c_prints_what_is_finished_and_leaves_with_130() -> None:
    flags = ["sweep", "xor", "--no-stop", "--epochs", "100000", "--json", "--no-specialize", "--seeds", "100000"]
    ran = subprocess.Popen(
        [sys.executable, "-c", TOLD, *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert ran.stderr is not None
    assert ran.stderr.readline() == "training\n"
    time.sleep(1)
    ran.send_signal(signal.SIGINT)
    out, err = ran.communicate(timeout=60)
    assert ran.returncode == 130
    assert "Traceback" not in err
    if out:
        document = json.loads(out)
        assert document["interrupted"] is True
        assert 0 < document["configurations"][0]["n"] < 100_000


def test_the_start_is_light() -> None:
    script = "import sys; from fastgrok.cli import main\ntry: main(sys.argv[1:])\nfinally: print(*sys.modules)"
    command = [sys.executable, "-c", script, "sweep", "xor", "--quiet", *QUICK]
    loaded = subprocess.run(command, check=True, timeout=60, capture_output=True, text=True).stdout.split()
    assert not {"pandas", "xarray", "pyarrow", "matplotlib", "rich"} & set(loaded)
