"""Which driver trains: the run begins on what is compiled, and changes over to a faster driver between two chunks.

All drivers give the same bits, so only time depends on what is chosen. Compiling is like buying what one can
also rent: nobody knows how much more a network will be trained, but what has been trained so far says how much was
lost by not having the faster driver.
"""

import contextlib
import functools
import threading
import time
import weakref
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

from fastgrok.engine import compiling
from fastgrok.engine.arguments import MAX_LANES, ExecutionOptions
from fastgrok.engine.driver import is_faster_specialised, lane_count, make_driver
from fastgrok.engine.kernel_params import flops_per_epoch
from fastgrok.engine.outcomes import with_earlier
from fastgrok.engine.program import Program, ThreadMemory, driver_name
from fastgrok.engine.rates import GENERAL, SPECIALISED, Rates, rates, regime
from fastgrok.errors import warn
from fastgrok.kernels.jit import Kernel
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.recording import Recording

_LOAD_SECONDS = 0.05  # reading a compiled driver
_FORESIGHT = 4  # who trains a network trains it again: so many times as much work is expected as has been seen
_PATIENCE, _INTERVAL = 2, 0.02  # compiles that are waited for at most, and seconds between two looks
_EARLY = 0.25  # share of the epochs that a seed runs with a rule that stops it, where nothing is known yet


class _Facts(NamedTuple):
    """What a choice is made from that an experiment alone decides."""

    regime: str
    flops: float  # operations of an epoch of one seed
    changes: bool  # whether there is a faster driver than the general one
    general: Kernel
    specialised: Any  # a Kernel, if there is a faster one
    lanes: dict[bool, int]  # of each, the specialised one being True


_failed: set[Any] = set()  # drivers that could not be compiled: nobody tries again in this process

_REMEMBERED = 16
_facts: OrderedDict[tuple[object, ...], tuple[weakref.ref[Experiment], _Facts]] = OrderedDict()


def _facts_of(experiment: Experiment, recording: Recording, n: int, lanes: int | None, *, free: bool) -> _Facts:
    """Return the facts of an experiment, by its identity: to find them takes longer than to train a seed.

    free: whether the faster driver may be chosen; else nothing is found out about it.
    """
    key = (id(experiment), recording, min(n, MAX_LANES), lanes, free)
    known = _facts.get(key)
    if known is not None and known[0]() is experiment:
        return known[1]
    each = {s: lanes or lane_count(experiment, specialize=s, n_seeds=n) for s in (False, True)}
    changes = free and may_specialise(experiment, recording)
    general = make_driver(experiment, each[False], specialize=False, recording=recording)
    faster = make_driver(experiment, each[True], specialize=True, recording=recording) if changes else None
    facts = _Facts(regime(experiment, recording), flops_per_epoch(experiment), changes, general, faster, each)
    _facts[key] = weakref.ref(experiment), facts
    with contextlib.suppress(KeyError):
        while len(_facts) > _REMEMBERED:
            _facts.popitem(last=False)
    return facts


class Choice:
    """The program that a run trains by, from chunk to chunk, and how many seeds each driver has trained."""

    def __init__(self, experiment: Experiment, recording: Recording, n: int, options: ExecutionOptions) -> None:
        self._experiment, self._recording, self._n, self._options = experiment, recording, n, options
        self._facts = _facts_of(experiment, recording, n, options.lanes, free=options.specialize is None)
        self._rates: Rates = rates()
        self._epochs = experiment.epochs * (1.0 if experiment.stop is None else _EARLY)  # of a seed, as expected
        self._lock, self._turn = threading.Lock(), threading.Lock()
        self.drivers: Counter[str] = Counter()
        self.trouble: Exception | None = None
        self._changes = self._facts.changes and self._facts.specialised not in _failed
        specialize = self._begins_specialised() if self._changes else bool(options.specialize)
        self._may_fail, self._changes = self._changes and specialize, self._changes and not specialize
        self.program = Program.kept(
            experiment, specialize=specialize, lanes=self._facts.lanes[specialize], n_seeds=n, recording=recording
        )

    @property
    def lanes(self) -> int:
        """The lanes of a block of the driver that trains now."""
        return self._facts.lanes[self.program.specialize]

    @property
    def most_lanes(self) -> int:
        """The lanes of a block, of whichever driver has more."""
        return max(self._facts.lanes.values()) if self._changes else self.lanes

    @property
    def flops(self) -> float:
        """The operations of an epoch of one seed."""
        return self._facts.flops

    @property
    def rate(self) -> float:
        """The operations of a thread in a second, as expected."""
        return self._rates.rate(self._facts.regime, SPECIALISED if self.program.specialize else GENERAL)

    def compile(self, memory: ThreadMemory, chunk: int = 0) -> None:
        """Compile what the run begins with, or read it; a thread may make the faster driver meanwhile.

        chunk: the seeds of a chunk.
        """
        if self._changes:
            self._buy()
        underway = compiling.compilation(self._facts.specialised) if self._changes else None
        other = compiling.evaluation(self.program, self._recording) if underway is None else None
        try:
            self._compile(memory, None if other is None else other.wait)
        finally:
            if other is not None:
                other.leave()
        if self._changes and self._loss(chunk * self._epochs * self._facts.flops) > self._rates.compile_seconds():
            self._wait()
        self.change_over()

    def _compile(self, memory: ThreadMemory, wait: Callable[[], None] | None) -> None:
        """Compile what the run begins with; where that is a driver that nobody asked for and it fails, the other."""
        try:
            self.program.compile(memory, wait)
        except Exception as error:
            if not self._may_fail or self._facts.specialised.is_loaded:
                raise
            self._fail(error)
            self.program = self.program.with_driver(specialize=False, lanes=self._facts.lanes[False])
            self.program.compile(self.program.memory(), wait)

    def change_over(self) -> None:
        """Train by the faster driver from now on if it is there; have it compiled once that is worth it."""
        if not self._changes or not self._turn.acquire(blocking=False):
            return
        try:
            underway = compiling.compilation(self._facts.specialised)
            if underway is None:
                self._buy()
            elif not underway.is_running() and self._changes:
                self._load(underway)
        finally:
            self._turn.release()

    def trained(self, program: Program, n: int, epochs: int, seconds: float) -> None:
        """Count the seeds of a chunk, and learn from its epochs, all seeds together, and the seconds it took."""
        driver = SPECIALISED if program.specialize else GENERAL
        flops = epochs * self._facts.flops
        with self._lock:
            self.drivers[driver] += n
            self._epochs = epochs / n
        if self._options.lanes is None:
            self._rates.trained(self._facts.regime, driver, flops, seconds)
        if self._changes and not program.specialize:
            self._rates.lose(self._facts.regime, self._loss(flops))

    def end(self) -> None:
        """Keep what was learned, and say what went wrong; the results are whole."""
        self._rates.save()
        if self.trouble is not None:
            what = driver_name(self._experiment, specialize=True)
            message = f"{what} could not be compiled, the general driver did it all: {self.trouble}"
            warn(message, RuntimeWarning)

    def _wait(self) -> None:
        """Let the faster driver come first where one chunk would lose more than that takes: a chunk is not cut."""
        underway, end = compiling.compilation(self._facts.specialised), self._rates.compile_seconds() * _PATIENCE
        end += time.monotonic()
        while underway is not None and underway.is_running() and time.monotonic() < end:
            time.sleep(_INTERVAL)

    def _load(self, underway: compiling.Compilation) -> None:
        """Change over, unless it failed; what no thread could be started for is compiled here."""
        error = underway.error if underway.was_tried else None
        faster = self._faster()
        if error is None:
            try:
                faster.compile_driver()
            except Exception as own:
                error = own
        if error is None:
            self.program = faster
        else:
            self._fail(error)
        self._changes = False

    def _fail(self, error: Exception) -> None:
        """Remember that there is no faster driver; one run says so."""
        if self._facts.specialised not in _failed:
            self.trouble = error
        _failed.add(self._facts.specialised)

    def _faster(self) -> Program:
        return self.program.with_driver(specialize=True, lanes=self._facts.lanes[True])

    def _buy(self) -> None:
        """Have the faster driver compiled if what it would have saved so far, and in this run, is worth it."""
        left = (self._n - self.drivers.total()) * self._epochs * self._facts.flops
        saved = self._rates.lost(self._facts.regime) + self._loss(left)
        if saved * _FORESIGHT > self._rates.compile_seconds():
            compiling.start(self._faster())

    @functools.cached_property
    def _slowness(self) -> float:
        """The seconds by which an operation takes the general driver longer."""
        return self._rates.slowness(self._facts.regime)

    def _loss(self, flops: float) -> float:
        """Return the seconds by which so many operations take the general driver longer."""
        return flops * self._slowness

    def _begins_specialised(self) -> bool:
        """Whether the faster driver is there, and reading it is no loss, or neither is, and it is made as soon."""
        general, faster = self._facts.general, self._facts.specialised
        if faster.is_loaded:
            return True
        saved = self._rates.lost(self._facts.regime) + self._loss(self._n * self._epochs * self._facts.flops)
        if general.is_cached():
            return saved >= _LOAD_SECONDS and bool(faster.is_cached())
        made_for_others = general.is_begun() and saved * _FORESIGHT < self._rates.compile_seconds()
        return bool(faster.is_cached()) or not made_for_others


def may_specialise(experiment: Experiment, recording: Recording) -> bool:
    """Whether a specialised driver is the faster one."""
    return not recording.dead_units and experiment.epochs > 0 and is_faster_specialised(experiment)


def thread_seconds(experiment: Experiment, recording: Recording, n: int) -> float:
    """Return about how long training n seeds takes one thread if none stops early, compiling aside."""
    recording = with_earlier(recording, experiment)
    driver = SPECIALISED if may_specialise(experiment, recording) else GENERAL
    flops = n * flops_per_epoch(experiment) * experiment.epochs
    return flops / rates().rate(regime(experiment, recording), driver)
