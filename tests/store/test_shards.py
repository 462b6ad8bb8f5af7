"""Shards cover the work once, in whatever parts, and their sidecars hold exact counts."""

from __future__ import annotations

import itertools
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from swept import swept

import fastgrok as fg
from fastgrok.statistics import Counts
from fastgrok.store.shards import Sidecar, mark, marked, missing, part
from fastgrok.store.store import Store


def test_parts_of_a_sweep_are_disjoint_and_together_all(tmp_path: Path, store: Store) -> None:
    first = swept(tmp_path / "a", shard_size=20, part_of=(1, 2)).status()
    assert first.n_shards == first.n_missing == 6
    assert swept(tmp_path / "a", part_of=(1, 2)).status().n_done == first.n_done
    assert swept(tmp_path / "a", part_of=(2, 2)).content_hash() == store.content_hash()
    with pytest.raises(fg.InvalidExperiment, match="part_of = '1/2'"):
        store.resume(part_of="1/2")  # type: ignore[arg-type]


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


def test_sidecars_hold_exact_counts_and_what_made_them(store: Store) -> None:
    sidecars = [Sidecar.from_json(file.read_bytes()) for file in sorted(Path(store.path).glob("shards/*/*.json"))]
    counts = [part.counts for sidecar in sidecars for part in sidecar.parts]
    assert sum(counts, Counts.empty()) == sum(store.counts, Counts.empty())
    assert {sidecar.versions["fastgrok"] for sidecar in sidecars} == {fg.__version__}
    for sidecar in sidecars:
        rows = pq.read_table(Path(store.path) / sidecar.shard.rows_name)
        assert rows.num_rows == sum(part.n_rows for part in sidecar.parts)
        assert Sidecar.from_json(sidecar.to_json().encode()) == sidecar


def test_example_of_mark():
    assert (marked(mark("bad rows")), marked(b"{}")) == ("bad rows", None)
