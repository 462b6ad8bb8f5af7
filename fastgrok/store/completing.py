"""Everything that is missing of a store, made by an executor: bounded work in flight, lost workers, Ctrl-C."""

from __future__ import annotations

import os
import random
import secrets
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any, NamedTuple

from fastgrok.engine import training
from fastgrok.engine.driver import cpu_count
from fastgrok.errors import StoreError
from fastgrok.store.shards import Shard
from fastgrok.store.specification import Specification
from fastgrok.store.work import make_shard, remember

_TRIES = 3  # of a shard whose workers are lost
_LOST = {"KilledWorker", "CancelledError", "CommClosedError", "WorkerClosed"}
_AHEAD = 2  # shards in flight for each worker, so that none waits for the next
_WRITERS = 2  # for each thread of this process: a small shard waits for the disk as long as it is trained


def complete(
    root: str,
    specification: Specification,
    shards: Sequence[Shard],
    executor: Executor | None,
    *,
    threads: int | None = None,
    specialize: bool | None = None,
    advance: Callable[[int], object] | None = None,
) -> bool:
    """Make shards, and return whether Ctrl-C ended that early: what was in flight then is finished and committed."""
    drivers = _drivers(specification, shards, threads or cpu_count(), specialize)
    with _pools(executor, threads or cpu_count()) as pools:
        flight = _Flight(pools, (root, remember(root, specification)), drivers, advance)
        try:
            for shard in random.Random().sample(shards, len(shards)):
                flight.submit(shard)
                while len(flight) >= pools.most():
                    flight.collect()
            while len(flight):
                flight.collect()
        except BaseException as error:
            flight.land(cancel=executor is None)  # Dask would let go of what its workers are doing
            if isinstance(error, KeyboardInterrupt):
                return True
            raise
    return False


class _Pools(NamedTuple):
    """Who trains, and who commits what is trained; None: whoever trains it."""

    trainers: Executor
    writers: Executor | None

    def most(self) -> int:
        """Return how many shards may be in flight now."""
        return _AHEAD * _n_workers(self.trainers) + (_n_workers(self.writers) if self.writers is not None else 0)


class _Flight:
    """The shards that have been given out and have not come back."""

    def __init__(
        self,
        pools: _Pools,
        store: tuple[str, str],
        drivers: dict[str, bool],
        advance: Callable[[int], object] | None,
    ) -> None:
        self._pools, self._store, self._drivers, self._advance = pools, store, drivers, advance
        self._training: dict[Future[Any], Shard] = {}
        self._writing: dict[Future[Any], Shard] = {}
        self._tries: dict[Shard, int] = {}

    def __len__(self) -> int:
        return len(self._training) + len(self._writing)

    def submit(self, shard: Shard) -> None:
        """Give out a shard."""
        self._tries[shard] = self._tries.get(shard, 0) + 1
        specialize, ticket = self._drivers[shard.experiment_id], secrets.token_hex(8)
        how = (specialize, ticket) if self._pools.writers is None else (specialize, ticket, self._pools.writers)
        self._training[self._pools.trainers.submit(make_shard, *self._store, shard, *how)] = shard

    def collect(self) -> None:
        """Wait for one or more; those whose worker was lost are given out again."""
        done, _ = wait([*self._training, *self._writing], return_when=FIRST_COMPLETED)
        for future in done:
            shard = (self._training if future in self._training else self._writing).pop(future)
            try:
                writing = future.result()
            except Exception as error:
                if type(error).__name__ not in _LOST or self._tries[shard] == _TRIES:
                    raise _explained(shard, error) from error
                self.submit(shard)
                continue
            if writing is not None:
                self._writing[writing] = shard
            elif self._advance is not None:
                self._advance(shard.n_seeds)

    def land(self, *, cancel: bool) -> None:
        """Take back what no worker has begun, if that is to be, and wait for the rest, whatever comes of it."""
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
        yield _Pools(executor, None)
        return
    with (
        ThreadPoolExecutor(_WRITERS * threads, thread_name_prefix="fastgrok-write") as writers,
        ThreadPoolExecutor(threads, thread_name_prefix="fastgrok") as trainers,
    ):
        yield _Pools(trainers, writers)


def _n_workers(executor: Any) -> int:
    """Return how many tasks an executor runs at once now, as far as it says so."""
    known = getattr(executor, "_max_workers", None)
    if isinstance(known, int):
        return known
    if (client := getattr(executor, "_client", None)) is not None:  # Dask's
        return max(1, int(sum(client.ncores().values())))
    return os.cpu_count() or 1


def _drivers(
    specification: Specification, shards: Sequence[Shard], threads: int, specialize: bool | None
) -> dict[str, bool]:
    """Return for each configuration whether its driver is specialised: by all the work that there is for it."""
    seeds: dict[str, int] = {}
    for shard in shards:
        seeds[shard.experiment_id] = seeds.get(shard.experiment_id, 0) + shard.n_seeds
    if specialize is not None:
        return dict.fromkeys(seeds, specialize)
    by_id = specification.by_id
    return {
        id_: training.is_worth_specializing(by_id[id_].experiment, specification.recording, n, threads)
        for id_, n in seeds.items()
    }
