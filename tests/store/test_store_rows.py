"""The rows of a store: datasets, pyarrow, comparisons."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from swept import AXES, XOR, swept

import fastgrok as fg
from fastgrok.store import rows
from fastgrok.store.storage import Storage
from fastgrok.store.store import Store


def test_rows_of_several_configurations_can_be_concatenated(store: Store, result: fg.Result) -> None:
    names = ["XavierNormal(gain=1.0)", "HeNormal()"]
    both = xr.concat([store.dataset({"init": name, "optimizer.lr": 0.2}) for name in names], "init")
    assert both["init"].values.tolist() == names
    assert float(both["optimizer.lr"]) == 0.2
    np.testing.assert_array_equal(both["loss_final"], result.dataset["loss_final"].sel({"optimizer.lr": 0.2}))


def test_rows_are_a_pyarrow_dataset(store: Store, result: fg.Result) -> None:
    rows = (
        store.arrow()
        .to_table()
        .sort_by([("init", "ascending"), ("optimizer.lr", "ascending"), ("seed", "ascending")])
    )
    assert rows.num_rows == 200
    here = result.dataset.sortby("init").loss_final.values.ravel()
    np.testing.assert_array_equal(rows["loss_final"].to_numpy(), here)


def test_each_file_is_read_once_before_they_are_a_dataset(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    read, names = Storage.read, []

    def counted(storage: Storage, name: str) -> bytes:
        names.append(name)
        return read(storage, name)

    monkeypatch.setattr(Storage, "read", counted)
    store.arrow()
    files = [name for name in names if name.endswith(".parquet")]
    assert len(files) == len(set(files)) == store.status().n_shards


def test_networks_of_several_depths_share_a_dataset(tmp_path: Path) -> None:
    deep = swept(tmp_path / "deep", 5, {"network": [fg.mlp(2, 3, 1), fg.mlp(2, 3, 3, 1)]})
    layers = deep.arrow().to_table(columns=["dead_units_final_2"])["dead_units_final_2"]
    assert layers.null_count == 5
    assert deep.dataset(1).sizes["hidden_layer"] == 2


def test_parameters_of_both_dtypes_and_several_sizes_share_a_dataset(tmp_path: Path) -> None:
    axes = {"network": [fg.mlp(2, 3, 1), fg.mlp(2, 4, 1)], "dtype": ["float64", "float32"]}
    kept = swept(tmp_path / "both", 5, axes, keep_params=True)
    rows = kept.arrow().to_table().sort_by([("network", "ascending"), ("dtype", "ascending"), ("seed", "ascending")])
    assert [len(params) for params in rows["params"].to_pylist()] == 10 * [13] + 10 * [17]
    for k, dtype in enumerate(["float32", "float64"]):
        _, params = kept.params({"network": "2-3-1 relu/linear", "dtype": dtype})
        flat = np.concatenate([array.reshape(5, -1) for array in params], axis=1)
        np.testing.assert_array_equal(np.array(rows["params"].to_pylist()[5 * k : 5 * k + 5]), flat)


def test_failures_keeps_the_rows_that_did_not_converge_and_counts_all(tmp_path: Path) -> None:
    kept = swept(tmp_path / "a", 50, None, rows="failures", keep_params=True)
    whole = fg.run(XOR, 50, keep_params=True, progress=False)
    failed = whole.dataset.epochs_to_converge.values < 0
    rows = kept.arrow().to_table()
    assert kept.counts == whole.counts
    assert rows["seed"].to_pylist() == np.flatnonzero(failed).tolist()
    flat = np.concatenate([array.reshape(50, -1) for array in whole.params], axis=1)
    np.testing.assert_array_equal(np.array(rows["params"].to_pylist()), flat[failed])
    seeds, params = kept.params(seeds=range(10, 40))
    for mine, theirs in zip(params, whole.params, strict=True):
        np.testing.assert_array_equal(mine, theirs[seeds.astype(int)])
    with pytest.raises(fg.InvalidExperiment, match="keep_params"):
        swept(tmp_path / "b", 5).params(0)


def test_what_is_recorded_is_in_a_store(tmp_path: Path) -> None:
    kept = swept(tmp_path / "a", 9, None, record_at="log", track="dead_units", shard_size=4)
    whole = fg.run(XOR, 9, record_at="log", track="dead_units", progress=False)
    for name in ("loss_recorded", "dead_units_recorded", "dead_since"):
        np.testing.assert_array_equal(kept.dataset()[name].values, whole.dataset[name].values)


THREADS = """
import os, sys
import fastgrok as fg
import pyarrow.parquet

def threads():
    return set(os.listdir("/proc/self/task"))

store = fg.open_store(sys.argv[1])
before = threads()
store.params(0), store.content_hash(), store.arrow()
print(threads() <= before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts threads in /proc")
def test_no_thread_of_pyarrow_holds_what_python_read(tmp_path: Path) -> None:
    here = swept(tmp_path / "a", 20, keep_params=True, shard_size=10)
    said = subprocess.run([sys.executable, "-c", THREADS, here.path], capture_output=True, text=True, check=True)
    assert said.stdout == "True\n"


SCAN = """
import sys
import fastgrok as fg

dataset = fg.open_store(sys.argv[1]).arrow()
print(dataset.head(1).num_rows, dataset.count_rows(), len(list(dataset.to_batches())))
batches = iter(dataset.to_batches())
next(batches)  # the rest are being read when the process ends
"""


def test_a_process_that_ends_while_a_store_is_scanned_ends_well(tmp_path: Path) -> None:
    here = swept(tmp_path / "a", 20, shard_size=5)
    for _ in range(5):
        ended = subprocess.run([sys.executable, "-c", SCAN, here.path], capture_output=True, text=True, timeout=300)
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "1 80 16\n", "")


def test_what_arrow_gives_is_pickled(tmp_path: Path) -> None:
    here = swept(tmp_path / "a", 20, shard_size=5)
    assert pickle.loads(pickle.dumps(here.arrow())).count_rows() == 80


@pytest.mark.parametrize("size", [2**12, 7])
def test_a_store_is_compared_as_a_result_is(
    store: Store, result: fg.Result, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "_IN_MEMORY", size)
    monkeypatch.setattr(rows, "_LEAST", size)
    for axis in AXES:
        assert fg.compare(store, axis).to_dict() == fg.compare(result, axis).to_dict()


def test_of_a_store_that_is_not_complete_the_seeds_are_compared_that_both_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "_IN_MEMORY", 7)
    monkeypatch.setattr(rows, "_LEAST", 7)
    here = swept(tmp_path / "a", 90, {"init": AXES["init"]}, shard_size=30)
    first, second = (one.experiment.id for one in here.configurations)
    for id_, start in ((first, 0), (second, 60)):
        next((Path(here.path) / "shards" / id_).glob(f"_{start}-*.json")).unlink()
    comparison = fg.compare(here, "init")
    whole = fg.compare(fg.sweep(XOR, range(30, 60), {"init": AXES["init"]}, progress=False), "init")
    assert comparison.table["n"].tolist() == [60, 60]
    assert comparison.missing == 60
    assert comparison.to_dict()["pairs"] == whole.to_dict()["pairs"]


def test_a_store_of_failures_alone_cannot_be_compared(tmp_path: Path) -> None:
    with pytest.raises(fg.InvalidExperiment, match="rows = 'failures': expected 'all'"):
        fg.compare(swept(tmp_path / "a", 5, rows="failures"), "init")


NO_PANDAS = """
import sys
import fastgrok as fg

exp = fg.Experiment(fg.mlp(2, 3, 1), fg.datasets.xor(), epochs=60)
axes = {"init": [fg.HeNormal(), fg.Uniform(-1, 1)], "optimizer.lr": [0.1, 0.2]}
store = fg.sweep(exp, 20, axes, store=sys.argv[1], keep_params=True, rows="failures", progress=False)
store.content_hash(), store.counts
print("pandas" in sys.modules)
"""


def test_a_sweep_imports_no_pandas(tmp_path: Path) -> None:
    command = [sys.executable, "-c", NO_PANDAS, str(tmp_path / "a")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "False\n"
