"""What compiles beside a run: a driver that is not waited for, not inherited and made once, and the evaluation."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from fingerprint import XOR

import fastgrok as fg
from fastgrok.engine import compiling, rates
from fastgrok.engine.layout import functions, kinds
from fastgrok.engine.notices import underway
from fastgrok.engine.program import Program
from fastgrok.kernels.evaluate import make_evaluate
from fastgrok.spec.recording import NOTHING

LANES = 8
SHARED = os.environ.get("FASTGROK_CACHE_DIR")
ASLEEP, BROKEN = "import time; time.sleep(60)", "raise SystemExit(3)"
TINY = XOR.replace(network=fg.mlp(2, 1), order="per_seed")  # compiled by this module alone


@pytest.fixture
def main(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """Have the other processes do something else, and end those that are left."""
    monkeypatch.setenv("FASTGROK_CACHE_DIR", str(tmp_path))
    started: list[compiling.Process] = []
    begin = compiling.Process

    def begun(*args: Any) -> compiling.Process:
        started.append(begin(*args))
        return started[-1]

    monkeypatch.setattr(compiling, "Process", begun)

    yield lambda code: monkeypatch.setattr(compiling, "_MAIN", code)
    for each in started:
        if each._process.poll() is None:
            each._process.kill()
            each._process.wait()


@pytest.fixture
def none_begun(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Have no thread compiled anything yet, and nothing be on disk."""
    monkeypatch.setenv("FASTGROK_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(compiling, "_compilations", {})
    return tmp_path


def program(exp: fg.Experiment) -> Program:
    return Program(exp, specialize=True, lanes=LANES, n_seeds=1)


def wait_for(compilation: compiling.Compilation) -> None:
    deadline = time.monotonic() + 300
    while compilation.is_running():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_thread_makes_a_driver_and_says_how_long_it_took(none_begun):
    faster = program(TINY)
    assert not faster.driver.is_cached()
    begun = compiling.start(faster)
    assert compiling.start(program(TINY)) is begun
    assert compiling.compilation(faster.driver) is begun
    assert "the driver for 2-1, float64" in underway()
    wait_for(begun)
    assert faster.driver.is_loaded
    assert begun.error is None
    assert "the driver for 2-1, float64" not in underway()
    assert rates.rates().compile_seconds() != rates._FIRST_COMPILE


def test_a_driver_that_a_thread_could_not_make_is_no_driver(none_begun, monkeypatch):
    def compile_driver(self: Program) -> None:
        raise RuntimeError("LLVM said no")

    monkeypatch.setattr(Program, "compile_driver", compile_driver)
    begun = compiling.start(program(XOR))
    wait_for(begun)
    assert str(begun.error) == "LLVM said no"
    assert begun.was_tried


def test_where_there_are_no_more_threads_whoever_needs_the_driver_compiles_it(none_begun, monkeypatch):
    def start(self: Any) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    begun = compiling.start(program(XOR))
    assert not begun.is_running()
    assert begun.error is not None
    assert not begun.was_tried


def uncompiled() -> Program:
    """Return a program whose driver and evaluation this process has not compiled."""
    made = Program(TINY, specialize=True, lanes=2 * LANES, n_seeds=1)
    evaluate = make_evaluate.__wrapped__(made._evaluation_lanes, TINY.dtype, functions(), is_batched=False)
    made.evaluate = evaluate.bound_to(kinds(TINY.network, TINY.loss))
    return made


def test_the_evaluation_is_compiled_by_another_process(monkeypatch, tmp_path):
    monkeypatch.setenv("FASTGROK_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(compiling, "cpu_count", lambda: 2)
    made = uncompiled()
    begun = compiling.evaluation(made, NOTHING)
    assert begun is not None
    begun.wait()
    assert made.evaluate.is_cached()
    assert not made.evaluate.is_loaded
    assert not list(tmp_path.glob("*.claim"))
    assert compiling.evaluation(made, NOTHING) is None


def test_the_evaluation_is_waited_for_after_the_driver_and_compiled_here_where_that_failed(main, monkeypatch):
    main(BROKEN)
    monkeypatch.setattr(compiling, "cpu_count", lambda: 2)
    made, order = uncompiled(), []
    made._initialise = type("", (), {"kernels": [], "__call__": lambda *args: order.append("draws")})()
    made._run_driver = lambda *args: order.append("driver")
    made._run_evaluate = lambda *args: order.append("evaluation")
    begun = compiling.evaluation(made, NOTHING)
    assert begun is not None
    made.compile(made.memory(), lambda: order.append("wait") or begun.wait())
    assert begun._process.returncode == 3
    assert order == ["driver", "wait", "evaluation", "draws"]


@pytest.mark.parametrize("program", ["", "/opt/viewer", "/usr/bin/python-viewer"])
def test_no_copy_of_a_program_that_is_not_python_is_started(main, monkeypatch, program):
    monkeypatch.setattr(compiling, "cpu_count", lambda: 2)
    monkeypatch.setattr(sys, "executable", program)
    monkeypatch.setattr(sys, "frozen", program.endswith("python-viewer"), raising=False)
    monkeypatch.setattr(subprocess, "Popen", None)
    assert compiling.evaluation(uncompiled(), NOTHING) is None


def test_a_driver_that_is_made_keeps_no_program(none_begun):
    begun = compiling.start(program(TINY))
    wait_for(begun)
    assert not any(isinstance(value, Program) for value in vars(begun).values())


@pytest.mark.parametrize("change", ["one CPU", "the driver is there", "Numba has done its part", "a claim"])
def test_the_evaluation_is_compiled_here_where_another_process_is_no_gain(main, monkeypatch, tmp_path, change):
    main(ASLEEP)
    made = uncompiled()
    monkeypatch.setattr(compiling, "cpu_count", lambda: 1 if change == "one CPU" else 2)
    if change == "the driver is there":
        (tmp_path / f"{made.driver.stem}-x.o").touch()
    if change == "Numba has done its part":
        (tmp_path / f"{made.evaluate._files.stem()}-x.bc").touch()
    if change == "a claim":
        (tmp_path / f"{made.evaluate.stem}.claim").touch()
    assert compiling.evaluation(made, NOTHING) is None


def test_a_claim_of_a_process_that_was_lost_does_not_last(main, monkeypatch, tmp_path):
    main(BROKEN)
    monkeypatch.setattr(compiling, "cpu_count", lambda: 2)
    made = uncompiled()
    claim = tmp_path / f"{made.evaluate.stem}.claim"
    claim.touch()
    os.utime(claim, (0, 0))
    begun = compiling.evaluation(made, NOTHING)
    assert begun is not None
    begun.wait()
    assert list(tmp_path.iterdir()) == []  # nor does that of one that failed


def test_what_cannot_be_sent_starts_nothing(main, tmp_path):
    main(ASLEEP)
    claim = tmp_path / "x.claim"
    assert compiling._spawn(claim, (lambda: 0,)) is None
    assert not claim.exists()


def test_a_place_that_is_no_directory_starts_nothing(main, tmp_path):
    main(ASLEEP)
    (tmp_path / "file").touch()
    assert compiling._spawn(tmp_path / "file" / "x.claim", ()) is None


def _told(states: Any) -> None:
    states.put((len(compiling._compilations), underway(), rates.rates().lost("a")))
    wait_for(compiling.start(program(TINY)))  # takes the lock, and LLVM's
    states.put(program(TINY).driver.is_loaded)


def test_a_forked_process_has_no_part_in_it(none_begun):
    """Whatever locks other threads hold when it is forked."""
    begun = compiling.start(program(XOR))
    context = get_context("fork")
    states = context.SimpleQueue()
    child = context.Process(target=_told, args=(states,))
    with compiling._lock, rates.rates()._lock:
        child.start()  # waits until LLVM is at work no more
    child.join(300)
    if child.exitcode is None:
        child.kill()
        child.join()
    assert child.exitcode == 0
    assert states.get() == (0, [], 0.0)
    assert states.get()
    wait_for(begun)


LEAVES = """
import threading
import fastgrok as fg
from fastgrok.engine import compiling
from fastgrok.engine.program import Program
exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor())
compile_driver, goes_on = Program.compile_driver, threading.Event()
def slowly(program, *args):
    goes_on.set()
    compile_driver(program, *args)
Program.compile_driver = slowly
begun = compiling.start(Program(exp, specialize=True, lanes=8, n_seeds=1))
goes_on.wait()
{then}
"""
CTRL_C = "import os, signal; os.kill(os.getpid(), signal.SIGINT)"


@pytest.mark.parametrize("then", ["", CTRL_C])
def test_the_interpreter_leaves_when_llvm_is_done_and_the_driver_is_on_disk(tmp_path, then):
    env = os.environ | {"FASTGROK_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(Path(fg.__file__).parents[1])}
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", LEAVES.format(then=then)]
    run = subprocess.run(command, env=env, capture_output=True, text=True, timeout=100)
    assert (run.stderr != "") == (then == CTRL_C)
    assert "Warning" not in run.stderr
    assert len(list(tmp_path.glob("train-*.o"))) == 1
