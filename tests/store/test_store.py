"""Sweeps on disk: what a store holds, how it grows, and what it refuses."""

from __future__ import annotations

import itertools
import json
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import xarray as xr

import fastgrok as fg
from fastgrok.statistics import Counts
from fastgrok.store import rows, verify
from fastgrok.store.shards import Shard, missing, part
from fastgrok.store.store import Store

XOR = fg.Experiment(fg.mlp(2, 3, 1), fg.datasets.xor(), epochs=60)
AXES: dict[str, list[Any]] = {"init": [fg.XavierNormal(), fg.HeNormal()], "optimizer.lr": [0.05, 0.2]}


def swept(path: Path, seeds: Any = 50, axes: Any = AXES, exp: fg.Experiment = XOR, **options: Any) -> Store:
    return fg.sweep(exp, seeds, axes, store=path, progress=False, **options)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return swept(tmp_path_factory.mktemp("stores") / "grid", shard_size=20)


@pytest.fixture(scope="module")
def result() -> fg.Result:
    return fg.sweep(XOR, 50, AXES, progress=False)


def test_a_store_holds_what_a_sweep_in_memory_gives(store: Store, result: fg.Result) -> None:
    assert store.counts == result.counts
    columns = ["init", "optimizer.lr", "n", "converged", "rate_low", "epochs_median", "n_dead"]
    assert store.summary()[columns].equals(result.summary()[columns])
    for k, (configuration, output) in enumerate(zip(result.configurations, result.outputs, strict=True)):
        rows = store.dataset(k)
        assert rows.attrs["experiment_id"] == configuration.experiment.id
        for name, column in output.finished_metrics.items():
            np.testing.assert_array_equal(rows[name].values, column, strict=False)


def test_a_configuration_is_found_by_its_labels(store: Store) -> None:
    chosen = store.dataset({"init": "HeNormal()", "optimizer.lr": 0.2}, seeds=range(15, 25))
    assert chosen.seed.values.tolist() == list(range(15, 25))
    assert chosen.attrs["label_optimizer.lr"] == 0.2
    for config, expected in (
        (None, "one of 4 configurations"),
        ({"init": "HeNormal()"}, "one of 4 configurations"),
        ({"init": "Zeros()"}, "HeNormal"),
        ({"lr": 0.2}, "'optimizer.lr'"),
        (4, "one of 4"),
    ):
        with pytest.raises(fg.InvalidExperiment, match=expected.replace("(", r"\(")):
            store.dataset(config)


def test_rows_of_several_configurations_can_be_concatenated(store: Store, result: fg.Result) -> None:
    names = ["XavierNormal(gain=1.0)", "HeNormal()"]
    both = xr.concat([store.dataset({"init": name, "optimizer.lr": 0.2}) for name in names], "init")
    assert both["init"].values.tolist() == names
    assert float(both["optimizer.lr"]) == 0.2
    np.testing.assert_array_equal(both["loss_final"], result.dataset["loss_final"].sel({"optimizer.lr": 0.2}))


def test_seeds_that_a_store_does_not_hold_are_named(store: Store) -> None:
    for seeds in (range(70, 80), range(40, 60)):
        with pytest.raises(fg.InvalidExperiment, match=r"some of the seeds of the store, range\(0, 50\)"):
            store.dataset(0, seeds)
    assert store.dataset(0, range(0)).sizes["seed"] == 0
    assert int(store.replay(0, 70)["seed"]) == 70


def test_rows_are_a_pyarrow_dataset(store: Store, result: fg.Result) -> None:
    rows = (
        store.arrow()
        .to_table()
        .sort_by([("init", "ascending"), ("optimizer.lr", "ascending"), ("seed", "ascending")])
    )
    assert rows.num_rows == 200
    here = result.dataset.sortby("init").loss_final.values.ravel()
    np.testing.assert_array_equal(rows["loss_final"].to_numpy(), here)


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


def test_an_axis_cannot_be_added_later(tmp_path: Path) -> None:
    swept(tmp_path / "a", 5, None)
    with pytest.raises(fg.InvalidExperiment, match=r"expected .none., as in the store: it was made with one init"):
        swept(tmp_path / "a", 5, {"init": AXES["init"]})


def test_an_axis_beside_that_of_one_of_its_fields_grows(tmp_path: Path) -> None:
    axes = {"optimizer": [fg.SGD()], "optimizer.lr": [0.1]}
    swept(tmp_path / "a", 5, axes)
    grown = swept(tmp_path / "a", 5, {**axes, "optimizer": [fg.SGD(), fg.Adam()]})
    assert grown.summary()["optimizer"].tolist() == ["SGD()", "Adam()"]


def test_more_seeds_and_values_extend_a_store_and_train_nothing_twice(tmp_path: Path) -> None:
    small = swept(tmp_path / "a", 30, {**AXES, "init": AXES["init"][:1]}, shard_size=20)
    before = {file: file.stat().st_mtime_ns for file in Path(small.path).glob("shards/*/*")}
    grown = swept(tmp_path / "a", range(50))
    whole = swept(tmp_path / "b", 50, shard_size=7)
    assert {file: file.stat().st_mtime_ns for file in before} == before
    assert grown.content_hash() == whole.content_hash() == fg.open_store(tmp_path / "a").content_hash()
    assert grown.counts == whole.counts
    assert swept(tmp_path / "a", 10).status().n_runs == 200  # a part of it is there already


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"exp": XOR.replace(epochs=61)}, "epochs = 61: expected 60"),
        ({"exp": XOR.replace_at("optimizer.momentum", 0.5)}, "optimizer.momentum = 0.5: expected 0.0"),
        ({"exp": XOR.replace(data=fg.datasets.and_())}, "data"),
        ({"keep_params": True}, "keep_params = True: expected False"),
        ({"rows": "failures"}, "rows = 'failures': expected 'all'"),
        ({"shard_size": 9}, "shard_size = 9: expected 20"),
        ({"record_at": [1]}, "record_at = (1,): expected None"),
        (
            {"axes": {"init": AXES["init"]}},
            "axes = 'init': expected 'init, optimizer.lr', as in the store: say what is wanted of optimizer.lr",
        ),
        (
            {"axes": {**AXES, "batch_size": [1, 2]}},
            "expected 'init, optimizer.lr', as in the store: it was made with one batch_size; another store",
        ),
        (
            {"axes": AXES, "exp": XOR.replace(optimizer=fg.Adam())},
            "optimizer = Adam(lr=0.05): expected SGD(lr=0.05), as in the store",
        ),
        (
            {"axes": AXES, "exp": XOR.replace(network=fg.mlp(2, 3, 3, 1))},
            "network.layers = (Linear(",
        ),
        ({"axes": {**AXES, "optimizer.lr": [0.05, 1]}, "seeds": range(70, 80)}, "seeds = '70:80'"),
    ],
)
def test_a_store_for_another_sweep_is_refused_with_what_differs(
    store: Store, change: dict[str, Any], field: str
) -> None:
    with pytest.raises(fg.InvalidExperiment) as raised:
        swept(Path(store.path), **change)
    assert field in str(raised.value)
    assert store.status().n_runs == 200


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seeds": [1, 2]}, "seeds = .*a range with step 1"),
        ({"seeds": range(0, 9, 2)}, "seeds"),
        ({"seeds": 0}, "seeds = 0"),
        ({"rows": "some"}, "rows = 'some': expected one of 'all', 'failures'"),
        ({"rows": "failures", "exp": XOR.replace(stop=None)}, "stop = None"),
        ({"executor": 2}, "executor = 2"),
        ({"lanes": 8}, "lanes = 8: expected None with a store"),
        ({"shard_size": 0}, "shard_size = 0"),
        ({"axes": []}, r"axes\['point'\] = \[\]: expected a list of one value or more"),
        ({"seeds": 10**30}, r"seeds = 10+: expected a number of seeds from 1 to 18446744073709551616"),
        ({"seeds": range(10**30)}, "seeds = range.*: expected a range within 0 to 18446744073709551615"),
        ({"seeds": 2**64}, "seeds = range.*: expected at most 9223372036854775807 seeds"),
        ({"seeds": range(-2, 2)}, "seeds = range.*: expected a range within 0 to"),
        ({"part_of": "1/2"}, "part_of = '1/2': expected None, or"),
        ({"part_of": (3, 2)}, "part_of = .*: expected None, or"),
        ({"part_of": (1.0, 2)}, "part_of = .*: expected None, or"),
        ({"axes": {"init": [lambda rng, *fans: rng.normal(size=fans)]}}, "function"),
    ],
)
def test_bad_arguments_leave_no_store(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(fg.InvalidExperiment, match=message):
        swept(tmp_path / "new", **options)
    assert not (tmp_path / "new" / "store.json").exists()


def test_a_store_needs_a_directory_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(fg.InvalidExperiment, match="a store, or a directory that is empty or not there"):
        swept(tmp_path)
    with pytest.raises(fg.InvalidExperiment, match="can be written to"):
        swept(tmp_path / "notes.txt" / "below")
    with pytest.raises(fg.InvalidExperiment, match=r"holds store\.json"):
        fg.open_store(tmp_path)
    for option in ({"shard_size": 3}, {"part_of": (1, 2)}):
        with pytest.raises(fg.InvalidExperiment, match="store beside it"):
            fg.sweep(XOR, 5, AXES, **option)


def test_what_another_version_of_fastgrok_made_is_read_and_not_added_to(tmp_path: Path) -> None:
    here = swept(tmp_path / "a", 5)
    other = here.specification.changed(fastgrok="0.0.1")
    (Path(here.path) / "store.json").write_text(other.to_json())
    assert fg.open_store(here.path).counts == here.counts
    for more in (fg.open_store(here.path).resume, lambda: swept(tmp_path / "a", 9)):
        with pytest.raises(fg.InvalidExperiment, match=r"0\.0\.1"):
            more()


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


def test_points_are_one_axis(tmp_path: Path) -> None:
    points = [{"init": fg.HeNormal()}, {"optimizer.lr": 0.5, "epochs": 30}]
    here = swept(tmp_path / "a", 5, points)
    assert here.summary()["point"].tolist() == ["init=HeNormal()", "optimizer.lr=0.5, epochs=30"]
    assert here.counts == fg.sweep(XOR, 5, points, progress=False).counts
    assert fg.open_store(here.path).specification == here.specification
    assert here.dataset({"point": 1}).attrs["experiment_id"] == here.experiment(1).id
    for number in (2, -1):
        with pytest.raises(fg.InvalidExperiment, match=r"config\['point'\] = .*: expected a number from 0 to 1"):
            here.dataset({"point": number})
    with pytest.raises(fg.InvalidExperiment, match=r"points\[0\] = 3"):
        fg.sweep(XOR, 5, [3])


def test_experiments_that_are_equal_or_changed_below_are_refused(tmp_path: Path) -> None:
    twice = {"optimizer": [fg.SGD(0.1), fg.SGD(0.2)], "optimizer.lr": [0.1, 0.2]}
    with pytest.raises(fg.InvalidExperiment, match="experiments which differ from each other"):
        swept(tmp_path / "a", 5, twice)
    points = [{"epochs": 10}, {"optimizer.lr": 0.5}]
    swept(tmp_path / "b", 5, points)
    with pytest.raises(fg.InvalidExperiment, match="as in the store"):
        swept(tmp_path / "b", 5, points, exp=XOR.replace(epochs=200))


def test_merge_takes_shards_of_any_size_and_none_that_are_damaged(tmp_path: Path) -> None:
    one, two = swept(tmp_path / "one", range(25)), swept(tmp_path / "two", range(25, 2000))
    assert one.specification.shard_size != two.specification.shard_size
    assert one.merge(two).counts == swept(tmp_path / "whole", 2000).counts
    file = next(Path(two.path).glob("shards/*/*.parquet"))
    file.write_bytes(bytes(file.stat().st_size))
    with pytest.raises(fg.StoreError, match="is not what was written"):
        swept(tmp_path / "three", range(25)).merge(two)


def test_parts_of_a_sweep_are_disjoint_and_together_all(tmp_path: Path, store: Store) -> None:
    first = swept(tmp_path / "a", shard_size=20, part_of=(1, 2)).status()
    assert first.n_shards == first.n_missing == 6
    assert swept(tmp_path / "a", part_of=(1, 2)).status().n_done == first.n_done
    assert swept(tmp_path / "a", part_of=(2, 2)).content_hash() == store.content_hash()
    with pytest.raises(fg.InvalidExperiment, match="part_of = '1/2'"):
        store.resume(part_of="1/2")  # type: ignore[arg-type]


def test_merge_takes_a_path(tmp_path: Path) -> None:
    one, two = swept(tmp_path / "one", 25), swept(tmp_path / "two", range(25, 50))
    assert one.merge(two.path).content_hash() == swept(tmp_path / "whole", 50).content_hash()
    for other in (str(tmp_path / "nowhere"), 3):
        with pytest.raises(fg.InvalidExperiment, match=r"(other|store) = .*: expected a"):
            one.merge(other)  # type: ignore[arg-type]


@pytest.mark.parametrize(("argument", "value"), [("sample", -1), ("sample", 1.5), ("sample", None), ("seed", -1)])
def test_verify_names_what_will_not_do(store: Store, argument: str, value: Any) -> None:
    with pytest.raises(fg.InvalidExperiment, match=f"{argument} = {value}: expected .*an integer of 0 or more"):
        store.verify(**{argument: value})


def test_verify_does_not_complain_of_shards_in_flight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = swept(tmp_path / "a", 20, shard_size=10)
    sidecars = sorted(Path(here.path).glob("shards/*/*.json"))
    texts = {file: file.read_bytes() for file in sidecars[:3]}
    for file in texts:
        file.unlink()
    assert len(here.verify(sample=0).uncommitted) == 3
    again = verify._trained_again

    def meanwhile(*args: Any) -> Any:
        for file in sidecars[:2]:
            file.write_bytes(texts[file])
        return again(*args)

    monkeypatch.setattr(verify, "_trained_again", meanwhile)
    names = [str(file.with_suffix(".parquet").relative_to(here.path)) for file in texts]
    assert here.verify(sample=0).uncommitted == names[2:]


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


def test_threads_are_not_said_beside_an_executor(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as pool, pytest.raises(fg.InvalidExperiment, match="threads = 2: expected None"):
        swept(tmp_path / "a", threads=2, executor=pool)
    assert not (tmp_path / "a").exists()


def test_each_sidecar_is_read_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    read_bytes, names = Path.read_bytes, []

    def read(path: Path) -> bytes:
        names.append(path.name)
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", read)
    for ask in (store.status, store.rows, store.summary, store.overview, store.__repr__, store._repr_html_):
        names.clear()
        ask()
        assert len(names) == 12
    names.clear()
    store.dataset(1)
    assert len([name for name in names if name.endswith(".json")]) == 3


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
        next((Path(here.path) / "shards" / id_).glob(f"{start}-*.json")).unlink()
    comparison = fg.compare(here, "init")
    whole = fg.compare(fg.sweep(XOR, range(30, 60), {"init": AXES["init"]}, progress=False), "init")
    assert comparison.table["n"].tolist() == [60, 60]
    assert comparison.missing == 60
    assert comparison.to_dict()["pairs"] == whole.to_dict()["pairs"]


def test_a_store_of_failures_alone_cannot_be_compared(tmp_path: Path) -> None:
    with pytest.raises(fg.InvalidExperiment, match="rows = 'failures': expected 'all'"):
        fg.compare(swept(tmp_path / "a", 5, rows="failures"), "init")


def test_seeds_of_all_sizes(tmp_path: Path) -> None:
    far = swept(tmp_path / "a", range(2**63 + 5, 2**63 + 9), None)
    assert far.dataset(seeds=range(2**63 + 6, 2**63 + 8)).seed.values.tolist() == [2**63 + 6, 2**63 + 7]
    with pytest.raises(fg.InvalidExperiment, match="a range with step 1"):
        swept(tmp_path / "b", np.arange(5))
    assert swept(tmp_path / "c", np.int64(5), None).counts[0].n == 5


def test_temporary_files_of_processes_that_are_gone_are_removed(tmp_path: Path) -> None:
    here = swept(tmp_path / "a", 5)
    folder = next(Path(here.path).glob("shards/*"))
    host = socket.gethostname().replace(".", "_")
    (folder / f".0-9.json.{host}-999999999-0123abcd.tmp").write_text("")
    for name in (f".0-9.json.{host}-{os.getpid()}-0123abcd.tmp", ".somebody.tmp"):
        (folder / name).write_text("")
    assert [Path(name).name.split("-")[-2] for name in here.verify(sample=0).removed] == ["999999999"]


def test_merge_takes_disjoint_and_equal_shards(tmp_path: Path) -> None:
    one = swept(tmp_path / "one", range(0, 40), shard_size=20)
    two = swept(tmp_path / "two", range(20, 50), shard_size=20)
    whole = swept(tmp_path / "whole", 50, shard_size=50)
    assert one.merge(two).content_hash() == whole.content_hash()
    other = swept(tmp_path / "other", 50, exp=XOR.replace(epochs=9), shard_size=20)
    with pytest.raises(fg.InvalidExperiment, match="epochs"):
        one.merge(other)


def test_files_by_fsspec() -> None:
    remote = fg.sweep(XOR, 40, AXES, store="memory://stores/a", shard_size=16, progress=False)
    assert fg.open_store("memory://stores/a").verify(sample=5).ok
    assert remote.arrow().count_rows() == 160


def test_parts_of_the_work_are_disjoint_and_complete_whatever_is_done(store: Store) -> None:
    wanted = store.specification
    everything = missing(wanted, [])
    parts = [part(everything, wanted, k, 3) for k in (1, 2, 3)]
    assert sorted(itertools.chain(*parts)) == sorted(everything)
    one = wanted.changed(seeds=range(1000, 2000), shard_size=1000)
    assert [len(part(missing(one, []), one, k, 2)) for k in (1, 2)] == [2, 2]
    rest = everything[5:]
    assert [part(rest, wanted, k, 3) for k in (1, 2, 3)] == [[s for s in one if s in rest] for one in parts]


def test_overlapping_shards_are_counted_once(tmp_path: Path) -> None:
    here = swept(tmp_path / "a", 20, None, shard_size=20)
    longer = swept(tmp_path / "b", 30, None, shard_size=30)
    for file in Path(longer.path).glob("shards/*/*"):
        (Path(here.path) / "shards" / file.parent.name / file.name).write_bytes(file.read_bytes())
    grown = swept(tmp_path / "a", 30, None)
    assert [one.n for one in grown.counts] == [30]
    assert grown.content_hash() == longer.content_hash()


def test_the_summary_reads_no_row(store: Store, tmp_path: Path) -> None:
    copy = swept(tmp_path / "a", 5)
    for file in Path(copy.path).glob("shards/*/*.parquet"):
        file.write_bytes(b"\0" * file.stat().st_size)
    assert sum(one.n for one in copy.counts) == 20
    assert copy.verify(sample=0).bad


def test_sidecars_hold_exact_counts_and_what_made_them(store: Store) -> None:
    files = sorted(Path(store.path).glob("shards/*/*.json"))
    plain = [json.loads(file.read_text()) for file in files]
    assert sum((Counts.from_dict(one["counts"]) for one in plain), Counts.empty()) == sum(
        store.counts, Counts.empty()
    )
    assert {one["versions"]["fastgrok"] for one in plain} == {fg.__version__}
    shard = Shard(**plain[0]["shard"])
    assert pq.read_table(Path(store.path) / shard.rows_name).num_rows == plain[0]["n_rows"]
