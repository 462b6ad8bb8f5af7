"""Networks: their parts, and how they are written."""

import math

from samples import NET

import fastgrok as fg
from fastgrok.spec.layers import LeakyReLU, Linear
from fastgrok.spec.network import ReluLayer, all_relu_layers, layer_label, relu_layers


def test_network_counts_its_parts() -> None:
    net = fg.Network(
        fg.Linear(3, 5),
        fg.ReLU(),
        fg.Linear(5, 4, bias=False),
        fg.Tanh(),
        fg.Linear(4, 2),
        fg.ReLU(),
        fg.Sigmoid(),
    )
    assert (net.n_in, net.n_out) == (3, 2)
    assert net.param_shapes == [(3, 5), (5,), (5, 4), (4, 2), (2,)]
    assert net.n_params == sum(math.prod(shape) for shape in net.param_shapes) == 50
    assert net.relu_layers == (1, 3)
    assert net.linears == (fg.Linear(3, 5), fg.Linear(5, 4, bias=False), fg.Linear(4, 2))
    assert str(net) == "3-5-4-2 relu/tanh/relu+sigmoid, no bias in 2"


def test_equal_layers_in_a_row_are_counted() -> None:
    assert str(fg.mlp(2, *[16] * 10, 1)) == "2-(16 x10)-1 relu x10/linear"
    assert str(fg.mlp(2, 3, 3, 3, 1)) == "2-3-3-3-1 relu/relu/relu/linear"


def test_mlp_is_the_network_written_out() -> None:
    assert fg.mlp(2, 4, 1, hidden="relu", output="sigmoid") == NET
    assert repr(NET) == "Network(Linear(2, 4), ReLU(), Linear(4, 1), Sigmoid())"
    assert str(NET) == "2-4-1 relu/sigmoid"
    assert str(fg.mlp(2, 3, 1, hidden=fg.LeakyReLU(0.2), bias=False)) == "2-3-1 leaky_relu(0.2)/linear, no bias"
    assert fg.mlp(2, 3, 1, hidden="linear") == fg.Network(fg.Linear(2, 3), fg.Linear(3, 1))


def test_example_of_layer_label():
    assert (layer_label(LeakyReLU(0.2)), layer_label(Linear(2, 4))) == ("leaky_relu", "linear")


def test_example_of_relu_layer_column():
    assert ReluLayer(2, 1).column("dead_units_final") == "dead_units_final_2"


def test_example_of_relu_layers():
    value = repr(relu_layers(fg.mlp(2, 4, 4, 1)))
    assert value == "[ReluLayer(linear=1, occurrence=1), ReluLayer(linear=2, occurrence=1)]"


def test_example_of_all_relu_layers():
    value = [layer.linear for layer in all_relu_layers([fg.mlp(2, 1), fg.mlp(2, 4, 1), fg.mlp(2, 4, 4, 1)])]
    assert value == [1, 2]
