"""Shards cover the work once, in whatever parts, and their sidecars hold exact counts."""

from __future__ import annotations

import itertools
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from swept import swept

import fastgrok as fg
from fastgrok.statistics import Counts
from fastgrok.store.missing import Gap, Missing, missing
from fastgrok.store.shards import Sidecar, mark, marked
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
    parts = [list(everything.part(k, 3)) for k in (1, 2, 3)]
    assert sorted(itertools.chain(*parts)) == sorted(everything)
    one = wanted.changed(seeds=range(1000, 2000), shard_size=1000)
    assert [missing(one, []).part(k, 2).n_shards for k in (1, 2)] == [2, 2]
    rest = missing(wanted, store._survey().pieces[:5])
    assert [list(rest.part(k, 3)) for k in (1, 2, 3)] == [[s for s in one if s in list(rest)] for one in parts]


@given(st.data())
def test_how_much_is_missing_is_told_without_a_list(data: st.DataObject) -> None:
    size, of = data.draw(st.integers(1, 12)), data.draw(st.integers(1, 5))
    ends = st.tuples(st.integers(0, 90), st.integers(1, 40), st.integers(-20, 20))
    gaps = [
        Gap((f"{k}", "b")[: data.draw(st.integers(1, 2))], first, first + n, offset)
        for k, (first, n, offset) in enumerate(data.draw(st.lists(ends, max_size=4)))
    ]
    parts = [Missing(gaps, size).part(which, of) for which in range(1, of + 1)]
    for each in parts:
        shards = list(each)
        assert each.n_shards == len(shards)
        assert each.n_runs == sum(shard.n_runs for shard in shards)
        assert all(shard.first // size == (shard.stop - 1) // size for shard in shards)
    assert sorted(itertools.chain(*parts)) == sorted(Missing(gaps, size))
    assert sum(each.n_runs for each in parts) == sum((gap.stop - gap.first) * len(gap[0]) for gap in gaps)


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
