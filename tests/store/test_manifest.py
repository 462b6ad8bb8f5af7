"""store.json: what is wrong in it is named, and where it is lost the same sweep writes it again."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import fastgrok as fg
from fastgrok.store import Store, manifest

XOR = fg.Experiment(fg.mlp(2, 3, 1), fg.datasets.xor(), epochs=60)


AXES: dict[str, list[Any]] = {"init": [fg.XavierNormal(), fg.HeNormal()], "optimizer.lr": [0.05, 0.2]}


def swept(path: Path, seeds: Any = 50, axes: Any = AXES, **options: Any) -> Store:
    return fg.sweep(XOR, seeds, axes, store=path, **{"progress": False, "shard_size": 20, **options})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return store.json of a new store."""
    return Path(swept(tmp_path / "a").path) / "_store.json"


def flip_a_bit(data: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << rng.randrange(8)]) + data[place + 1 :]


def truncate(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data) - 1)]


def change_a_value(data: bytes, rng: random.Random) -> bytes:
    return data.replace(b'"stop": 50', b'"stop": 40')


def be_a_list(data: bytes, rng: random.Random) -> bytes:
    return b"[" + data + b"]"


@pytest.mark.parametrize("damage", [flip_a_bit, truncate, change_a_value, be_a_list])
def test_damage_is_one_error_that_says_what_to_do(file: Path, damage: Callable[..., bytes]) -> None:
    whole, rng = file.read_bytes(), random.Random(0)
    said = json.loads(whole)
    for _ in range(20):
        file.write_bytes(damaged := damage(whole, rng))
        try:
            if json.loads(damaged) == said:  # white space, or the other case of an escape
                continue
        except ValueError:
            pass
        for use in (fg.open_store, swept):
            with pytest.raises(fg.StoreError, match=r"store\.json is damaged .*: move it away, and") as raised:
                use(file.parent)
            assert len(str(raised.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("shard_size", 0, "store.json: shard_size = 0: expected .* greater than or equal to 1"),
        ("shard_size", "20", "store.json: shard_size = '20'"),
        ("keep_params", 1, "store.json: keep_params = 1"),
        ("rows", "some", "store.json: rows = 'some'"),
        ("seeds", {"first": 3, "stop": 3}, "store.json: seeds = .*no seeds"),
        ("seeds", {"first": 0, "stop": 5.0}, r"store.json: seeds\.stop = 5\.0"),
        ("record_at", ["1"], r"store.json: record_at\.0 = '1'"),
        ("axes", [{"path": "init", "values": []}], r"store.json: axes\.0\.values = \[\]"),
        ("experiment", {"type": "Experiment"}, "network"),
        ("format", 1, "store.json: format = 1: expected 2 or 3 or 4"),
        ("more", 1, "store.json: more = 1"),
    ],
)
def test_what_is_wrong_in_it_is_named(file: Path, field: str, value: Any, message: str) -> None:
    plain = json.loads(file.read_text())
    del plain["sha256"]
    file.write_text(manifest.written({**plain, field: value}))
    with pytest.raises(fg.StoreError, match=message):
        fg.open_store(file.parent)


@pytest.mark.parametrize("field", ["fastgrok", "record_at", "track"])
def test_no_default_is_filled_in(file: Path, field: str) -> None:
    plain = json.loads(file.read_text())
    del plain["sha256"], plain[field]
    file.write_text(manifest.written(plain))
    with pytest.raises(fg.StoreError, match=f"store.json: {field} is missing"):
        fg.open_store(file.parent)


def test_where_it_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "_store.json").mkdir()
    with pytest.raises(fg.StoreError, match=r"store\.json cannot be read"):
        fg.open_store(tmp_path)


def test_the_same_sweep_writes_it_again_and_trains_nothing_twice(file: Path) -> None:
    before, rows = file.read_bytes(), fg.open_store(file.parent).content_hash()
    made = {one: one.stat().st_mtime_ns for one in file.parent.glob("shards/*/*")}
    file.unlink()
    with pytest.raises(fg.InvalidExperiment, match=r"its shards are there: the same sweep into it"):
        fg.open_store(file.parent)
    assert swept(file.parent).content_hash() == rows
    assert file.read_bytes() == before
    assert {one: one.stat().st_mtime_ns for one in file.parent.glob("shards/*/*")} == made


def test_a_part_of_the_sweep_brings_back_all_seeds_of_its_configurations(file: Path) -> None:
    file.unlink()
    assert swept(file.parent, range(40, 60), {**AXES, "init": AXES["init"][:1]}).status().n_done == 120
    whole = swept(file.parent, 60)
    assert whole.status().n_done == 240
    assert whole.verify(sample=0).ok


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"axes": {"init": [fg.Zeros()], "optimizer.lr": [0.05]}}, "none of its shards is of this experiment"),
        ({"keep_params": True}, "keep_params = True: expected False, as shards/"),
        ({"rows": "failures"}, "rows = 'failures': expected 'all', as shards/"),
        ({"record_at": [1]}, "columns = .*loss_recorded.*record_at"),
        ({"seeds": range(70, 80)}, "seeds = '70:80': expected seeds that overlap or follow"),
    ],
)
def test_another_sweep_does_not_take_the_shards_for_its_own(
    file: Path, options: dict[str, Any], message: str
) -> None:
    file.unlink()
    with pytest.raises(fg.InvalidExperiment, match=message):
        swept(file.parent, **options)
    assert not file.exists()


def test_shards_of_another_version_are_not_taken(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.unlink()
    monkeypatch.setattr(fg, "__version__", "9.9.9")
    with pytest.raises(fg.InvalidExperiment, match=r"store = '0\.1\.0': expected shards made by fastgrok 9\.9\.9"):
        swept(file.parent)
