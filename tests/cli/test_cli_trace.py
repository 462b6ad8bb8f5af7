"""`fastgrok replay`: of a store, of flags, of a file."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import fastgrok as fg
from fastgrok.cli import main
from fastgrok.cli.trace import config_of

FLAGS = ("--hidden", "3", "--epochs", "40")


def ran(*words: str) -> int:
    with pytest.raises(SystemExit) as left:
        main([*words])
    return int(left.value.code or 0)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = str(tmp_path_factory.mktemp("stores") / "lr")
    assert ran("sweep", "xor", *FLAGS, "--lr", "0.05,0.2", "--seeds", "30", "--quiet", "--out", path) == 0
    return path


def test_a_seed_of_a_store_is_that_of_its_flags(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ran("replay", path, "--config", "optimizer.lr=0.2", "--seed", "7") == 0
    table = capsys.readouterr().out
    assert ran("replay", "xor", *FLAGS, "--lr", "0.2", "--seed", "7") == 0
    assert capsys.readouterr().out == table
    assert ran("replay", path, "--config", "1", "--seed", "7") == 0
    assert capsys.readouterr().out == table
    title, header, *lines = table.splitlines()
    assert title.startswith("seed 7 of 2-3-1 relu/linear on xor: ")
    assert header.split() == ["epoch", "loss", "accuracy", "gradient_norm", "dead,", "layer", "1"]
    row = fg.open_store(path).dataset(1, range(7, 8)).isel(seed=0)
    assert float(lines[1].split()[1]) == pytest.approx(float(row["loss_initial"]), rel=1e-5)
    assert float(lines[-1].split()[1]) == pytest.approx(float(row["loss_final"]), rel=1e-5)


def test_json_has_the_result_and_the_curves(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ran("replay", path, "--config", "0", "--seed", "3,5", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    trace = fg.open_store(path).replay(0, [3, 5])
    assert [one["seed"] for one in found] == [3, 5]
    for one, alone in zip(found, (trace.isel(seed=k) for k in range(2)), strict=True):
        assert one["loss"] == alone["loss"][: one["result"]["epochs_run"] + 1].values.tolist()
        assert one["result"]["loss_final"] == float(alone["loss_final"])
        assert len(one["epoch"]) == len(one["gradient_norm"]) == one["result"]["epochs_run"] + 1


def test_a_trace_on_disk_is_shown_again(path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "trace.nc")
    assert ran("replay", path, "--config", "0", "--seed", "3,5", "--every", "step", "--out", out) == 0
    table = capsys.readouterr().out
    assert ran("replay", out) == 0
    assert capsys.readouterr().out == table
    assert ran("replay", out, "--seed", "5") == 0
    assert capsys.readouterr().out == table.partition("\n\n")[2]
    with xr.open_dataset(out) as again:
        assert again["weight_1"].dims == ("seed", "step", "unit_0", "unit_1")


@pytest.mark.parametrize("outcome", ["converged", "dead", "unfinished"])
def test_an_outcome_stands_for_the_first_seed_that_has_it(outcome: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ran("replay", "xor", "--hidden", "3", "--epochs", "100", "--seed", outcome) == 0
    title = capsys.readouterr().out.partition("\n")[0]
    exp = fg.Experiment(fg.mlp(2, 3, 1), fg.datasets.xor(), init=fg.Uniform(-1, 1), epochs=100)
    rows = fg.run(exp, 1000, progress=False).dataset
    codes = dict(
        zip(rows["outcome"].attrs["flag_meanings"].split(), rows["outcome"].attrs["flag_values"], strict=True)
    )
    first = int(rows["seed"][rows["outcome"] == codes[outcome]][0])
    assert title.startswith(f"seed {first} of 2-3-1 relu/linear on xor: {outcome} after ")


def test_a_row_with_other_bits_is_an_error(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = fg.open_store(path)
    rows = store.dataset(0)
    changed = rows.assign(loss_final=rows["loss_final"].copy(data=np.nextafter(rows["loss_final"], math.inf)))
    monkeypatch.setattr(type(store), "_one", lambda self, config, seeds: changed.sel(seed=list(seeds)))
    with pytest.raises(fg.StoreError, match=r"seed 3 of .* comes out with other bits .*, in loss_final: "):
        store.replay(0, 3)


def test_a_row_that_is_not_there_is_replayed_all_the_same(path: str) -> None:
    trace = fg.open_store(path).replay(0, 1000)
    assert int(trace["seed"]) == 1000
    assert float(trace["loss"][0]) == float(trace["loss_initial"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["xor"], "--seed is missing: expected a seed, or an outcome"),
        (["xor", "--seed", "x"], "--seed = 'x': expected a seed, or an outcome"),
        (
            ["xor", "--seed", "diverged"],
            "--seed = 'diverged': expected an outcome that one of the first 1,000 seeds has",
        ),
        (["xor", "--seed", "1", "--hidden", "2,4"], "expected one value: one network is looked at"),
        (["xor", "--seed", "1", "--config", "0"], "--config = '0': expected a store beside it"),
        (["xor", "--seed", "1", "--every", "batch"], "every = 'batch': expected one of 'epoch', 'step'"),
        (["xor", "--seed", "1", "--out", "x.parquet"], "--out = 'x.parquet': expected a path that ends in .nc"),
        (["nowhere/", "--seed", "1"], "nowhere/"),
        (["nothing.nc"], "trace = 'nothing.nc': expected a file that `fastgrok replay --out` wrote"),
    ],
)
def test_bad_words_end_with_one_line(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ran("replay", *words) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["--seed", "1"],
            "--config is missing: expected one of 2 configurations: its place, from 0, or labels that it has alone, "
            "such as lr=0.05",
        ),
        (["--seed", "1", "--config", "optimizer.lr=3"], "--config['lr'] = '3': expected one of"),
        (["--seed", "1", "--config", "lr"], "--config = 'lr': expected a place in the table"),
        (["--seed", "1", "--config", "0", "--lr", "0.1"], "--lr = '0.1': expected no store beside it"),
    ],
)
def test_bad_words_beside_a_store_do_too(path: str, words: list[str], said: str, capsys: pytest.CaptureFixture[str]):
    assert ran("replay", path, *words) == 2
    assert said in capsys.readouterr().err


def test_example_of_config_of():
    value = (config_of("3"), config_of("init=HeNormal(),optimizer.lr=0.1"))
    assert value == (3, {"init": "HeNormal()", "optimizer.lr": "0.1"})
