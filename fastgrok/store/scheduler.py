"""Who trains which shard: bounded work in flight, workers that are lost, Ctrl-C, and what each worker does."""

import hashlib
import math
import random
import secrets
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any, NamedTuple

from fastgrok.engine.alike import train_each
from fastgrok.engine.arguments import ExecutionOptions
from fastgrok.engine.kernel_params import flops_per_epoch
from fastgrok.engine.threads import cpu_count
from fastgrok.engine.training import TrainingOutput, train
from fastgrok.errors import StoreError
from fastgrok.kernels.environment import in_default_environment
from fastgrok.results import provenance
from fastgrok.results.hashes import table_hashes
from fastgrok.spec.axes import Configuration
from fastgrok.statistics.counts import Counts
from fastgrok.store.manifest import Specification, read_specification
from fastgrok.store.shards import Part, Shard, Sidecar, commit, committed
from fastgrok.store.storage import open_storage
from fastgrok.store.tables import parquet, rows_table, widened

_TRIES = 3  # of a shard whose workers are lost
_LOST = {"KilledWorker", "CancelledError", "CommClosedError", "WorkerClosed"}
_AHEAD = 2  # shards in flight for each worker, so that none waits for the next
_WRITERS = 2  # for each thread of this process: a small shard waits for the disk as long as it is trained
_REMEMBERED = 8  # stores at a time


@in_default_environment
def complete(
    root: str,
    specification: Specification,
    shards: Sequence[Shard],
    options: ExecutionOptions,
    advance: Callable[[int], object] | None,
) -> bool:
    """Make shards, and return whether Ctrl-C ended that early: what was in flight then is finished and committed."""
    threads = options.threads or cpu_count()
    store = root, remember(root, specification)
    waiting = _in_order(specification, shards)
    with _pools(options.executor, threads) as pools:
        flight = _Flight(advance)
        try:
            while waiting or len(flight):
                while waiting and len(flight) < pools.most():
                    shard = waiting.pop()
                    task: tuple[Any, ...] = (*store, shard, options.specialize, secrets.token_hex(8))
                    flight.add(pools.trainers.submit(make_shard, *task, *pools.writers), shard)
                waiting += flight.collect()
        except BaseException as error:
            flight.land(cancel=options.executor is None)  # Dask would let go of what its workers are doing
            if isinstance(error, KeyboardInterrupt):
                return True
            raise
    return False


def _in_order(specification: Specification, shards: Sequence[Shard]) -> list[Shard]:
    """Return shards in the order in which they are made, the last one first.

    The longest are begun first, since what is begun last keeps one thread busy while the others have nothing left;
    of those within a factor of two each process has an order of its own, so that two do not make the same.
    """
    flops = {id_: flops_per_epoch(own.experiment) * own.experiment.epochs for id_, own in specification.by_id.items()}

    def size(shard: Shard) -> int:
        return math.frexp(shard.n_seeds * sum(flops[id_] for id_ in shard.experiment_ids))[1]

    return sorted(random.Random().sample(shards, len(shards)), key=size)


class _Pools(NamedTuple):
    """Who trains, and who commits what is trained: nobody else, or one pool more."""

    trainers: Executor
    writers: tuple[Executor, ...] = ()

    def most(self) -> int:
        """Return how many shards may be in flight now."""
        return _AHEAD * _n_workers(self.trainers) + sum(map(_n_workers, self.writers))


class _Flight:
    """The shards that have been submitted and are not committed."""

    def __init__(self, advance: Callable[[int], object] | None) -> None:
        self._advance = advance
        self._training: dict[Future[Any], Shard] = {}
        self._writing: dict[Future[Any], Shard] = {}
        self._tries: dict[Shard, int] = {}

    def __len__(self) -> int:
        return len(self._training) + len(self._writing)

    def add(self, future: Future[Any], shard: Shard) -> None:
        """Remember a shard that has been submitted."""
        self._training[future] = shard
        self._tries[shard] = self._tries.get(shard, 0) + 1

    def collect(self) -> list[Shard]:
        """Wait for one or more, and return those whose worker was lost: they are to be submitted again."""
        lost = []
        done, _ = wait([*self._training, *self._writing], return_when=FIRST_COMPLETED)
        for future in done:
            shard = (self._training if future in self._training else self._writing).pop(future)
            try:
                writing = future.result()
            except Exception as error:
                if type(error).__name__ not in _LOST or self._tries[shard] == _TRIES:
                    raise _explained(shard, error) from error
                lost.append(shard)
                continue
            if writing is not None:
                self._writing[writing] = shard
            elif self._advance is not None:
                self._advance(shard.n_runs)
        return lost

    def land(self, *, cancel: bool) -> None:
        """Wait for all shards in flight, whether they fail or not; with `cancel` not for those that are not begun."""
        for future in self._training if cancel else ():
            future.cancel()
        wait([*self._training, *self._writing])


def _explained(shard: Shard, error: Exception) -> StoreError:
    """Say in which shard something went wrong."""
    if isinstance(error, StoreError):
        return error
    if isinstance(error, OSError):
        return StoreError(f"{shard.rows_name} could not be written: {error}. What was written before is whole")
    return StoreError(f"{shard.rows_name} could not be made: {type(error).__name__}: {error}")


@contextmanager
def _pools(executor: Executor | None, threads: int) -> Iterator[_Pools]:
    """Return the executor, whose workers commit, or threads of this process that train and others that commit."""
    if executor is not None:
        yield _Pools(executor)
        return
    with (
        ThreadPoolExecutor(_WRITERS * threads, thread_name_prefix="fastgrok-write") as writers,
        ThreadPoolExecutor(threads, thread_name_prefix="fastgrok") as trainers,
    ):
        yield _Pools(trainers, (writers,))


def _n_workers(executor: Any) -> int:
    """Return how many tasks an executor runs at once now, as far as it says so."""
    known = getattr(executor, "_max_workers", None)
    if isinstance(known, int):
        return known
    if (client := getattr(executor, "_client", None)) is not None:  # Dask's
        return max(1, int(sum(client.ncores().values())))
    return cpu_count()


@in_default_environment
def make_shard(
    root: str, digest: str, shard: Shard, specialize: bool | None, ticket: str, writers: Executor | None = None
) -> Future[None] | None:
    """Train the seeds of a shard in this thread, and commit them, or have them committed; an executor runs this.

    ticket: makes every call another one to Dask, which would answer the second of two equal ones by itself.
    """
    storage = open_storage(root)
    if committed(storage, shard) is not None:  # by another process, in the meantime
        return None
    specification, seeds = _known_specification(root, digest, shard), shard.seeds()
    kept: dict[str, Any] = {"keep_params": specification.keep_params, "recording": specification.recording}
    configurations = [specification.by_id[id_] for id_ in shard.experiment_ids]
    experiments, options = [each.experiment for each in configurations], ExecutionOptions(1, specialize)
    if len(experiments) == 1:
        outputs = [train(experiments[0], seeds, options, **kept)]
    else:
        outputs = list(train_each(experiments, seeds, options, **kept))
    if any(output.interrupted for output in outputs):  # Ctrl-C reaches worker processes, too
        raise KeyboardInterrupt  # what is finished is no whole shard
    sidecar, rows = _packed(specification, shard, configurations, outputs)
    if writers is not None:
        return writers.submit(commit, storage, sidecar, rows)
    commit(storage, sidecar, rows)
    return None


def _packed(
    specification: Specification,
    shard: Shard,
    configurations: Sequence[Configuration],
    outputs: Sequence[TrainingOutput],
) -> tuple[Sidecar, bytes]:
    """Return the two files of a shard."""
    table, lengths = rows_table(specification, configurations, outputs, shard.seeds())
    rows, hashes = parquet(widened(table, specification)), table_hashes(table, lengths)
    counts = Counts.of_each([each.finished_metrics for each in outputs], [each.experiment for each in configurations])
    parts = [
        Part(n_rows, content, own, output.seconds, output.drivers)
        for n_rows, content, own, output in zip(lengths, hashes, counts, outputs, strict=True)
    ]
    sha256, versions = hashlib.sha256(rows).hexdigest(), dict(provenance.versions())
    return Sidecar(shard, len(rows), sha256, versions, tuple(parts)), rows


_known: dict[tuple[str, str], Specification] = {}


def remember(root: str, specification: Specification) -> str:
    """Keep a specification for the tasks of this process, which then need not read it; return its SHA-256."""
    digest = hashlib.sha256(specification.to_json().encode()).hexdigest()
    _keep(root, digest, specification)
    return digest


def _known_specification(root: str, digest: str, shard: Shard) -> Specification:
    """Return the specification of a store as whoever submitted the task knows it, or as it has grown since."""
    known = _known.get((root, digest))
    if known is None:
        known = read_specification(open_storage(root))
        if known is None or not known.by_id.keys() >= set(shard.experiment_ids):
            raise StoreError(f"{root} no longer holds what it did: was the store removed?")
        _keep(root, digest, known)
    return known


def _keep(root: str, digest: str, specification: Specification) -> None:
    """Keep a specification, and not many of them."""
    if len(_known) >= _REMEMBERED:
        _known.clear()
    _known[root, digest] = specification
