"""Small configurations share shards; what a store says and holds is what it is with a shard for each."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from swept import AXES, XOR, swept

import fastgrok as fg
from fastgrok.store import groups
from fastgrok.store.groups import grouped
from fastgrok.store.manifest import specified
from fastgrok.store.missing import missing, n_shards
from fastgrok.store.shards import GROUP, Sidecar
from fastgrok.store.store import Store

RATES = [0.01 * k for k in range(1, 9)]
EIGHT: dict[str, list[Any]] = {"optimizer.lr": RATES}
N = 20


def eight(path: Path, seeds: Any = N, **options: Any) -> Store:
    """Sweep over eight learning rates."""
    return swept(path, seeds, EIGHT, **options)


def files(store: Store, suffix: str = "parquet") -> list[Path]:
    return sorted(Path(store.path).glob(f"shards/*/*.{suffix}"))


def in_order(table: pa.Table) -> pd.DataFrame:
    """Return rows by configuration and seed."""
    return table.sort_by([("optimizer.lr", "ascending"), ("seed", "ascending")]).to_pandas()


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Return the sweep with a shard for each configuration."""
    return eight(tmp_path_factory.mktemp("apart") / "store", shard_size=N)


def sizes(store: Store) -> list[int]:
    """Return how many configurations each shard has."""
    sidecars = (Sidecar.from_json(file.read_bytes()) for file in files(store, "json"))
    return sorted(len(sidecar.parts) for sidecar in sidecars)


@pytest.mark.parametrize(("size", "expected"), [(N, 8 * [1]), (3 * N, [2, 3, 3]), (3 * N + 7, [2, 3, 3]), (999, [8])])
def test_a_shard_has_as_many_configurations_as_its_runs_allow(
    size: int, expected: list[int], apart: Store, tmp_path: Path
) -> None:
    store = eight(tmp_path / "a", shard_size=size)
    assert sizes(store) == expected
    assert store.status().n_shards == len(expected)
    assert store.status().n_done == 8 * N
    assert store.counts == apart.counts
    assert store.content_hash() == apart.content_hash()
    assert store.verify(sample=20).ok
    for k in range(8):
        mine, other = (each.dataset(k).drop_attrs() for each in (store, apart))
        assert mine.identical(other)


def test_rows_of_a_shared_file_say_whose_they_are(apart: Store, tmp_path: Path) -> None:
    store = eight(tmp_path / "a", shard_size=4 * N)
    mine, other = (in_order(pq.read_table([str(file) for file in files(each)])) for each in (store, apart))
    assert mine.equals(other)
    ids = [configuration.experiment.id for configuration in store.configurations]
    assert mine["experiment_id"].tolist() == [id_ for id_ in ids for _ in range(N)]
    assert in_order(store.arrow().to_table()).equals(other)


def test_networks_of_several_sizes_share_shards_where_they_have_the_same_columns(tmp_path: Path) -> None:
    axes = {"network": [fg.mlp(2, 2, 1), fg.mlp(2, 3, 1), fg.mlp(2, 3, 3, 1)], "dtype": ["float64", "float32"]}
    rows = swept(tmp_path / "rows", 5, axes, shard_size=100)
    kept = swept(tmp_path / "kept", 5, axes, keep_params=True, shard_size=100)
    assert sizes(rows) == [2, 4]
    assert sizes(kept) == 6 * [1]
    whole = fg.sweep(XOR, 5, axes, keep_params=True, progress=False)
    assert rows.counts == kept.counts == whole.counts
    for k in range(6):
        for ours, theirs in zip(kept.params(k)[1], whole.params[k], strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_parameters_of_one_network_are_kept_in_a_shared_shard(tmp_path: Path) -> None:
    kept = eight(tmp_path / "a", keep_params=True, rows="failures", shard_size=8 * N)
    assert sizes(kept) == [8]
    whole = fg.sweep(XOR, N, EIGHT, keep_params=True, progress=False)
    assert kept.verify(sample=20).ok
    for k in range(8):
        seeds, params = kept.params(k)
        assert seeds.tolist() == np.flatnonzero(whole.outputs[k].metrics["epochs_to_converge"] < 0).tolist()
        for ours, theirs in zip(params, whole.params[k], strict=True):
            np.testing.assert_array_equal(ours, theirs[seeds.astype(int)])


def test_configurations_of_much_work_have_shards_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = specified(XOR, N, EIGHT, shard_size=8 * N)
    assert set(grouped(wanted).values()) == {0}
    monkeypatch.setattr(groups, "_FLOPS", 1.0)
    assert list(grouped(wanted).values()) == list(range(8))
    monkeypatch.undo()
    monkeypatch.setattr(groups, "_MOST", 3)
    assert list(grouped(wanted).values()) == [0, 0, 0, 1, 1, 1, 2, 2]


@pytest.mark.parametrize("size", [3 * N, 8 * N, N, 7])
def test_parts_are_disjoint_complete_and_the_same_whatever_is_done(size: int, tmp_path: Path) -> None:
    wanted = specified(XOR, N, EIGHT, shard_size=size)
    everything = missing(wanted, [])
    assert everything.n_shards == n_shards(wanted) == len(list(everything))
    assert everything.n_runs == 8 * N
    parts = [list(everything.part(k, 2)) for k in (1, 2)]
    assert sorted(itertools.chain(*parts)) == sorted(everything)
    store = eight(tmp_path / "a", shard_size=size, part_of=(1, 2))
    left = missing(store.specification, store._survey().pieces)
    assert sorted(left) == sorted(parts[1])
    assert store.resume(part_of=(1, 2), progress=False).status().n_done == sum(shard.n_runs for shard in parts[0])


def test_a_part_of_a_store_is_made_in_the_groups_of_the_whole(tmp_path: Path, apart: Store) -> None:
    store = eight(tmp_path / "a", shard_size=4 * N, part_of=(2, 2))
    assert swept(Path(store.path), 7, {"optimizer.lr": RATES[1:3]}).status().n_done == 4 * N + 14
    whole = store.resume(progress=False)
    assert whole.content_hash() == apart.content_hash()
    assert sizes(whole) == [2, 2, 2, 4]
    assert whole.status().n_done == 8 * N


def test_a_store_of_shared_shards_grows_by_seeds_and_by_values(tmp_path: Path) -> None:
    before = swept(tmp_path / "a", N, {"optimizer.lr": RATES[:5]}, shard_size=3 * N)
    stamps = {file: file.stat().st_mtime_ns for file in files(before)}
    grown = eight(tmp_path / "a", 2 * N)
    assert {file: file.stat().st_mtime_ns for file in stamps} == stamps
    assert grown.content_hash() == eight(tmp_path / "b", 2 * N, shard_size=11).content_hash()
    assert grown.counts == fg.sweep(XOR, 2 * N, EIGHT, progress=False).counts
    assert grown.verify(sample=20).ok


@pytest.mark.parametrize("shard_sizes", [*itertools.permutations([N, 3 * N, 8 * N], 2)])
def test_stores_with_other_groups_are_merged(shard_sizes: tuple[int, int], tmp_path: Path, apart: Store) -> None:
    one = swept(tmp_path / "one", N, {"optimizer.lr": RATES[:5]}, shard_size=shard_sizes[0])
    two = swept(tmp_path / "two", N, {"optimizer.lr": RATES[3:]}, shard_size=shard_sizes[1])
    one.merge(two)
    assert one.status().n_done == 8 * N
    assert one.counts == apart.counts
    assert one.content_hash() == apart.content_hash()
    assert one.arrow().count_rows() == 8 * N  # no configuration is there twice
    assert len(pq.read_table([str(file) for file in files(one)])) == 8 * N
    assert one.verify(sample=20).ok
    assert not one.status().strays


def test_what_is_merged_must_be_the_same_whatever_its_groups(tmp_path: Path) -> None:
    one, two = eight(tmp_path / "one", shard_size=N), eight(tmp_path / "two", shard_size=8 * N)
    (file,) = files(two, "json")
    found = Sidecar.from_json(file.read_bytes())
    *others, last = found.parts
    file.write_text(found._replace(parts=(*others, last._replace(content="0" * 64))).to_json())
    with pytest.raises(fg.StoreError, match="was trained twice and is not the same"):
        one.merge(two)


def test_configurations_that_two_groups_have_are_counted_and_read_once(tmp_path: Path, apart: Store) -> None:
    """Two sweeps at once, of which one knew of more values, may leave such shards."""
    one = swept(tmp_path / "one", N, {"optimizer.lr": RATES[:5]}, shard_size=8 * N)
    two = swept(tmp_path / "two", N, {"optimizer.lr": RATES[3:]}, shard_size=8 * N)
    shutil.copytree(f"{two.path}/shards", f"{one.path}/shards", dirs_exist_ok=True)
    grown = eight(Path(one.path))
    assert sizes(grown) == [5, 5]
    assert grown.counts == apart.counts
    assert grown.content_hash() == apart.content_hash()
    assert grown.status().n_done == grown.arrow().count_rows() == 8 * N
    assert in_order(grown.arrow().to_table()).equals(in_order(apart.arrow().to_table()))


def test_a_store_of_shared_shards_that_lost_store_json_gets_it_back(tmp_path: Path) -> None:
    store = eight(tmp_path / "a", shard_size=4 * N)
    said, stamps = store.specification, {file: file.stat().st_mtime_ns for file in files(store)}
    Path(store.path, "_store.json").unlink()
    assert eight(tmp_path / "a", shard_size=4 * N).specification == said
    assert {file: file.stat().st_mtime_ns for file in files(store)} == stamps


def test_a_group_whose_files_are_damaged_is_made_again(tmp_path: Path, apart: Store) -> None:
    store = eight(tmp_path / "a", shard_size=3 * N)
    rows, sidecars = files(store), files(store, "json")
    rows[0].write_bytes(bytes(rows[0].stat().st_size))
    sidecars[1].write_text("{")
    sidecars[2].unlink()
    assert len(store.status().problems) == 1
    found = store.verify(sample=0)
    assert [len(found.bad), found.uncommitted] == [2, [str(rows[2].relative_to(store.path))]]
    assert found.n_missing == 3
    assert all(name.startswith(f"shards/{GROUP}") for name in found.uncommitted)
    assert store.resume(progress=False).content_hash() == apart.content_hash()
    assert store.verify(sample=0).ok


def test_comparisons_are_those_of_a_result(tmp_path: Path) -> None:
    store, result = swept(tmp_path / "a", shard_size=200), fg.sweep(XOR, 50, AXES, progress=False)
    assert sizes(store) == [4]
    for axis in AXES:
        assert fg.compare(store, axis).to_dict() == fg.compare(result, axis).to_dict()
