"""What is damaged, forged or put in place of a store's files gives an error of one line, and never other numbers."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xarray as xr

import fastgrok as fg
from fastgrok.cli import main
from fastgrok.errors import StoreError
from fastgrok.store import Store
from fastgrok.store.manifest import digest, written

EXP = fg.Experiment(fg.mlp(2, 3, 1), fg.datasets.xor(), epochs=60)
AXES = {"optimizer.lr": [0.05, 0.2]}
N, SIZE = 20, 10
PLACES = 24  # of a file that are damaged, one after the other


def swept(folder: Path, seeds: Any = N, axes: Any = AXES, **options: Any) -> Store:
    options = {"shard_size": SIZE, "keep_params": True, "progress": False, **options}
    return fg.sweep(EXP, seeds, axes, store=folder, **options)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return swept(tmp_path_factory.mktemp("whole") / "store")


@pytest.fixture
def store(whole: Store, tmp_path: Path) -> Store:
    return fg.open_store(shutil.copytree(whole.path, tmp_path / "store"))


def arrow(store: Store) -> list[Any]:
    table = store.arrow().to_table()
    columns = [table[name].to_pylist() for name in ("experiment_id", "seed", "loss_final")]
    return sorted(zip(*columns, strict=True))


def windows(store: Store) -> list[Any]:
    return [rows.metrics["epochs_run"].tolist() for window in store.windows() for rows in window]


def params(store: Store) -> list[Any]:
    seeds, arrays = store.params(0)
    return [seeds.tolist(), *(array.tolist() for array in arrays)]


def dataset(store: Store, *args: Any) -> Any:
    return store.dataset(*args).drop_attrs()


READERS: dict[str, Callable[[Store], Any]] = {
    "dataset": dataset,
    "dataset of one": lambda store: dataset(store, 0),
    "params": params,
    "arrow": arrow,
    "windows": windows,
    "compare": lambda store: fg.compare(store, "lr").to_dict(),
    "content_hash": Store.content_hash,
    "replay": lambda store: store.replay(0, 3)["loss"].values.tolist(),
}


def same(one: Any, other: Any) -> bool:
    return bool(one.identical(other)) if isinstance(one, xr.Dataset) else bool(one == other)


def damaged(data: bytes) -> Iterator[bytes]:
    """Yield the bytes of a file with one bit flipped, here and there, and cut off."""
    for place in np.linspace(0, len(data) - 1, PLACES).astype(int):
        yield data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :]
        yield data[:place]


def first(store: Store, suffix: str) -> Path:
    """Return a file of the shard that has the first seeds of the first configuration."""
    folder = Path(store.path) / "shards" / store.configurations[0].experiment.id
    return folder / (f"0-{SIZE}.parquet" if suffix == "parquet" else f"_0-{SIZE}.json")


def assert_one_line(error: BaseException, *words: str) -> None:
    assert type(error) in (fg.StoreError, fg.InvalidExperiment), repr(error)
    assert len(str(error).splitlines()) == 1
    for word in words:
        assert word in str(error)


@pytest.mark.parametrize("suffix", ["parquet", "json"])
def test_every_reader_says_which_file_is_damaged_and_none_gives_other_numbers(
    suffix: str, store: Store, whole: Store
) -> None:
    wanted = {name: read(whole) for name, read in READERS.items()}
    counts, path = whole.counts, first(store, suffix)
    data = path.read_bytes()
    for bad in damaged(data):
        path.write_bytes(bad)
        for read in READERS.values():
            with pytest.raises(StoreError) as caught:
                read(store)
            assert_one_line(caught.value, f"0-{SIZE}.", "fastgrok ")
        status = store.status()
        is_known = suffix == "json" or len(bad) < len(data)
        assert (len(status.problems), status.n_done) == ((1, 2 * N - SIZE) if is_known else (0, 2 * N))
        if is_known:
            with pytest.warns(UserWarning, match="and not among the seeds"):
                assert store.summary()["n"].tolist() == [N - SIZE, N]
            assert ", 1 shards are bad" in repr(store)
        else:
            assert store.counts == counts
    path.write_bytes(data)
    for name, read in READERS.items():
        assert same(read(store), wanted[name])


@pytest.mark.parametrize("suffix", ["parquet", "json"])
def test_verify_finds_it_and_resume_makes_it_again(suffix: str, store: Store, whole: Store) -> None:
    path = first(store, suffix)
    data = path.read_bytes()
    for bad in list(damaged(data))[::6]:
        path.write_bytes(bad)
        found = store.verify(sample=0)
        assert len(found.bad) == found.n_missing == 1
        assert f"0-{SIZE}." in found.bad[0]
        assert store.resume(progress=False).verify(sample=5).ok
        assert store.content_hash() == whole.content_hash()


def test_seeds_of_whole_shards_are_read_beside_a_bad_one(store: Store, whole: Store) -> None:
    first(store, "parquet").write_bytes(b"")
    rest = range(SIZE, N)
    assert same(store.dataset(seeds=rest).drop_attrs(), whole.dataset(seeds=rest).drop_attrs())
    assert same(dataset(store, 1), dataset(whole, 1))
    assert store.params(0, rest)[0].tolist() == [*rest]
    with pytest.raises(StoreError, match=f"0-{SIZE}.parquet has 0 bytes"):
        store.params(0, range(SIZE - 1, N))


def test_a_damaged_shard_of_several_configurations_is_an_error_for_each(tmp_path: Path) -> None:
    store = swept(tmp_path / "grouped", 5, shard_size=100)
    (path,) = tmp_path.rglob("*.parquet")
    path.write_bytes(path.read_bytes()[:-1])
    for k in (0, 1, None):
        with pytest.raises(StoreError, match="group-"):
            store.dataset(k)
    path.with_name("_" + path.with_suffix(".json").name).write_text("{")
    for k in (0, 1, None):
        with pytest.raises(StoreError, match="group-"):
            store.dataset(k)


@pytest.mark.parametrize("command", [["replay"], ["explain", "failure"], ["summary"], ["status"], ["verify"]])
def test_commands_end_with_a_line_and_status_1(
    command: list[str], store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    path = first(store, "parquet")
    path.write_bytes(path.read_bytes()[:-3])
    of_one = ["--config", "0", "--seed", "3"] if command[0] in ("replay", "explain") else []
    with pytest.raises(SystemExit) as left:
        main([*command, store.path, *of_one])
    assert left.value.code == 1
    out, err = capsys.readouterr()
    lines = [line for line in (out + err).splitlines() if f"0-{SIZE}.parquet" in line]
    assert len(lines) == 1
    assert "Traceback" not in err


# Sidecars that agree with their own digest, and with nothing else.


def rewritten(path: Path, **changes: Any) -> None:
    """Change fields of a sidecar, or of its shard or its part, and its digest with them."""
    plain = json.loads(path.read_text())
    del plain["digest"]
    for name, value in changes.items():
        inner = next(fields for fields in (plain, plain["shard"], plain["parts"][0]) if name in fields)
        inner[name] = value
    path.write_text(json.dumps({**plain, "digest": digest(plain)}))


def forge(path: Path, table: pa.Table, **changes: Any) -> None:
    """Put other rows in the place of a shard's, with a sidecar that knows their file."""
    rows = path.with_name(path.name.removeprefix("_")).with_suffix(".parquet")
    pq.write_table(table, rows)
    data = rows.read_bytes()
    rewritten(path, n_bytes=len(data), sha256=hashlib.sha256(data).hexdigest(), **changes)


def other_seeds(path: Path) -> None:
    """Rows of the seeds 10 to 19 filed as 0 to 9."""
    later = path.with_name(f"_{SIZE}-{N}.json")
    part = json.loads(later.read_text())["parts"][0]
    rows = pq.read_table(later.with_name(f"{SIZE}-{N}.parquet"))
    forge(path, rows, **{name: part[name] for name in ("content", "counts")})


def each_row_twice(path: Path) -> None:
    rows = pq.read_table(path.with_name(f"0-{SIZE}.parquet"))
    forge(path, pa.concat_tables([rows.slice(0, SIZE // 2)] * 2))


def other_order(path: Path) -> None:
    forge(path, pq.read_table(path.with_name(f"0-{SIZE}.parquet")).sort_by([("seed", "descending")]))


def other_numbers(path: Path) -> None:
    rows = pq.read_table(path.with_name(f"0-{SIZE}.parquet"))
    place = rows.column_names.index("loss_final")
    forge(path, rows.set_column(place, rows.schema.field(place), pa.array(np.zeros(SIZE))))


def other_counts(path: Path) -> None:
    counts = json.loads(path.read_text())["parts"][0]["counts"]
    rewritten(path, counts={**counts, "seed_epochs": counts["seed_epochs"] + 1})


def other_content(path: Path) -> None:
    rewritten(path, content="0" * 64)


def another_configuration(path: Path) -> None:
    """Rows of the other learning rate, whose seeds are the same."""
    (folder,) = (each for each in path.parent.parent.iterdir() if each != path.parent)
    part = json.loads((folder / path.name).read_text())["parts"][0]
    rows = pq.read_table(folder / f"0-{SIZE}.parquet")
    forge(path, rows, **{name: part[name] for name in ("content", "counts")})


def another_label(path: Path) -> None:
    rows = pq.read_table(path.with_name(f"0-{SIZE}.parquet"))
    place = rows.column_names.index("optimizer.lr")
    forge(path, rows.set_column(place, rows.schema.field(place), pa.array(np.full(SIZE, 0.2))))


FORGERIES = [other_seeds, each_row_twice, other_order, other_numbers, other_counts, other_content]
FORGERIES += [another_configuration, another_label]


@pytest.mark.parametrize("forgery", FORGERIES)
def test_rows_are_compared_with_what_the_sidecar_says(
    forgery: Callable[[Path], None], store: Store, whole: Store
) -> None:
    forgery(first(store, "json"))
    assert store.status().problems == []
    found = store.verify(sample=0)
    assert [f"0-{SIZE}.parquet has other rows than its sidecar says: " in line for line in found.bad] == [True]
    assert (found.ok, found.n_missing, found.unmarked) == (False, 1, [])
    assert len(found.bad[0].splitlines()) == 1
    assert store.resume(progress=False).verify(sample=0).ok
    assert store.content_hash() == whole.content_hash()


def test_failures_are_compared_as_far_as_their_rows_are_there(tmp_path: Path) -> None:
    store = swept(tmp_path / "failures", rows="failures")
    assert store.verify(sample=3).ok
    path = first(store, "json")
    counts = json.loads(path.read_text())["parts"][0]["counts"]
    censored = counts["censored"]
    assert len(censored["values"]) == 1
    rewritten(path, counts={**counts, "censored": {**censored, "values": [censored["values"][0] - 1]}})
    assert len(store.verify(sample=0).bad) == 1


ODD: dict[str, Any] = {
    "first": ["0", None, -1, 0.0, True, [], 2**70],
    "stop": ["10", 10.5, 0, {}],
    "experiment_ids": [[], [1], None, "ab", [["a"]]],
    "n_bytes": [None, "7", -1, 1e300],
    "sha256": [None, 1, []],
    "versions": [None, [], {"a": 1}, "x"],
    "n_rows": [None, "10", 10.0, -10, 2**70],
    "content": [None, 7],
    "counts": [None, {}, [], {"n": 10}, 3],
    "seconds": [None, "1", -1, []],
    "drivers": [[], {"general": "10"}, {"general": -1}, 5],
    "parts": [None, [], {}, [1], [[]], [{}, {}]],
    "shard": [None, [], {}, 0],
}
NESTED = ["[" * 100_000, '{"a":' * 100_000]


@pytest.mark.parametrize("field", ODD)
def test_a_sidecar_of_odd_types_is_one_problem(field: str, store: Store) -> None:
    path = first(store, "json")
    text = path.read_text()
    for value in ODD[field]:
        path.write_text(text)
        rewritten(path, **{field: value})
        assert len(store.status().problems) == 1, value
        with pytest.raises(StoreError) as caught:
            store.dataset()
        assert_one_line(caught.value, path.name)
    assert len(store.verify(sample=0).bad) == 1


OTHER = ["", "null", "[]", '"x"', "{}", "\0", "\udcff", "1" * 5000, '{"digest": NaN}']


@pytest.mark.parametrize("text", [*NESTED, *OTHER])
def test_a_sidecar_of_anything_else_is_one_problem(text: str, store: Store) -> None:
    first(store, "json").write_bytes(text.encode(errors="surrogateescape"))
    assert len(store.status().problems) == len(store.verify(sample=0).bad) == 1
    with pytest.raises(StoreError) as caught:
        store.dataset(0)
    assert_one_line(caught.value)


@pytest.mark.parametrize("text", [*NESTED, "\0", "1" * 5000])
def test_a_manifest_of_anything_else_is_one_error(text: str, store: Store) -> None:
    Path(store.path, "_store.json").write_text(text)
    with pytest.raises(StoreError, match=r"_store\.json is damaged") as caught:
        fg.open_store(store.path)
    assert_one_line(caught.value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("experiment", {"type": []}),
        ("experiment", {"type": {"type": 1}}),
        ("experiment", None),
        ("axes", [{"path": "data", "values": [{"type": "Dataset", "X": 1}]}]),
        ("axes", [{"path": "optimizer.lr", "values": [{}]}]),
        ("axes", [{"path": "point", "values": [{"lr": {}}]}]),
        ("seeds", {"first": 0, "stop": 10**400}),
        ("seeds", {"first": True, "stop": 2}),
        ("record_at", [-1]),
        ("record_at", {}),
    ],
)
def test_a_manifest_of_odd_fields_is_one_error(field: str, value: Any, store: Store) -> None:
    path = Path(store.path, "_store.json")
    plain = json.loads(path.read_text())
    del plain["sha256"]
    path.write_text(written({**plain, field: value}))
    with pytest.raises(StoreError) as caught:
        fg.open_store(store.path).status()
    assert_one_line(caught.value, "_store.json is damaged")


@pytest.mark.parametrize("claim", [{"record_at": [5]}, {"track": "dead_units"}, {"keep_params": True}])
def test_what_the_store_says_that_rows_have_and_they_lack_is_one_error(claim: dict[str, Any], tmp_path: Path) -> None:
    store = swept(tmp_path / "a", keep_params=False)
    path = Path(store.path, "_store.json")
    plain = json.loads(path.read_text())
    del plain["sha256"]
    path.write_text(written({**plain, **claim}))
    claimed = fg.open_store(store.path)
    reads: list[Callable[[], Any]] = [claimed.dataset, lambda: claimed.dataset(0), lambda: claimed.replay(0, 3)]
    for read in [lambda: claimed.params(0)] if "keep_params" in claim else reads:
        with pytest.raises(StoreError, match="has other rows than the store says") as caught:
            read()
        assert_one_line(caught.value, ".parquet", "fastgrok verify")
    assert len(claimed.verify(sample=0).bad) == 2 * N // SIZE
    whole = claimed.resume(progress=False)
    assert whole.verify(sample=5).ok
    assert whole.status().n_done == 2 * N


def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.skipif(os.name != "posix", reason="there are no pipes in its file systems")
@pytest.mark.parametrize("kind", [pipe, device, Path.mkdir])
def test_what_is_no_file_is_one_problem_and_nothing_waits_for_it(
    kind: Callable[[Path], None], store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    for suffix in ("json", "parquet"):
        path = first(store, suffix)
        before = path.read_bytes()
        path.unlink()
        kind(path)
        assert len(store.verify(sample=0).bad) == 1
        for read in (READERS["dataset"], READERS["arrow"], READERS["replay"]):
            with pytest.raises(StoreError) as caught:
                read(store)
            assert_one_line(caught.value, f"0-{SIZE}")
        path.rmdir() if path.is_dir() else path.unlink()
        path.write_bytes(before)
    manifest, toml = Path(store.path, "_store.json"), Path(store.path, "x.toml")
    manifest.unlink()
    kind(manifest)
    with pytest.raises(StoreError, match=r"_store\.json cannot be read"):
        fg.open_store(store.path)
    kind(toml)
    with pytest.raises(SystemExit) as left:
        main(["sweep", str(toml)])
    assert left.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_toml_file_nested_without_end_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.toml").write_text("a = " + "[" * 100_000)
    with pytest.raises(SystemExit) as left:
        main(["sweep", str(tmp_path / "a.toml")])
    assert left.value.code == 2
    assert "expected valid TOML" in capsys.readouterr().err


# Results and traces in files.


def assert_damage_is_told(path: Path, read: Callable[[], Any], is_same: Callable[[Any], bool]) -> None:
    """Assert that a damaged file is an error, or holds what it did: not every byte of one means something."""
    data, n_errors = path.read_bytes(), 0
    for bad in damaged(data):
        path.write_bytes(bad)
        try:
            assert is_same(read())
        except fg.InvalidExperiment as error:
            n_errors += 1
            assert_one_line(error, path.name)
    path.write_bytes(data)
    assert is_same(read())
    assert n_errors > PLACES  # those that were cut off, and others


@pytest.mark.parametrize("ending", ["parquet", "nc"])
def test_a_damaged_result_is_an_error(ending: str, tmp_path: Path) -> None:
    axes = {"hidden": [2, (3, 2)], "lr": [0.05, 0.2]}
    result = fg.sweep(EXP, 30, axes, keep_params=True, record_at=[0, 5], progress=False)
    path = tmp_path / f"a.{ending}"
    result.save(path)

    def is_same(read: Any) -> bool:
        params = (output.params for output in read.outputs)
        both = zip(params, (output.params for output in result.outputs), strict=True)
        equal = all(np.array_equal(one, other) for one, other in both)
        return equal and read.experiment == result.experiment and same(read.dataset, result.dataset)

    assert_damage_is_told(path, lambda: fg.load(path), is_same)


def test_a_damaged_trace_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.nc"
    words = ["replay", "xor", "--hidden", "3", "--epochs", "40", "--seed", "3", "--out", str(path)]
    with pytest.raises(SystemExit):
        main(words)

    def read() -> tuple[str, str]:
        capsys.readouterr()
        texts = []
        for command in (["explain", "failure"], ["replay"]):
            with pytest.raises(SystemExit) as left:
                main([*command, str(path)])
            out, err = capsys.readouterr()
            if left.value.code:
                assert (left.value.code, out, err.count("\n")) == (2, "", 1)
                raise fg.InvalidExperiment(path.name, err, "a trace")
            texts.append(out)
        return texts[0], texts[1]

    whole = read()
    assert_damage_is_told(path, read, lambda texts: texts == whole)
