"""How fast this machine trains and compiles, as measured: remembered in this process, and beside the kernels on disk.

What is measured is the time of the thread that works, not that of the clock: what else the machine does changes it
little. Nothing but time depends on it.
"""

import contextlib
import json
import os
import statistics
import threading
from pathlib import Path
from typing import Any

import numpy as np

from fastgrok.engine.kernel_params import driver_features, is_fused
from fastgrok.kernels.cache import usable_directory, write_whole
from fastgrok.kernels.target import description
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.recording import NOTHING, Recording

GENERAL, SPECIALISED = "general", "specialised"
"""The drivers, by the names that results have for them."""

_OTHER = {GENERAL: SPECIALISED, SPECIALISED: GENERAL}
_FIRST = {GENERAL: 5e10, SPECIALISED: 1e11}  # operations a second, where nothing has been measured yet
_FIRST_COMPILE = 0.5  # seconds, likewise
_NEWEST = 0.3  # weight of a measurement among those before it
_LEAST = 0.01  # seconds that make a measurement
_LOSS = 0.05  # seconds lost that are written down
_REMEMBERED = 256  # regimes on disk
_FILE = "rates.json"
_COMPILE, _REGIMES, _LOST = "compile_seconds", "regimes", "lost_seconds"
_NUMBERS = {GENERAL: 1.0, SPECIALISED: 1.0, _LOST: 0.0}  # of a regime, and the least that each can be
_MOST_BYTES = 2**22  # of a file that is read


def regime(experiment: Experiment, recording: Recording = NOTHING) -> str:
    """Return what the speed of training depends on, in words; learning rates and seeds do not matter."""
    optimizer = type(experiment.optimizer).__name__
    update = f"{optimizer} {'alone' if is_fused(experiment) else min(experiment.batch_rows, 64)}"
    features = [name for name, on in driver_features(experiment, recording)._asdict().items() if on]
    stop = [] if experiment.stop is None else ["stop"]
    data = f"{experiment.data.n_examples} examples {experiment.order}"
    words = [str(experiment.network), experiment.loss, update, data, *stop, *features, experiment.dtype]
    return ", ".join(map(str, words))


class Rates:
    """Operations of a second, as `flops_per_epoch` counts them, by regime and driver; and seconds of a compile."""

    def __init__(self, path: Path | None) -> None:
        self._path, self._cpu = path, description()[1]
        self._lock = threading.Lock()
        self._changed: set[str] = set()
        self._known = _read(path).get(self._cpu, {})
        self._saved = {name: dict(numbers) for name, numbers in self._regimes.items()}

    def rate(self, regime: str, driver: str) -> float:
        """Return the operations a second of a driver: measured, or by what has been measured elsewhere."""
        with self._lock:
            measured = self._regimes.get(regime, {})
            if driver in measured:
                return float(measured[driver])
            other = _OTHER[driver]
            ratio = self._typical(lambda each: each[driver] / each[other], _FIRST[driver] / _FIRST[other])
            if other in measured:
                return float(measured[other]) * ratio
            return self._typical(lambda each: each[driver], _FIRST[driver])

    def slowness(self, regime: str) -> float:
        """Return the seconds by which an operation takes the general driver longer."""
        return max(0.0, 1 / self.rate(regime, GENERAL) - 1 / self.rate(regime, SPECIALISED))

    def lost(self, regime: str) -> float:
        """Return the seconds that runs with the general driver have lost in a regime: a sign of more to come."""
        with self._lock:
            return float(self._regimes.get(regime, {}).get(_LOST, 0.0))

    def compile_seconds(self) -> float:
        """Return the seconds that compiling a driver takes."""
        with self._lock:
            return float(self._known.get(_COMPILE, _FIRST_COMPILE))

    def trained(self, regime: str, driver: str, flops: float, seconds: float) -> None:
        """Learn from so many operations that took a thread so long."""
        if seconds < _LEAST or flops <= 0:
            return
        with self._lock:
            measured = self._regime(regime)
            measured[driver] = _mixed(measured.get(driver), flops / seconds)

    def lose(self, regime: str, seconds: float) -> None:
        """Count what a faster driver would have saved."""
        with self._lock:
            measured = self._regime(regime)
            measured[_LOST] = measured.get(_LOST, 0.0) + seconds

    def compiled(self, seconds: float) -> None:
        """Learn from a compile."""
        with self._lock:
            self._known[_COMPILE] = _mixed(self._known.get(_COMPILE), seconds)
            self._changed.add(_COMPILE)

    def save(self) -> None:
        """Write what has changed to disk, beside what other processes wrote, if it can be written."""
        with self._lock:
            changed = {name for name in self._changed if self._is_news(name)}
            self._changed -= changed
            if not changed:
                return
            if self._path is None:
                return
            whole = _read(self._path)
            theirs = whole.setdefault(self._cpu, {})
            known = theirs.setdefault(_REGIMES, {})
            for name in changed - {_COMPILE}:
                known.pop(name, None)  # to the end: the oldest are forgotten
                known[name] = self._saved[name] = dict(self._regimes[name])
            theirs[_REGIMES] = dict(list(known.items())[-_REMEMBERED:])
            if _COMPILE in changed:
                theirs[_COMPILE] = self._known[_COMPILE]
        write_whole(self._path, json.dumps(whole, indent=1).encode())

    def _is_news(self, name: str) -> bool:
        """Whether a regime has changed so much that it is worth a file."""
        if name == _COMPILE:
            return True
        now, before = self._regimes[name], self._saved.get(name, {})
        if now.get(_LOST, 0.0) - before.get(_LOST, 0.0) > _LOSS:
            return True
        return any(not 0.8 < now[driver] / before.get(driver, np.inf) < 1.25 for driver in _OTHER if driver in now)

    @property
    def _regimes(self) -> dict[str, dict[str, float]]:
        regimes: dict[str, dict[str, float]] = self._known.setdefault(_REGIMES, {})
        return regimes

    def _regime(self, regime: str) -> dict[str, float]:
        self._changed.add(regime)
        return self._regimes.setdefault(regime, {})

    def _typical(self, number: Any, otherwise: float) -> float:
        """Return the median of a number over the regimes that have it."""
        numbers = []
        for each in self._regimes.values():
            with contextlib.suppress(KeyError):
                numbers.append(number(each))
        return float(statistics.median(numbers)) if numbers else otherwise


def _mixed(before: float | None, new: float) -> float:
    return new if before is None else (1 - _NEWEST) * before + _NEWEST * new


def _read(path: Path | None) -> dict[str, Any]:
    """Return what the file holds, by CPU; nothing of a file that is not what `save` writes, whatever it is."""
    try:
        if path is None or not path.is_file() or path.stat().st_size > _MOST_BYTES:
            return {}
        return {name: _checked(cpu) for name, cpu in json.loads(path.read_bytes()).items()}
    except (OSError, ValueError, AttributeError, TypeError, RecursionError):
        return {}


def _checked(cpu: dict[str, Any]) -> dict[str, Any]:
    """Return what is known of a CPU, without what no `Rates` has put there; ValueError of a number that is none."""
    regimes = {
        name: {what: _number(numbers[what], least) for what, least in _NUMBERS.items() if what in numbers}
        for name, numbers in cpu.get(_REGIMES, {}).items()
    }
    compile_seconds = {_COMPILE: _number(cpu[_COMPILE], 0.0)} if _COMPILE in cpu else {}
    return {**compile_seconds, _REGIMES: regimes}


def _number(value: Any, least: float) -> float:
    if not isinstance(value, float) or not least <= value < 1e18:
        raise ValueError(value)
    return value


_books: dict[str | None, Rates] = {}


def rates() -> Rates:
    """Return what is known of this machine."""
    chosen = os.environ.get(
        "FASTGROK_CACHE_DIR"
    )  # a path takes longer to make, and `run` asks for every seed of a loop
    if chosen not in _books:
        directory = usable_directory()
        _books[chosen] = Rates(None if directory is None else directory / _FILE)
    return _books[chosen]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_books.clear)  # a lock that another thread held stays locked in the child
