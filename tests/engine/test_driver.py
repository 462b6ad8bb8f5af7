"""The choice of lanes and of a driver."""

import numpy as np
import pytest

import fastgrok as fg
from fastgrok.engine.driver import is_faster_specialised, lane_count, make_driver
from fastgrok.kernels.target import vector_bytes

XOR = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), stop=None)
WIDE = fg.Experiment(fg.mlp(2, 512, 512, 1), fg.datasets.xor(), stop=None)


@pytest.mark.parametrize("specialize", [False, True])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_lanes_fill_registers(dtype, specialize):
    register = vector_bytes() // np.dtype(dtype).itemsize
    lanes = lane_count(XOR.replace(dtype=dtype), specialize=specialize)
    assert lanes in (register, 2 * register, 4 * register)
    curves = fg.Experiment(fg.mlp(2, 4, 1, hidden="tanh"), fg.datasets.xor(), dtype=dtype)
    assert lane_count(curves, specialize=True) == 4 * register


@pytest.mark.parametrize(("hidden", "loss"), [("relu", "binary_cross_entropy"), ("tanh", "squared_error")])
@pytest.mark.parametrize("optimizer", [fg.SGD(), fg.Adam()])
def test_more_parameters_than_registers_hold_take_fewer_lanes(hidden, loss, optimizer):
    def lanes(width):
        net = fg.mlp(2, width, 1, hidden=hidden, output="sigmoid")
        return lane_count(XOR.replace(network=net, loss=loss, optimizer=optimizer), specialize=True)

    assert lanes(2) >= lanes(8) >= lanes(32)
    assert lanes(2) > lanes(32)


def test_few_seeds_of_a_large_network_take_few_lanes():
    assert lane_count(WIDE, specialize=False, n_seeds=1) == 1
    assert lane_count(WIDE, specialize=False) > 1


def test_small_networks_are_faster_specialised():
    assert is_faster_specialised(XOR)
    assert not is_faster_specialised(WIDE)


def test_one_general_driver_serves_every_network_and_a_specialised_one_only_its_own():
    other = XOR.replace(network=fg.mlp(2, 3, 3, 1, hidden="relu"))
    assert make_driver(XOR, 8, specialize=False) is make_driver(other, 8, specialize=False)
    assert make_driver(XOR, 8, specialize=True) is not make_driver(other, 8, specialize=True)
    curved = make_driver(XOR.replace(network=fg.mlp(2, 3, 1, hidden="tanh")), 8, specialize=False)
    assert curved is not make_driver(XOR, 8, specialize=False)
    assert curved._files is make_driver(XOR, 8, specialize=False)._files  # of one LLVM code, with other layers
    faster = XOR.replace(optimizer=fg.SGD(0.5))
    assert make_driver(XOR, 8, specialize=True) is make_driver(faster, 8, specialize=True)
    adam = XOR.replace(optimizer=fg.Adam())
    assert make_driver(XOR, 8, specialize=False) is not make_driver(adam, 8, specialize=False)
