"""The kernels of one experiment, called again and again with arrays that have been checked."""

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, NamedTuple, TypeVar

import numpy as np

from fastgrok.engine.draws import restart_tensors, state_words
from fastgrok.engine.driver import evaluation_lane_count, lane_count, make_driver
from fastgrok.engine.kernel_params import (
    driver_features,
    evaluation_kernel_params,
    evaluation_on,
    flops_per_epoch,
    is_batched,
    make_kernel_params,
    with_epochs,
    with_lr,
)
from fastgrok.engine.layout import functions, kinds
from fastgrok.engine.left import train_left
from fastgrok.engine.losses import LOSSES
from fastgrok.engine.notices import announced, shown
from fastgrok.engine.program import Program, driver_name
from fastgrok.engine.threads import cpu_count, in_threads, thread_pool
from fastgrok.engine.workspace import (
    evaluation_workspace,
    make_outputs,
    make_workspace,
    training_data,
    validation_data,
)
from fastgrok.kernels.evaluate import make_predict
from fastgrok.kernels.gradients import make_gradients
from fastgrok.kernels.jit import bound
from fastgrok.kernels.train.parameters import Data, KernelParams
from fastgrok.spec.experiment import Experiment

_AT_ONCE_FLOPS = 2e7  # a millisecond or two, which the calling thread does: to wake another takes a tenth of it
_TRAIN, _EVALUATE, _PREDICT = range(3)  # the kernels, in this order
_ROUNDS = 4  # chunks of a thread where there are enough seeds, since some train longer than others

_Memory = TypeVar("_Memory")


class Ends(NamedTuple):
    """How training ended, one row a seed."""

    epochs_run: np.ndarray
    epochs_to_converge: np.ndarray


class _Spare(Generic[_Memory]):
    """Memory of threads, used again: each call takes one and gives it back, so there are as many as were needed."""

    def __init__(self, make: Callable[[], _Memory]) -> None:
        self._make = make
        self._unused: deque[_Memory] = deque()

    def take(self) -> _Memory:
        try:
            return self._unused.pop()
        except IndexError:
            return self._make()

    def give(self, memory: _Memory) -> None:
        self._unused.append(memory)


class Threads:
    """The threads of a trainer: none before there is much to do, and new ones after a fork."""

    def __init__(self, threads: int | None) -> None:
        self._threads = threads
        self._pools: dict[int, ThreadPoolExecutor] = {}  # by process

    def run(self, task: Callable[[slice, np.ndarray], None], n: int, flops: float, lanes: int) -> None:
        """Run task(rows, cancel) on n rows of so many operations each; Ctrl-C is raised when it has ended."""
        cancel = np.zeros(1, np.int64)
        if max(n, lanes) * flops <= _AT_ONCE_FLOPS:
            task(slice(0, n), cancel)
            return
        threads = self._threads or cpu_count()
        blocks = -(-n // lanes)
        size = lanes * max(1, -(-blocks // (threads * _ROUNDS)))

        def stop() -> None:
            cancel[0] = 1

        pool = self._workers(threads)
        if in_threads(lambda rows: task(rows, cancel), n, size, threads, cancel=stop, advance=None, pool=pool):
            raise KeyboardInterrupt

    def _workers(self, threads: int) -> ThreadPoolExecutor:
        """Return the pool of this process, without a lock that a fork may find locked: a pool starts no thread."""
        process = os.getpid()
        if process not in self._pools:
            self._pools.setdefault(process, thread_pool(threads))
        return self._pools[process]


class Calls:
    """The kernels of an experiment on lanes that suit a number of seeds; threads may share one.

    Arrays are C-contiguous and in the experiment's dtype; params: (n_seeds, n_params). What is not compiled yet is
    when it is first called, and that is said on stderr where it is shown.
    """

    def __init__(
        self, experiment: Experiment, threads: Threads, *, specialize: bool, n_seeds: int, show: bool | None
    ) -> None:
        self._experiment, self._threads, self._show = experiment, threads, show
        self._lanes = lane_count(experiment, specialize=specialize, n_seeds=n_seeds)
        self._evaluation_lanes = evaluation_lane_count(experiment, n_seeds=n_seeds)
        self._whole = make_kernel_params(experiment)
        self._plain = evaluation_kernel_params(self._whole)
        self._data, self._validation = training_data(experiment), validation_data(experiment)
        self._tensors, self._words = restart_tensors(experiment), state_words(experiment)
        self._streams = Program(experiment, specialize=False, lanes=self._evaluation_lanes, n_seeds=n_seeds)
        at_once = is_batched(experiment)
        evaluation = self._evaluation_lanes, experiment.dtype, functions()
        bound_to = kinds(experiment.network, experiment.loss)
        gradients, predict = (make(*evaluation, is_batched=at_once) for make in (make_gradients, make_predict))
        self._kernels = {
            driver_name(experiment, specialize=specialize): make_driver(
                experiment, self._lanes, specialize=specialize
            ),
            f"losses and gradients, {experiment.dtype}": gradients.bound_to(bound_to),
            f"predictions, {experiment.dtype}": predict.bound_to(bound_to),
        }
        self._driver, self._gradients, self._predict = map(bound, self._kernels.values())
        self._ready = [False] * len(self._kernels)
        self._blocks = _Spare(lambda: make_workspace(experiment, self._lanes))
        self._evaluation_blocks = _Spare(
            lambda: evaluation_workspace(experiment, self._evaluation_lanes, gradients=True)
        )
        self._flops = flops_per_epoch(experiment)
        self._slope = LOSSES[experiment.loss].slope
        self._monitors = driver_features(experiment).monitors

    def compile(self) -> None:
        """Compile the kernels, or read them from the cache."""
        for what in range(len(self._kernels)):
            self._compile(what)

    def _compile(self, which: int) -> None:
        """Compile a kernel, or read it from the cache: call it, cancelled."""
        what, kernel = list(self._kernels.items())[which]
        params, cancelled = np.zeros((1, self._experiment.n_params), self._experiment.dtype), np.ones(1, np.int64)
        outputs = np.empty((1, 1, self._experiment.network.n_out), params.dtype)
        first_calls: tuple[Callable[[], object], ...] = (
            lambda: self._train_rows(params, np.zeros((1, self._words), np.uint64), self._whole, cancelled),
            lambda: self._evaluate_rows(params[:, 0].copy(), params.copy(), params, self._data, cancelled),
            lambda: self._predict_rows(outputs, params, self._data.inputs[:1], cancelled),
        )
        with shown(self._show), announced(what, kernel):
            first_calls[which]()
        self._ready[which] = True

    def train(self, params: np.ndarray, seeds: np.ndarray | None, epochs: int | None, lr: float | None) -> Ends:
        """Train in place; seeds: uint64 (n_seeds,), those of 0, 1, ... if None."""
        n, whole = len(params), self._whole
        if epochs is not None and epochs != whole.limits.epochs:
            whole = with_epochs(self._experiment, whole, epochs)
        if lr is not None:
            whole = with_lr(self._experiment, whole, lr)
        if not self._ready[_TRAIN]:
            self._compile(_TRAIN)
        if whole.limits.epochs == 0:
            return Ends(np.zeros(n, np.int64), np.full(n, -1, np.int64))
        if self._words:
            with shown(self._show):
                _, states = self._streams.initialise(np.arange(n, dtype=np.uint64) if seeds is None else seeds)
        else:
            states = np.empty((n, 0), np.uint64)
        ends = Ends(np.empty(n, np.int64), np.empty(n, np.int64))

        def task(rows: slice, cancel: np.ndarray) -> None:
            of_rows = self._train_rows(params[rows], states[rows], whole, cancel)
            ends.epochs_run[rows], ends.epochs_to_converge[rows] = of_rows

        self._threads.run(task, n, self._flops * whole.limits.epochs, self._lanes)
        return ends

    def evaluate(self, losses: np.ndarray, grads: np.ndarray, params: np.ndarray, data: Data | None) -> None:
        """Fill losses (n_seeds,) and grads (n_seeds, n_params), or only losses where grads is (0, n_params)."""
        if not self._ready[_EVALUATE]:
            self._compile(_EVALUATE)
        data = self._data if data is None else data
        flops = 6.0 * self._experiment.n_params * len(data.inputs)

        def task(rows: slice, cancel: np.ndarray) -> None:
            self._evaluate_rows(losses[rows], grads[rows], params[rows], data, cancel)

        self._threads.run(task, len(params), flops, self._evaluation_lanes)

    def predict(self, outputs: np.ndarray, params: np.ndarray, X: np.ndarray | None) -> None:
        """Fill outputs (n_seeds, n_examples, n_out)."""
        if not self._ready[_PREDICT]:
            self._compile(_PREDICT)
        inputs = self._data.inputs if X is None else X
        flops = 2.0 * self._experiment.n_params * len(inputs)

        def task(rows: slice, cancel: np.ndarray) -> None:
            self._predict_rows(outputs[rows], params[rows], inputs, cancel)

        self._threads.run(task, len(params), flops, self._evaluation_lanes)

    def _train_rows(self, params: np.ndarray, states: np.ndarray, whole: KernelParams, cancel: np.ndarray) -> Ends:
        block = self._blocks.take()
        outputs = make_outputs(self._experiment, params, initial_losses=self._initial_losses(params, cancel))
        inputs = self._data, self._validation, self._tensors, whole
        self._driver(outputs, states, block, *inputs, cancel)
        self._blocks.give(block)
        train_left(self._experiment, outputs, states, inputs, cancel, show=self._show)
        return Ends(outputs.epochs_run, outputs.epochs_to_converge)

    def _initial_losses(self, params: np.ndarray, cancel: np.ndarray) -> np.ndarray | None:
        """Return the losses of networks on the training data if the driver needs them, None if not."""
        if not self._monitors:
            return None
        losses = np.empty(len(params), params.dtype)
        self._evaluate_rows(losses, params[:0], params, self._data, cancel)
        return losses

    def _evaluate_rows(
        self, losses: np.ndarray, grads: np.ndarray, params: np.ndarray, data: Data, cancel: np.ndarray
    ) -> None:
        block, plain = self._evaluation_blocks.take(), self._plain
        if data is not self._data:
            plain = evaluation_on(self._experiment, plain, len(data.inputs))
        self._gradients(losses, grads, params, block, data, plain, self._slope, cancel)
        self._evaluation_blocks.give(block)

    def _predict_rows(self, outputs: np.ndarray, params: np.ndarray, X: np.ndarray, cancel: np.ndarray) -> None:
        block, plain = self._evaluation_blocks.take(), self._plain._replace(n_examples=len(X))
        data = Data(X, np.zeros((len(X), outputs.shape[2]), outputs.dtype))
        self._predict(outputs, params, block, data, plain, cancel)
        self._evaluation_blocks.give(block)
