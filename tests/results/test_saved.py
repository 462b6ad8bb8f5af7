"""A result is read back from its file: everything that one asks of it is the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import xarray as xr

import fastgrok as fg
import fastgrok.api
from fastgrok.results.files import METADATA_KEY, RESULT_KEY
from fastgrok.results.result import Result

EXP = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=60)
SEEDS = [2**64 - 1, 2**63, 5, 6]
ENDINGS = ("parquet", "nc")

CASES: dict[str, dict[str, Any]] = {
    "a run": {"axes": None, "seeds": 20},
    "seeds of all sizes": {"axes": None, "seeds": SEEDS, "keep_params": True},
    "a grid of words": {"axes": {"hidden": [2, 4], "lr": [0.01, 0.1]}, "seeds": range(7, 19)},
    "networks that differ": {
        "axes": {"network": [fg.mlp(2, 1), fg.mlp(2, 4, 1), fg.mlp(2, 3, 4, 1)], "optimizer.lr": [0.01, 0.1]},
        "seeds": 6,
        "keep_params": True,
    },
    "everything recorded": {
        "axes": {"hidden": [3, (4, 2)], "validation": [None, fg.datasets.xor()]},
        "seeds": SEEDS,
        "record_at": [0, 7],
        "track": "dead_units",
    },
    "precisions": {"axes": {"dtype": ["float64", "float32"]}, "seeds": 5, "keep_params": True},
    "points": {"axes": [{"init": "he_normal"}, {"lr": 0.5, "epochs": 30}], "seeds": 5},
}


def made(axes: Any, seeds: Any, **options: Any) -> Result:
    if axes is None:
        return fg.run(EXP, seeds, progress=False, **options)
    return fg.sweep(EXP, seeds, axes, progress=False, **options)


def assert_same(read: Result, result: Result) -> None:
    """Compare everything that a result says."""
    xr.testing.assert_identical(read.dataset, result.dataset)
    assert read.counts == result.counts
    assert read.summary().equals(result.summary())
    assert repr(read) == repr(result)
    assert (read.experiment, read.axes) == (result.experiment, result.axes)
    np.testing.assert_array_equal(read.all_seeds, result.all_seeds)
    for one, other in zip(read.outputs, result.outputs, strict=True):
        assert one.metrics.keys() == other.metrics.keys()
        assert {k: v.dtype for k, v in one.metrics.items()} == {k: v.dtype for k, v in other.metrics.items()}
        assert (one.params is None) == (other.params is None)
        if one.params is not None and other.params is not None:
            assert one.params.dtype == other.params.dtype
            np.testing.assert_array_equal(one.finished_rows(one.params), other.finished_rows(other.params))


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("case", list(CASES))
def test_a_result_is_read_back(case: str, ending: str, tmp_path: Path) -> None:
    result = made(**CASES[case])
    result.save(tmp_path / f"a.{ending}")
    read = fg.load(tmp_path / f"a.{ending}")
    assert isinstance(read, Result)
    assert_same(read, result)
    read.save(tmp_path / f"b.{ending}")  # and once more
    again = fg.load(tmp_path / f"b.{ending}")
    assert isinstance(again, Result)
    assert_same(again, result)


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_interrupted_sweep_is_read_back(ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train = fg.api.train

    def interrupted(experiment: fg.Experiment, *args: Any, **kwargs: Any) -> Any:
        if experiment.optimizer.lr > 0.1:
            raise KeyboardInterrupt
        return train(experiment, *args, **kwargs)

    monkeypatch.setattr("fastgrok.api.train", interrupted)
    with pytest.warns(UserWarning, match="interrupted"):
        result = fg.sweep(EXP, SEEDS, {"lr": [0.1, 0.2, 0.3]}, keep_params=True, progress=False)
    result.save(tmp_path / f"a.{ending}")
    read = fg.load(tmp_path / f"a.{ending}")
    assert isinstance(read, Result)
    assert_same(read, result)
    assert read.interrupted
    assert read.n_missing == 8


def test_it_is_compared_drawn_and_asked_as_before(tmp_path: Path) -> None:
    result = fg.sweep(EXP, 64, {"init": ["xavier_normal", "he_normal"]}, keep_params=True, progress=False)
    result.save(tmp_path / "inits.parquet")
    read = fg.load(tmp_path / "inits.parquet")
    assert isinstance(read, Result)
    assert fg.compare(read, "init").to_dict() == fg.compare(result, "init").to_dict()
    assert fg.compare(read, "init", of="loss").to_dict() == fg.compare(result, "init", of="loss").to_dict()
    for one, other in zip(read.predict([[0, 1]]), result.predict([[0, 1]]), strict=True):
        np.testing.assert_array_equal(one, other)
    assert read.attrs["time"] == result.attrs["time"]


def test_load_opens_a_store(tmp_path: Path) -> None:
    fg.sweep(EXP, 5, {"lr": [0.1, 0.2]}, store=tmp_path / "store", progress=False)
    store = fg.load(tmp_path / "store")
    assert isinstance(store, fg.Store)
    assert store.n_missing == 0


def test_what_is_no_result_is_refused_in_a_line(tmp_path: Path) -> None:
    result = fg.run(EXP, 4)
    result.save(tmp_path / "a.parquet")
    table = pq.read_table(tmp_path / "a.parquet")
    attrs = json.loads(table.schema.metadata[METADATA_KEY.encode()])
    del attrs[RESULT_KEY]
    pq.write_table(table.replace_schema_metadata({METADATA_KEY: json.dumps(attrs)}), tmp_path / "rows.parquet")
    of_all = {METADATA_KEY: table.schema.metadata[METADATA_KEY.encode()]}
    pq.write_table(table.slice(1).replace_schema_metadata(of_all), tmp_path / "fewer.parquet")
    (tmp_path / "b.parquet").write_text("no Parquet")
    (tmp_path / "c.txt").write_text("text")
    for name, message in {
        "rows.parquet": "a file that result.save wrote, in this version",
        "b.parquet": "a file that result.save wrote",
        "c.txt": "a .parquet or .nc file that result.save wrote, or the directory of a store",
        "nothing.parquet": "an existing file",
        "fewer.parquet": "a file of 4 rows",
    }.items():
        with pytest.raises(fg.InvalidExperiment, match=message):
            fg.load(tmp_path / name)
    for path in (3, None, "a\0"):
        with pytest.raises(fg.InvalidExperiment, match="path = "):
            fg.load(path)  # type: ignore[arg-type]
    trace = tmp_path / "trace.nc"
    fg.replay(EXP, 3).to_netcdf(trace, engine="h5netcdf")
    with pytest.raises(fg.InvalidExperiment, match=r"a file that result\.save wrote"):
        fg.load(trace)
