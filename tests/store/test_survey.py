"""What is in a store is told from the sidecars, each read once."""

from __future__ import annotations

from pathlib import Path

import pytest
from swept import swept

from fastgrok.store.store import Store


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


def test_the_summary_reads_no_row(store: Store, tmp_path: Path) -> None:
    copy = swept(tmp_path / "a", 5)
    for file in Path(copy.path).glob("shards/*/*.parquet"):
        file.write_bytes(b"\0" * file.stat().st_size)
    assert sum(one.n for one in copy.counts) == 20
    assert copy.verify(sample=0).bad


def test_of_shards_of_several_configurations_a_dataset_reads_one_sidecar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    axes = {"optimizer.lr": [0.01 * k for k in range(1, 9)]}
    here = swept(tmp_path / "a", 5, axes, shard_size=10)
    read_bytes, names = Path.read_bytes, []

    def read(path: Path) -> bytes:
        names.append(path.suffix)
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", read)
    for k in range(8):
        names.clear()
        assert here.dataset(k).sizes["seed"] == 5
        assert names == [".json", ".parquet"]
