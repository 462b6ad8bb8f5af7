"""Measures of a user's own: functions of what networks do at recorded epochs, of all seeds of a chunk at once."""

import inspect
import keyword
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.engine.driver import evaluation_lane_count
from fastgrok.engine.layout import activation_places, make_layout, pre_activation_place
from fastgrok.engine.outcomes import with_earlier
from fastgrok.engine.params import Start, split
from fastgrok.engine.program import ChunkResult, Program
from fastgrok.engine.training import initial_params
from fastgrok.errors import InvalidExperiment, hint, one_of
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.recording import Recording
from fastgrok.spec.variables import EPOCH, FINISHED, NEVER, SEED, VARIABLES, Variable

ARGUMENTS = ("params", "outputs", "activations", "pre_activations", "seeds", "epoch", "X", "y")
"""What a measure may ask for, by the names of its parameters: see `fastgrok.run`."""

_OF_UNITS = {"outputs", "activations", "pre_activations"}
_BYTES = 2**26  # of what units do, at a time


class Measure(NamedTuple):
    """A function that measures, and what it asks for."""

    name: str
    function: Callable[..., Any]
    arguments: tuple[str, ...]  # of `ARGUMENTS`

    @property
    def field(self) -> str:
        """What errors call it."""
        return f"measures[{self.name!r}]"

    def __call__(self, n: int, values: Mapping[str, Any]) -> NDArray[Any]:
        """Return what it says of n networks, (n, ...): float64, int64 or bool."""
        called = f"{getattr(self.function, '__name__', 'it')}({', '.join(self.arguments)})"
        try:
            found = np.asarray(self.function(**{name: values[name] for name in self.arguments}))
        except Exception as error:
            expected = f"a function that works on {n} networks at once ({type(error).__name__}: {error})"
            raise InvalidExperiment(self.field, called, expected) from error
        if found.dtype.kind not in "biuf" or found.ndim == 0 or len(found) != n:
            value = f"{called} of shape {found.shape} and dtype {found.dtype}"
            raise InvalidExperiment(self.field, value, f"numbers or bools of shape (n_seeds, ...), here ({n}, ...)")
        return found.astype({"b": np.bool_, "f": np.float64}.get(found.dtype.kind, np.int64))


def checked_measures(measures: Any) -> tuple[Measure, ...]:
    """Return measures, by their names in a dict of functions; None: none."""
    if measures is None:
        return ()
    if not isinstance(measures, Mapping) or not measures:
        raise InvalidExperiment("measures", measures, "None, or a dict of names and functions, {'margin': f}")
    return tuple(_checked_measure(name, function) for name, function in measures.items())


def _checked_measure(name: Any, function: Any) -> Measure:
    """Return one measure."""
    taken = {*VARIABLES, FINISHED.name, SEED, EPOCH}
    if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name) or name in taken:
        raise InvalidExperiment("measures", name, "names such as 'margin', which no result variable has")
    field = f"measures[{name!r}]"
    try:
        arguments = inspect.signature(function).parameters
    except (TypeError, ValueError) as error:
        raise InvalidExperiment(field, function, f"a function of some of {', '.join(ARGUMENTS)}") from error
    asked = [each for each, p in arguments.items() if each in ARGUMENTS or p.default is p.empty]
    unknown = next((each for each in asked if each not in ARGUMENTS), None)
    if unknown is not None or not asked:
        expected = f"parameters named {one_of(ARGUMENTS)}{hint(unknown, ARGUMENTS)}"
        raise InvalidExperiment(field, f"a function of ({', '.join(arguments)})", expected)
    return Measure(name, function, tuple(asked))


def all_measured(
    measures: Sequence[Measure],
    experiments: Sequence[Experiment],
    seeds: NDArray[np.uint64],
    starts: Sequence[Start],
    recording: Recording,
) -> "list[Measured]":
    """Return what measures will say of each configuration, before anything is trained: all have the same shapes."""
    every = [
        Measured(measures, each, seeds, start, recording) for each, start in zip(experiments, starts, strict=True)
    ]
    for name, values in every[0].values.items():
        for other in every:
            if other.values[name].shape != values.shape:
                value, first = other.values[name].shape, values.shape
                raise InvalidExperiment(f"measures[{name!r}]", value, f"one shape for every configuration: {first}")
    return every


class Measured:
    """What measures say of the seeds of a run, filled chunk by chunk."""

    def __init__(
        self,
        measures: Sequence[Measure],
        experiment: Experiment,
        seeds: NDArray[np.uint64],
        start: Start,
        recording: Recording,
    ) -> None:
        self._measures, self._experiment, self._seeds, self._start = measures, experiment, seeds, start
        self._at = recording.at  # None: only at the end
        self._recorded = {epoch: k for k, epoch in enumerate(with_earlier(recording, experiment).epochs)}
        self._lock = threading.Lock()  # functions of other people are not called by two threads at once
        self._asked = {name for measure in measures for name in measure.arguments}
        first = slice(0, min(2, len(seeds)))  # what does not work is said before anything is trained
        tried = self._of(self._first_params(first), first, 0)
        times = () if self._at is None else (len(self._at),)
        self.values = {
            name: np.zeros((len(seeds), *times, *found.shape[1:]), found.dtype) for name, found in tried.items()
        }

    def collect(self, rows: slice, result: ChunkResult) -> None:
        """Measure the seeds of a chunk."""
        with self._lock:
            for k, (epoch, params) in enumerate(self._states(rows, result)):
                for name, found in self._of(params, rows, epoch).items():
                    place = self.values[name][rows]
                    where = place if self._at is None else place[:, k]
                    if where.shape != found.shape or not np.can_cast(found.dtype, where.dtype, "safe"):
                        value, wanted = f"shape {found.shape}, {found.dtype}", f"{where.shape}, {where.dtype}"
                        raise InvalidExperiment(f"measures[{name!r}]", value, f"{wanted}, as of the first seeds")
                    where[...] = found

    def variables(self) -> dict[str, tuple[Variable, NDArray[Any]]]:
        """Return the result variables, each with its values, a row for each seed."""
        found: dict[str, tuple[Variable, NDArray[Any]]] = {}
        epoch = () if self._at is None else (EPOCH,)
        for name, values in self.values.items():
            own = tuple(f"{name}_{k}" for k in range(values.ndim - 1 - len(epoch)))
            when = "after the epoch; of a seed that stopped before, as it is in the end" if epoch else "in the end"
            meaning = f"What measures[{name!r}] returns, {when}."
            found[name] = Variable(name, (SEED, *epoch, *own), values.dtype.name, "1", meaning), values
            if epoch and not own and values.dtype == np.bool_:
                meaning = f"First recorded epoch after which {name} held; -1 if none."
                since = Variable(f"{name}_epoch", (SEED,), "int64", "epoch", meaning)
                first = np.array(self._at)[values.argmax(axis=1)]
                found[since.name] = since, np.where(values.any(axis=1), first, NEVER)
        return found

    def _first_params(self, rows: slice) -> NDArray[Any]:
        """Return the initial parameters of some seeds, 0 where they are cut out."""
        given = self._start.params
        first = initial_params(self._experiment, self._seeds[rows]) if given is None else given[rows]
        return self._start.cut(first, rows)

    def _states(self, rows: slice, result: ChunkResult) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield each time and the parameters then, those of the end for seeds that ended before."""
        if self._at is None:
            yield self._experiment.epochs, result.params
            return
        for epoch in self._at:
            if epoch == 0:
                yield 0, self._first_params(rows)
                continue
            ran = result.metrics["epochs_run"] >= epoch
            recorded = result.outputs.recorded_params[:, self._recorded[epoch]]
            yield epoch, np.where(ran[:, None], recorded, result.params)

    def _of(self, params: NDArray[Any], rows: slice, epoch: int) -> dict[str, NDArray[Any]]:
        """Return what each measure says of networks, (n, ...)."""
        data, network, layout = self._experiment.data, self._experiment.network, make_layout(self._experiment.network)
        size = len(params)
        if self._asked & _OF_UNITS:
            size = max(1, _BYTES // (16 * data.n_examples * layout.n_acts))
        parts: dict[str, list[NDArray[Any]]] = {measure.name: [] for measure in self._measures}
        for start in range(0, len(params), size):
            some = np.ascontiguousarray(params[start : start + size])
            seeds = self._seeds[rows][start : start + size]
            values = {"params": split(network, some), "seeds": seeds, "epoch": epoch, "X": data.X, "y": data.y}
            if self._asked & _OF_UNITS:
                values |= self._of_units(some)
            for measure in self._measures:
                parts[measure.name].append(measure(len(some), values))
        return {name: np.concatenate(each) for name, each in parts.items()}

    def _of_units(self, params: NDArray[Any]) -> dict[str, Any]:
        """Return what the units do on the data: outputs, and z and a of each Linear layer, (n, n_examples, width)."""
        lanes = evaluation_lane_count(self._experiment, n_seeds=len(params))
        program = Program(self._experiment, specialize=False, lanes=lanes, n_seeds=len(params))
        acts = program.examine(params, program.memory()).acts
        units, network = make_layout(self._experiment.network).units, self._experiment.network
        places = [(pre_activation_place(network, linear), last) for linear, last in activation_places(network)]
        z, a = ([acts[:, :, units[each + 1]] for each in ends] for ends in zip(*places, strict=True))
        return {"outputs": acts[:, :, units[-1]], "activations": a, "pre_activations": z}
