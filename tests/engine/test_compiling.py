"""A driver that another process compiles: it is not waited for, not inherited, and compiled once."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from fingerprint import XOR, bits

import fastgrok as fg
from fastgrok.engine import choice, compiling, rates
from fastgrok.engine.driver import make_driver
from fastgrok.engine.layout import functions
from fastgrok.engine.notices import underway
from fastgrok.engine.program import Program
from fastgrok.kernels.evaluate import make_evaluate
from fastgrok.spec.recording import NOTHING

LANES = 8
SHARED = os.environ.get("FASTGROK_CACHE_DIR")
ASLEEP, BROKEN = "import time; time.sleep(60)", "raise SystemExit(3)"
TINY = XOR.replace(network=fg.mlp(2, 1), order="per_seed")  # compiled by this module alone


def driver(exp: fg.Experiment = XOR) -> Any:
    return make_driver(exp, LANES, specialize=True)


@pytest.fixture
def main(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """Have the other processes do something else, and end those that are left."""
    monkeypatch.setenv("FASTGROK_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(compiling, "_compilations", {})

    def become(code: str) -> None:
        monkeypatch.setattr(compiling, "_MAIN", code)

    yield become
    for each in compiling._compilations.values():
        if each._process is not None and each._process.poll() is None:
            each._process.kill()
            each._process.wait()


def wait_for(compilation: compiling.Compilation) -> None:
    deadline = time.monotonic() + 300
    while compilation.is_running():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_another_process_compiles_into_the_cache_and_says_how_long_it_took(monkeypatch, tmp_path):
    monkeypatch.setenv("FASTGROK_CACHE_DIR", str(tmp_path))
    assert not driver(TINY).is_cached()
    begun = compiling.start(TINY, NOTHING, LANES, driver(TINY))
    assert compiling.start(TINY, NOTHING, LANES, driver(TINY)) is begun
    assert "the driver for 2-1, float64" in underway()
    wait_for(begun)
    assert driver(TINY).is_cached()
    assert not driver(TINY).is_loaded  # nothing has been read yet
    assert "the driver for 2-1, float64" not in underway()
    (known,) = json.loads((tmp_path / "rates.json").read_text()).values()
    assert known["compile_seconds"] > 0
    assert not list(tmp_path.glob("*.claim"))


def uncompiled() -> Program:
    """Return a program whose driver and evaluation this process has not compiled."""
    program = Program(TINY, specialize=True, lanes=2 * LANES, n_seeds=1)
    program.evaluate = make_evaluate.__wrapped__(program._evaluation_lanes, TINY.dtype, functions(), is_batched=False)
    return program


def test_the_evaluation_is_compiled_by_another_process(monkeypatch, tmp_path):
    monkeypatch.setenv("FASTGROK_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(compiling, "cpu_count", lambda: 2)
    program = uncompiled()
    begun = compiling.evaluation(program, NOTHING)
    assert begun is not None
    begun.wait()
    assert program.evaluate.is_cached()
    assert not program.evaluate.is_loaded
    assert not list(tmp_path.glob("*.claim"))
    assert compiling.evaluation(program, NOTHING) is None


def test_the_evaluation_is_waited_for_after_the_driver_and_compiled_here_where_that_failed(main, monkeypatch):
    main(BROKEN)
    monkeypatch.setattr(compiling, "cpu_count", lambda: 2)
    program, order = uncompiled(), []
    program._initialise = type("", (), {"kernels": [], "__call__": lambda *args: order.append("draws")})()
    program._run_driver = lambda *args: order.append("driver")
    program._run_evaluate = lambda *args: order.append("evaluation")
    begun = compiling.evaluation(program, NOTHING)
    assert begun is not None
    program.compile(program.memory(), lambda: order.append("wait") or begun.wait())
    assert begun._process is not None
    assert begun._process.returncode == 3
    assert order == ["driver", "wait", "draws", "evaluation"]


@pytest.mark.parametrize("change", ["one CPU", "the driver is there", "a claim"])
def test_the_evaluation_is_compiled_here_where_another_process_is_no_gain(main, monkeypatch, tmp_path, change):
    main(ASLEEP)
    program = uncompiled()
    monkeypatch.setattr(compiling, "cpu_count", lambda: 1 if change == "one CPU" else 2)
    if change == "the driver is there":
        (tmp_path / f"{program.driver.stem}-x.o").touch()
    if change == "a claim":
        (tmp_path / f"{program.evaluate.stem}.claim").touch()
    assert compiling.evaluation(program, NOTHING) is None


def test_a_driver_that_another_process_has_claimed_is_waited_for(main, tmp_path):
    main(ASLEEP)
    claim = tmp_path / f"{driver(TINY).stem}.claim"
    claim.touch()
    theirs = compiling.start(TINY, NOTHING, LANES, driver(TINY))
    assert theirs._process is None
    assert theirs.is_running()
    claim.unlink()
    theirs._next_look = 0.0
    assert not theirs.is_running()


def test_a_claim_of_a_process_that_was_lost_does_not_last(main, tmp_path):
    main(ASLEEP)
    claim = tmp_path / f"{driver().stem}.claim"
    claim.touch()
    os.utime(claim, (0, 0))
    assert compiling.start(XOR, NOTHING, LANES, driver())._process is not None


def test_what_another_process_cannot_compile_is_compiled_where_it_is_needed(main, monkeypatch):
    """As where the cache cannot be written, or a function of the experiment cannot be sent."""
    main(BROKEN)
    if SHARED is None:
        monkeypatch.delenv("FASTGROK_CACHE_DIR")
    else:
        monkeypatch.setenv("FASTGROK_CACHE_DIR", SHARED)  # where kernels may be compiled already
    expected = bits(fg.run(XOR, 100, keep_params=True, specialize=False, progress=False))
    monkeypatch.setattr(choice.Choice, "_begins_specialised", lambda self: False)
    monkeypatch.setattr(choice, "_FORESIGHT", 10**9)
    found: dict[str, int] = {}
    while "specialised" not in found:
        result = fg.run(XOR, 100, keep_params=True, progress=False)
        assert bits(result) == expected
        found = result.drivers


def test_a_process_that_failed_leaves_no_claim(main, tmp_path):
    main(BROKEN)
    wait_for(compiling.start(XOR, NOTHING, LANES, driver()))
    assert list(tmp_path.iterdir()) == []


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
    compiling.start(XOR, NOTHING, LANES, driver())  # takes the lock


def test_a_forked_process_has_no_part_in_it(main):
    """Whatever locks other threads held when it was forked."""
    main("pass")
    compiling.start(XOR, NOTHING, LANES, driver())
    assert len(compiling._compilations) == 1
    context = get_context("fork")
    states = context.SimpleQueue()
    child = context.Process(target=_told, args=(states,))
    with compiling._lock, rates.rates()._lock:
        child.start()
    child.join(60)
    if child.exitcode is None:
        child.kill()
        child.join()
    assert child.exitcode == 0
    assert states.get() == (0, [], 0.0)


LEAVES = """
import fastgrok as fg
from fastgrok.engine import compiling, notices
from fastgrok.engine.driver import make_driver
from fastgrok.spec.recording import NOTHING
compiling._MAIN = {main!r}
exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor())
begun = compiling.start(exp, NOTHING, 8, make_driver(exp, 8, specialize=True))
print(begun._process.pid, flush=True)
{then}
"""


FREED = "compiling._leave(); compiling._compilations.clear(); notices._compiling.clear(); del begun"
CTRL_C = "import os, signal; os.kill(os.getpid(), signal.SIGINT)"


@pytest.mark.parametrize("then", ["", FREED, CTRL_C])
def test_the_interpreter_leaves_at_once_and_the_other_process_goes_on(tmp_path, then):
    code = LEAVES.format(main=ASLEEP, then=then)
    env = os.environ | {"FASTGROK_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(Path(fg.__file__).parents[1])}
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", code]
    run = subprocess.run(command, env=env, capture_output=True, text=True, timeout=50)
    pid = int(run.stdout)
    os.kill(pid, 0)  # raises if there is no such process
    os.kill(pid, signal.SIGKILL)
    assert (run.stderr != "") == (then == CTRL_C)
    assert "Warning" not in run.stderr
