"""Results in files: Parquet and NetCDF."""

import errno
import json
import os
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xarray as xr

import fastgrok as fg
from fastgrok.api import run, sweep
from fastgrok.errors import InvalidExperiment
from fastgrok.results.arrays import from_array, to_array
from fastgrok.results.files import METADATA_KEY, NETCDF_LIBRARIES, checked_target
from fastgrok.results.result import Result
from fastgrok.spec.variables import OUTCOMES

EXP = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=60)


LARGE = [2**64 - 1, 2**63, 5, 6]


AXES = {"network": [fg.mlp(2, 1), fg.mlp(2, 4, 1), fg.mlp(2, 3, 4, 1)], "optimizer.lr": [0.01, 0.1]}


def needs_netcdf() -> None:
    for name in NETCDF_LIBRARIES:
        if not os.environ.get("FASTGROK_TEST_ALL"):
            pytest.importorskip(name)


@pytest.fixture(scope="module")
def single() -> Result:
    return run(EXP, LARGE)


@pytest.fixture(scope="module")
def grid() -> Result:
    return sweep(EXP, LARGE, AXES)


def test_two_relu_layers_in_a_row_are_two_columns(tmp_path: Path) -> None:
    net = fg.Network(fg.Linear(2, 3), fg.ReLU(), fg.ReLU(), fg.Linear(3, 1))
    result = run(EXP.replace(network=net), 4)
    assert result.dataset["hidden_layer"].to_numpy().tolist() == [1, 1]
    result.save(tmp_path / "two.parquet")
    assert {"dead_units_final_1", "dead_units_final_1_2"} <= set(pq.read_schema(tmp_path / "two.parquet").names)


def test_parquet_has_one_row_for_each_configuration_and_seed(grid: Result, tmp_path: Path) -> None:
    grid.save(tmp_path / "grid.parquet")
    table = pq.read_table(tmp_path / "grid.parquet")
    assert table["seed"].to_pylist() == LARGE * 6
    assert table["optimizer.lr"].to_pylist() == ([0.01] * 4 + [0.1] * 4) * 3
    np.testing.assert_array_equal(table["loss_final"], grid.dataset["loss_final"].to_numpy().ravel())
    np.testing.assert_array_equal(
        table["dead_units_final_2"], grid.dataset["dead_units_final"].to_numpy()[..., 1].ravel()
    )
    provenance = json.loads(table.schema.metadata[METADATA_KEY.encode()])
    assert provenance["experiment_id"] == EXP.id
    assert provenance["interrupted"] == 0
    codes = grid.dataset["outcome"].to_numpy().ravel()
    assert table["outcome"].to_pylist() == [OUTCOMES[code] for code in codes]
    assert table.to_pandas()["outcome"].dtype.categories.tolist() == list(OUTCOMES)


def test_what_is_recorded_has_a_column_for_each_layer_unit_and_epoch(tmp_path: Path) -> None:
    axes = {"network": [fg.mlp(2, 3, 1), fg.mlp(2, 4, 2, 1)], "validation": [None, fg.datasets.xor()]}
    result = sweep(EXP, LARGE, axes, record_at=[0, 7], track="dead_units")
    result.save(tmp_path / "recorded.parquet")
    table, data = pq.read_table(tmp_path / "recorded.parquet"), result.dataset
    found = {
        "dead_units_recorded_epoch7_2": data.dead_units_recorded.sel(epoch=7).isel(hidden_layer=1),
        "loss_recorded_epoch0": data.loss_recorded.sel(epoch=0),
        "dead_since_1_unit3": data.dead_since.isel(hidden_layer=0, unit=3),
        "weight_norm_final_3": data.weight_norm_final.sel(layer=3),
        "loss_validation_best": data.loss_validation_best,
        "epoch_validation_best": data.epoch_validation_best,
    }
    for column, values in found.items():
        np.testing.assert_array_equal(table[column], values.to_numpy().ravel(), column)
    assert np.isnan(data.loss_validation_best.sel(validation="None")).all()
    assert (data.epoch_validation_best.sel(validation="None") == -1).all()
    result.save(tmp_path / "recorded.nc")
    with xr.open_dataset(tmp_path / "recorded.nc", engine="h5netcdf") as read:
        xr.testing.assert_equal(read, data)


def test_netcdf_holds_the_dataset(single: Result, grid: Result, tmp_path: Path) -> None:
    needs_netcdf()
    for number, result in enumerate([single, grid, run(EXP.replace(network=fg.mlp(2, 1)), 3)]):
        path = tmp_path / f"{number}.nc"
        result.save(path)
        with xr.open_dataset(path, engine="h5netcdf") as read:
            xr.testing.assert_equal(read, result.dataset)
            assert {name: a.dtype for name, a in read.items()} == {
                name: a.dtype for name, a in result.dataset.items()
            }
            assert read["seed"].dtype == np.uint64
            assert read.attrs["experiment_id"] == EXP.id or number == 2


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(fg.InvalidExperiment, match="pip install h5netcdf h5py for NetCDF"):
        checked_target(tmp_path / "a.nc")


@pytest.mark.parametrize(
    "path", ["a.txt", "a", "", 3, None, "missing/a.parquet", "a\0.parquet", "x" * 300 + ".parquet"]
)
def test_a_path_that_cannot_be_written_is_rejected(
    path: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(fg.InvalidExperiment, match="path ="):
        checked_target(path)  # type: ignore[arg-type]


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").mkdir()
    with pytest.raises(fg.InvalidExperiment, match="directory"):
        checked_target(tmp_path / "a.parquet")


def test_a_file_is_written_whole_or_not_at_all(
    single: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "a.parquet"
    target.write_text("before")

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "disk full")

    monkeypatch.setattr("pyarrow.parquet.ParquetWriter.write_table", fail)
    with pytest.raises(OSError, match="disk full"):  # which is no fault of the path
        single.save(target)
    assert [path.name for path in tmp_path.iterdir()] == ["a.parquet"]
    assert target.read_text() == "before"


@pytest.mark.parametrize(
    "name", ["a" * 247, "\N{GREEK SMALL LETTER ALPHA}" * 123, "\N{CJK UNIFIED IDEOGRAPH-7A2E}" * 82]
)
def test_a_name_may_be_as_long_as_a_file_system_takes(single: Result, tmp_path: Path, name: str) -> None:
    single.save(tmp_path / f"{name}.parquet")
    assert [path.stem for path in tmp_path.iterdir()] == [name]


def test_example_of_checked_target():
    message = re.escape("path = 'result.txt': expected a path that ends in .parquet or .nc")
    with pytest.raises(InvalidExperiment, match=message):
        checked_target("result.txt")


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "int32", "int8", "uint64", "bool"])
def test_arrays_go_to_arrow_and_back(dtype: str) -> None:
    values = (np.arange(21) % 3).astype(dtype)
    for chosen in (values, values[::2], values[:0]):
        array = to_array(chosen)
        assert array.equals(pa.array(chosen))
        for part in (array, array.slice(3, 5), array.slice(1)):
            found = from_array(part)
            assert found.dtype == chosen.dtype
            np.testing.assert_array_equal(found, part.to_numpy(zero_copy_only=False))
