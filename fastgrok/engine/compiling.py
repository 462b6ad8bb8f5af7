"""Kernels that another process compiles while this one trains, or compiles what else it needs.

A thread of this process would hold Python's lock for most of a compile, and while LLVM is at work in it, it can
neither be ended nor left behind when the interpreter leaves. So a process of its own compiles the driver into the
cache on disk, from where it is read in milliseconds. Nobody waits for it: what it compiles after this process has
ended is there for the next one. Where nothing is on disk yet, the evaluation is compiled likewise, and waited for.
"""

import atexit
import contextlib
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from fastgrok.engine.notices import announce
from fastgrok.engine.program import Program, driver_name
from fastgrok.engine.rates import rates
from fastgrok.engine.threads import cpu_count
from fastgrok.kernels.cache import cache_directory
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.recording import Recording

_PATIENCE = 60.0  # seconds after which a process that compiles is taken for lost
_INTERVAL = 0.25  # seconds between two looks at what another process has written
_MAIN = "import sys; sys.path[:] = {path!r}; from fastgrok.engine.compiling import main; main()"


class Compilation:
    """A driver that another process compiles: one of this process's own, or whoever was first to claim it."""

    def __init__(self, driver: Any, claim: Path, process: subprocess.Popen[bytes] | None) -> None:
        self._driver, self._claim, self._process = driver, claim, process
        self._next_look, self._runs = 0.0, True

    def is_running(self) -> bool:
        """Whether it goes on; whether it came to something is seen when the driver is called for."""
        if self._runs and self._process is not None:
            self._runs = self._process.poll() is None
            if not self._runs:  # it may have ended before it could
                _drop(self._claim)
        elif self._runs and time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + _INTERVAL
            self._runs = _is_fresh(self._claim) and not self._driver.is_cached()
        return self._runs

    def wait(self) -> None:
        """Wait for this process's own until it has ended, or must be taken for lost."""
        try:
            if self._process is not None:
                self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            pass
        finally:
            self.leave()

    def leave(self) -> None:
        """Have nobody warn that the process outlives this one."""
        if self._process is not None and self._process.poll() is None:
            self._process.returncode = 0


_compilations: dict[Any, Compilation] = {}
_lock = threading.Lock()


def compilation(driver: Any) -> Compilation | None:
    """Return what compiles a driver, or has, if anything does."""
    return _compilations.get(driver)


def start(experiment: Experiment, recording: Recording, lanes: int, driver: Any) -> Compilation:
    """Have the specialised driver of an experiment compiled by another process, unless that goes on already."""
    with _lock:
        if driver not in _compilations:
            claim = cache_directory() / f"{driver.stem}.claim"
            process = None if _is_fresh(claim) else _spawn(claim, (True, experiment, recording, lanes, 1, claim))
            _compilations[driver] = Compilation(driver, claim, process)
            announce(driver_name(experiment, specialize=True), _compilations[driver].is_running)
        return _compilations[driver]


def evaluation(program: Program, recording: Recording) -> Compilation | None:
    """Have the evaluation, and what draws, compiled by another process while this one compiles the driver.

    None where neither is due. Whoever needs both has to wait for both, so this is waited for.
    """
    one_is_due = program.experiment.epochs == 0 or program.driver.is_cached() or program.evaluate.is_cached()
    if one_is_due or cpu_count() < 2:
        return None
    claim = cache_directory() / f"{program.evaluate.stem}.claim"
    task = (False, program.experiment, recording, program.lanes, program.n_seeds, claim)
    process = None if _is_fresh(claim) else _spawn(claim, task)
    return None if process is None else Compilation(program.evaluate, claim, process)


def _is_fresh(claim: Path) -> bool:
    """Whether some process said not long ago that it compiles this."""
    with contextlib.suppress(OSError):
        return time.time() - claim.stat().st_mtime < _PATIENCE
    return False


def _drop(claim: Path) -> None:
    """Let go of a claim, if there is one."""
    with contextlib.suppress(OSError):
        claim.unlink()


def _spawn(claim: Path, task: tuple[Any, ...]) -> subprocess.Popen[bytes] | None:
    """Start the process, or return None where there can be none: then the driver is compiled by who needs it."""
    if not sys.executable:
        return None
    try:
        claim.parent.mkdir(parents=True, exist_ok=True)
        claim.touch()
        with tempfile.TemporaryFile() as file:  # a pipe would be full before the other process reads
            pickle.dump(task, file)
            file.seek(0)
            command, quiet = [sys.executable, "-c", _MAIN.format(path=sys.path)], subprocess.DEVNULL
            return subprocess.Popen(command, stdin=file, stdout=quiet, stderr=quiet, start_new_session=True)
    except Exception:  # nothing that can be pickled, or no disk, or no more processes
        _drop(claim)
        return None


def main() -> None:
    """Compile what stdin describes into the cache, in a process of its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who started it
    watch = threading.Timer(_PATIENCE, os._exit, (1,))
    watch.daemon = True
    watch.start()
    is_driver, experiment, recording, lanes, n_seeds, claim = pickle.load(sys.stdin.buffer)
    try:
        if cache_directory().is_dir():
            options = {"lanes": lanes, "n_seeds": n_seeds, "recording": recording}
            program = Program(experiment, specialize=is_driver, **options)
            if not is_driver:
                program.compile_others()
            elif not program.driver.is_cached():
                before = time.process_time()
                program.compile_driver()
                rates().compiled(time.process_time() - before)
                rates().save()
    finally:
        _drop(claim)


def _forget() -> None:
    """Forget the children of the process that this one was forked from."""
    global _lock
    _compilations.clear()
    _lock = threading.Lock()


@atexit.register
def _leave() -> None:
    for each in _compilations.values():
        each.leave()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
