"""The bits of a seed do not depend on what another library has done to the thread's floating-point environment."""

from __future__ import annotations

import ctypes
import functools
import inspect
import itertools
import os
import platform
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fingerprint import bits
from llvmlite import binding as llvm

import fastgrok as fg
from fastgrok.engine.params import joined
from fastgrok.engine.program import Program
from fastgrok.kernels import environment

LIBRARY = r"""
#include <stdint.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
uint64_t get_control(void) { return _mm_getcsr() & ~0x3fu; }  /* without the flags of what has happened */
void set_control(uint64_t control) { _mm_setcsr((unsigned)control); }
#elif defined(__aarch64__)
uint64_t get_control(void) { uint64_t c; __asm__ volatile("mrs %0, fpcr" : "=r"(c)); return c; }
void set_control(uint64_t control) { __asm__ volatile("msr fpcr, %0" : : "r"(control)); }
#endif
#ifdef AT_LOAD
__attribute__((constructor)) static void start(void) { set_control(AT_LOAD); }
#endif
"""

X86 = {"default": 0x1F80, "flush": 0x8000, "denormals are zero": 0x40, "down": 0x2000, "up": 0x4000, "zero": 0x6000}
ARM = {"default": 0, "flush": 1 << 24, "up": 1 << 22, "down": 2 << 22, "zero": 3 << 22}
BITS = {"x86_64": X86, "AMD64": X86, "aarch64": ARM, "arm64": ARM}.get(platform.machine(), {})
MODES = {name: BITS["default"] | bit for name, bit in BITS.items() if name != "default"}
if BITS is X86:
    MODES["flush, denormals are zero, up"] = 0x1F80 | 0x8040 | 0x4000

any_mode = pytest.mark.parametrize("mode", MODES)

# A factor for weights that makes their products denormal.
TINY = {"float64": 1e-160, "float32": 1e-22}


def compiler() -> str:
    """Return a C compiler; without one nothing of this file is tested, which must not go unnoticed."""
    for name in ("cc", "gcc", "clang"):
        if shutil.which(name):
            return name
    if os.environ.get("FASTGROK_TEST_ALL"):
        pytest.fail("no C compiler here: the tests of the floating-point environment need one")
    pytest.skip("NO C COMPILER: nothing is tested of results under another floating-point environment")


def compiled(folder: Path, name: str, *flags: str) -> str:
    source, target = folder / f"{name}.c", folder / f"{name}.so"
    source.write_text(LIBRARY)
    subprocess.run([compiler(), "-O1", "-shared", "-fPIC", *flags, "-o", target, source], check=True)
    return str(target)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Any:
    lib = ctypes.CDLL(compiled(tmp_path_factory.mktemp("environment"), "control"))
    lib.get_control.restype, lib.get_control.argtypes = ctypes.c_uint64, []
    lib.set_control.restype, lib.set_control.argtypes = None, [ctypes.c_uint64]
    return lib


@pytest.fixture(autouse=True)
def restored(library: Any) -> Iterator[None]:
    yield
    library.set_control(BITS["default"])


def in_mode(library: Any, mode: str, call: Callable[[], Any]) -> Any:
    """Return what a call gives in another mode, which must be found again after it."""
    library.set_control(MODES[mode])
    try:
        result = call()
        assert library.get_control() == MODES[mode]
    finally:
        library.set_control(BITS["default"])
    return result


def experiment(dtype: str, **fields: Any) -> fg.Experiment:
    plain = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), optimizer=fg.SGD(0.3), dtype=dtype, epochs=12)
    return plain.replace(**fields)


CASES: dict[str, dict[str, Any]] = {
    "per example": {},
    "sigmoids": {"network": fg.mlp(2, 3, 1, hidden="sigmoid", output="sigmoid"), "loss": "binary_cross_entropy"},
    "Adam": {"optimizer": fg.Adam(0.01, schedule=fg.CosineAnnealingLR(12)), "batch_size": 3},
}


@functools.cache
def prepared(dtype: str, case: str) -> tuple[fg.Experiment, list[np.ndarray]]:
    """Return an experiment and what it starts from; parameters of every other network make denormals."""
    exp = experiment(dtype, **CASES[case])
    params = fg.initial_params(exp, 40)
    for each in params:
        each[::2] *= TINY[dtype]
    return exp, params


def trained(dtype: str, case: str, **options: Any) -> dict[str, Any]:
    exp, params = prepared(dtype, case)
    return bits(fg.run(exp, params=params, keep_params=True, progress=False, lanes=8, **options))


clean = functools.cache(trained)


@any_mode
@pytest.mark.parametrize("dtype", TINY)
@pytest.mark.parametrize(("specialize", "cases"), [(False, tuple(CASES)), (True, ("per example",))])
def test_training_gives_the_same_bits_in_any_mode(library, mode, dtype, specialize, cases):
    for case, threads in itertools.product(cases, (1, 2)):
        train = functools.partial(trained, dtype, case, specialize=specialize, threads=threads)
        expected = clean(dtype, case, specialize=specialize, threads=1)
        assert in_mode(library, mode, train) == expected


@any_mode
def test_kernels_alone_give_the_same_bits_in_any_mode(library, mode):
    exp, params = prepared("float32", "per example")
    program, flat = Program(exp, specialize=False, lanes=8, n_seeds=40), joined(exp.network, params, exp.dtype)
    train = functools.partial(program.train, np.arange(40, dtype=np.uint64), flat, program.memory())
    expected = train().params.copy()
    assert in_mode(library, mode, train).params.tobytes() == expected.tobytes()


@any_mode
@pytest.mark.parametrize("dtype", TINY)
def test_without_the_switch_the_bits_are_others(library, mode, dtype, monkeypatch):
    """Else the other tests would show nothing: what they train meets what the mode changes."""
    expected = clean(dtype, "per example", specialize=False, threads=1)
    monkeypatch.setattr(environment._environment, "exchange", lambda control: control)
    train = functools.partial(trained, dtype, "per example", specialize=False, threads=1)
    assert in_mode(library, mode, train) != expected


def arrays(exp: fg.Experiment) -> list[np.ndarray]:
    """Return everything that a history, initial parameters and predictions hold."""
    params, trace = fg.initial_params(exp, 4), fg.replay(exp, [5, 6])
    tiny = [each * TINY[exp.dtype] for each in params]
    outputs = fg.predict(exp.network, tiny, exp.data.X)
    return [*params, *(trace[name].to_numpy() for name in sorted(trace.data_vars)), outputs]


@any_mode
@pytest.mark.parametrize("dtype", TINY)
def test_a_history_and_predictions_are_the_same_in_any_mode(library, mode, dtype):
    exp = experiment(dtype, init=fg.HeNormal(), optimizer=fg.SGD(0.3, schedule=fg.StepLR(3, 0.7)))
    expected, found = arrays(exp), in_mode(library, mode, lambda: arrays(exp))
    outputs = expected[-1]
    assert (np.abs(outputs[outputs != 0]) < np.finfo(dtype).tiny).any()
    assert [each.tobytes() for each in found] == [each.tobytes() for each in expected]


def test_threads_of_an_executor_may_be_in_another_mode(library, tmp_path):
    exp = experiment("float32", init=fg.Normal(0, 1e-30))

    def made(name: str, control: int) -> str:
        with ThreadPoolExecutor(2, initializer=library.set_control, initargs=(control,)) as pool:
            return fg.sweep(
                exp, 30, store=tmp_path / name, shard_size=10, executor=pool, progress=False
            ).content_hash()

    expected = made("clean", BITS["default"])
    assert {made(mode, control) for mode, control in MODES.items()} == {expected}


PROGRAM = """
import ctypes, sys
ctypes.CDLL(sys.argv[1])
import fastgrok as fg
net = fg.mlp(2, 3, 1, hidden="sigmoid")
params = [each * 2.0**-66 for each in fg.initial_params(fg.Experiment(net, fg.datasets.xor(), dtype="float32"), 9)]
outputs = fg.predict(net, params, fg.datasets.xor().X)
"""


def test_a_library_that_changes_the_mode_when_it_is_loaded(tmp_path):
    """Kernels are compiled in that mode, too: their constants are folded and rounded in Python's arithmetic."""
    harmless, names = compiled(tmp_path, "harmless"), {}
    changing = compiled(tmp_path, "changing", f"-DAT_LOAD={[*MODES.values()][-1]}")
    exec(PROGRAM.replace("sys.argv[1]", repr(harmless)), names)
    command = [sys.executable, "-c", PROGRAM + "print(outputs.tobytes().hex())", changing]
    env = os.environ | {"FASTGROK_CACHE_DIR": str(tmp_path)}
    printed = subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout
    assert bytes.fromhex(printed) == names["outputs"].tobytes()


def test_the_mode_is_found_again_after_an_exception(library):
    def fail() -> None:
        assert library.get_control() == BITS["default"]
        raise KeyError

    with pytest.raises(KeyError):
        in_mode(library, next(iter(MODES)), environment.in_default_environment(fail))


def test_every_function_that_explains_or_trains_is_switched():
    functions = {name: getattr(fg.explain, name) for name in fg.explain.__all__} | {
        name: getattr(fg, name) for name in fg.__all__ if name not in ("datasets", "explain", "plots", "studies")
    }
    plain = {
        name for name, each in functions.items() if inspect.isfunction(each) and not hasattr(each, "__wrapped__")
    }
    assert plain <= {"mlp", "compare", "open_store", "load"}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_process_that_is_forked_while_a_thread_makes_the_switch_has_one(library, monkeypatch):
    switch, begun = environment._Environment(llvm.get_process_triple()), threading.Event()
    make = environment.machine_code

    def slowly(*args: str) -> Any:
        begun.set()
        time.sleep(0.2)
        return make(*args)

    monkeypatch.setattr(environment, "machine_code", slowly)
    maker = threading.Thread(target=lambda: switch.exchange(switch.default))
    child = get_context("fork").Process(target=lambda: switch.exchange(switch.default))
    maker.start()
    assert begun.wait(60)
    child.start()
    child.join(60)
    if child.exitcode is None:
        child.kill()
        child.join()
    maker.join()
    assert child.exitcode == 0


@any_mode
def test_an_architecture_whose_register_is_not_known_refuses(library, mode):
    unknown = environment._Environment("riscv64-unknown-linux-gnu")
    assert unknown.exchange(unknown.default) == unknown.default
    with pytest.raises(FloatingPointError, match="another library has changed its rounding mode"):
        in_mode(library, mode, lambda: unknown.exchange(0))


@pytest.mark.parametrize(
    ("triple", "instructions"),
    [
        ("x86_64-unknown-linux-gnu", ["stmxcsr", "ldmxcsr"]),
        ("aarch64-unknown-linux-gnu", ["mrs\tx8, fpcr", "msr\tfpcr, x9"]),
        ("arm64-apple-darwin", ["mrs\tx8, fpcr", "msr\tfpcr, x9"]),
    ],
)
def test_the_register_is_read_and_written(triple, instructions):
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    machine, module = environment.machine_code(triple, environment.REGISTERS[triple.split("-")[0]].exchange)
    assembly = machine.emit_assembly(module).lower()
    assert [each for each in instructions if each not in assembly] == [], assembly
