"""Several examples at once give the bits of one after the other: acts, deltas and gradients."""

from __future__ import annotations

import functools
import itertools
from fractions import Fraction

import numpy as np
import pytest

import fastgrok as fg
from fastgrok.engine.layout import functions, make_layout
from fastgrok.kernels.jit import kernel
from fastgrok.kernels.lanes import Ending, Matrix, beyond, lane_view, scalar_view
from fastgrok.kernels.lanes.tiles import SHAPES as TILES
from fastgrok.kernels.lanes.tiles import STEPPED, STORED
from fastgrok.kernels.nn.batched import ExampleTile, Step, batched
from fastgrok.kernels.nn.passes import Table, general
from fastgrok.kernels.nn.products import multiply

SHAPES = [
    *[(n_in, n_out) for n_in in (1, 2, 3, 4, 5) for n_out in (1, 2, 3, 4, 5, 6, 7, 8, 9)],
    (9, 1), (7, 6), (13, 37), (1, 1, 1), (2, 4, 1), (3, 9, 8, 2), (6, 7, 5, 4), (5, 64, 3), (2, 33, 17, 1),
]  # fmt: skip
EXAMPLES = (1, 2, 5, 6, 7, 9, 13)
LANES = {"float64": 8, "float32": 16}
any_dtype = pytest.mark.parametrize("dtype", LANES)


@functools.cache
def both_passes(dtype, lanes):
    """Return run(at_once, one_by_one, params, sizes, arguments, numbers): each way's acts, deltas and grads."""
    forward, backward = batched(functions())
    forward_one, backward_one, _, _ = general(functions())

    @kernel("test_batched", dtype, lanes)
    def run(at_once, one_by_one, params, sizes, arguments, numbers):
        n_layers, n_examples, most, stride = numbers
        table = Table(scalar_view(sizes), scalar_view(arguments))
        p = lane_view(params, lanes)
        acts, deltas = lane_view(at_once[0], lanes), lane_view(at_once[1], lanes)
        grads = lane_view(at_once[2], lanes)
        for start in range(0, n_examples, most):
            tile = ExampleTile(min(most, n_examples - start), stride, start == 0)
            here, deltas_here = beyond(acts, start * stride), beyond(deltas, start * stride)
            forward(here, p, table, n_layers, tile)
            backward(deltas_here, grads, p, here, table, n_layers, tile, Step(False, p))
        acts, deltas = lane_view(one_by_one[0], lanes), lane_view(one_by_one[1], lanes)
        grads = lane_view(one_by_one[2], lanes)
        for k in range(n_examples):
            here = beyond(acts, k * stride)
            forward_one(here, p, table, n_layers)
            backward_one(beyond(deltas, k * stride), grads, p, here, table, n_layers)

    return run


def compared(network, n_examples, most, dtype, lanes=None, special=False, seed=0):
    """Return acts, deltas and grads of examples at once, and of the same one by one."""
    layout, lanes, rng = make_layout(network), lanes or LANES[dtype], np.random.default_rng(seed)
    stride = layout.n_acts + 2

    def numbers(*shape):
        values = rng.normal(size=(*shape, lanes)).astype(dtype)
        values[rng.random(values.shape) < 0.1] = -0.0
        return values

    params, acts, deltas = numbers(layout.n_params), numbers(n_examples, stride), numbers(n_examples, stride)
    if special:
        acts[: n_examples // 2] *= 0
        params[rng.random(params.shape) < 0.01] = np.inf
    sizes = np.array([layer[:8] for layer in layout.layers], np.int64)
    arguments = np.array([layer.argument for layer in layout.layers])
    ways = [(acts.copy(), deltas.copy(), np.zeros_like(params)) for _ in range(2)]
    at_once = (ways[0][0], ways[0][1], np.full_like(params, np.nan))  # gradients of a batch start from zero
    run = both_passes(dtype, lanes)
    run(at_once, ways[1], params, sizes, arguments, (len(sizes), n_examples, most, stride))
    return at_once, ways[1], layout


def assert_same_bits(one, other):
    np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(np.signbit(one), np.signbit(other))


def act_places(layout):
    """Return where acts are, but for the z of a ReLU that the product before it is followed by."""
    unwritten = set()
    for linear, relu in itertools.pairwise(layout.layers):
        if linear.kind == 0 and relu.is_relu and relu.argument == 0:
            unwritten.update(range(linear.out, linear.out + linear.n_out))
    return [place for place in range(layout.n_acts) if place not in unwritten]


def delta_places(layout):
    """Return where the deltas of each Linear layer's outputs are, of which activations make theirs in place.

    Nobody asks for the deltas of the network's inputs.
    """
    places = []
    for layer in layout.layers:
        if layer.kind == 0:
            places.append((layer.out, layer))
        else:
            places[-1] = (layer.out, places[-1][1])
    return places


def assert_the_same(network, n_examples, most, dtype, **options):
    (acts, deltas, grads), (acts_one, deltas_one, grads_one), layout = compared(
        network, n_examples, most, dtype, **options
    )
    for place in act_places(layout):
        assert_same_bits(acts[:, place], acts_one[:, place])
    for place, layer in delta_places(layout):
        assert_same_bits(deltas[:, place : place + layer.n_out], deltas_one[:, layer.out : layer.out + layer.n_out])
    assert_same_bits(grads, grads_one)


@any_dtype
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "-".join(map(str, shape)))
def test_every_shape_and_number_of_examples_gives_the_same_bits(shape, dtype):
    for n_examples in EXAMPLES:
        for most in (n_examples, 4):
            assert_the_same(fg.mlp(*shape, hidden="relu"), n_examples, most, dtype)


@any_dtype
@pytest.mark.parametrize("hidden", ["relu", "leaky_relu", "sigmoid", "tanh"])
def test_every_activation_gives_the_same_bits(hidden, dtype):
    for bias in (True, False):
        assert_the_same(fg.mlp(3, 9, 8, 2, hidden=hidden, output=hidden, bias=bias), 7, 3, dtype)


@any_dtype
@pytest.mark.parametrize("registers", [0.25, 2, 4])
def test_vectors_of_any_width_give_the_same_bits(registers, dtype):
    lanes = int(registers * LANES[dtype])
    assert_the_same(fg.mlp(5, 9, 8, 2, hidden="tanh"), 11, 6, dtype, lanes=lanes)


@any_dtype
@pytest.mark.parametrize(
    "layers",
    [
        [fg.Linear(3, 9), fg.ReLU(), fg.Linear(9, 8), fg.ReLU()],  # whose deltas come from a loss
        [fg.Linear(3, 9), fg.ReLU(), fg.ReLU(), fg.Linear(9, 8), fg.ReLU(), fg.Tanh(), fg.Linear(8, 2)],
        [fg.Linear(3, 9), fg.Tanh(), fg.ReLU(), fg.Linear(9, 8)],
        [fg.Linear(3, 9), fg.ReLU(gradient_at_zero=0.5), fg.Linear(9, 8), fg.ReLU(), fg.Linear(8, 2)],
        [fg.Linear(3, 9), fg.LeakyReLU(slope=0.0), fg.Linear(9, 8), fg.Linear(8, 2)],
    ],
)
def test_a_relu_anywhere_gives_the_same_bits(layers, dtype):
    assert_the_same(fg.Network(*layers), 7, 4, dtype)


@any_dtype
def test_a_relu_of_zeros_infinities_and_nan_gives_the_same_bits(dtype):
    """So that its z are -0, 0, inf and NaN: no bias, and weights that are not finite."""
    network = fg.Network(fg.Linear(3, 9, bias=False), fg.ReLU(), fg.Linear(9, 8), fg.ReLU(), fg.Linear(8, 2))
    assert_the_same(network, 7, 4, dtype, special=True)


def test_linear_layers_in_a_row_give_the_same_bits():
    assert_the_same(fg.Network(fg.Linear(3, 9), fg.Linear(9, 8, bias=False), fg.Linear(8, 2)), 9, 9, "float64")


def product(a, b, start, minus_lr=None, params=None):
    """Return start + a b by `multiply`, the matrices (rows, columns, lanes); or params + minus_lr times that."""
    lanes = a.shape[2]

    @kernel("test_batched", "product", a.dtype.name, lanes)
    def run(out, start, a, b, taken, minus_lr):
        o, s = Matrix(lane_view(out, lanes), out.shape[1], 1), Matrix(lane_view(start, lanes), start.shape[1], 1)
        left, right = Matrix(lane_view(a, lanes), a.shape[1], 1), Matrix(lane_view(b, lanes), b.shape[1], 1)
        ending = Ending(STEPPED if taken else STORED, lane_view(minus_lr, lanes))
        multiply(o, s, left, right, (a.shape[0], b.shape[1], a.shape[1]), ending)

    out = np.empty_like(start) if params is None else params.copy()
    run(out, start, a, b, minus_lr is not None, np.zeros((1, lanes)) if minus_lr is None else minus_lr)
    return out


@pytest.mark.parametrize("n_terms", [1, 2, 17])
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (3, 50), (6, 4), (7, 5), (50, 3), (13, 70)])
def test_a_product_is_that_of_matrices(shape, n_terms):
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(shape[0], n_terms, 8)), rng.normal(size=(n_terms, shape[1], 8))
    start = rng.normal(size=(*shape, 8))
    np.testing.assert_allclose(product(a, b, start), start + np.einsum("ikl,kjl->ijl", a, b), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (3, 50), (7, 5), (13, 70)])
def test_a_step_adds_the_product_times_minus_lr_with_one_rounding(shape):
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(shape[0], 6, 8)), rng.normal(size=(6, shape[1], 8))
    start, params, minus_lr = rng.normal(size=(*shape, 8)), rng.normal(size=(*shape, 8)), rng.normal(size=(1, 8))
    stepped, sums = product(a, b, start, minus_lr, params), product(a, b, start)
    for place in np.ndindex(stepped.shape):
        exact = Fraction(minus_lr[0, place[-1]]) * Fraction(sums[place]) + Fraction(params[place])
        assert stepped[place] == float(exact)


def test_another_order_of_the_terms_has_other_bits():
    """So the tests above would see one."""
    rng = np.random.default_rng(2)
    a, b, start = rng.normal(size=(7, 9, 8)), rng.normal(size=(9, 5, 8)), np.zeros((7, 5, 8))
    other = product(np.ascontiguousarray(a[:, ::-1]), np.ascontiguousarray(b[::-1]), start)
    assert (product(a, b, start) != other).mean() > 0.3


def test_the_sums_of_a_tile_leave_registers_for_two_operands():
    for registers, shapes in TILES.items():
        for power, (rows, columns) in enumerate(shapes[:3]):
            assert (rows * columns + 2) * 2**power <= registers
