"""Which driver trains: it changes over in the middle of a run, and no bit shows it."""

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fingerprint import XOR, bits

import fastgrok as fg
from fastgrok.engine import choice, compiling
from fastgrok.engine.program import Program
from fastgrok.kernels import jit
from fastgrok.kernels.jit import Kernel

N, CHUNK = 150, 16
SHUFFLED = XOR.replace(order="per_seed", optimizer=fg.SGD(0.3, 0.9), batch_size=2, epochs=60)


class Compilation:
    """One that ends after some looks at it."""

    error: Exception | None = None
    was_tried = True

    def __init__(self, looks: int, at_last: Callable[[], object] = lambda: None) -> None:
        self._looks, self._at_last = looks, at_last

    def is_running(self) -> bool:
        self._looks -= 1
        if self._looks == 0:
            self._at_last()
        return self._looks > 0


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> Callable[[Compilation], None]:
    """Have runs begin with the general driver while a compilation goes on, which none waits for."""
    monkeypatch.setattr(choice.Rates, "compile_seconds", lambda self: np.inf)

    def begin(compilation: Compilation) -> None:
        monkeypatch.setattr(choice.Choice, "_begins_specialised", lambda self: False)
        monkeypatch.setattr(compiling, "compilation", lambda driver: compilation)

    return begin


def run(exp: fg.Experiment, **options: Any) -> fg.Result:
    return fg.run(exp, N, **{"keep_params": True, "threads": 1, "chunk_size": CHUNK, "progress": False} | options)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("exp", [XOR, SHUFFLED], ids=["XOR", "shuffled"])
def test_a_run_that_changes_over_has_the_bits_of_either_driver(exp, threads, begun):
    alone = [bits(run(exp, specialize=specialize)) for specialize in (False, True)]
    begun(Compilation(5))
    both = run(exp, threads=threads)
    assert both.drivers.keys() == {"general", "specialised"}
    assert sum(both.drivers.values()) == N
    assert [bits(both)] * 2 == alone


def test_the_first_chunks_are_the_general_drivers_and_the_others_not(begun):
    begun(Compilation(5))  # the first look is before the first chunk
    assert run(XOR).drivers == {"general": 3 * CHUNK, "specialised": N - 3 * CHUNK}
    begun(Compilation(1))
    assert run(XOR).drivers == {"specialised": N}
    begun(Compilation(10**9))
    assert run(XOR).drivers == {"general": N}


def test_where_one_chunk_would_lose_more_than_a_compile_takes_the_faster_driver_comes_first(monkeypatch, begun):
    begun(Compilation(5))
    monkeypatch.setattr(choice.Rates, "compile_seconds", lambda self: 1e-9)
    monkeypatch.setattr(choice, "_PATIENCE", 1e11)  # seconds enough for five looks
    assert run(XOR).drivers == {"specialised": N}
    begun(Compilation(10**9))
    monkeypatch.setattr(choice, "_PATIENCE", 1e8)
    assert run(XOR).drivers == {"general": N}  # a compile that does not end is not waited for


@pytest.mark.parametrize(("specialize", "name"), [(False, "general"), (True, "specialised")])
def test_a_driver_that_is_asked_for_does_it_all(specialize, name, begun):
    begun(Compilation(3))
    result = run(XOR, specialize=specialize)
    assert result.drivers == {name: N}
    assert result.dataset.attrs["drivers"] == f'{{"{name}": {N}}}'


def test_what_one_driver_lost_is_counted_and_a_faster_one_bought(monkeypatch, tmp_path):
    """No single call is worth a compile, but a number of them are."""
    monkeypatch.setenv("FASTGROK_CACHE_DIR", str(tmp_path))
    bought: list[fg.Experiment] = []
    monkeypatch.setattr(choice.Choice, "_begins_specialised", lambda self: False)
    monkeypatch.setattr(compiling, "compilation", lambda driver: None)
    monkeypatch.setattr(compiling, "start", lambda program: bought.append(program.experiment))
    calls = 0
    while not bought and calls < 5:
        fg.run(XOR, N, progress=False)
        calls += 1
        if calls == 2:  # what these lost is far from it; as if there had been many more
            book = choice.rates()
            book.lose(choice.regime(XOR), book.compile_seconds())
    assert calls == 3
    assert bought[0] == XOR


def test_a_large_run_buys_at_once_and_one_that_no_driver_is_faster_for_never(monkeypatch):
    bought: list[fg.Experiment] = []
    monkeypatch.setattr(choice.Choice, "_begins_specialised", lambda self: False)
    monkeypatch.setattr(compiling, "compilation", lambda driver: None)
    monkeypatch.setattr(compiling, "start", lambda program: bought.append(program.experiment))
    options = choice.ExecutionOptions()
    for exp in (XOR.replace(epochs=10**6), XOR.replace(network=fg.mlp(2, 64, 1), epochs=10**6)):
        choice.Choice(exp, choice.Recording(), 10**6, options).change_over()
    assert [each.network for each in bought] == [XOR.network]
    fg.run(XOR.replace(epochs=30), 20, track="dead_units", progress=False)
    assert len(bought) == 1


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Have no specialised driver be compiled, and return what was tried, by whether that was a specialised one."""
    tried: list[bool] = []
    compile_driver = Program.compile_driver

    def refuse(self: Program, memory: Any = None) -> None:
        tried.append(self.specialize)
        if self.specialize:
            raise RuntimeError("LLVM said no")
        compile_driver(self, memory)

    monkeypatch.setattr(Program, "compile_driver", refuse)
    monkeypatch.setattr(choice, "_failed", set())
    return tried


REFUSED = pytest.warns(RuntimeWarning, match=r"the driver for 2-4-1, float64 could not .*: LLVM said no")


def run_refused(exp: fg.Experiment) -> None:
    """Run twice, and look at the results and at the one warning."""
    expected = bits(run(exp, specialize=False))
    with REFUSED as warned:
        results = [run(exp), run(exp)]
    assert [each.filename for each in warned] == [__file__]
    for result in results:
        assert result.drivers == {"general": N}
        assert bits(result) == expected


def test_a_driver_that_no_thread_could_be_started_for_and_that_fails_leaves_the_run_with_the_general_one(
    refused, begun, monkeypatch
):
    monkeypatch.setattr(Compilation, "error", RuntimeError("can't start new thread"))
    monkeypatch.setattr(Compilation, "was_tried", False)
    begun(Compilation(3))
    run_refused(XOR)
    assert refused.count(True) == 1


def test_a_driver_that_a_thread_could_not_compile_is_not_compiled_again(refused, begun, monkeypatch):
    monkeypatch.setattr(Compilation, "error", RuntimeError("LLVM said no"))
    begun(Compilation(3))
    run_refused(XOR)
    assert True not in refused


def test_a_driver_that_is_made_first_and_cannot_be_leaves_the_run_with_the_general_one(refused, monkeypatch):
    monkeypatch.setattr(choice.Choice, "_begins_specialised", lambda self: True)
    monkeypatch.setattr(Kernel, "is_loaded", False)
    run_refused(XOR)
    assert refused.count(True) == 1


def test_a_driver_that_was_asked_for_and_cannot_be_compiled_is_an_error(refused, monkeypatch):
    monkeypatch.setattr(Kernel, "is_loaded", False)
    with pytest.raises(RuntimeError, match="LLVM said no"):
        run(XOR, specialize=True)


def test_a_cancel_reaches_the_faster_driver_too():
    program = Program.kept(XOR, specialize=False, lanes=8, n_seeds=N)
    faster = program.with_driver(specialize=True, lanes=8)
    assert not faster.cancelled
    program.cancel()
    assert faster.cancelled
    assert not Program.kept(XOR, specialize=False, lanes=8, n_seeds=N).cancelled


def test_ctrl_c_while_a_driver_is_compiled_keeps_the_chunks_that_are_finished(begun):
    before = threading.active_count()
    begun(Compilation(4, lambda: signal.raise_signal(signal.SIGINT)))
    with pytest.warns(UserWarning, match="interrupted"):
        result = fg.run(XOR.replace(epochs=3_000, stop=None), 2_000, chunk_size=32, threads=1, progress=False)
    assert 0 < result.n_finished < 2_000
    assert sum(result.drivers.values()) == result.n_finished
    deadline = time.monotonic() + 60
    while threading.active_count() > before:  # one that was being started when Ctrl-C came is not waited for
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_store_says_which_drivers_made_it(tmp_path: Path, begun):
    begun(Compilation(3))  # two looks at it for each run of one chunk
    store = fg.sweep(XOR, 4 * N, store=tmp_path / "store", shard_size=N, threads=1, progress=False)
    assert store.drivers == {"general": N, "specialised": 3 * N}
    other = fg.sweep(XOR, 4 * N, store=tmp_path / "other", shard_size=N, specialize=False, progress=False)
    assert store.content_hash() == other.content_hash()
    assert store.dataset().attrs["drivers"] == f'{{"general": {N}, "specialised": {3 * N}}}'


def test_what_a_chunk_compiles_is_no_part_of_what_it_took(monkeypatch):
    """Else a machine would be taken to be a thousand times slower than it is, and a chunk worth any wait."""
    clock, counted, trained = [0.0], [], Program.train

    def machine_code(self: Kernel, wanted: Any, args: tuple[Any, ...]) -> bytes:
        clock[0] += 100
        return b""

    def train(self: Program, *args: Any) -> Any:
        clock[0] += 1
        Kernel(None, jit.KernelFiles("another", ())).code(())
        return trained(self, *args)

    run(XOR, specialize=False)  # compiles what there is, and the next does not
    monkeypatch.setattr(time, "thread_time", lambda: clock[0])
    monkeypatch.setattr(choice.Choice, "trained", lambda self, program, n, epochs, seconds: counted.append(seconds))
    monkeypatch.setattr(jit, "Code", lambda code: code)
    monkeypatch.setattr(Kernel, "_machine_code", machine_code)
    monkeypatch.setattr(Program, "train", train)
    run(XOR, specialize=False, chunk_size=N)
    assert counted == [1.0]
    assert clock[0] == 101


def test_seconds_of_a_thread_follow_the_measured_rate(monkeypatch, tmp_path):
    monkeypatch.setenv("FASTGROK_CACHE_DIR", str(tmp_path))
    before = choice.thread_seconds(XOR, choice.Recording(), 1000)
    book = choice.rates()
    rate = book.rate(choice.regime(XOR), choice.SPECIALISED)
    book.trained(choice.regime(XOR), choice.SPECIALISED, rate * 10, 1.0)
    assert np.isclose(choice.thread_seconds(XOR, choice.Recording(), 1000) * 10, before)
