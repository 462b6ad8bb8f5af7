"""Training of many seeds in chunks, and what else is done for many seeds in threads."""

import contextlib
import dataclasses
import queue
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, Self

import numpy as np

from fastgrok.datasets.memory import check_fits
from fastgrok.engine import arguments, program
from fastgrok.engine.arguments import MAX_LANES, ExecutionOptions
from fastgrok.engine.choice import Choice
from fastgrok.engine.draws import state_words
from fastgrok.engine.driver import evaluation_lane_count, lane_count
from fastgrok.engine.initial_params import Initialiser
from fastgrok.engine.kernel_params import batches_per_epoch, driver_features
from fastgrok.engine.notices import progress_bar, shown
from fastgrok.engine.outcomes import with_earlier
from fastgrok.engine.program import ChunkResult, Program, ThreadMemory
from fastgrok.engine.threads import cpu_count, in_threads
from fastgrok.engine.workspace import block_vectors, evaluation_vectors
from fastgrok.kernels.jit import working_seconds
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.network import Network
from fastgrok.spec.recording import NOTHING, Recording, shapes
from fastgrok.spec.variables import NEVER, VARIABLES, Variable

_CHUNK_SECONDS = 0.1  # of one thread: how soon a run can change over to a faster driver, or be cancelled
_TASK_FLOPS = 3e9  # of what is done besides training: 50 to 200 ms of one thread
CHUNK_BYTES = 32 * 2**20
"""Of the rows of a chunk at most, about."""

_DRAW_FLOPS = 100  # of one parameter: its stream, and the seeding of the stream shared among few
_REFILLS = 16  # seeds per lane in a chunk that stops early, so that its last seeds are few beside the rest
_AT_ONCE_FLOPS, _AT_ONCE_SEEDS = 2e7, 1024  # a millisecond or two: threads save little, and Ctrl-C need not wait


class Beside(NamedTuple):
    """Where the rows of a configuration stand that was trained together with others."""

    metrics: dict[str, np.ndarray]  # of all of them, all finished
    rows: slice


@dataclasses.dataclass
class TrainingOutput:
    """What training one configuration gave: one row a seed."""

    metrics: dict[str, np.ndarray]
    params: np.ndarray | None  # (n_seeds, n_params)
    finished: np.ndarray  # bool (n_seeds,): rows of chunks that an interruption left undone are False
    interrupted: bool
    seconds: float  # of training, without those of compiling before
    drivers: dict[str, int]  # how many seeds each driver trained
    lanes: int  # of the last of them
    threads: int
    recording: Recording
    beside: Beside | None = None  # where the rows stand, if beside those of other configurations
    measured: dict[str, tuple[Variable, np.ndarray]] | None = None  # result variables of the user's own, all rows

    @classmethod
    def blank(cls, experiment: Experiment, recording: Recording, n: int) -> Self:
        """Return n finished rows whose result variables the caller fills in."""
        metrics, finished = _blank_metrics(experiment, recording, n), np.ones(n, np.bool_)
        return cls(metrics, None, finished, False, 0.0, {}, 0, 0, recording)

    def not_started(self, experiment: Experiment) -> Self:
        """Return the output for another configuration whose rows are all unfinished; they take no memory."""
        n = len(self.finished)

        def zeros(shape: Sequence[int], dtype: str) -> np.ndarray:
            return np.broadcast_to(np.zeros((), dtype), shape)

        return dataclasses.replace(
            self,
            metrics={
                name: zeros(s, VARIABLES[name].dtype) for name, s in shapes(experiment, self.recording, n).items()
            },
            params=None if self.params is None else zeros([n, experiment.n_params], experiment.dtype),
            finished=zeros([n], "bool"),
            interrupted=True,
            seconds=0.0,
            drivers={},
            beside=None,
            measured=None,
        )

    def finished_rows(self, array: np.ndarray) -> np.ndarray:
        """Return the finished rows of an array, the array itself if all of them are."""
        return array if self.finished.all() else array[self.finished]

    @property
    def finished_metrics(self) -> dict[str, np.ndarray]:
        """The result variables of the finished rows, of which there may be none."""
        if self.finished.all():
            return dict(self.metrics)
        return {name: values[self.finished] for name, values in self.metrics.items()}


def joined_metrics(outputs: Sequence[TrainingOutput]) -> list[dict[str, np.ndarray]]:
    """Return the result variables of the finished rows of outputs in pieces; what stands together is one."""
    pieces: list[Beside] = []
    for output in outputs:
        own = output.beside or Beside(output.finished_metrics, slice(0, len(output.finished)))
        if pieces and own.metrics is pieces[-1].metrics and own.rows.start == pieces[-1].rows.stop:
            own = Beside(own.metrics, slice(pieces.pop().rows.start, own.rows.stop))
        pieces.append(own)
    return [{name: values[piece.rows] for name, values in piece.metrics.items()} for piece in pieces]


class _Rows:
    """The result variables of a run, filled chunk by chunk."""

    def __init__(self, experiment: Experiment, recording: Recording, n: int, *, keep_params: bool, at_once: bool):
        self.metrics = {} if at_once else _blank_metrics(experiment, recording, n)
        self.params = np.empty((n, experiment.n_params), experiment.dtype) if keep_params else None
        self._at_once = at_once

    def put(self, rows: slice, result: ChunkResult) -> None:
        """Fill the rows of a chunk, or of all where there is one."""
        if self._at_once:
            self.metrics.update(all_rows(result.metrics))
        else:
            for name, values in result.metrics.items():
                self.metrics[name][rows] = values
        if self.params is not None:
            self.params[rows] = result.params


class _Workers:
    """What the threads of a run work with: the program of the choice, and memory for each."""

    def __init__(self, choice: Choice, n: int) -> None:
        self._choice = choice
        self._free: queue.SimpleQueue[tuple[Program, ThreadMemory]] = queue.SimpleQueue()
        for _ in range(n):
            self._free.put((choice.program, choice.program.memory()))

    @contextlib.contextmanager
    def one(self) -> Iterator[tuple[Program, ThreadMemory]]:
        """Take the program of the moment and memory for it, and put them back."""
        program, memory = self._free.get()
        try:
            self._choice.change_over()
            if program is not self._choice.program:
                program, memory = (faster := self._choice.program), faster.memory()
            yield program, memory
        finally:
            self._free.put((program, memory))

    def compile(self, chunk: int) -> Program:
        """Compile what the run begins with, for chunks of so many seeds, and return it."""
        program, memory = self._free.get()
        self._choice.compile(memory, chunk)
        self._free.put((program, memory))
        return program

    def give_back(self) -> None:
        """Let the programs keep the memory for the next run."""
        while not self._free.empty():
            program, memory = self._free.get()
            program.give_back(memory)


def train(
    experiment: Experiment,
    seeds: np.ndarray,
    options: ExecutionOptions = ExecutionOptions(),  # noqa: B008 - it is immutable
    *,
    params: np.ndarray | None = None,
    masks: np.ndarray | None = None,
    keep_params: bool = False,
    recording: Recording = NOTHING,
    advance: Callable[[int], object] | None = None,
    collect: Callable[[slice, ChunkResult], object] | None = None,
    pool: ThreadPoolExecutor | None = None,
) -> TrainingOutput:
    """Train one network per seed.

    seeds: uint64 (n_seeds,); masks: bool (n_seeds, n_params), or (1, n_params) for all, False for what is cut out.
    """
    n, threads, recording = len(seeds), options.threads or cpu_count(), with_earlier(recording, experiment)
    recording = recording._replace(masked=masks is not None)
    masks = None if masks is None else np.broadcast_to(masks, (n, experiment.n_params))
    choice = Choice(experiment, recording, n, options)
    at_once = _is_done_at_once(max(n, choice.lanes), choice.flops * max(experiment.epochs, 1), options)
    size = n if at_once else options.chunk_size or _chunk_size(experiment, recording, n, choice, threads)
    workers = _Workers(choice, min(threads, -(-n // size)))
    first = workers.compile(size)
    begun = time.perf_counter()
    filled = _Rows(experiment, recording, n, keep_params=keep_params, at_once=at_once)

    def task(rows: slice) -> None:
        with workers.one() as (program, memory):
            before = working_seconds()
            starts, cut = (None if each is None else each[rows] for each in (params, masks))
            result = program.train(seeds[rows], starts, memory, cut)
            seconds = working_seconds() - before
        if program.cancelled:
            return  # the seeds of a chunk that are done by now are the fast ones, no fair sample
        choice.trained(program, rows.stop - rows.start, int(result.metrics["epochs_run"].sum()), seconds)
        filled.put(rows, result)
        if collect is not None:
            collect(rows, result)

    interrupted = in_threads(task, n, size, threads, cancel=first.cancel, advance=advance, pool=pool, at_once=at_once)
    seconds = time.perf_counter() - begun
    choice.end()
    workers.give_back()
    return TrainingOutput(
        metrics=filled.metrics,
        params=filled.params,
        finished=filled.metrics["epochs_run"] != NEVER,
        interrupted=interrupted,
        seconds=seconds,
        drivers=dict(choice.drivers),
        lanes=choice.lanes,
        threads=threads,
        recording=recording,
    )


def _is_done_at_once(n: int, flops: float, options: ExecutionOptions) -> bool:
    """Whether n seeds of so many operations are so little work that this thread does it, if nothing else was said."""
    if n > _AT_ONCE_SEEDS or options.chunk_size is not None or options.threads not in (None, 1):
        return False
    return n * flops < _AT_ONCE_FLOPS


def working_bytes(experiment: Experiment, recording: Recording, n: int, options: ExecutionOptions) -> int:
    """Return about how many bytes training n seeds takes besides their results."""
    usual = lane_count(experiment, specialize=False, n_seeds=n)
    training = block_vectors(experiment) * (options.lanes or usual)
    evaluation = evaluation_vectors(experiment) * evaluation_lane_count(experiment, n_seeds=n)
    block = (training + evaluation) * np.dtype(experiment.dtype).itemsize
    rows = min(options.chunk_size or max(1, CHUNK_BYTES // chunk_row_bytes(experiment, recording)), n)
    return min(options.threads or cpu_count(), n) * (block + rows * chunk_row_bytes(experiment, recording))


def chunk_row_bytes(experiment: Experiment, recording: Recording) -> int:
    """Return about how many bytes one seed of a chunk takes."""
    steps = recording.steps * experiment.epochs * batches_per_epoch(experiment)
    kept = 3 + len(with_earlier(recording, experiment).epochs) + recording.attempts + steps
    held = driver_features(experiment, recording).holds
    return 8 * (kept * experiment.n_params + state_words(experiment)) + held * experiment.n_params


def initial_params_of(experiment: Experiment, seeds: Any, *, show: bool | None = None) -> np.ndarray:
    """Return the initial parameters of what a caller takes for seeds, which have to fit into memory."""
    accepted = arguments.accepted_seeds(seeds, experiment.stream)
    n = arguments.n_seeds(accepted)
    rows = MAX_LANES * (state_words(experiment) + experiment.n_params) * cpu_count()  # of streams, and of doubles
    row = 8 + experiment.n_params * np.dtype(experiment.dtype).itemsize
    check_fits("seeds", n, n * row + 8 * rows)
    return initial_params(experiment, arguments.seeds_array(accepted), show=show)


def initial_params(experiment: Experiment, seeds: np.ndarray, *, show: bool | None = None) -> np.ndarray:
    """Return the initial parameters of seeds, (n_seeds, n_params), in the experiment's dtype.

    show: whether to say on stderr what is compiled; None: if it is a terminal.
    """
    params, initialise = np.empty((len(seeds), experiment.n_params), experiment.dtype), Initialiser(experiment)

    def task(rows: slice, cancel: np.ndarray) -> None:
        initialise(params[rows], np.empty((rows.stop - rows.start, 0), np.uint64), seeds[rows])

    with shown(show), progress_bar(len(seeds), None if show else show) as advance:
        _all_in_threads(task, len(seeds), experiment.n_params * _DRAW_FLOPS, advance)
    return params


def predict(network: Network, params: np.ndarray, X: np.ndarray) -> np.ndarray:
    """Return the outputs (n_seeds, n_examples, n_out) of networks with parameters (n_seeds, n_params)."""
    per_example = 2 * network.n_in + 4 * network.n_out  # of a thread: as a dataset, and for the kernel
    size = len(params) * len(X) * network.n_out * params.dtype.itemsize + 8 * cpu_count() * len(X) * per_example
    check_fits("X", X.shape, size, "fewer examples, or fewer networks")
    outputs = np.empty((len(params), len(X), network.n_out), params.dtype)

    def task(rows: slice, cancel: np.ndarray) -> None:
        program.predict(outputs[rows], network, params[rows], X, cancel)

    with shown(None), progress_bar(len(params), None, "networks") as advance:
        _all_in_threads(task, len(params), 2.0 * network.n_params * len(X), advance)
    return outputs


def _all_in_threads(
    task: Callable[[slice, np.ndarray], None], n: int, flops: float, advance: Callable[[int], object] | None
) -> None:
    """Run task(rows, cancel) on all of n rows of so many operations each; Ctrl-C is raised when it has ended."""
    threads, at_once = cpu_count(), n <= _AT_ONCE_SEEDS and n * flops < _AT_ONCE_FLOPS
    size = max(MAX_LANES, min(int(_TASK_FLOPS / flops), -(-n // threads)))
    cancel = np.zeros(1, np.int64)

    def unless_cancelled(rows: slice) -> None:
        if not cancel[0]:
            task(rows, cancel)

    def stop() -> None:
        cancel[0] = 1

    if in_threads(unless_cancelled, n, size, threads, cancel=stop, advance=advance, at_once=at_once):
        raise KeyboardInterrupt


def _blank_metrics(experiment: Experiment, recording: Recording, n: int) -> dict[str, np.ndarray]:
    """Return the result variables, to be filled; epochs_run says which rows have been."""
    made = {name: np.zeros(shape, VARIABLES[name].dtype) for name, shape in shapes(experiment, recording, n).items()}
    made["epochs_run"][:] = NEVER
    return made


def all_rows(metrics: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the result variables of the one chunk that there is, as `_blank_metrics` has them."""
    return {
        name: np.ascontiguousarray(metrics[name], variable.dtype)
        for name, variable in VARIABLES.items()
        if name in metrics
    }


def _chunk_size(experiment: Experiment, recording: Recording, n: int, choice: Choice, threads: int) -> int:
    """Return the seeds of a chunk: enough to fill lanes and refill them, few enough to balance the threads."""
    lanes = choice.most_lanes
    size = int(_CHUNK_SECONDS * choice.rate / (choice.flops * max(experiment.epochs, 1)))
    if experiment.stop is not None:
        size = max(size, _REFILLS * lanes)
    size = min(size, -(-n // threads))
    most = max(1, CHUNK_BYTES // chunk_row_bytes(experiment, recording))
    if most < lanes:
        return most  # some lanes stay idle, and memory bounded
    return lanes * even_share(-(-n // lanes), max(1, min(size, most) // lanes), threads)


def even_share(n: int, most: int, threads: int) -> int:
    """Return how many of n blocks to give out at once, from half of `most` to it: the last thread ends soonest.

    Sixteen blocks by threes on two threads keep one of them for nine blocks, and by twos both for eight.
    """

    def longest(share: int) -> tuple[int, int]:
        return -(-n // (share * threads)) * share, -share

    return min(range((most + 1) // 2, most + 1), key=longest)
