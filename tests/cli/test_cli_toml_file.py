"""Sweeps described by a TOML file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import fastgrok as fg
from fastgrok.cli import main

SWEEP = ("sweep", "xor", "--hidden", "2,3", "--lr", "0.05,0.2", "--epochs", "40", "--quiet")


def ran(*words: str) -> int:
    with pytest.raises(SystemExit) as left:
        main([*words])
    return int(left.value.code or 0)


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "runs")


TOML = """
data = "xor"
hidden = [2, 3]
init = ["xavier_normal", "uniform(-1, 1)"]
lr = 0.1
batch-size = ["full", 2]
epochs = 30
keep_training = true
seeds = 20
"""


def test_a_toml_file_describes_a_sweep(tmp_path: Path, path: str, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "study.toml"
    file.write_text(f"{TOML}out = '{path}'\n")
    assert ran("sweep", str(file), "--seeds", "25") == 0
    store = fg.open_store(path)
    assert [axis.path for axis in store.specification.axes] == ["hidden", "init", "batch_size"]
    assert store.specification.seeds == range(25)
    assert store.specification.experiment.criteria == fg.Converged(loss=0.01, keep_training=True)
    assert ran("sweep", str(file), "--dry-run") == 0
    assert "8 configurations x 20 seeds" in capsys.readouterr().out
    assert ran("sweep", str(file), "--dry-run", "--seeds", "1000") == 0  # the default, and given
    assert "8 configurations x 1,000 seeds" in capsys.readouterr().out


def test_points_of_a_toml_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "study.toml"
    file.write_text('data = "xor"\nepochs = 9\nseeds = 4\n[[points]]\nlr = 0.2\n[[points]]\nhidden = 8\nlr = 0.05\n')
    assert ran("sweep", str(file), "--json") == 0
    labels = [one["labels"]["point"] for one in json.loads(capsys.readouterr().out)["configurations"]]
    assert labels == ["optimizer=SGD(lr=0.2)", "network=2-8-1 relu/linear, optimizer=SGD(lr=0.05)"]


def test_a_list_of_true_and_false_is_an_axis(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "study.toml"
    file.write_text(
        'data = "xor"\nmomentum = 0.9\nnesterov = [false, true]\nbias = [true, false]\nseeds = 4\nepochs = 5\n'
    )
    assert ran("sweep", str(file), "--json") == 0
    labels = [one["labels"] for one in json.loads(capsys.readouterr().out)["configurations"]]
    assert [one["optimizer.nesterov"] for one in labels] == [False, True] * 2
    assert [one["network"].endswith("no bias") for one in labels] == [False, False, True, True]


def test_what_a_flag_beside_a_toml_file_says_wrongly_is_the_flags(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "study.toml"
    file.write_text('data = "xor"\nseeds = 3\n')
    assert ran("sweep", str(file), "--seeds", "many") == 2
    assert "error: --seeds = 'many'" in capsys.readouterr().err


def test_a_list_of_one_value_is_an_axis_that_grows(tmp_path: Path, path: str) -> None:
    file = tmp_path / "study.toml"
    file.write_text(f'data = "xor"\nhidden = 3\ninit = ["xavier_normal"]\nepochs = 9\nseeds = 4\nout = "{path}"\n')
    assert ran("sweep", str(file), "--quiet") == 0
    file.write_text(file.read_text().replace('["xavier_normal"]', '["xavier_normal", "he_normal"]'))
    assert ran("sweep", str(file), "--quiet") == 0
    assert fg.open_store(path).summary()["init"].tolist() == ["XavierNormal(gain=1.0)", "HeNormal()"]


def test_one_value_of_what_varies_in_a_store_is_a_value_of_its_axis(
    tmp_path: Path, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ran(*SWEEP, "--init", "zeros,rai", "--seeds", "6", "--out", path) == 0
    file = tmp_path / "study.toml"
    file.write_text('data = "xor"\nhidden = [2, 3]\nlr = 0.05\nepochs = 40\nseeds = 6\n')
    assert ran("sweep", str(file), "--out", path, "--init", "lecun_normal", "--quiet") == 0
    store = fg.open_store(path)
    inits = store.specification.axes[1]
    assert (inits.path, inits.labels) == ("init", ("Zeros()", "RAI(sigma=0.6007)", "LeCunNormal()"))
    assert store.status().n_done == 6 * 10  # with 0.2 it is not asked for
    assert ran("sweep", str(file), "--out", path, "--init", "rai", "--quiet") == 0  # there already
    assert fg.open_store(path).status().n_done == 60
    capsys.readouterr()
    assert ran("sweep", str(file), "--out", path) == 2
    said = capsys.readouterr().err
    assert "study.toml: init is missing: expected one value or more: the store has an axis init\n" in said
    assert ran(*SWEEP[:4], "--init", "rai", "--lr", "0.05", "--batch-size", "1,2", "--out", path) == 2
    assert "it was made with one batch_size; another store" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hiden = 4", "hiden = 4: expected one of 'seeds'"),
        ('data = "xor"\nlr = ["fast"]', "lr = 'fast': expected a finite number greater than 0"),
        ('data = "xor"\nlr = true', "lr = True: expected a number or a string"),
        ('data = "xor"\nbias = 1', "bias = 1: expected true or false"),
        ('data = "xor"\nthreads = "two"', "threads = 'two': expected an integer"),
        ('data = "xo"', "data = 'xo': expected a name"),
        ("data = ", "expected valid TOML"),
        ('data = "xor"\n[[points]]\nlr = 0.1', "points[0] = {'lr': 0.1}: expected one value of each key"),
        ('data = "xor"\n[[points]]\nlr = "x"', "points[0].lr = 'x': expected a finite number"),
        ('data = "xor"\nlr = [1, 2]\n[[points]]\nhidden = 3', "no lists beside it"),
        ('data = "xor"\npoints = 3', "one or more tables [[points]]"),
        ('data = "xor"\n[[points]]\nseeds = 3', "points[0].seeds = 3: expected one of"),
        ('data = "xor"\nseeds = "many"', "study.toml: seeds = 'many': expected an integer"),
        ('data = "xor"\nseeds = [1, 3]\nout = "OUT"', "study.toml: seeds = [1, 3]: expected a number of seeds, or"),
        ('data = "xor"\nshard_size = 0\nout = "OUT"', "study.toml: shard_size = 0: expected an integer of 1 or more"),
        ('data = "xor"\nrows = "some"\nout = "OUT"', "study.toml: rows = 'some': expected one of 'all', 'failures'"),
        ('data = "xor"\nshard_size = 9', "study.toml: shard_size = 9: expected out with a directory"),
        ('data = "my.csv"\ntarget = "y"', f"study.toml: data = '{Path('my.csv').absolute()}': expected a"),
        ('data = "xor"\nthreads = 0\nout = "OUT"', "study.toml: threads = 0: expected an integer at least 1"),
    ],
)
def test_what_is_wrong_in_a_toml_file_names_file_and_key(
    tmp_path: Path, text: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "study.toml"
    file.write_text(text.replace("OUT", str(tmp_path / "runs")))
    assert ran("sweep", str(file)) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "study.toml" in said
    assert message in said
