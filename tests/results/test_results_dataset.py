"""Results as labelled datasets."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

import fastgrok as fg
import fastgrok.api
from fastgrok.api import run, sweep
from fastgrok.results.result import Result
from fastgrok.spec.variables import FEW_EXAMPLES, MONITOR_TRAINING, OUTCOME_MEANINGS, OUTCOMES, VARIABLES

EXP = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=60)


LARGE = [2**64 - 1, 2**63, 5, 6]


AXES = {"network": [fg.mlp(2, 1), fg.mlp(2, 4, 1), fg.mlp(2, 3, 4, 1)], "optimizer.lr": [0.01, 0.1]}


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
    watched = run(EXP.replace(stop=fg.EarlyStopping(patience=5, monitor="training")), LARGE)
    best = {name for name, one in VARIABLES.items() if one.requires == MONITOR_TRAINING}
    assert set(single.dataset.data_vars) == {
        name for name, one in VARIABLES.items() if one.requires in (None, FEW_EXAMPLES)
    }
    assert set(full.dataset.data_vars) == set(VARIABLES) - {"restarts", *best}
    assert set(watched.dataset.data_vars) == set(single.dataset.data_vars) | {"stopped_early", *best}
    assert set(again.dataset.data_vars) == set(single.dataset.data_vars) | {"restarts"}
    for name, variable in VARIABLES.items():
        array = (again if name == "restarts" else watched if name in best else full).dataset[name]
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
    assert all(f"{name}, {meaning}" in attrs["long_name"] for name, meaning in OUTCOME_MEANINGS.items())


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
