"""Where the parameters and the values of a network lie in memory."""

import fastgrok as fg
from fastgrok.engine.activations import ACTIVATIONS
from fastgrok.engine.layout import activation_places, functions, make_layout


def test_layers_lie_one_after_the_other():
    net = fg.Network(fg.Linear(2, 3), fg.ReLU(), fg.Linear(3, 1, bias=False), fg.LeakyReLU(0.2))
    layout = make_layout(net)
    # kind, n_in, n_out, weight, bias, inp, out, is_relu, argument
    assert [tuple(layer) for layer in layout.layers] == [
        (0, 2, 3, 0, 6, 0, 2, False, 0.0),  # 2 inputs at 0; 6 weights and 3 biases
        (1, 3, 3, -1, -1, 2, 5, True, 0.0),
        (0, 3, 1, 9, -1, 5, 8, False, 0.0),  # 3 weights, no bias
        (2, 1, 1, -1, -1, 8, 9, False, 0.2),
    ]
    assert (layout.n_params, layout.before, layout.out, layout.target, layout.n_acts) == (12, 8, 9, 10, 11)
    assert layout.units == [slice(0, 2), slice(2, 5), slice(5, 8), slice(8, 9), slice(9, 10)]


def test_a_kind_is_the_place_of_an_activations_functions():
    for cls, record in ACTIVATIONS.items():
        layer = make_layout(fg.Network(fg.Linear(1, 2), cls())).layers[1]
        assert functions().activations[layer.kind - 1] == record.functions
        assert layer.is_relu == (cls is fg.ReLU)


def test_example_of_activation_places():
    assert activation_places(fg.mlp(2, 4, 1)) == [(0, 1), (2, 2)]
