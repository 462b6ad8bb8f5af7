"""What kernels are bound to is what they read, in every kind of value; unbound they read their arguments."""

from typing import Any, NamedTuple

import numpy as np
import pytest

from fastgrok.kernels.jit import device, kernel
from fastgrok.kernels.lanes import (
    fixed,
    fixed_memory,
    for_each,
    lane_view,
    like,
    repeat,
    scalar_view,
    splat_view,
)
from fastgrok.kernels.lanes.binding import bind_to


class Sizes(NamedTuple):
    n: Any
    is_wide: Any
    slope: Any
    nothing: Any


@device
def add_element(k, total, view):
    return total + view[k]


@kernel("a test of bindings")
def read(integers, floats, lanes, sizes, values, singles):
    s = fixed("sizes", sizes)
    integers[0], integers[1] = s.n, int(s.is_wide)
    floats[0] = s.slope
    floats[1] = repeat(add_element, 0, s.n, 0.0, (fixed("values", scalar_view(values)),))
    memory = fixed_memory("vectors", lane_view(lanes, 4))
    for k in range(2):
        memory[k] = fixed("singles", splat_view(singles, 4))[k] * like(memory[k], 2.0)
    out = lane_view(lanes, 4)
    for k in range(2):
        out[2 + k] = memory[k]


SIZES, OTHER = Sizes(3, False, -0.5, None), Sizes(2, True, 1e-300, None)
VALUES, SINGLES = np.array([1.0, 2.0, 4.0]), np.array([0.1, -0.0], np.float32)


def result(kernel):
    integers, floats, lanes = np.zeros(2, np.int64), np.zeros(2), np.full((4, 4), 9, np.float32)
    kernel(integers, floats, lanes, SIZES, VALUES, SINGLES)
    return integers.tolist(), floats.tolist(), lanes


def test_what_is_not_bound_is_read():
    integers, floats, lanes = result(read)
    assert (integers, floats) == ([3, 0], [-0.5, 7.0])
    np.testing.assert_array_equal(lanes[:, 0], np.array([0.2, -0.0] * 2, np.float32))


@pytest.mark.parametrize("values", [{}, {"vectors": 2}])
def test_what_is_bound_is_what_it_is_bound_to(values):
    others = {"sizes": OTHER, "values": VALUES + 10, "singles": np.array([3, np.inf], np.float32)}
    integers, floats, lanes = result(read.bound_to(bind_to(others | values)))
    assert (integers, floats) == ([2, 1], [1e-300, 23.0])
    np.testing.assert_array_equal(lanes[2:, 0], np.array([6, np.inf], np.float32))
    np.testing.assert_array_equal(lanes[:2], 9 if values else lanes[2:])  # what is on the stack is nobody else's


def test_machine_code_of_one_binding_is_not_taken_for_that_of_another():
    kernels = [read.bound_to(bind_to({"sizes": SIZES._replace(n=n)})) for n in (1, 2)]
    assert [result(each)[1][1] for each in kernels] == [1.0, 3.0]
    assert len({each.stem for each in (*kernels, read)}) == 3


@device
def double(p, params):
    params[p] = params[p] + params[p]


@kernel("a test of loops over parameters")
def double_each(lanes, n):
    memory = lane_view(lanes, 4)
    params, n_params = fixed_memory("params_vectors", memory), fixed("n_params", n)
    for p in range(n_params):
        params[p] = memory[p]
    for_each("parameter", double, n_params, (params,))
    for p in range(n_params):
        memory[p] = params[p]


@pytest.mark.parametrize("bound", [{}, {"params_vectors": 3, "n_params": 3}, {"params_vectors": 3, "n_params": 0}])
def test_a_loop_over_parameters_is_written_out_without_a_word(bound, capfd):
    lanes = np.ones((5, 4), np.float32)
    n = bound.get("n_params", 2)
    (double_each.bound_to(bind_to(bound)) if bound else double_each)(lanes, n)
    np.testing.assert_array_equal(lanes[:, 1], [2] * n + [1] * (5 - n))
    assert capfd.readouterr().err == ""  # LLVM warns of a loop that it was told to write out and could not
