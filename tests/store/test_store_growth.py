"""A store grows by seeds and by values of its axes, and refuses another sweep."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from swept import AXES, XOR, swept

import fastgrok as fg
from fastgrok.store.storage import Storage, open_storage
from fastgrok.store.store import Store


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


def test_a_size_that_is_chosen_when_a_store_grows_is_kept(tmp_path: Path) -> None:
    size = swept(tmp_path / "a", 10).specification.shard_size
    grown = swept(tmp_path / "a", 2_000, shard_size=size)
    assert grown.specification.shard_size == size
    assert grown.specification.size_chosen
    assert grown.status().n_done == grown.status().n_runs


def test_growing_a_small_first_run_ends_in_few_files(tmp_path: Path) -> None:
    seeds = [100, 2_000, 40_000]
    exp = XOR.replace(epochs=1)
    for n in seeds:
        grown = fg.sweep(exp, n, {"optimizer.lr": [0.1]}, store=tmp_path / "a", progress=False)
    files = list((tmp_path / "a").glob("shards/*/*.parquet"))
    assert len(files) < 40  # and not 40,000 / 64
    assert grown.status().n_done == 40_000
    assert grown.verify(sample=5).ok
    size = grown.specification.shard_size
    again = fg.sweep(exp, range(39_000, 40_000), {"optimizer.lr": [0.1]}, store=tmp_path / "a", progress=False)
    assert again.specification.shard_size == size  # what is there already changes nothing


def test_a_size_that_somebody_chose_stays(tmp_path: Path) -> None:
    swept(tmp_path / "a", 20, shard_size=20)
    grown = swept(tmp_path / "a", 400)
    assert grown.specification.shard_size == 20
    assert grown.status().n_shards == 4 * 20


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


def test_a_store_needs_a_directory_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(fg.InvalidExperiment, match="a store, or a directory that is empty or not there"):
        swept(tmp_path)
    with pytest.raises(fg.InvalidExperiment, match="can be written to"):
        swept(tmp_path / "notes.txt" / "below")
    with pytest.raises(fg.InvalidExperiment, match=r"holds _store\.json"):
        fg.open_store(tmp_path)
    for option in ({"shard_size": 3}, {"part_of": (1, 2)}):
        with pytest.raises(fg.InvalidExperiment, match="store beside it"):
            fg.sweep(XOR, 5, AXES, **option)


def test_what_another_version_of_fastgrok_made_is_read_and_not_added_to(tmp_path: Path) -> None:
    here = swept(tmp_path / "a", 5)
    other = here.specification.changed(fastgrok="0.0.1")
    (Path(here.path) / "_store.json").write_text(other.to_json())
    assert fg.open_store(here.path).counts == here.counts
    for more in (fg.open_store(here.path).resume, lambda: swept(tmp_path / "a", 9)):
        with pytest.raises(fg.InvalidExperiment, match=r"0\.0\.1"):
            more()


def test_biases_may_be_said_otherwise_where_they_mean_the_same(tmp_path: Path) -> None:
    zeros = XOR.replace(bias_init=fg.Zeros())
    held = fg.sweep(zeros, 4, {"init": [fg.HeNormal()]}, store=tmp_path / "zeros", progress=False)
    grown = fg.sweep(XOR, 8, {"init": [fg.HeNormal(), fg.Uniform(-1, 1)]}, store=held.path, progress=False)
    assert grown.status().n_done == 16
    with pytest.raises(fg.InvalidExperiment, match=r"bias_init = 'default': expected Zeros\(\), as in the store"):
        fg.sweep(XOR, 8, {"init": [fg.HeNormal(), fg.TorchLinear()]}, store=held.path, progress=False)


def test_a_store_has_the_biases_of_each_init(tmp_path: Path) -> None:
    made = fg.sweep(XOR, 4, {"init": [fg.HeNormal(), fg.TorchLinear()]}, store=tmp_path / "both", progress=False)
    read = fg.open_store(made.path)
    assert [each.experiment.bias_initializer for each in read.configurations] == [fg.Zeros(), fg.TorchLinear()]
    assert read.verify(sample=4).ok


@pytest.mark.parametrize("links", [True, False], ids=["links", "a file system without links"])
def test_a_growth_that_comes_between_reading_and_writing_is_kept(
    links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both read the same; the second to write sees that, and begins again."""
    here, create = swept(tmp_path / "a", 20, shard_size=10), Storage.create
    between = [lambda: swept(tmp_path / "a", 20, {**AXES, "init": [*AXES["init"], fg.Uniform(-1, 1)]})]

    def created(storage: Storage, name: str, data: bytes) -> bool:
        while name.startswith("_store") and between:
            between.pop()()
        return create(storage, name, data)

    def no_link(*args: Any) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Storage, "create", created)
    if not links:
        monkeypatch.setattr(os, "link", no_link)
    grown = swept(tmp_path / "a", 40)
    assert (grown.specification.seeds, len(grown.configurations)) == (range(40), 6)
    assert [counts.n for counts in grown.counts] == [40, 40, 40, 40, 20, 20]
    assert fg.open_store(here.path).specification == grown.specification


def test_of_two_that_make_the_first_of_a_store_one_grows_that_of_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create, between = Storage.create, [lambda: swept(tmp_path / "a", 30)]

    def created(storage: Storage, name: str, data: bytes) -> bool:
        while name.startswith("_store") and between:
            between.pop()()
        return create(storage, name, data)

    monkeypatch.setattr(Storage, "create", created)
    assert swept(tmp_path / "a", range(10, 50)).specification.seeds == range(50)


def test_a_store_where_fsspec_reaches_grows_by_files_that_are_never_written_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import fsspec

    url = "memory://grown"
    swept(url, 10)  # type: ignore[arg-type]
    grown = swept(url, 20)  # type: ignore[arg-type]
    assert grown.status().n_done == 80
    assert fsspec.filesystem("memory").exists("/grown/_store-2.json")
    storage = open_storage(url)
    monkeypatch.setattr(storage, "size", lambda name: None)  # another one writes it after this was asked
    assert not storage.create("_store-2.json", b"")
    assert fg.open_store(url).specification == grown.specification


def test_what_a_store_held_before_is_kept_and_one_step_back_is_to_move_the_last_file_away(tmp_path: Path) -> None:
    before = swept(tmp_path / "a", 10).specification
    swept(tmp_path / "a", 20)
    names = sorted(path.name for path in (tmp_path / "a").glob("_store*"))
    assert names == ["_store-2.json", "_store.json"]
    (tmp_path / "a" / "_store-2.json").write_text("{")
    with pytest.raises(fg.StoreError, match=r"_store-2\.json is damaged .*: move it away, and"):
        fg.open_store(tmp_path / "a")
    (tmp_path / "a" / "_store-2.json").unlink()
    assert fg.open_store(tmp_path / "a").specification == before
    assert swept(tmp_path / "a", 20).status().n_done == 80
