"""A network as formula, NumPy and bricks: the book's own lines, and lines that run for every network there is."""

import numpy as np
import pytest
import registry

import fastgrok as fg
from fastgrok.explain.bricks import Brick, brick_lines, cells

BOOK = fg.mlp(3, 4, 1, bias=False)


def run(source, written, params, inputs):
    """Execute lines of NumPy and return the outputs."""
    names = dict(zip(written.names, params, strict=True)) | {"layer_0": inputs}
    exec(written.numpy_setup + source, names)
    return names[f"layer_{len(written.network.linears)}"]


def drawn_params(network, dtype="float64"):
    exp = registry.experiment(bias_init=fg.Uniform(-0.5, 0.5))
    rng = np.random.default_rng(len(network.layers))
    params = [rng.uniform(-1, 1, shape).astype(dtype) for shape in network.param_shapes]
    return params, exp.data.X.astype(dtype)


def test_the_books_network_is_written_as_in_the_book():
    written = fg.explain.algebra(BOOK)
    assert written.formula == "l_2 = relu(l_0 W_0) W_1"
    assert written.numpy == "layer_2 = relu(layer_0.dot(weights_0_1)).dot(weights_1_2)"
    assert written.latex == r"l_{2} = \mathrm{relu}\left(l_{0} W_{0}\right) W_{1}"


def test_a_bias_has_the_number_of_the_layer_that_it_is_added_to():
    written = fg.explain.algebra(fg.mlp(2, 4, 1, output="sigmoid"))
    assert written.formula == "l_2 = sigmoid(relu(l_0 W_0 + b_1) W_1 + b_2)"
    assert written.names == ("weights_0_1", "bias_1", "weights_1_2", "bias_2")


def test_a_sum_is_bracketed_before_the_next_weights():
    network = fg.Network(fg.Linear(2, 3), fg.Linear(3, 1))
    assert fg.explain.algebra(network).formula == "l_2 = (l_0 W_0 + b_1) W_1 + b_2"


@pytest.mark.parametrize("name", registry.NETWORKS)
@pytest.mark.parametrize("dtype", registry.DTYPES)
def test_the_line_of_numpy_and_its_steps_give_the_outputs_of_predict(name, dtype):
    network = registry.NETWORKS[name]
    written = fg.explain.algebra(network)
    params, inputs = drawn_params(network, dtype)
    expected = fg.predict(network, params, inputs)[0]
    tolerance = 1e-12 if dtype == "float64" else 1e-4
    for source in (written.numpy, "\n".join(written.steps)):
        output = run(source, written, params, inputs)
        assert output.dtype == dtype
        np.testing.assert_allclose(output, expected, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(run(written.numpy, written, params, inputs[1]), expected[1], rtol=1e-4, atol=1e-4)


def test_a_sigmoid_of_any_number_warns_of_nothing():
    written = fg.explain.algebra(fg.mlp(1, 1, output="sigmoid", bias=False))
    assert run(written.numpy, written, [np.array([[1.0]])], np.array([[-1e4], [1e4]])).tolist() == [[0.0], [1.0]]


def test_nothing_is_defined_that_the_line_does_not_need():
    assert fg.explain.algebra(fg.mlp(2, 1)).numpy_setup == ""
    assert "sigmoid" not in fg.explain.algebra(BOOK).numpy_setup


@pytest.mark.parametrize("name", registry.NETWORKS)
def test_bricks_have_the_shapes_of_layers_weights_and_biases(name):
    network = registry.NETWORKS[name]
    written = fg.explain.algebra(network)
    shapes = {brick.name: brick.shape for brick in written.bricks}
    assert [shapes[name] for name in written.names] == network.param_shapes
    layers = [shape for name, shape in shapes.items() if name.startswith("layer")]
    assert layers == [(network.n_in,), *((linear.fan_out,) for linear in network.linears)]


def test_the_books_bricks_in_characters():
    assert str(fg.explain.algebra(BOOK)).split("Bricks\n")[1].splitlines() == [
        "  l_0        W_0                   l_1          W_1       l_2",
        "  3          3 x 4                 4            4 x 1     1",
        "  [][][]  x  [][][][]  -> relu ->  [][][][]  x  []     =  []",
        "             [][][][]                           []",
        "             [][][][]                           []",
        "                                                []",
    ]


def test_a_large_brick_is_drawn_small_and_labelled_exactly():
    lines = brick_lines([Brick("W_0", "weights_0_1", (4096, 2), "")])
    assert lines[:6] == ["  W_0", "  4096 x 2", *["  [][]"] * 3, "  ...."]
    assert len(cells(4096)) == len(cells(6)) == 6
    assert all(cells(6))


@pytest.mark.parametrize("name", registry.NETWORKS)
def test_the_text_is_at_most_100_wide(name):
    text = str(fg.explain.algebra(registry.NETWORKS[name]))
    assert max(map(len, text.splitlines())) <= 100
    assert all(text.count(f" W_{k} ") or text.count(f" W_{k}\n") for k in range(len(registry.NETWORKS[name].linears)))


def test_anything_else_is_no_network():
    with pytest.raises(fg.InvalidExperiment, match="network = 3: expected a Network"):
        fg.explain.algebra(3)
