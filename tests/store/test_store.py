"""A store holds what a sweep in memory gives, and merges with others."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from swept import AXES, XOR, swept

import fastgrok as fg
from fastgrok.store.store import Store


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
        ({"init": "HeNormal()"}, "one of 4 configurations"),
        ({"init": "Zeros()"}, "HeNormal"),
        ({"lr": 0.2}, "'optimizer.lr'"),
        (4, "one of 4"),
    ):
        with pytest.raises(fg.InvalidExperiment, match=expected.replace("(", r"\(")):
            store.dataset(config)


def test_seeds_that_a_store_does_not_hold_are_named(store: Store) -> None:
    for seeds in (range(70, 80), range(40, 60)):
        with pytest.raises(fg.InvalidExperiment, match=r"some of the seeds of the store, range\(0, 50\)"):
            store.dataset(0, seeds)
    assert store.dataset(0, range(0)).sizes["seed"] == 0
    assert int(store.replay(0, 70)["seed"]) == 70


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
        ({"axes": {"init": [lambda rng, *fans: rng.normal(size=fans)]}}, "^function = "),
    ],
)
def test_bad_arguments_leave_no_store(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(fg.InvalidExperiment, match=message):
        swept(tmp_path / "new", **options)
    assert not (tmp_path / "new" / "_store.json").exists()


def test_a_function_that_json_does_not_bring_back_is_named(tmp_path: Path) -> None:
    experiment = fg.Experiment(fg.mlp(2, 2, 1), fg.datasets.xor(), init=fg.FromFunction(len))  # type: ignore[arg-type]
    with pytest.raises(
        fg.InvalidExperiment, match=r"^init\.function = 'builtins:len': expected something that a store"
    ):
        fg.sweep(experiment, 2, {"epochs": [1, 2]}, store=tmp_path / "new")


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


def test_merge_takes_a_path(tmp_path: Path) -> None:
    one, two = swept(tmp_path / "one", 25), swept(tmp_path / "two", range(25, 50))
    assert one.merge(two.path).content_hash() == swept(tmp_path / "whole", 50).content_hash()
    for other in (str(tmp_path / "nowhere"), 3):
        with pytest.raises(fg.InvalidExperiment, match=r"(other|store) = .*: expected a"):
            one.merge(other)  # type: ignore[arg-type]


def test_threads_are_not_said_beside_an_executor(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as pool, pytest.raises(fg.InvalidExperiment, match="threads = 2: expected None"):
        swept(tmp_path / "a", threads=2, executor=pool)
    assert not (tmp_path / "a").exists()


def test_seeds_of_all_sizes(tmp_path: Path) -> None:
    far = swept(tmp_path / "a", range(2**63 + 5, 2**63 + 9), None)
    assert far.dataset(seeds=range(2**63 + 6, 2**63 + 8)).seed.values.tolist() == [2**63 + 6, 2**63 + 7]
    with pytest.raises(fg.InvalidExperiment, match="a range with step 1"):
        swept(tmp_path / "b", np.arange(5))
    assert swept(tmp_path / "c", np.int64(5), None).counts[0].n == 5


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
