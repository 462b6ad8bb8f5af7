"""An experiment's compiled kernels, and what they do with one chunk of seeds."""

import contextlib
import functools
import itertools
import os
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

import numpy as np

from fastgrok.datasets import Dataset
from fastgrok.engine.draws import initial, own_words, restart_tensors, scratch_size, state_words
from fastgrok.engine.driver import evaluation_lane_count, make_driver
from fastgrok.engine.initial_params import Initialiser
from fastgrok.engine.kernel_params import (
    evaluation_kernel_params,
    gradient_scale,
    is_batched,
    make_kernel_params,
    n_state,
    with_optimizer,
)
from fastgrok.engine.layout import functions, kinds, make_layout
from fastgrok.engine.left import train_left
from fastgrok.engine.metrics import Metrics
from fastgrok.engine.notices import announced
from fastgrok.engine.workspace import (
    block_vectors,
    evaluation_workspace,
    make_outputs,
    make_workspace,
    rows_of,
    training_data,
    validation_data,
)
from fastgrok.kernels.evaluate import Measures, Scratch, make_evaluate, make_expose, make_predict
from fastgrok.kernels.init.initialise import make_seed_stream
from fastgrok.kernels.jit import bound
from fastgrok.kernels.train.parameters import Data, KernelParams
from fastgrok.kernels.train.workspace import Outputs, Workspace
from fastgrok.spec.experiment import FIELDS, Experiment
from fastgrok.spec.losses import any_loss
from fastgrok.spec.network import Network
from fastgrok.spec.recording import NOTHING, Recording


class ThreadMemory(NamedTuple):
    """What one thread works in."""

    training: Workspace
    evaluation: Workspace
    scratch: Scratch


class ChunkResult(NamedTuple):
    """The results of one chunk."""

    metrics: dict[str, np.ndarray]
    params: np.ndarray
    outputs: Outputs


class Examined(NamedTuple):
    """Everything that networks do on the data."""

    training: Measures
    validation: Measures | None
    acts: np.ndarray  # (n, n_examples, n_acts)
    deltas: np.ndarray  # (n, n_examples, n_acts): of each example's own loss
    grads: np.ndarray  # (n, n_params): of the mean loss


class _Examples(NamedTuple):
    """The training or the validation data, and the kernel parameters for evaluating on them."""

    data: Data
    kernel_params: KernelParams


_SPARE_MEMORIES = 4  # of threads that are done
_KEPT_PROGRAMS, _KEPT_NUMBERS = 16, 2**16  # programs, and numbers in the memory and the data of each, at most
_kept: OrderedDict[tuple[object, ...], "Program"] = OrderedDict()
_kept_lock = threading.Lock()


def _alike_kept(experiment: Experiment, options: tuple[object, ...]) -> "Program | None":
    """Return a program for an experiment that is like the one of a program that is kept; the newest are looked at."""
    programs = (program for (_, *own), program in reversed(_kept.items()) if tuple(own) == options)
    return next(filter(None, (program.alike(experiment) for program in programs)), None)


class _Shared(NamedTuple):
    """What programs share whose arguments differ in numbers alone, as many of a sweep do."""

    run_driver: Callable[..., None]  # bound to the types of the arguments
    run_evaluate: Callable[..., None]
    spare: deque[ThreadMemory]  # of threads that are done


@functools.lru_cache(maxsize=_KEPT_PROGRAMS)
def _shared(driver: Any, evaluate: Any, shape: object) -> _Shared:
    """Return what programs of two kernels share whose memory has a shape."""
    return _Shared(bound(driver), bound(evaluate), deque(maxlen=_SPARE_MEMORIES))


def _shape(experiment: Experiment) -> tuple[object, ...]:
    """Return what decides, beside its kernels, how much memory an experiment trains in."""
    data = [
        None if each is None else (each.X.shape, each.y.shape) for each in (experiment.data, experiment.validation)
    ]
    own = experiment.network, experiment.batch_rows, type(experiment.optimizer), n_state(experiment)
    return *own, *data, scratch_size(initial(experiment)) if experiment.restart is not None else 0


def _varied_types(kernel_params: KernelParams) -> object:
    """Return the types of an optimizer's numbers; those of all other arguments follow from kernels and shapes."""

    def types(value: Any) -> object:
        return (type(value), *map(types, value)) if isinstance(value, tuple) else type(value)

    return types(kernel_params.hyperparams), types(kernel_params.structure.terms)


class Program:
    """The compiled kernels of an experiment and their arguments; threads may share one."""

    @classmethod
    def kept(cls, experiment: Experiment, **options: Any) -> "Program":
        """Return a program that nothing has cancelled: if it is small, one made before for this very object.

        Making it takes longer than one seed trains. Experiments are told apart by identity: to compare those that are
        equal would take a hash of their data.
        """
        key = (id(experiment), *options.values())
        with _kept_lock:
            known = _kept.pop(key, None) or _alike_kept(experiment, tuple(options.values()))
            made = cls(experiment, **options) if known is None else known
            if made._is_small:
                _kept[key] = made
            while len(_kept) > _KEPT_PROGRAMS:
                _kept.popitem(last=False)
        return made._with(_cancel=np.zeros(1, np.int64))

    def __init__(
        self,
        experiment: Experiment,
        *,
        specialize: bool,
        lanes: int,
        n_seeds: int,
        recording: Recording = NOTHING,
    ) -> None:
        self.experiment = experiment
        self._recording, self.n_seeds = recording, n_seeds
        self.lanes = lanes
        self._evaluation_lanes = evaluation_lane_count(experiment, n_seeds=n_seeds)
        self._kernel_params = make_kernel_params(experiment, recording)
        self._training = _Examples(training_data(experiment), evaluation_kernel_params(self._kernel_params))
        self._validation: _Examples | None = None
        if (examples := validation_data(experiment)) is not None:
            params = evaluation_kernel_params(self._kernel_params, validation=True)
            self._validation = _Examples(examples, params)
        self._initialise = Initialiser(experiment)
        held_out = None if self._validation is None else self._validation.data
        self._inputs = self._training.data, held_out, restart_tensors(experiment), self._kernel_params
        self.specialize = specialize
        self.driver = make_driver(experiment, lanes, specialize=specialize, recording=recording)
        evaluate = make_evaluate(
            self._evaluation_lanes, experiment.dtype, functions(), is_batched=is_batched(experiment)
        )
        self._kinds = kinds(experiment.network, experiment.loss)
        self.evaluate = evaluate.bound_to(self._kinds)
        self._types = _varied_types(self._kernel_params)
        shape = _shape(experiment), recording, self._types
        self._run_driver, self._run_evaluate, self._spare = _shared(self.driver, self.evaluate, shape)
        if experiment.epochs == 0:
            self._run_driver = _train_no_epoch
        self._cancel = np.zeros(1, np.int64)
        self._scale, network = gradient_scale(experiment), experiment.network
        self._n_linears, self._n_units = len(network.linears), sum(network.relu_widths)
        self._is_small = _numbers(experiment, max(lanes, self._evaluation_lanes)) <= _KEPT_NUMBERS

    def _with(self, **changes: Any) -> "Program":
        """Return a copy of which some attributes are others."""
        other = object.__new__(Program)
        other.__dict__.update(self.__dict__, **changes)
        return other

    def with_driver(self, *, specialize: bool, lanes: int) -> "Program":
        """Return it with another driver; `cancel` reaches both."""
        options: dict[str, Any] = {"n_seeds": self.n_seeds, "recording": self._recording}
        other = Program.kept(self.experiment, specialize=specialize, lanes=lanes, **options)
        other._cancel = self._cancel
        return other

    def compile(self, memory: ThreadMemory, wait: Callable[[], None] | None = None) -> None:
        """Compile the kernels, or read them from the cache, unless that has been done: run them, cancelled.

        `wait` is called before all but the driver, where another process compiles that.
        """
        if self.experiment.epochs > 0 and not self.driver.is_loaded:
            with announced(driver_name(self.experiment, specialize=self.specialize), self.driver):
                self.compile_driver(memory)
        others = [*self._initialise.kernels, self.evaluate]
        if not all(kernel.is_loaded for kernel in others):
            with announced(f"the draws and the evaluation, {self.experiment.dtype}", *others):
                if wait is not None:
                    wait()
                self.compile_others(memory)

    def compile_others(self, memory: ThreadMemory | None = None) -> None:
        """Compile what evaluates and what draws, or read it from the cache.

        In this order: another process, which compiles the driver, takes what both need from the disk if it is there.
        """
        params = np.zeros((1, self.experiment.n_params), self.experiment.dtype)
        memory, cancelled = memory or self.memory(), np.ones(1, np.int64)
        self._measure(params, self._training, memory, cancelled, gradients=False)
        self.initialise(np.zeros(1, np.uint64))

    def compile_driver(self, memory: ThreadMemory | None = None) -> None:
        """Compile the driver alone, or read it from the cache."""
        params = np.zeros((1, self.experiment.n_params), self.experiment.dtype)
        states = np.zeros((1, state_words(self.experiment)), np.uint64)
        training = self.workspace() if memory is None else memory.training
        outputs = make_outputs(self.experiment, params, self._recording, params[:, 0])
        cancelled = np.ones(1, np.int64)
        self._run_driver(outputs, states, training, *self._inputs, cancelled)

    def cancel(self) -> None:
        """Have the kernels that are running return soon, with results that mean nothing."""
        self._cancel[0] = 1

    @property
    def cancelled(self) -> bool:
        """Whether `cancel` has been called."""
        return bool(self._cancel[0])

    def give_back(self, memory: ThreadMemory) -> None:
        """Keep memory that a thread is done with, for the next that asks."""
        if self._is_small:
            self._spare.append(memory)

    def workspace(self) -> Workspace:
        """Return memory for a block of lanes that trains."""
        return make_workspace(self.experiment, self.lanes, self._recording)

    def memory(self) -> ThreadMemory:
        """Return memory for one thread."""
        with contextlib.suppress(IndexError):
            return self._spare.pop()
        lanes, n_linear = self._evaluation_lanes, len(self.experiment.network.linears)
        evaluation = evaluation_workspace(self.experiment, lanes, gradients=True)
        return ThreadMemory(
            training=self.workspace(),
            evaluation=evaluation,
            scratch=Scratch(
                numbers=np.zeros_like(evaluation.acts, shape=(3, lanes)),
                norms=np.zeros_like(evaluation.acts, shape=(n_linear, lanes)),
                alive=np.zeros_like(evaluation.acts, shape=(make_layout(self.experiment.network).n_acts, lanes)),
                training_of=np.zeros((0, self.experiment.n_params), np.int8),
            ),
        )

    def initialise(self, seeds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the initial parameters of seeds, and the streams that training goes on with."""
        params = np.empty((len(seeds), self.experiment.n_params), self.experiment.dtype)
        own = np.empty((len(seeds), own_words(self.experiment)), np.uint64)
        self._initialise(params, own, seeds)
        states = np.empty((len(seeds), state_words(self.experiment)), np.uint64)
        states[:, : own.shape[1]] = own
        if self.experiment.order == "shared":
            shared = np.empty(states.shape[1] - own.shape[1], np.uint64)
            make_seed_stream(self.experiment.stream)(shared, np.uint64(self.experiment.order_seed))
            states[:, own.shape[1] :] = shared
        return params, states

    def train(
        self,
        seeds: np.ndarray,
        own_params: np.ndarray | None,
        memory: ThreadMemory,
        masks: np.ndarray | None = None,
    ) -> ChunkResult:
        """Train one network per seed, from what it draws or from `own_params` (n_seeds, n_params), and measure.

        masks: bool (n_seeds, n_params), False for what is cut out.
        """
        params, states = self.initialise(seeds)
        if own_params is not None:
            params[:] = own_params
        if masks is not None:
            params[~masks] = 0
        start = self._measure(params, self._training, memory, self._cancel, gradients=False)
        outputs = make_outputs(self.experiment, params, self._recording, start.loss, masks)
        self._run_driver(outputs, states, memory.training, *self._inputs, self._cancel)
        self._train_left(outputs, states)
        return self._results(outputs, start, memory)

    def _train_left(self, outputs: Outputs, states: np.ndarray) -> None:
        """Train by the general driver what the driver has left."""
        train_left(self.experiment, outputs, states, self._inputs, self._cancel, self._recording)

    def alike(self, experiment: Experiment) -> "Program | None":
        """Return the program of an experiment that differs in numbers of its optimizer alone, None of another."""
        for name in FIELDS:
            mine, other = getattr(self.experiment, name), getattr(experiment, name)
            is_same = mine is other or (isinstance(mine, int | float | str) and mine == other)
            if not is_same and name != "optimizer":
                return None
        old, specialize = self._kernel_params, self.specialize
        kernel_params = with_optimizer(experiment, old, self.experiment, specialize=specialize)
        if kernel_params is None or _varied_types(kernel_params) != self._types:
            return None
        inputs = *self._inputs[:-1], kernel_params
        return self._with(experiment=experiment, _kernel_params=kernel_params, _inputs=inputs)

    def train_alike(self, others: Sequence["Program"], seeds: np.ndarray, memory: ThreadMemory) -> ChunkResult:
        """Train every seed by this program and by each of those that are alike; their rows stand one after the other.

        All begin with the same parameters, and what is measured is measured of all networks at once.
        """
        programs = [self, *others]
        params, states = self.initialise(seeds)
        start = self._measure(params, self._training, memory, self._cancel, gradients=False)
        n = len(programs)
        outputs = make_outputs(self.experiment, np.tile(params, (n, 1)), self._recording, np.tile(start.loss, n))
        for k, program in enumerate(programs):
            own, own_states = rows_of(outputs, slice(k * len(seeds), (k + 1) * len(seeds))), states.copy()
            program._run_driver(own, own_states, memory.training, *program._inputs, program._cancel)
            program._train_left(own, own_states)
        return self._results(outputs, _repeated(start, len(programs)), memory)

    def _results(self, outputs: Outputs, start: Measures, memory: ThreadMemory) -> ChunkResult:
        """Measure what has been trained, and return it as result variables; it started as `start` says."""

        def measure(
            networks: np.ndarray, examples: _Examples, gradients: bool = False, rows: Any = slice(None)
        ) -> Measures:
            trained = None if outputs.training_of is None else outputs.training_of[rows]
            return self._measure(networks, examples, memory, self._cancel, gradients=gradients, training_of=trained)

        params, attempts = outputs.params, outputs.attempts
        initial = start if attempts is None else measure(attempts.last(attempts.starts), self._training)
        metrics = Metrics(self.experiment, outputs, initial, measure(params, self._training, gradients=True))
        recorded_at = {epoch: k for k, epoch in enumerate(self._recording.epochs)}

        def measured(rows: np.ndarray, epoch: int) -> Measures:
            recorded = outputs.recorded_params[rows, recorded_at[epoch]]
            return measure(recorded, self._training, gradients=True, rows=rows)

        values = metrics.always(self._recording, measured) | metrics.stopped_early()
        if self._validation is not None:
            values |= metrics.validation(measure(params, self._validation), self._kernel_params.n_validation)
        if self._recording.at is not None:
            later = (outputs.recorded_params[:, recorded_at[epoch]] for epoch in self._recording.at if epoch > 0)
            measures = (measure(np.ascontiguousarray(recorded), self._training) for recorded in later)
            values |= metrics.recorded(
                self._recording.at, itertools.chain([start] * (0 in self._recording.at), measures)
            )
        if self._recording.dead_units:
            values |= metrics.tracked()
        return ChunkResult(values, params, outputs)

    def examine(self, params: np.ndarray, memory: ThreadMemory, training_of: np.ndarray | None = None) -> Examined:
        """Return everything that networks with parameters (n, n_params) do on the training data.

        training_of: int8 (n, n_params), what is done with each parameter; None: all are trained.
        """
        n_examples, n_acts = self.experiment.data.n_examples, make_layout(self.experiment.network).n_acts
        acts, deltas = (np.empty((len(params), n_examples, n_acts), params.dtype) for _ in range(2))
        grads = np.empty_like(params)
        slope = self._scale * n_examples
        expose = make_expose(self._evaluation_lanes, self.experiment.dtype, functions()).bound_to(self._kinds)
        exposed = acts, deltas, grads, params, memory.evaluation, *self._training, slope
        if not (expose.is_loaded and self.evaluate.is_loaded):
            with announced(f"what each unit does, {self.experiment.dtype}", expose, self.evaluate):
                expose.code(exposed)
                self._measure(params[:1], self._training, memory, np.ones(1, np.int64), gradients=False)
        expose(*exposed)
        grads /= n_examples
        training = self._measure(
            params, self._training, memory, self._cancel, gradients=True, training_of=training_of
        )
        validation = None
        if self._validation is not None:
            validation = self._measure(params, self._validation, memory, self._cancel, gradients=False)
        return Examined(training, validation, acts, deltas, grads)

    def _measure(
        self,
        params: np.ndarray,
        examples: _Examples,
        memory: ThreadMemory,
        cancel: np.ndarray,
        *,
        gradients: bool,
        training_of: np.ndarray | None = None,
    ) -> Measures:
        """Measure networks; without gradients their norm means nothing. training_of: as for `examine`."""
        n, dtype, scratch = len(params), params.dtype, memory.scratch
        if training_of is not None and gradients:
            scratch = scratch._replace(training_of=np.ascontiguousarray(training_of))
        measures = Measures(
            loss=np.empty(n, dtype),
            n_correct=np.empty(n, dtype),
            gradient_norm=np.empty(n, dtype),
            weight_norms=np.empty((n, self._n_linears), dtype),
            dead=np.empty((self._n_units, n), np.bool_),
        )
        scale = self._scale if gradients else 0.0
        self._run_evaluate(measures, params, scratch, memory.evaluation, *examples, scale, cancel)
        return measures


def _train_no_epoch(outputs: Outputs, *_: Any) -> None:
    """Do what a driver does if there is no epoch; it is compiled for one or more."""
    outputs.epochs_run[:] = 0


def _repeated(measures: Measures, n: int) -> Measures:
    """Return what was measured of some networks as if they were there n times, one copy after the other."""
    per_seed = {name: np.concatenate([values] * n) for name, values in measures._asdict().items()}
    return measures._replace(**per_seed | {"dead": np.tile(measures.dead, (1, n))})


def _numbers(experiment: Experiment, lanes: int) -> int:
    """Return about how many numbers the memory of a thread and the data have."""
    data = [each.X.size + each.y.size for each in (experiment.data, experiment.validation) if each is not None]
    return block_vectors(experiment) * lanes + sum(data)


def driver_name(experiment: Experiment, *, specialize: bool) -> str:
    """Return what a driver is called where it is compiled."""
    network = str(experiment.network).split()[0]
    return f"the {'driver for ' + network if specialize else 'general driver'}, {experiment.dtype}"


def predict(outputs: np.ndarray, network: Network, params: np.ndarray, X: np.ndarray, cancel: np.ndarray) -> None:
    """Fill outputs (n_seeds, n_examples, n_out) with those of networks with parameters (n_seeds, n_params)."""
    blank = Dataset(X, np.eye(1, network.n_out).repeat(len(X), axis=0))  # targets that every loss takes
    experiment = Experiment(network, blank, loss=any_loss(network.layers[-1]), dtype=cast(Any, params.dtype.name))
    lanes = evaluation_lane_count(experiment, n_seeds=len(params))
    workspace, data = evaluation_workspace(experiment, lanes, gradients=False), training_data(experiment)
    kernel_params = evaluation_kernel_params(make_kernel_params(experiment))
    kernel = make_predict(lanes, experiment.dtype, functions(), is_batched=is_batched(experiment))
    kernel = kernel.bound_to(kinds(network, experiment.loss))
    args = outputs, np.ascontiguousarray(params), workspace, data, kernel_params, cancel
    with announced(f"predictions, {experiment.dtype}", kernel):
        kernel.code(args)
    kernel(*args)


def _unlock() -> None:
    """Have a lock of this process's own: the one that a thread held when it was forked stays locked."""
    global _kept_lock
    _kept_lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_unlock)
