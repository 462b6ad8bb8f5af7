"""Training of many seeds: chunks of them, given to a pool of threads that run the kernels."""

from __future__ import annotations

import dataclasses
import queue
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

import numpy as np

from fastgrok.experiment import Experiment
from fastgrok.kernels import build
from fastgrok.program import Memory, Program
from fastgrok.schema import HIDDEN_LAYER, NEVER, SEED, VARIABLES

_CHUNK_FLOPS = 3e9  # in a chunk: 50 to 200 ms of one thread
_CHUNK_BYTES = 32 * 2**20
_REFILLS = 16  # seeds per lane in a chunk that stops early, so that its last seeds are few beside the rest
_COMPILE_SECONDS = 2.5
_GENERAL_FLOPS, _SPECIALISED_FLOPS = 1.5e10, 3e10  # of one thread in a second: what tells whether to compile


@dataclasses.dataclass
class Trained:
    """What training one configuration gave: one row a seed."""

    columns: dict[str, np.ndarray]
    params: np.ndarray | None  # (n_seeds, n_params)
    finished: np.ndarray  # bool (n_seeds,): rows of chunks that an interruption left undone are False
    interrupted: bool
    seconds: float  # of training
    compile_seconds: float  # of compiling, or of reading what had been compiled, before
    driver: str
    lanes: int
    threads: int


def train(
    experiment: Experiment,
    seeds: np.ndarray | None,
    *,
    params: np.ndarray | None = None,
    keep_params: bool = False,
    specialize: bool | None = None,
    lanes: int | None = None,
    threads: int | None = None,
    chunk_size: int | None = None,
    advance: Callable[[int], object] | None = None,
) -> Trained:
    """
    Train one network per seed.

    Parameters
    ----------
    experiment
        Everything but the seed.
    seeds
        uint64 (n_seeds,). With `params` as well, only the orders of the examples come from them.
    params
        Initial parameters (n_seeds, n_params), instead of those that the seeds would draw.
    keep_params
        Whether to return the trained parameters.
    specialize
        Whether to compile a driver for this very network; None: where that pays. The bits are the same.
    lanes, threads, chunk_size
        Seeds in a vector, threads, seeds in a task; None: what suits. No result depends on them.
    advance
        Called in this thread with the number of seeds that have been finished since the last call.
    """
    n = len(seeds) if seeds is not None else len(params)  # type: ignore[arg-type]
    threads = threads or build.threads()
    specialise = _specialise(experiment, n, threads) if specialize is None else specialize
    lanes = lanes or build.lane_count(experiment, specialise=specialise)
    program = Program(experiment, specialise=specialise, lanes=lanes)
    start = time.perf_counter()
    program.compile()
    compiled = time.perf_counter()
    columns = _columns(experiment, n)
    kept = np.empty((n, experiment.n_params), experiment.dtype) if keep_params else None

    def task(rows: slice) -> int:
        part_seeds = None if seeds is None else seeds[rows]
        part = program.train(part_seeds, None if params is None else params[rows], memories)
        if np.any(part.columns["epochs_run"] == NEVER):
            return 0  # interrupted: the seeds that were fast enough are not a fair sample of their chunk
        for name, column in part.columns.items():
            columns[name][rows] = column
        if kept is not None:
            kept[rows] = part.params
        return int(rows.stop - rows.start)

    size = chunk_size or _chunk_size(experiment, n, lanes, threads)
    memories: queue.SimpleQueue[Memory] = queue.SimpleQueue()
    for _ in range(min(threads, -(-n // size))):
        memories.put(program.memory())
    chunks = (slice(first, min(first + size, n)) for first in range(0, n, size))
    interrupted = _in_threads(task, chunks, threads, program.cancel, advance)
    return Trained(
        columns=columns,
        params=kept,
        finished=columns["epochs_run"] != NEVER,
        interrupted=interrupted,
        seconds=time.perf_counter() - compiled,
        compile_seconds=compiled - start,
        driver="specialised" if specialise else "general",
        lanes=lanes,
        threads=threads,
    )


def _in_threads(
    task: Callable[[slice], int],
    chunks: Iterator[slice],
    threads: int,
    cancel: Callable[[], None],
    advance: Callable[[int], object] | None,
) -> bool:
    """Run the task on every chunk; return whether Ctrl-C ended that early.

    Chunks are given out as threads become free, so an interruption leaves none waiting; kernels in the middle of
    one look at a flag, and return.
    """
    waiting: set[Future[int]] = set()
    with ThreadPoolExecutor(threads, thread_name_prefix="fastgrok") as pool:
        try:
            for chunk in chunks:
                waiting.add(pool.submit(task, chunk))
                if len(waiting) > threads:
                    waiting = _collect(waiting, advance)
            while waiting:
                waiting = _collect(waiting, advance)
        except BaseException as error:
            cancel()
            if not isinstance(error, KeyboardInterrupt):
                raise
            return True
    return False


def _collect(waiting: set[Future[int]], advance: Callable[[int], object] | None) -> set[Future[int]]:
    """Wait for the next chunk; return those still under way."""
    done, pending = wait(waiting, return_when=FIRST_COMPLETED)
    finished = sum(future.result() for future in done)
    if advance is not None:
        advance(finished)
    return pending


def _columns(experiment: Experiment, n: int) -> dict[str, np.ndarray]:
    """Return the result variables, to be filled; epochs_run says which rows have been."""
    shapes = {SEED: n, HIDDEN_LAYER: len(experiment.network.relu_layers)}
    columns = {v.name: np.zeros([shapes[dim] for dim in v.dims], v.dtype) for v in VARIABLES.values()}
    columns["epochs_run"][:] = NEVER
    return columns


def _specialise(experiment: Experiment, n: int, threads: int) -> bool:
    """Whether a specialised driver saves more time than it takes to compile, or to read where it is on disk."""
    if not build.fits_registers(experiment):
        return False
    flops = n * build.flops_per_epoch(experiment) * experiment.epochs / threads
    saved = flops / _GENERAL_FLOPS - flops / _SPECIALISED_FLOPS
    if saved > _COMPILE_SECONDS:
        return True
    return saved > _COMPILE_SECONDS / 10 and Program.is_cached(experiment)


def _chunk_size(experiment: Experiment, n: int, lanes: int, threads: int) -> int:
    """Return the seeds of a chunk: enough to fill lanes and refill them, few enough to balance the threads."""
    flops = build.flops_per_epoch(experiment) * max(experiment.epochs, 1)
    size = int(_CHUNK_FLOPS / flops)
    if experiment.stop is not None:
        size = max(size, _REFILLS * lanes)
    size = min(size, -(-n // threads))
    row_bytes = 8 * (2 * experiment.n_params + build.state_words(experiment))
    size = min(size, _CHUNK_BYTES // row_bytes)
    return max(lanes, -(-size // lanes) * lanes)
