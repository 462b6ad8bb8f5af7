"""The decorators, and the choice of a function at run time."""

import gc
from typing import Any, NamedTuple

import numba
import numpy as np
import pytest
from numba.core.registry import CPUDispatcher

from fastgrok.kernels.jit import bound, by_kind, device, kernel


@device
def double(x):
    return 2 * x


@device
def negate(x):
    return -x


@device
def square(x):
    return x * x


@pytest.mark.parametrize("functions", [[double], [double, double], [double, negate, square]])
def test_a_kind_is_the_place_of_a_function(functions):
    run = by_kind(functions)

    @numba.njit
    def chosen(kind, x):
        return run(kind, x)

    for kind, function in enumerate(functions):
        assert chosen(kind, 3.0) == function.py_func(3.0)


def test_a_device_function_cannot_be_called_from_python():
    with pytest.raises(TypeError, match="double is a device function: only compiled functions can call it"):
        double(1.0)


class Pair(NamedTuple):
    first: Any
    second: Any


@kernel("test of bound kernels")
def add(out, pair):
    for k in range(out.shape[0]):
        out[k] += pair.first[k] + pair.second[k]


def test_a_bound_kernel_is_the_kernel():
    single, double, out = bound(add), bound(add), np.zeros(3)
    for _ in range(2):
        single(out, Pair(np.ones(3), np.ones(3, np.float32)))
        double(out, Pair(np.ones(3), np.arange(3.0)))
    assert out.tolist() == [6, 8, 10]
    assert len(add.overloads) == 2


@pytest.mark.parametrize("collects", [True, False])
def test_no_garbage_is_looked_for_while_a_kernel_is_compiled(monkeypatch, collects):
    seen = []
    monkeypatch.setattr(CPUDispatcher, "compile", lambda self, sig: seen.append(gc.isenabled()))
    before = gc.isenabled()
    try:
        gc.enable() if collects else gc.disable()
        kernel("garbage")(lambda x: None).compile(())
        assert seen == [False]
        assert gc.isenabled() == collects
    finally:
        gc.enable() if before else gc.disable()
