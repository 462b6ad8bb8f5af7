"""Kernels that are compiled while something else goes on.

The faster driver of an experiment is made by a thread while the run trains: Numba has nothing to do with it, and
LLVM lets Python run. Where nothing is on disk yet, Numba works for seconds, and holds Python's lock; so a process of
its own compiles what draws and what evaluates into the cache on disk while this one compiles the driver.
"""

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
from fastgrok.kernels.cache import make_directory, usable_directory
from fastgrok.spec.recording import Recording

_PATIENCE = 60.0  # seconds after which a process that compiles is taken for lost
_MAIN = "import sys; sys.path[:] = {path!r}; from fastgrok.engine.compiling import main; main()"


class Compilation:
    """A driver that a thread makes; the interpreter leaves after that, which takes less than a second."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self.error: Exception | None = None
        self.was_tried = True
        self._thread = threading.Thread(target=self._compile, name="fastgrok compiles")
        try:
            self._thread.start()
        except RuntimeError as error:  # no more threads: whoever needs the driver compiles it
            self.error, self.was_tried = error, False

    def is_running(self) -> bool:
        """Whether it goes on; afterwards the driver is there, or `error`."""
        return self._thread.is_alive()

    def _compile(self) -> None:
        was_there, before = self._program.driver.is_cached(), time.thread_time()
        try:
            self._program.compile_driver()
        except Exception as error:
            self.error = error
            return
        finally:
            del self._program  # and the data that it holds
        if not was_there:  # else it was only read
            rates().compiled(time.thread_time() - before)
            rates().save()


_compilations: dict[Any, Compilation] = {}
_lock = threading.Lock()


def compilation(driver: Any) -> Compilation | None:
    """Return what compiles a driver, or has, if anything does."""
    return _compilations.get(driver)


def start(program: Program) -> Compilation:
    """Have the driver of a program made by a thread, unless that goes on already."""
    with _lock:
        if program.driver not in _compilations:
            begun = _compilations[program.driver] = Compilation(program)
            announce(driver_name(program.experiment, specialize=program.specialize), begun.is_running)
        return _compilations[program.driver]


class Process:
    """Another process, which compiles what draws and what evaluates."""

    def __init__(self, process: subprocess.Popen[bytes], claim: Path) -> None:
        self._process, self._claim = process, claim

    def wait(self) -> None:
        """Wait until it has ended, or must be taken for lost."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_PATIENCE)
        _drop(self._claim)  # it may have ended before it could

    def leave(self) -> None:
        """Have nobody warn that it goes on, if it does."""
        if self._process.poll() is None:
            self._process.returncode = 0


def evaluation(program: Program, recording: Recording) -> Process | None:
    """Have the evaluation, and what draws, compiled by another process while this one compiles the driver.

    None where neither is due, or what Numba does for the evaluation is on disk: then this process is as soon done as
    another one has begun. Whoever needs both has to wait for both, so this is waited for.
    """
    evaluate = program.evaluate
    one_is_due = program.experiment.epochs == 0 or program.driver.is_cached() or evaluate.is_cached()
    if one_is_due or evaluate.is_begun() or cpu_count() < 2:
        return None
    directory = usable_directory()
    if directory is None:
        return None
    claim = directory / f"{program.evaluate.stem}.claim"
    task = (program.experiment, recording, program.lanes, program.n_seeds, claim)
    process = None if _is_fresh(claim) else _spawn(claim, task)
    return None if process is None else Process(process, claim)


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
    """Start the process, or return None where there can be none: what runs this may be a program of its own."""
    if getattr(sys, "frozen", False) or not Path(sys.executable or "").stem.startswith("python"):
        return None
    try:
        make_directory(claim.parent)
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
    experiment, recording, lanes, n_seeds, claim = pickle.load(sys.stdin.buffer)
    try:
        if claim.parent.is_dir():
            options = {"lanes": lanes, "n_seeds": n_seeds, "recording": recording}
            Program(experiment, specialize=False, **options).compile_others()
    finally:
        _drop(claim)


def _forget() -> None:
    """Forget the threads of the process that this one was forked from."""
    global _lock
    _compilations.clear()
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
