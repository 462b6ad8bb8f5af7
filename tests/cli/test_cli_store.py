"""Stores on the command line: resume, status, verify, summary, merge, parts, signals."""

from __future__ import annotations

import errno
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

import fastgrok as fg
from fastgrok.cli import main
from fastgrok.cli.store import part, resume_command
from fastgrok.store.storage import Storage

SWEEP = ("sweep", "xor", "--hidden", "2,3", "--lr", "0.05,0.2", "--epochs", "40", "--quiet")


def ran(*words: str) -> int:
    with pytest.raises(SystemExit) as left:
        main([*words])
    return int(left.value.code or 0)


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "runs")


def test_out_with_a_directory_is_a_store(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ran(*SWEEP, "--seeds", "30", "--out", path, "--shard-size", "8") == 0
    assert fg.open_store(path).status().n_done == 120
    assert ran("summary", path) == 0
    table = capsys.readouterr().out
    assert ran("sweep", *SWEEP[1:-1], "--seeds", "30", "--out", path) == 0
    assert capsys.readouterr().out == table
    assert ran("summary", path, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert [one["n"] for one in document["configurations"]] == [30] * 4
    assert document["configurations"][3]["labels"] == {
        "network": "2-3-1 relu/linear",
        "data": "xor",
        "hidden": 3,
        "optimizer.lr": 0.2,
    }


def test_status_and_resume(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    ran(*SWEEP, "--seeds", "30", "--out", path, "--shard-size", "10")
    store = fg.open_store(path)
    lost = sorted(Path(path).glob("shards/*/*.parquet"))[:3]
    for file in lost:
        file.unlink()
    assert ran("status", path) == 1
    said = capsys.readouterr().out
    assert "done: 90 of 120 runs (75 %) in 9 shards" in said
    assert said.count("bad: ") == 3
    assert re.search(r"left: 30 runs in 3 shards, .* of one thread", said)
    assert ran("resume", path, "--threads", "1") == 0
    assert ran("status", path) == 0
    assert "left: 0 runs in 0 shards\n" in capsys.readouterr().out
    assert ran("verify", path, "--sample", "5") == 0
    assert "5 rows were trained again, 0 came out with other bits" in capsys.readouterr().out
    assert all(file.exists() for file in lost)
    assert store.status().problems == []


def test_parts_of_an_array_are_merged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole, one, two, both = (str(tmp_path / name) for name in ("whole", "one", "two", "both"))
    size = ("--seeds", "30", "--shard-size", "8")
    ran(*SWEEP, *size, "--out", whole)
    ran(*SWEEP, *size, "--out", one, "--shard", "1/2")
    ran(*SWEEP, *size, "--out", two, "--shard", "2/2")
    done = [fg.open_store(path).status().n_done for path in (one, two)]
    assert sum(done) == 120
    assert min(done) > 0
    assert ran("merge", both, one, two) == 0
    assert fg.open_store(both).content_hash() == fg.open_store(whole).content_hash()


@pytest.mark.parametrize("size", [(), ("--shard-size", "5")], ids=["of several configurations", "of one"])
@pytest.mark.parametrize("damage", ["truncated", "flipped", "gone"])
def test_a_damaged_shard_is_not_merged_in_silence(
    damage: str, size: tuple[str, ...], tmp_path: Path, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ran(*SWEEP, "--seeds", "5", "--out", path, *size)
    first = fg.open_store(path).configurations[0].experiment.id
    folder = f"{first}" if size else "group-*"
    (file,) = Path(path).glob(f"shards/{folder}/*.parquet")
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data[:-1] if damage == "truncated" else data)
    if damage == "gone":
        file.unlink()
    target = tmp_path / "new"
    assert ran("merge", str(target), path) == 1
    said = capsys.readouterr().err
    assert f"{file.relative_to(path)}" in said
    assert f"{path}" in said
    assert not (target / "_store.json").exists()
    ran("verify", path, "--sample", "0")
    assert ran("resume", path) == 0
    assert ran("merge", str(target), path) == 0


def test_stores_of_different_sweeps_are_not_merged(
    tmp_path: Path, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ran(*SWEEP, "--seeds", "5", "--out", path)
    ran(*SWEEP, "--seeds", "5", "--order", "shared", "--out", f"{path}2")
    assert ran("merge", str(tmp_path / "new"), path, f"{path}2") == 2
    assert "order = 'shared': expected 'fixed'" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_verify_says_what_is_bad(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    ran(*SWEEP, "--seeds", "5", "--out", path)
    file = sorted(Path(path).glob("shards/*/*.parquet"))[0]
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    assert ran("verify", path, "--sample", "0", "--json") == 1
    assert json.loads(capsys.readouterr().out)["bad"] == [
        f"{file.relative_to(path)} is not what was written: its SHA-256 is another one"
    ]
    for command in (["verify", path, "--sample", "0"], ["status", path]):  # until it is made again
        assert ran(*command) == 1
        assert f"bad: {file.relative_to(path)} is not what was written" in capsys.readouterr().out
    assert ran("merge", f"{path}2", path) == 1
    assert ran("resume", path) == 0
    capsys.readouterr()
    assert ran("verify", path, "--sample", "0") == 0
    assert "bad" not in capsys.readouterr().out
    assert ran("verify", "--help") == 0
    assert "Temporary files of writers that are gone are removed" in capsys.readouterr().out


def test_a_dry_run_says_what_is_left_and_writes_nothing(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    dry = [*SWEEP, "--seeds", "30", "--shard-size", "10", "--out", path, "--dry-run"]
    assert ran(*dry) == 0
    assert capsys.readouterr().out.startswith(
        "4 configurations x 30 seeds\nto be made: 120 runs, 12 shards\nat most 4,800 seed-epochs: "
    )
    assert not Path(path).exists()
    ran(*SWEEP, "--seeds", "20", "--shard-size", "10", "--out", path)
    before = Path(path, "_store.json").read_bytes()
    assert ran(*dry) == 0
    assert "to be made: 40 runs, 4 shards\nat most 1,600 seed-epochs" in capsys.readouterr().out
    assert ran(*dry, "--shard", "1/2") == 0
    assert "to be made in part 1 of 2: 20 runs, 2 shards\n" in capsys.readouterr().out
    assert ran(*dry, "--json") == 0
    assert json.loads(capsys.readouterr().out)["n_runs"] == 40
    assert ran(*dry, "--seeds", "1e15") == 2  # as the sweep itself
    assert "shards are more than the 1,000,000 that a store may have" in capsys.readouterr().err
    assert ran(*dry, "--shard", "9/8") == 2
    assert ran(*dry, "--order", "shared") == 2
    assert "order = 'shared': expected 'fixed', as in the store" in capsys.readouterr().err
    assert Path(path, "_store.json").read_bytes() == before


def test_a_dry_run_without_a_store_takes_any_seeds(capsys: pytest.CaptureFixture[str]) -> None:
    assert ran("sweep", "xor", "--epochs", "10", "--seeds", "3,5", "--dry-run") == 0
    said = capsys.readouterr().out
    assert said.startswith("1 configuration x 2 seeds\nat most 20 seed-epochs")
    assert "shard" not in said
    assert ran("sweep", "xor", "--seeds", "1e30", "--dry-run") == 2
    assert "expected a range within 0 to" in capsys.readouterr().err


def test_a_store_is_compared(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["sweep", "xor", "--init", "zeros,rai", "--epochs", "200", "--seeds", "50", "--compare", "init"]
    assert ran(*words) == 0
    in_memory = capsys.readouterr().out
    assert ran(*words, "--out", path) == 0
    assert capsys.readouterr().out == in_memory
    assert ran("summary", path, "--compare", "init") == 0
    assert capsys.readouterr().out == in_memory
    assert ran("summary", path, "--compare", "init", "--json") == 0
    assert json.loads(capsys.readouterr().out)["comparison"]["axis"] == "init"
    assert ran("summary", path, "--compare", "lr") == 2
    assert "--compare = 'lr': expected one of 'init'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["sweep", "xor", "--out", "result.txt"], "a directory for a store"),
        (["sweep", "xor", "--shard", "1/2"], "--out with a directory"),
        (["sweep", "xor", "--out", "{}", "--shard", "0/2"], "i from 1 to n"),
        (["sweep", "xor", "--out", "{}", "--lanes", "8"], "no store"),
        (["sweep", "xor", "--out", "{}", "--shard-size", "0"], "--shard-size = 0: expected an integer of 1 or more"),
        (["sweep", "xor", "--out", "{}", "--init", "zeros", "--compare", "init"], "--compare = 'init': expected"),
        (
            ["sweep", "xor", "--out", "{}", "--init", "zeros,rai", "--compare", "init", "--rows", "failures"],
            "--compare = 'init': expected --rows all",
        ),
        (["sweep", "xor", "--out", "{}", "--seeds", "3,5"], "a range with step 1"),
        (["sweep", "xor", "--out", "{}", "--scheduler", "nowhere"], "the address of a Dask scheduler"),
        (["sweep", "xor", "--out", "{}", "--scheduler", "tcp://nowhere"], "such as tcp://10.0.0.1:8786"),
        (["sweep", "xor", "--out", "{}", "--scheduler", "foo://127.0.0.1:1"], "the address of a Dask scheduler"),
        (["status", "{}"], "_store.json"),
        (["resume", "{}"], "_store.json"),
        (["merge", "{}", "{}"], "_store.json"),
        (["verify", "{}", "--sample", "-1"], "a number of rows of 0 or more"),
        (["sweep", "xor", "--out", "{}", "--scheduler", "nowhere", "--threads", "2"], "no --scheduler beside it"),
        (["sweep", "nothing.toml"], f"file = '{Path('nothing.toml').absolute()}': expected a TOML file"),
    ],
)
def test_bad_input_is_one_line(
    words: list[str], message: str, path: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if "--scheduler" in words:
        distributed = pytest.importorskip("distributed")
        monkeypatch.setattr(distributed, "Client", lambda *_, **__: pytest.fail("waits for 20 s when it is deleted"))
    assert ran(*(word.format(path) for word in words)) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert not Path(path, "_store.json").exists()


TOLD = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored by background jobs
from fastgrok.cli import main
from fastgrok.store import scheduler
make = scheduler.make_shard
def told(*arguments):
    made = make(*arguments)
    sys.stderr.write("made\\n")
    return made
scheduler.make_shard = told
main(sys.argv[1:])
"""


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_keep_what_is_finished_and_say_how_to_go_on(number: int, status: int, path: str) -> None:
    flags = ["sweep", "xor", "--no-stop", "--epochs", "20000", "--seeds", "100000", "--shard-size", "500"]
    command = [sys.executable, "-c", TOLD, *flags, "--no-specialize", "--out", path, "--shard", "1/2"]
    process: Any = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr.readline() == "made\n"
    time.sleep(0.3)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == status
    assert said.splitlines()[-1].endswith(f"go on with: fastgrok resume {path} --shard 1/2")
    done = fg.open_store(path).status()
    assert done.n_done >= 500 * (1 + said.count("made"))
    assert done.n_done % 500 == 0
    assert done.problems == []


def test_example_of_resume_command():
    value = resume_command("runs/a b", shard="3/8", scheduler=None, threads=2)
    assert value == "fastgrok resume 'runs/a b' --shard 3/8 --threads 2"


def test_example_of_part():
    assert part("3/8") == (3, 8)


def test_a_store_with_an_axis_of_networks_takes_flags_of_the_network(path: str) -> None:
    exp = fg.Experiment(fg.mlp(2, 2, 1), fg.datasets.xor(), epochs=9)
    fg.sweep(exp, 4, {"network": [fg.mlp(2, 2, 1), fg.mlp(2, 3, 1)]}, store=path, progress=False)
    assert ran("sweep", "xor", "--hidden", "2,3,4", "--epochs", "9", "--seeds", "6", "--out", path) == 0
    assert [len(axis.values) for axis in fg.open_store(path).specification.axes] == [3]
    assert fg.open_store(path).status().n_done == 18


def full(*args: object, **kwargs: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    ("out", "n_writes"), [*itertools.product(["runs", "a.parquet", "a.nc"], [0, 1]), ("runs", 2), ("runs", 5)]
)
def test_a_full_disk_is_status_1_and_one_line_whenever_it_is_found(
    out: str, n_writes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is written, as when a store is made or a target is checked, or later."""
    writes = itertools.count()
    for module, name in ((os, "fsync"), (os, "replace"), (tempfile, "TemporaryFile")):
        done = getattr(module, name)

        def until_full(*args: Any, done: Any = done, **kwargs: Any) -> Any:
            return full() if next(writes) >= n_writes else done(*args, **kwargs)

        monkeypatch.setattr(module, name, until_full)
    status = ran(*SWEEP, "--seeds", "5", "--out", str(tmp_path / out))
    assert status == 1
    said = capsys.readouterr().err
    assert "No space left on device" in said
    assert len(said.splitlines()) == 1
    left = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    assert not [name for name in left if name.endswith(".tmp") or name == out]


def test_a_damaged_store_that_cannot_be_written_is_not_told_to_resume(
    path: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran(*SWEEP, "--seeds", "5", "--out", path)
    (file, *_) = sorted(Path(path).glob("shards/*/*.parquet"))
    data = file.read_bytes()

    def read_only(*args: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    for name in ("write", "create"):
        monkeypatch.setattr(Storage, name, read_only)
    file.write_bytes(data[:-5] + b"other")
    assert ran("verify", path, "--sample", "0") == 1
    said = capsys.readouterr().out
    assert "cannot be marked ([Errno 30]" in said
    assert "make the store writable and verify it again" in said
    assert "makes them again" not in said
    file.write_bytes(data[:-5])  # which resume knows of
    assert ran("verify", path, "--sample", "0") == 1
    assert "makes them again" in capsys.readouterr().out
    assert ran("resume", path) == 1
    assert "could not be written: [Errno 30]" in capsys.readouterr().err


def test_work_that_leaves_bad_shards_says_so(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    ran(*SWEEP, "--seeds", "30", "--shard-size", "10", "--out", path)
    last = sorted(Path(path).glob("shards/*/20-30.parquet"))[0]
    last.write_bytes(b"")
    some = [*SWEEP, "--seeds", "10", "--out", path]
    assert ran(*some) == 1
    assert f"fastgrok: bad: {last.relative_to(path)} has 0 bytes" in capsys.readouterr().err
    assert ran("resume", path) == 0
    assert ran(*some) == 0
