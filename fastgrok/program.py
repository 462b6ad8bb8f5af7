"""An experiment's compiled kernels, and what they do with one chunk of seeds."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import numpy as np

from fastgrok.datasets import Dataset
from fastgrok.experiment import Experiment
from fastgrok.initialising import Initialiser
from fastgrok.kernels import build
from fastgrok.kernels.evaluate import Measures, Scratch, make_evaluate, make_predict
from fastgrok.kernels.initialise import make_seed_stream
from fastgrok.kernels.jit import is_cached
from fastgrok.kernels.plan import Work
from fastgrok.network import Network
from fastgrok.schema import NEVER, STALLED_GRADIENT_NORM, Outcome

SHARED_ORDER_SEED = 0
"""Seed of the one stream from which order="shared" shuffles."""


class ThreadMemory(NamedTuple):
    """What one thread works in."""

    training: Work
    evaluation: Work
    scratch: Scratch


class Part(NamedTuple):
    """The results of one chunk."""

    columns: dict[str, np.ndarray]
    params: np.ndarray


class Program:
    """The compiled kernels of an experiment and their arguments; threads may share one.

    Parameters
    ----------
    experiment
        Everything but the seed.
    specialize
        Which driver trains.
    lanes
        Its lane count.
    n_seeds
        Seeds to be trained: a few of a large network are not worth many lanes.
    """

    def __init__(self, experiment: Experiment, *, specialize: bool, lanes: int, n_seeds: int) -> None:
        self.experiment = experiment
        self._lanes = lanes
        self._evaluation_lanes = build.lane_count(experiment, specialize=False, n_seeds=n_seeds)
        self._plan = build.plan(experiment)
        self._data = build.data(experiment)
        self._initialise = Initialiser(experiment)
        self._driver = build.driver(experiment, lanes, specialize=specialize)
        self._evaluate = make_evaluate(self._evaluation_lanes, experiment.dtype)
        self._cancel = np.zeros(1, np.int64)

    @staticmethod
    def is_cached(experiment: Experiment) -> bool:
        """Whether the specialised driver of an experiment need not be compiled."""
        lanes = build.lane_count(experiment, specialize=True)
        return is_cached(build.driver(experiment, lanes, specialize=True))

    def compile(self, memory: ThreadMemory) -> None:
        """Compile the kernels, or read them from the cache, unless that has been done: run them, cancelled."""
        kernels = [*self._initialise.kernels, self._evaluate, *[self._driver] * (self.experiment.epochs > 0)]
        if not all(kernel.overloads for kernel in kernels):
            params, states = self.initialise(np.zeros(1, np.uint64))
            self._train(params, states, memory, np.ones(1, np.int64))

    def cancel(self) -> None:
        """Have the kernels that are running return soon, with results that mean nothing."""
        self._cancel[0] = 1

    @property
    def cancelled(self) -> bool:
        """Whether `cancel` has been called."""
        return bool(self._cancel[0])

    def memory(self) -> ThreadMemory:
        """Return memory for one thread."""
        evaluation = build.work(self.experiment, self._evaluation_lanes, gradients=True)
        return ThreadMemory(
            training=build.work(self.experiment, self._lanes, gradients=False),
            evaluation=evaluation,
            scratch=Scratch(
                np.zeros_like(evaluation.acts, shape=(3, self._evaluation_lanes)), evaluation.acts.copy()
            ),
        )

    def initialise(self, seeds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the initial parameters of seeds, and their streams after the draws."""
        n = len(seeds)
        params = np.empty((n, self.experiment.n_params), self.experiment.dtype)
        states = np.empty((n, build.state_words(self.experiment)), np.uint64)
        self._initialise(params, states, seeds)
        return params, states

    def train(self, seeds: np.ndarray, params: np.ndarray | None, memory: ThreadMemory) -> Part:
        """Train one network per seed, from what it draws or from `params` (n_seeds, n_params)."""
        drawn, states = self.initialise(seeds)
        if params is not None:
            drawn[:] = params
        if self.experiment.order == "shared":
            states[:] = self._shared_state()
        return self._train(drawn, states, memory, self._cancel)

    def _train(self, params: np.ndarray, states: np.ndarray, memory: ThreadMemory, cancel: np.ndarray) -> Part:
        """Train in place, and measure before and after."""
        initial = self._measure(params, memory, 0.0, cancel)
        columns = {name: np.full(len(params), NEVER, np.int64) for name in ("epochs_run", "epochs_to_converge")}
        if self.experiment.epochs == 0:
            columns["epochs_run"][:] = 0
        else:
            outputs = params, columns["epochs_run"], columns["epochs_to_converge"]
            self._driver(*outputs, states, memory.training, self._data, self._plan, cancel)
        final = self._measure(params, memory, build.gradient_scale(self.experiment), cancel)
        columns |= {
            "outcome": self._outcomes(columns["epochs_to_converge"], final, params),
            "loss_initial": initial.loss,
            "loss_final": final.loss,
            "accuracy_final": final.hits.astype(np.float64) / self.experiment.data.n_examples,
            "gradient_norm_final": final.gradient_norm,
            "dead_units_initial": initial.dead_units,
            "dead_units_final": final.dead_units,
            "born_dead": self._dead(initial),
        }
        return Part(columns, params)

    def _shared_state(self) -> np.ndarray:
        """Return the one stream that shuffles alike for every seed."""
        state = np.empty(build.state_words(self.experiment), np.uint64)
        make_seed_stream(self.experiment.stream)(state, np.uint64(SHARED_ORDER_SEED))
        return state

    def _dead(self, measures: Measures) -> np.ndarray:
        """Whether every unit of some ReLU layer is dead."""
        whole = measures.dead_units == np.array(self.experiment.network.relu_widths, np.int64)
        return np.asarray(whole.any(axis=1))

    def _outcomes(self, epochs_to_converge: np.ndarray, final: Measures, params: np.ndarray) -> np.ndarray:
        """Return the first outcome that applies to each seed."""
        cases = {
            Outcome.DIVERGED: ~np.isfinite(final.loss) | ~np.all(np.isfinite(params), axis=1),
            Outcome.CONVERGED: epochs_to_converge != NEVER,
            Outcome.DEAD: self._dead(final),
            Outcome.STALLED: final.gradient_norm < STALLED_GRADIENT_NORM,
        }
        return np.select(list(cases.values()), list(cases), Outcome.UNFINISHED)

    def _measure(
        self, params: np.ndarray, memory: ThreadMemory, gradient_scale: float, cancel: np.ndarray
    ) -> Measures:
        """Measure networks on the training data; with a gradient_scale of 0 their gradients are left out."""
        n, dtype = len(params), self.experiment.dtype
        dead_units = np.empty((n, len(self.experiment.network.relu_layers)), np.int64)
        measures = Measures(np.empty(n, dtype), np.empty(n, dtype), np.empty(n, dtype), dead_units)
        self._evaluate(
            measures, params, memory.scratch, memory.evaluation, self._data, self._plan, gradient_scale, cancel
        )
        return measures


def initialise(params: np.ndarray, experiment: Experiment, seeds: np.ndarray) -> None:
    """Fill params (n_seeds, n_params) with the initial parameters of seeds."""
    states = np.empty((len(seeds), 0), np.uint64)
    Initialiser(experiment)(params, states, seeds)


def predict(outputs: np.ndarray, network: Network, params: np.ndarray, X: np.ndarray) -> None:
    """Fill outputs (n_seeds, n_examples, n_out) with those of networks with parameters (n_seeds, n_params)."""
    blank = Dataset(X, np.zeros((len(X), network.n_out)))
    experiment = Experiment(network, blank, dtype=cast(Any, params.dtype.name))
    lanes = build.lane_count(experiment, specialize=False, n_seeds=len(params))
    work, data = build.work(experiment, lanes, gradients=False), build.data(experiment)
    make_predict(lanes, experiment.dtype)(outputs, np.ascontiguousarray(params), work, data, build.plan(experiment))
