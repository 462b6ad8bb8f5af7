"""Labelled datasets, their provenance, and files."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import xarray as xr

import fastgrok as fg
import fastgrok.api
from fastgrok.api import run, sweep
from fastgrok.results.files import METADATA_KEY, NETCDF_LIBRARIES, checked_target
from fastgrok.results.result import Result
from fastgrok.spec.axes import labelled_axis
from fastgrok.spec.variables import FEW_EXAMPLES, OUTCOMES, STALLED_GRADIENT_NORM, VARIABLES

EXP = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=60)
LARGE = [2**64 - 1, 2**63, 5, 5]
AXES = {"network": [fg.mlp(2, 1), fg.mlp(2, 4, 1), fg.mlp(2, 3, 4, 1)], "optimizer.lr": [0.01, 0.1]}


def needs_netcdf() -> None:
    for name in NETCDF_LIBRARIES:
        if not os.environ.get("FASTGROK_TEST_ALL"):
            pytest.importorskip(name)


EVERYTHING = EXP.replace(validation=fg.datasets.xor(), stop=(fg.Converged(loss=0.01), fg.EarlyStopping(patience=5)))


@pytest.fixture(scope="module")
def single() -> Result:
    return run(EXP, LARGE)


@pytest.fixture(scope="module")
def grid() -> Result:
    return sweep(EXP, LARGE, AXES)


def test_a_dataset_has_every_variable_as_the_schema_says(single: Result) -> None:
    full = run(EVERYTHING, LARGE, record_at=[0, 3], track="dead_units")
    again = run(EXP.replace(restart=fg.Restart(5)), LARGE)
    assert set(single.dataset.data_vars) == {
        name for name, one in VARIABLES.items() if one.requires in (None, FEW_EXAMPLES)
    }
    assert set(full.dataset.data_vars) == set(VARIABLES) - {"restarts"}
    assert set(again.dataset.data_vars) == set(single.dataset.data_vars) | {"restarts"}
    for name, variable in VARIABLES.items():
        array = (again if name == "restarts" else full).dataset[name]
        assert array.dims == variable.dims
        assert array.dtype == variable.dtype
        assert array.attrs["units"] == variable.units
        assert array.attrs["long_name"] == variable.meaning


def test_results_of_float32_are_widened() -> None:
    dataset = run(EXP.replace(dtype="float32"), 4).dataset
    assert all(array.dtype == VARIABLES[str(name)].dtype for name, array in dataset.data_vars.items())


def test_outcomes_have_the_flags_of_the_cf_conventions(single: Result) -> None:
    attrs = single.dataset["outcome"].attrs
    assert attrs["flag_meanings"].split() == list(OUTCOMES)
    assert attrs["flag_values"].tolist() == list(range(len(OUTCOMES)))
    assert attrs["flag_values"].dtype == np.int8
    assert f"{STALLED_GRADIENT_NORM:g}" in attrs["long_name"]


def test_provenance_brings_the_experiment_back(single: Result) -> None:
    attrs = single.dataset.attrs
    assert fg.Experiment.from_json(attrs["experiment_json"]) == EXP
    assert attrs["experiment_id"] == EXP.id
    wanted = {
        "fastgrok_version",
        "numpy_version",
        "numba_version",
        "python_version",
        "cpu",
        "time",
        "driver",
        "seconds",
    }
    assert wanted <= attrs.keys()


def test_a_sweep_has_its_axes_as_dimensions(grid: Result) -> None:
    assert dict(grid.dataset.sizes) == {"network": 3, "optimizer.lr": 2, "seed": 4, "hidden_layer": 2, "layer": 3}
    assert grid.dataset["optimizer.lr"].to_numpy().tolist() == [0.01, 0.1]
    assert grid.dataset["hidden_layer"].to_numpy().tolist() == [1, 2]
    assert "finished" not in grid.dataset


def test_a_layer_that_a_network_lacks_counts_minus_one(grid: Result) -> None:
    dead = grid.dataset["dead_units_final"].isel({"optimizer.lr": 0, "seed": 0}).to_numpy()
    assert (dead < 0).tolist() == [[True, True], [False, True], [False, False]]


def test_each_point_of_a_sweep_is_the_run_of_its_experiment(grid: Result) -> None:
    alone = run(EXP.replace(network=fg.mlp(2, 4, 1), optimizer=fg.SGD(lr=0.01)), LARGE).dataset
    point = grid.dataset.isel({"network": 1, "optimizer.lr": 0, "hidden_layer": [0], "layer": [0, 1]})
    for name in alone:
        np.testing.assert_array_equal(point[name], alone[name])


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([1, np.int64(2)], (1, 2)),
        ([1, 0.5], (1.0, 0.5)),
        ([True, False], (True, False)),
        ([1, True], ("1", "True")),
        ([1, "full"], ("1", "full")),
        ([None, fg.Converged(loss=0.1)], ("None", repr(fg.Converged(loss=0.1)))),
        ([fg.Dataset([[1]], [1]), fg.Dataset([[2]], [1])], ("data", "data #2")),
        ([fg.mlp(2, 1)], ("2-1 linear",)),
    ],
)
def test_labels_are_numbers_or_distinct_strings(values: list[object], labels: tuple[object, ...]) -> None:
    assert labelled_axis("path", values).labels == labels


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


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"record_at": "all"}, "record_at = 'all'"),
        ({"record_at": []}, r"record_at = \[\]"),
        ({"record_at": [0, 2.5]}, r"record_at\[1\] = 2.5: expected an epoch from 0 to"),
        ({"record_at": [True]}, r"record_at\[0\] = True"),
        ({"record_at": [10**9]}, r"record_at\[0\]"),
        ({"track": "units"}, "track = 'units'"),
        ({"track": True}, "track = True"),
    ],
)
def test_what_cannot_be_recorded_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(fg.InvalidExperiment, match=message):
        run(EXP, LARGE, **options)


def test_an_interrupted_sweep_marks_what_was_not_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    train = fg.api.train

    def interrupted(experiment: fg.Experiment, *args: Any, **kwargs: Any) -> Any:
        if experiment.optimizer.lr > 0.1:
            raise KeyboardInterrupt
        return train(experiment, *args, **kwargs)

    monkeypatch.setattr("fastgrok.api.train", interrupted)
    with pytest.warns(UserWarning, match="4 of 12 runs are finished"):
        result = sweep(EXP, LARGE, {"optimizer.lr": [0.1, 0.2, 0.3]}, keep_params=True)
    outcome = result.dataset["outcome"]
    assert (outcome.to_numpy() == -1).tolist() == [[False] * 4, [True] * 4, [True] * 4]
    assert set(outcome.to_numpy().ravel().tolist()) <= set(outcome.attrs["flag_values"].tolist())
    assert outcome.attrs["flag_meanings"].split() == ["not_run", *OUTCOMES]
    assert result.dataset["finished"].to_numpy().any(axis=1).tolist() == [True, False, False]
    assert result.summary()["n"].tolist() == [4, 0, 0]
    assert "interrupted: 4 of 12 runs" in repr(result)
    assert [len(outputs) for outputs in result.predict([[0, 1]])] == [4, 0, 0]
    result.save(tmp_path / "part.parquet")
    assert pq.read_table(tmp_path / "part.parquet")["optimizer.lr"].to_pylist() == [0.1] * 4


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
    with pytest.raises(fg.InvalidExperiment, match="out ="):
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
        raise OSError("disk full")

    monkeypatch.setattr("pyarrow.parquet.ParquetWriter.write_table", fail)
    with pytest.raises(fg.InvalidExperiment, match="disk full"):
        single.save(target)
    assert [path.name for path in tmp_path.iterdir()] == ["a.parquet"]
    assert target.read_text() == "before"
