"""An experiment's compiled kernels, and what they do with one chunk of seeds."""

from __future__ import annotations

import queue
from typing import Any, NamedTuple, cast

import numpy as np

from fastgrok.datasets import Dataset
from fastgrok.experiment import Experiment
from fastgrok.kernels import build
from fastgrok.kernels.evaluate import Measures, make_evaluate, make_predict
from fastgrok.kernels.initialise import make_initialise, make_seed_stream
from fastgrok.kernels.jit import is_cached
from fastgrok.kernels.train import Plan, Work
from fastgrok.network import Network
from fastgrok.schema import NEVER, STALLED_GRADIENT_NORM, Outcome

SHARED_ORDER_SEED = 0
"""Seed of the one stream from which order="shared" shuffles."""


class Memory(NamedTuple):
    """What one thread works in."""

    training: Work
    evaluation: Work
    alive: np.ndarray


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
    specialise
        Which driver trains.
    lanes
        Its lane count.
    """

    def __init__(self, experiment: Experiment, *, specialise: bool, lanes: int) -> None:
        self.experiment = experiment
        self._lanes = lanes
        self._evaluation_lanes = build.lane_count(experiment, specialise=False)
        self._plan = build.plan(experiment)
        self._data = build.data(experiment)
        self._tensors = build.tensors(experiment)
        self._initialise = make_initialise(experiment.stream, experiment.dtype)
        self._driver = build.driver(experiment, lanes, specialise=specialise)
        self._evaluate = make_evaluate(self._evaluation_lanes, experiment.dtype)
        self._cancel = np.zeros(1, np.uint8)

    @staticmethod
    def is_cached(experiment: Experiment) -> bool:
        """Whether the specialised driver of an experiment need not be compiled."""
        lanes = build.lane_count(experiment, specialise=True)
        return is_cached(build.driver(experiment, lanes, specialise=True))

    def compile(self) -> None:
        """Compile the kernels, or read them from the cache, unless that has been done: train one seed, one epoch."""
        kernels = self._initialise, self._driver, self._evaluate
        if not all(kernel.overloads for kernel in kernels):
            brief = self._plan._replace(epochs=min(self._plan.epochs, 1))
            self._train(np.zeros(1, np.uint64), None, self.memory(), brief)

    def cancel(self) -> None:
        """Have the kernels that are training return soon; seeds that they have not finished keep epochs_run = -1."""
        self._cancel[0] = 1

    def memory(self) -> Memory:
        """Return memory for one thread."""
        evaluation = build.work(self.experiment, self._evaluation_lanes, gradients=True)
        return Memory(
            training=build.work(self.experiment, self._lanes, gradients=False),
            evaluation=evaluation,
            alive=np.zeros_like(evaluation.acts),
        )

    def initialise(self, seeds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the initial parameters of seeds, and their streams after the draws."""
        n = len(seeds)
        params = np.empty((n, self.experiment.n_params), self.experiment.dtype)
        states = np.empty((n, build.state_words(self.experiment)), np.uint64)
        self._initialise(params, states, seeds, self._tensors)
        return params, states

    def train(self, seeds: np.ndarray | None, params: np.ndarray | None, memories: queue.SimpleQueue[Memory]) -> Part:
        """Train one network per row of `seeds`, of `params`, or of both; memory is borrowed from `memories`."""
        memory = memories.get()
        try:
            return self._train(seeds, params, memory, self._plan)
        finally:
            memories.put(memory)

    def _train(self, seeds: np.ndarray | None, params: np.ndarray | None, memory: Memory, plan: Plan) -> Part:
        if seeds is None:
            seeds = np.zeros(len(params), np.uint64)  # type: ignore[arg-type]
        drawn, states = self.initialise(seeds)
        if params is not None:
            drawn[:] = params
        if self.experiment.order == "shared":
            states[:] = self._shared_state()
        initial = self._measure(drawn, memory)
        columns = {name: np.full(len(seeds), NEVER, np.int64) for name in ("epochs_run", "epochs_to_converge")}
        if self.experiment.epochs == 0:
            columns["epochs_run"][:] = 0
        else:
            self._driver(
                drawn,
                columns["epochs_run"],
                columns["epochs_to_converge"],
                states,
                memory.training,
                self._data,
                plan,
                self._cancel,
            )
        final = self._measure(drawn, memory)
        columns |= {
            "outcome": self._outcomes(columns["epochs_to_converge"], final, drawn),
            "loss_initial": initial.loss,
            "loss_final": final.loss,
            "accuracy_final": final.hits.astype(np.float64) / self.experiment.data.n_examples,
            "gradient_norm_final": final.gradient_norm,
            "dead_units_initial": initial.dead_units,
            "dead_units_final": final.dead_units,
            "born_dead": self._dead(initial),
        }
        return Part(columns, drawn)

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

    def _measure(self, params: np.ndarray, memory: Memory) -> Measures:
        n, dtype = len(params), self.experiment.dtype
        dead_units = np.empty((n, len(self.experiment.network.relu_layers)), np.int64)
        measures = Measures(np.empty(n, dtype), np.empty(n, dtype), np.empty(n, dtype), dead_units)
        scale = build.gradient_scale(self.experiment)
        self._evaluate(measures, params, memory.alive, memory.evaluation, self._data, self._plan, scale)
        return measures


def initial_params(experiment: Experiment, seeds: np.ndarray) -> np.ndarray:
    """Return the initial parameters of seeds, (n_seeds, n_params), in the experiment's dtype."""
    return Program(experiment, specialise=False, lanes=1).initialise(seeds)[0]


def predict(network: Network, params: np.ndarray, X: np.ndarray) -> np.ndarray:
    """Return the outputs (n_seeds, n_examples, n_out) of networks with parameters (n_seeds, n_params)."""
    blank = Dataset(X, np.zeros((len(X), network.n_out)))
    experiment = Experiment(network, blank, dtype=cast(Any, params.dtype.name))
    lanes = build.lane_count(experiment, specialise=False)
    outputs = np.empty((len(params), len(X), network.n_out), params.dtype)
    work = build.work(experiment, lanes, gradients=False)
    make_predict(lanes, experiment.dtype)(outputs, params, work, build.data(experiment), build.plan(experiment))
    return outputs
