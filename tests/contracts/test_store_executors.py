"""A sweep on disk is the same whoever makes its shards: threads, processes, Dask, some of which may be lost."""

import multiprocessing
import os
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from distributed import Client, LocalCluster
from distributed.scheduler import KilledWorker

import fastgrok as fg
from fastgrok.cli import main
from fastgrok.engine import threads
from fastgrok.store import Store
from fastgrok.store.shards import FOLDER, Shard, Sidecar

WORKERS, AHEAD, TRIES = 2, 2, 3
EXP = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=200, stop=fg.Converged(loss=0.01))
AXES: dict[str, list[Any]] = {"init": [fg.Uniform(-1, 1), fg.HeNormal()], "optimizer.lr": [0.05, 0.1]}
N, SIZE = 500, 100
LONG = EXP.replace(epochs=4_000, stop=None)  # a thread takes a tenth of a second for 1,000 seeds
LONG_N, LONG_SIZE = 24_000, 1_000

NewFolder = Callable[[], Path]
Before = Callable[[int], object]


class Watched(Executor):
    """Another executor, which counts what is in flight; `before` is called with the number of each submission."""

    def __init__(self, inner: Executor, before: Before = lambda k: None) -> None:
        self._inner, self._before, self._max_workers = inner, before, WORKERS
        self.futures: list[Future[Any]] = []
        self.most = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self._before(len(self.futures))
        self.futures.append(self._inner.submit(fn, *args, **kwargs))
        self.most = max(self.most, sum(not future.done() for future in self.futures))
        return self.futures[-1]


class Here(Executor):
    """This thread; the first submissions of each shard end as `loss` says."""

    def __init__(self, loss: Callable[[], Future[Any]] | None = None, losses: int = 0) -> None:
        self._loss, self._losses, self._max_workers = loss, losses, 1
        self.tries: Counter[Shard] = Counter()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        (shard,) = (one for one in args if isinstance(one, Shard))
        self.tries[shard] += 1
        if self._loss is not None and self.tries[shard] <= self._losses:
            return self._loss()
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:  # a worker process passes Ctrl-C on, too
            future.set_exception(error)
        return future


class Deadly(Executor):
    """Dask's executor, with workers that say that they have begun, and die."""

    def __init__(self, inner: Executor, log: Path) -> None:
        self._inner, self._log, self._max_workers = inner, log, 1

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return self._inner.submit(die, str(self._log), *args, **kwargs)


def die(log: str, *args: Any) -> None:
    """Write a line, and end this process at once."""
    with open(log, "a") as file:
        file.write("begun\n")
    os.kill(os.getpid(), signal.SIGKILL)


def killed() -> Future[Any]:
    """Return what Dask gives if worker after worker dies of a task."""
    future: Future[Any] = Future()
    last: Any = SimpleNamespace(address="tcp://127.0.0.1:1")
    future.set_exception(KilledWorker("make_shard", last, 3))
    return future


def cancelled() -> Future[Any]:
    """Return what Dask gives if the scheduler is lost."""
    future: Future[Any] = Future()
    future.cancel()
    future.set_running_or_notify_cancel()
    return future


def swept(folder: Path, executor: Executor | None = None, **options: Any) -> Store:
    """Make a sweep: the one of four configurations, if the options say nothing else."""
    chosen = {"experiment": EXP, "seeds": N, "axes": AXES, "shard_size": SIZE, "progress": False, **options}
    return fg.sweep(store=folder, executor=executor, **chosen)


def swept_long(folder: Path, executor: Executor | None = None) -> Store:
    """Make the sweep of one configuration that takes some seconds."""
    return swept(folder, executor, experiment=LONG, axes=None, seeds=LONG_N, shard_size=LONG_SIZE, specialize=False)


def interrupt_at(submission: int) -> Before:
    """Return what is Ctrl-C at a submission."""

    def before(k: int) -> None:
        if k == submission:
            raise KeyboardInterrupt

    return before


def in_halves(folder: Path) -> Store:
    """Make a sweep in two halves, each as a process of its own would."""
    asked = swept(folder, Watched(Here(), interrupt_at(0))).status()
    assert (asked.n_done, asked.n_runs) == (0, N * sum(map(len, AXES.values())))
    for half in ((1, 2), (2, 2)):
        store = fg.open_store(folder)
        done = store.status().n_done
        assert store.resume(part_of=half, progress=False).status().n_done - done == asked.n_runs / 2
    return store


def extended(folder: Path, executor: Executor) -> Store:
    """Make a part of a sweep, and then more and more of it."""
    first = {path: values[:1] for path, values in AXES.items()}
    swept(folder, axes=first, seeds=range(130, 210))
    swept(folder, axes={**AXES, "init": AXES["init"][:1]}, seeds=150)
    swept(folder, executor, axes=first, seeds=350)
    return swept(folder)


@pytest.fixture
def new_folder(tmp_path: Path) -> NewFolder:
    """Return what gives another directory with each call."""
    numbers = iter(range(100))
    return lambda: tmp_path / f"store{next(numbers)}"


@pytest.fixture(scope="module")
def by_threads(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Return the sweep made by threads of this process, which compile what other processes read."""
    return swept(tmp_path_factory.mktemp("by_threads") / "store")


@pytest.fixture(scope="module")
def long_by_threads(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Return the long sweep made by threads of this process."""
    return swept_long(tmp_path_factory.mktemp("long_by_threads") / "store")


@pytest.fixture(scope="module")
def processes() -> Iterator[Executor]:
    """Return two processes that are started afresh."""
    with ProcessPoolExecutor(WORKERS, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """Return two Dask workers, each a process of one thread, which only this machine can reach."""
    where: dict[str, Any] = {"host": "127.0.0.1", "dashboard_address": ":0"}
    with LocalCluster(n_workers=WORKERS, threads_per_worker=1, processes=True, **where) as found:
        yield found


@pytest.fixture
def client(cluster: LocalCluster) -> Iterator[Client]:
    """Return a client of both workers; one of them may have been killed by the test before."""
    with Client(cluster) as found:
        found.wait_for_workers(WORKERS, timeout=60)
        yield found


def test_every_way_of_making_a_sweep_gives_the_same_rows_and_counts(
    by_threads: Store, processes: Executor, client: Client, new_folder: NewFolder
) -> None:
    dask = client.get_executor()
    ways = {
        "processes": swept(new_folder(), processes),
        "Dask": swept(new_folder(), dask),
        "small shards by Dask": swept(new_folder(), dask, shard_size=73),
        "a shard for each configuration": swept(new_folder(), shard_size=N),
        "a shard for two configurations": swept(new_folder(), shard_size=2 * N),
        "one shard, by Dask": swept(new_folder(), dask, shard_size=10 * N),
        "two halves": in_halves(new_folder()),
        "extended": extended(new_folder(), dask),
    }
    assert by_threads.counts == fg.sweep(EXP, N, AXES, progress=False).counts
    for way, store in ways.items():
        assert store.counts == by_threads.counts, way
        assert store.content_hash() == by_threads.content_hash(), way


def test_a_sweep_outlives_a_worker_that_is_killed(
    long_by_threads: Store, client: Client, new_folder: NewFolder
) -> None:
    before = client.run(os.getpid)

    def kill(k: int) -> None:
        if k == LONG_N // LONG_SIZE // 2:
            os.kill(min(before.values()), signal.SIGKILL)

    store = swept_long(new_folder(), Watched(client.get_executor(), kill))
    client.wait_for_workers(WORKERS, timeout=60)
    assert len(set(client.run(os.getpid).values()) & set(before.values())) == WORKERS - 1
    assert store.counts == long_by_threads.counts
    assert store.content_hash() == long_by_threads.content_hash()
    assert store.verify(sample=5).ok


def test_what_is_in_flight_is_bounded_by_the_number_of_workers(new_folder: NewFolder) -> None:
    with ThreadPoolExecutor(WORKERS) as pool:
        watched = Watched(pool)
        store = swept_long(new_folder(), watched)
    assert len(watched.futures) == store.status().n_shards == LONG_N // LONG_SIZE
    assert watched.most == AHEAD * WORKERS


@pytest.mark.parametrize("by", ["threads", "Dask"])
def test_a_shard_that_is_made_twice_with_other_bits_is_an_error(
    by: str, client: Client, new_folder: NewFolder
) -> None:
    store = swept(new_folder(), seeds=20)
    (sidecar,) = Path(store.path, FOLDER).glob("*/*.json")
    found = Sidecar.from_json(sidecar.read_bytes())
    *others, last = found.parts
    assert len(others) == 3
    sidecar.write_text(found._replace(parts=(*others, last._replace(content="0" * 64))).to_json())
    Path(store.path, found.shard.rows_name).write_bytes(b"")
    assert store.status().problems
    with pytest.raises(fg.StoreError, match=f"{found.shard.rows_name} was trained twice and is not the same"):
        store.resume(None if by == "threads" else client.get_executor(), progress=False)


def test_a_sweep_makes_the_part_that_it_is_asked_for_and_resume_everything(
    by_threads: Store, new_folder: NewFolder
) -> None:
    folder = new_folder()
    assert swept(folder, Watched(Here(), interrupt_at(0))).status().n_done == 0
    part = {"axes": {**AXES, "init": AXES["init"][1:]}, "seeds": range(130, 210)}
    store = swept(folder, **part)
    assert not store.interrupted
    assert [one.n for one in store.counts] == [0, 0, 80, 80]
    assert swept(folder, **part).status().n_done == 160
    assert store.resume(progress=False).content_hash() == by_threads.content_hash()


@pytest.mark.parametrize("loss", [killed, cancelled])
def test_a_shard_whose_worker_is_lost_is_made_by_another(loss: Callable[[], Future[Any]], by_threads: Store) -> None:
    here = Here(loss, TRIES - 1)
    store = swept(Path(by_threads.path).with_name(loss.__name__), here)
    assert store.content_hash() == by_threads.content_hash()
    assert set(here.tries.values()) == {TRIES}


@pytest.mark.parametrize("loss", [killed, cancelled])
def test_workers_that_are_always_lost_end_a_sweep(loss: Callable[[], Future[Any]], new_folder: NewFolder) -> None:
    here = Here(loss, 10**9)
    folder = new_folder()
    with pytest.raises(fg.StoreError, match=r"shards/\w+/\d+-\d+\.parquet could not be made"):
        swept(folder, here)
    assert max(here.tries.values()) == TRIES
    assert fg.open_store(folder).status().n_done == 0


def test_dask_gives_a_shard_to_other_workers_each_time(
    cluster: LocalCluster, client: Client, new_folder: NewFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster.scheduler, "allowed_failures", 0)
    log = tmp_path / "log"
    with pytest.raises(fg.StoreError, match="KilledWorker"):
        swept(new_folder(), Deadly(client.get_executor(), log), seeds=SIZE, axes=None)
    assert len(log.read_text().splitlines()) == TRIES


def test_the_command_line_gives_work_to_a_scheduler(cluster: LocalCluster, new_folder: NewFolder) -> None:
    folder = new_folder()
    flags = ["--seeds", "20", "--epochs", "9", "--quiet", "--scheduler", cluster.scheduler_address]
    with pytest.raises(SystemExit) as left:
        main(["sweep", "xor", "--out", str(folder), *flags])
    assert left.value.code == 0
    assert fg.open_store(folder).status().n_done == 20


def test_workers_that_come_later_are_given_work(new_folder: NewFolder) -> None:
    def join(k: int) -> None:
        if k == LONG_N // LONG_SIZE // 2:
            watched._max_workers = 2 * WORKERS

    with ThreadPoolExecutor(WORKERS) as pool:
        watched = Watched(pool, join)
        swept_long(new_folder(), watched)
    assert watched.most == AHEAD * 2 * WORKERS


@pytest.mark.parametrize("by", ["threads", "Dask"])
def test_ctrl_c_leaves_nothing_that_is_still_being_made(by: str, client: Client, new_folder: NewFolder) -> None:
    with ThreadPoolExecutor(WORKERS) as pool:
        executor = pool if by == "threads" else client.get_executor()
        store = swept_long(new_folder(), Watched(executor, interrupt_at(2 * AHEAD * WORKERS)))
        done = store.status().n_done
    assert store.interrupted
    client.gather([client.submit(int, pure=False, workers=[one]) for one in client.ncores()])  # after what they do
    assert 0 < done == store.status().n_done < LONG_N
    assert store.resume(progress=False).status().n_done == LONG_N


def test_ctrl_c_in_a_worker_commits_no_part_of_a_shard(
    new_folder: NewFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*args: Any, **kwargs: Any) -> None:
        raise KeyboardInterrupt

    folder = new_folder()
    with monkeypatch.context() as patch:
        patch.setattr(threads, "wait", interrupt)
        store = swept(folder, Here(), experiment=LONG, axes=None, seeds=20_000, shard_size=20_000)
    assert store.interrupted
    assert store.status().n_done == 0
    assert store.resume(progress=False).status().n_done == 20_000


def test_a_store_that_is_removed_and_made_again_otherwise_holds_what_is_asked_for(
    processes: Executor, new_folder: NewFolder
) -> None:
    folder = new_folder()
    assert "params" not in swept(folder, processes).arrow().schema.names
    shutil.rmtree(folder)
    assert "params" in swept(folder, processes, keep_params=True).arrow().schema.names
