"""A sweep on disk that is killed, interrupted, damaged, made by two at once or out of space ends like any other."""

from __future__ import annotations

import contextlib
import errno
import itertools
import json
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import fastgrok as fg
from fastgrok.store import Store, scheduler
from fastgrok.store.storage import open_storage

EXP = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=2_000, stop=None)
AXES = {"optimizer.lr": [0.01, 0.1]}
N, SIZE, THREADS = 1_000, 50, 2
N_SHARDS = 2 * N // SIZE
FEW = 2 * SIZE
STEPS = {"open", "os.mkdir", "os.rename", "os.link", "os.remove"}
FULL = os.strerror(errno.ENOSPC)


def swept(folder: str | Path, n: int = N, threads: int = THREADS, axes: dict[str, list[float]] = AXES) -> Store:
    """Make the sweep, or what is missing of it."""
    options: dict[str, Any] = {"shard_size": SIZE, "threads": threads, "specialize": False, "progress": False}
    return fg.sweep(EXP, n, axes, store=folder, **options)


GROUPED = {"optimizer.lr": [0.01 * k for k in range(1, 9)]}
GROUPED_N, GROUPED_SHARDS = 10, 2  # shards of five and of three configurations


def swept_in_groups(folder: str | Path, threads: int = THREADS) -> Store:
    """Make a sweep whose shards have several configurations, or what is missing of it."""
    options: dict[str, Any] = {"shard_size": 5 * GROUPED_N, "threads": threads, "specialize": False}
    return fg.sweep(EXP.replace(epochs=50), GROUPED_N, GROUPED, store=folder, progress=False, **options)


class Job(NamedTuple):
    """A sweep that another process makes; it signals itself before the given step in the file system, if any."""

    folder: str
    n: int = N
    last_step: int | None = None
    signal: int = signal.SIGKILL
    in_groups: bool = False
    axes: dict[str, list[float]] = AXES

    @property
    def report(self) -> Path:
        """Where the process says what came of it, if it gets so far."""
        return Path(f"{self.folder}.{os.getpid()}")


def nursery() -> None:
    """For each line of jobs fork processes that need not import or compile; say who they are, and when they ended."""
    with tempfile.TemporaryDirectory() as folder:
        swept(Path(folder, "a"))
        swept_in_groups(Path(folder, "b"))
    print("ready", flush=True)
    for line in sys.stdin:
        pids = [born(Job(*job)) for job in json.loads(line)]
        print(json.dumps(pids), flush=True)
        for pid in pids:
            os.waitpid(pid, 0)
        print("ended", flush=True)


def born(job: Job) -> int:
    """Fork a process that does a job."""
    if pid := os.fork():
        return pid
    try:
        job.report.write_text(json.dumps(done(job)))
    finally:
        os._exit(0)


def done(job: Job) -> dict[str, Any]:
    """Do a job, and return what came of it."""
    made = []
    train = scheduler.train

    def counted(*args: Any, **kwargs: Any) -> Any:
        made.append(args)
        return train(*args, **kwargs)

    def count_down(event: str, args: tuple[Any, ...]) -> None:
        if event in STEPS and str(args[0]).startswith(job.folder) and next(steps) == job.last_step:
            os.kill(os.getpid(), job.signal)

    random.seed(0)  # as scripts do; the order of two processes must differ all the same
    scheduler.train = counted
    steps = itertools.count(1)
    sys.addaudithook(count_down)
    try:
        store = swept_in_groups(job.folder) if job.in_groups else swept(job.folder, job.n, axes=job.axes)
        return {"interrupted": store.interrupted, "made": len(made)}
    except BaseException:
        return {"error": traceback.format_exc()}


class Nursery:
    """The process that forks, as seen from here."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert self._line() == "ready"

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def run(self, *jobs: Job, meanwhile: Callable[[int], object] = lambda pid: None) -> list[Any]:
        """Run processes at once, call `meanwhile` with each pid, and return what they said; None of the killed."""
        print(json.dumps(jobs), file=self._process.stdin, flush=True)
        pids = json.loads(self._line())
        try:
            for pid in pids:
                meanwhile(pid)
        finally:
            assert self._line() == "ended"
        reports = [Path(f"{job.folder}.{pid}") for job, pid in zip(jobs, pids, strict=True)]
        return [json.loads(path.read_text()) if path.exists() else None for path in reports]


@pytest.fixture(scope="module")
def other() -> Iterator[Nursery]:
    root = Path(fg.__file__).parents[1]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    environment = os.environ | {"PYTHONPATH": str(root)}
    with subprocess.Popen([sys.executable, __file__], env=environment, cwd=root, **pipes) as process:
        yield Nursery(process)
        process.stdin.close()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return swept(tmp_path_factory.mktemp("whole") / "store")


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return swept(tmp_path_factory.mktemp("few") / "store", FEW)


def contents(store: Store) -> tuple[Any, ...]:
    """Return everything that must not depend on what befell a store: what it says, its rows, which files it has."""
    root = Path(store.path)
    rows = {path.relative_to(root): path.read_bytes() for path in root.rglob("*.parquet")}
    return store.content_hash(), store.counts, rows, {path.relative_to(root) for path in root.rglob("*")}


def temporary(folder: str | Path) -> list[Path]:
    return list(Path(folder).rglob("*.tmp"))


def n_committed(folder: str | Path) -> int:
    return len(list(Path(folder).glob("shards/*/*.json")))


def assert_equal(store: Store, wanted: Store) -> None:
    """Assert that a store is complete and sound, and holds what another one holds."""
    found = store.verify(sample=0)
    assert found.ok
    assert found.n_missing == 0
    assert temporary(store.path) == []
    assert contents(store) == contents(wanted)


def test_a_sweep_killed_at_random_moments_ends_as_if_it_had_not_been(
    whole: Store, other: Nursery, tmp_path: Path
) -> None:
    start = time.perf_counter()
    assert other.run(Job(str(tmp_path / "measured"))) == [{"interrupted": False, "made": N_SHARDS}]
    seconds = time.perf_counter() - start
    rng, n_left = random.Random(0), []

    def kill(pid: int) -> None:
        time.sleep(rng.uniform(0, seconds))
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    for k in range(25):
        folder = tmp_path / f"{k}"
        other.run(Job(str(folder)), meanwhile=kill)
        n_left.append(N_SHARDS - n_committed(folder))
        assert_equal(swept(folder), whole)
    assert len(set(n_left) - {0, N_SHARDS}) > 2


def test_a_sweep_killed_at_any_step_in_the_file_system_ends_as_if_it_had_not_been(
    few: Store, other: Nursery, tmp_path: Path
) -> None:
    n_left = 0  # kills that left a file half written, or two: threads write at the same time
    for step in itertools.count(1):
        folder = tmp_path / f"{step}"
        if other.run(Job(str(folder), FEW, step)) != [None]:
            break
        n_left += bool(temporary(folder))
        if n_committed(folder):  # rows are there before the sidecar that commits them
            assert fg.open_store(folder).status().problems == []
        assert_equal(swept(folder, FEW), few)
    assert step - 1 > n_left > few.status().n_shards  # of step - 1 kills


def test_a_sweep_of_shared_shards_killed_at_any_step_ends_as_if_it_had_not_been(
    other: Nursery, tmp_path: Path
) -> None:
    whole = swept_in_groups(tmp_path / "whole")
    assert whole.status().n_shards == GROUPED_SHARDS
    n_committed_before = set()
    for step in itertools.count(1):
        folder = tmp_path / f"{step}"
        if other.run(Job(str(folder), last_step=step, in_groups=True)) != [None]:
            break
        n_committed_before.add(n_committed(folder))
        assert_equal(swept_in_groups(folder), whole)
    assert step > 10
    assert n_committed_before == set(range(GROUPED_SHARDS + 1))


def assert_runs_out_of_space(folder: Path) -> None:
    """Assert that a sweep ends with one line that says why, and leaves a sound part of a store."""
    with pytest.raises(fg.StoreError, match=FULL) as caught:
        swept(folder, threads=1)
    assert len(str(caught.value).splitlines()) == 1
    assert temporary(folder) == []
    store = fg.open_store(folder)
    status = store.status()
    assert 0 < status.n_shards < N_SHARDS
    assert status.problems == []
    assert store.verify(sample=0).ok


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(tmp_path)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no tmpfs can be mounted here")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_full_disk_ends_a_sweep_that_goes_on_once_there_is_space(whole: Store, small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(700 * 1024))
    assert_runs_out_of_space(small_disk / "store")
    ballast.unlink()
    assert_equal(swept(small_disk / "store"), whole)


@pytest.mark.parametrize("n_writes", range(20, 24))
def test_any_write_may_find_the_disk_full(
    n_writes: int, whole: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync, writes = os.fsync, itertools.count()

    def full(descriptor: int) -> None:
        if next(writes) >= n_writes:
            raise OSError(errno.ENOSPC, FULL)
        fsync(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        assert_runs_out_of_space(tmp_path / "store")
    assert_equal(swept(tmp_path / "store"), whole)


def test_a_store_that_cannot_grow_or_take_more_stays_as_it_is(
    few: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(few.path, tmp_path / "store")
    store = fg.open_store(tmp_path / "store")
    (shard,) = min(tmp_path.rglob("shards/*/_0-*.json")).parent.glob("_0-*.json")
    shard.unlink()

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, FULL)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(fg.StoreError, match=f"could not be written: .*{FULL}"):
            swept(store.path, 2 * FEW)
        with pytest.raises(fg.StoreError, match=f"could not be copied: .*{FULL}"):
            store.merge(few)
    assert fg.open_store(store.path).specification == few.specification
    assert_equal(store.merge(few), few)


def test_the_names_of_files_and_directories_are_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fsync, synced = os.fsync, []

    def noted(descriptor: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    storage = open_storage(tmp_path / "runs" / "a")
    assert storage.create("shards/1f/0-9.json", b"1")
    parents = [tmp_path / part for part in ("", "runs", "runs/a", "runs/a/shards", "runs/a/shards/1f")]
    assert set(map(str, parents)) <= set(synced)
    synced.clear()
    storage.write("shards/1f/0-9.json", b"2")
    assert synced[-1] == str(parents[-1])


def test_what_a_file_holds_is_on_the_disk_before_its_name_means_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut leaves what was there before, or all that is new."""
    fsync, path, seen = os.fsync, tmp_path / "shards" / "1f" / "0-9.json", []

    def noted(descriptor: int) -> None:
        if stat.S_ISREG((synced := os.fstat(descriptor)).st_mode):
            seen.append((synced.st_size, path.read_bytes() if path.exists() else None))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    storage, name = open_storage(tmp_path), str(path.relative_to(tmp_path))
    assert storage.create(name, b"created")
    storage.write(name, b"new")
    storage.write(name, b"newer")
    assert seen == [(7, None), (3, b"created"), (5, b"new")]


def flip_a_bit(path: Path, rng: random.Random) -> None:
    data = bytearray(path.read_bytes())
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    path.write_bytes(data)


def truncate(path: Path, rng: random.Random) -> None:
    os.truncate(path, rng.randrange(path.stat().st_size))


def fill_with_garbage(path: Path, rng: random.Random) -> None:
    path.write_bytes(rng.randbytes(path.stat().st_size))


def remove(path: Path, rng: random.Random) -> None:
    path.unlink()


@pytest.mark.parametrize(
    ("damage", "suffix", "is_problem", "is_bad"),
    [
        (flip_a_bit, "parquet", False, True),
        (truncate, "parquet", True, True),
        (remove, "parquet", True, True),
        (flip_a_bit, "json", True, True),
        (truncate, "json", True, True),
        (fill_with_garbage, "json", True, True),
        (remove, "json", False, False),
    ],
)
def test_what_is_damaged_is_found_and_made_again(
    damage: Callable[[Path, random.Random], None],
    suffix: str,
    is_problem: bool,
    is_bad: bool,
    whole: Store,
    tmp_path: Path,
) -> None:
    rng = random.Random(0)
    shutil.copytree(whole.path, tmp_path / "store")
    store = fg.open_store(tmp_path / "store")
    damaged = rng.sample(sorted(tmp_path.rglob(f"shards/*/*.{suffix}")), N_SHARDS // 2)
    for path in damaged:
        damage(path, rng)
    assert len(store.status().problems) == (len(damaged) if is_problem else 0)
    found = store.verify(sample=0)
    assert len(found.bad) == (len(damaged) if is_bad else 0)
    assert found.n_missing == len(damaged)
    assert_equal(store.resume(specialize=False, progress=False), whole)


@pytest.mark.parametrize("suffix", ["json", "parquet"])
def test_a_file_that_cannot_be_read_is_one_of_the_findings(
    suffix: str, whole: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(whole.path, tmp_path / "store")
    store = fg.open_store(tmp_path / "store")
    lost = str(min(tmp_path.rglob(f"shards/*/*.{suffix}")).relative_to(store.path))
    read_bytes = Path.read_bytes

    def read(path: Path) -> bytes:
        if str(path).endswith(lost):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return read_bytes(path)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", read)
        problems, found = store.status().problems, store.verify(sample=0)
    assert [line.startswith(f"{lost} cannot be read ([Errno 5]") for line in found.bad] == [True]
    assert problems == (found.bad if suffix == "json" else [])
    assert found.n_missing == 1
    assert store.verify(sample=0).ok  # it is readable again


def test_files_that_nothing_needs_are_told_apart_and_are_not_bad(whole: Store, tmp_path: Path) -> None:
    shutil.copytree(whole.path, tmp_path / "store")
    store = fg.open_store(tmp_path / "store")
    folders = sorted(tmp_path.glob("store/shards/*"))
    (folders[0] / "notes.json").write_text("mine")
    (folders[0] / "10-35.json").write_text("{")
    (folders[0] / "30-60.parquet").write_text("")
    shutil.copytree(folders[1], folders[1].with_name("0123456789abcdef"))
    alone = min(folders[1].glob("*.json"))
    alone.unlink()
    status, found = store.status(), store.verify(sample=0)
    assert (status.problems, found.bad, found.ok) == ([], [], True)
    rows = alone.with_name(alone.name.removeprefix("_")).with_suffix(".parquet")
    assert found.uncommitted == [str(rows.relative_to(store.path))]
    of_others = [line for line in status.strays if line.endswith("is of no configuration of this store")]
    assert len(of_others) == N_SHARDS // 2
    assert len(status.strays) == len(of_others) + 2
    assert {*found.strays} - {*status.strays} == {
        f"shards/{folders[0].name}/30-60.parquet has no sidecar and is not needed"
    }
    assert store.resume(specialize=False, progress=False).content_hash() == whole.content_hash()
    assert store.verify(sample=0).uncommitted == []


def test_two_processes_at_once_do_little_twice(whole: Store, other: Nursery, tmp_path: Path) -> None:
    for k in range(3):
        folder = tmp_path / f"{k}"
        reports = other.run(Job(str(folder)), Job(str(folder)))
        assert [report.get("error") for report in reports] == [None, None]
        assert_equal(fg.open_store(folder), whole)
        assert N_SHARDS <= sum(report["made"] for report in reports) < 1.5 * N_SHARDS


def test_of_two_growths_at_once_neither_is_lost(other: Nursery, tmp_path: Path) -> None:
    more = {"optimizer.lr": [0.01, 0.1, 0.2]}
    for k in range(12):
        folder = tmp_path / f"{k}"
        swept(folder, SIZE)
        reports = other.run(Job(str(folder), FEW), Job(str(folder), SIZE, axes=more))
        assert [report.get("error") for report in reports] == [None, None]
        store = fg.open_store(folder)
        assert (store.specification.seeds, len(store.configurations)) == (range(FEW), 3)
        assert [counts.n for counts in store.counts] == [FEW, FEW, SIZE]


def test_ctrl_c_commits_what_is_finished(whole: Store, other: Nursery, tmp_path: Path) -> None:
    folder = tmp_path / "store"
    reports = other.run(Job(str(folder), last_step=150, signal=signal.SIGINT))
    n_done = n_committed(folder)
    assert reports == [{"interrupted": True, "made": n_done}]
    assert N_SHARDS // 4 <= n_done < N_SHARDS
    assert temporary(folder) == []
    store = fg.open_store(folder)
    assert store.status().problems == []
    assert_equal(store.resume(specialize=False, progress=False), whole)


if __name__ == "__main__":
    nursery()
