"""The decorators, and the choice of a function at run time."""

import gc
from typing import Any, NamedTuple

import numpy as np
import pytest

from fastgrok.kernels import pipeline
from fastgrok.kernels.jit import bound, by_kind, device, kernel
from fastgrok.kernels.pipeline import bitcode, bitcode_of_kind
from fastgrok.kernels.words import flat


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
    run = by_kind("test", dict(enumerate(functions)), returns=0)

    @kernel("test of kinds", *(function.__name__ for function in functions))
    def chosen(out, kind, x):
        out[0] = run(kind, x)

    out = np.zeros(1)
    for kind, function in enumerate(functions):
        chosen(out, kind, 3.0)
        assert out[0] == function.py_func(3.0)


def _chosen():
    run = by_kind("operation", {1: double, 2: negate, 5: square}, returns=0)

    @kernel("test of bound kinds")
    def chosen(out, kind, x):
        out[0] = run(kind, x)

    return chosen


def test_a_kernel_has_the_kinds_that_it_is_bound_to():
    args = (np.zeros(1), 2, 3.0)
    every, one = (str(_chosen().bound_to(binding).module(args)) for binding in ((), (("kind.operation", (2,)),)))
    assert "fmul" in every
    assert "fneg" in every
    assert "fmul" not in one
    assert "fneg" in one
    assert "@llvm.trap()" in one
    assert "@llvm.trap()" not in every


def test_kinds_are_compiled_once_for_the_types_that_they_are_called_with(monkeypatch, tmp_path):
    monkeypatch.setenv("FASTGROK_CACHE_DIR", str(tmp_path))
    made = []
    monkeypatch.setattr(
        pipeline, "bitcode_of_kind", lambda kind, *args: made.append(kind) or bitcode_of_kind(kind, *args)
    )
    out = np.zeros(1)
    chosen = _chosen()
    for place in (1, 2):
        chosen.bound_to((("kind.operation", (place,)),))(out, place, 3.0)
    assert made == [double, negate]
    _chosen()(out, 5, 3.0)  # all of them, as another process would
    assert out[0] == 9
    assert made == [double, negate, square]
    chosen(np.zeros(1, np.float32), 1, np.float64(3.0))
    assert made == [double, negate, square]


def test_functions_of_one_name_are_told_apart_by_what_they_were_made_with():
    def made_with(function):
        @device
        def twice(x):
            return function(function(x))

        return twice

    run = by_kind("closure", {0: made_with(negate), 1: made_with(square)}, returns=0)

    @kernel("test of closures")
    def chosen(out, kind, x):
        out[0] = run(kind, x)

    out = np.zeros(2)
    for kind in (0, 1):
        chosen(out[kind:], kind, 3.0)
    assert out.tolist() == [3, 81]


def test_functions_made_of_the_same_are_one_and_compiled_once():
    def scaled_by(number, function=None):
        @device
        def scaled(x):
            return number * x if function is None else number * function(x)

        return scaled

    numbers = [2, 2.0, True, 1, 0.0, -0.0, (1, 2), (1, 2.0)]
    made = [scaled_by(number) for number in numbers]
    assert len(set(made)) == len(numbers)
    assert [scaled_by(number) for number in numbers] == made
    assert scaled_by(2, scaled_by(2)) is scaled_by(2, scaled_by(2))
    assert scaled_by(2, scaled_by(2)) is not scaled_by(2, scaled_by(3))
    assert scaled_by([2]) is not scaled_by([2])


def test_a_kind_that_returns_another_type_is_refused():
    @device
    def is_positive(x):
        return x > 0

    run = by_kind("wrong", {0: is_positive}, returns=0)

    @kernel("test of a wrong kind")
    def chosen(out, kind, x):
        out[0] = run(kind, x)

    with pytest.raises(TypeError, match="is_positive returns bool, and its caller needs float64"):
        chosen(np.zeros(1), 0, 1.0)


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
    assert len(add._loaded) == 2


def test_an_argument_that_is_another_object_is_read_again():
    call, out = bound(add), np.zeros(2)
    pairs = [Pair(np.full(2, k), np.zeros(2)) for k in (1.0, 10.0)]
    for pair in (pairs[0], pairs[0], pairs[1], pairs[0]):
        call(out, pair)
    assert out.tolist() == [13, 13]


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (np.zeros((2, 4))[:, ::2], "take C-contiguous arrays"),
        ("text", "and got str"),
        (Pair(1.0, {}), "and got dict"),
    ],
)
def test_what_has_no_words_is_refused(bad, said):
    with pytest.raises(TypeError, match=said):
        flat(bad)


@kernel("test of words")
def echo(floats, integers, values):
    (number, integer, flag, nothing), array = values
    floats[0], floats[1] = number, array[1, 0]
    integers[0], integers[1], integers[2] = integer, array.shape[0], array.strides[0]
    if flag and nothing is None:
        integers[3] = 1


@pytest.mark.parametrize("integer", [-(2**63), -1, 2**63 - 1])
def test_arguments_arrive_as_they_were(integer):
    floats, integers = np.zeros(2), np.zeros(4, np.int64)
    array = np.arange(6, dtype=np.float32).reshape(3, 2)
    echo(floats, integers, ((-0.0, integer, True, None), array))
    assert floats.tolist() == [0, 2]
    assert np.signbit(floats[0])
    assert integers.tolist() == [integer, 3, 8, 1]


def test_a_kernel_that_fails_says_so():
    @kernel("test of a failure")
    def fail(out):
        if out[0] == 0:
            raise ValueError

    with pytest.raises(RuntimeError, match="raised an exception"):
        fail(np.zeros(1))


@pytest.mark.parametrize("collects", [True, False])
def test_no_garbage_is_looked_for_while_a_kernel_is_compiled(monkeypatch, collects):
    seen = []
    monkeypatch.setattr(pipeline, "bitcode", lambda *args: seen.append(gc.isenabled()) or bitcode(*args))
    before = gc.isenabled()
    try:
        gc.enable() if collects else gc.disable()
        kernel("garbage")(lambda x: None).module((1.0,))
        assert seen == [False]
        assert gc.isenabled() == collects
    finally:
        gc.enable() if before else gc.disable()
