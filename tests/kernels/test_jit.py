"""The decorators, and the choice of a function at run time."""

import numba
import pytest

from fastgrok.kernels.jit import by_kind, device


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
