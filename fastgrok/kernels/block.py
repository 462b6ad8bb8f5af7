"""A block of lanes: its memory as views, how examples and parameters get into it, and which units are alive."""

from collections.abc import Callable
from typing import Any, NamedTuple

from fastgrok.kernels.jit import device
from fastgrok.kernels.lanes import beyond, fma, lane_view, like, scalar_view, select, splat_view, sqrt
from fastgrok.kernels.nn.batched import ExampleTile
from fastgrok.kernels.nn.passes import Table, layer_at

CUT, TRAINED, FROZEN = 0, 1, 2
"""What is done with a parameter: it is 0 and stays so, it is trained, it stays what it is at the start."""


class Block(NamedTuple):
    """The vectors of a block of lanes, as views."""

    params: Any
    optimizer_state: Any
    grads: Any
    acts: Any
    deltas: Any
    held: Any
    steps: Any
    drift: Any = None  # (1, L): see train/criteria.py


class Examples(NamedTuple):
    """The examples, and the order of each lane, as views."""

    inputs: Any
    targets: Any
    order: Any
    masks: Any = None  # see train/masks.py


def make_view(lanes: int) -> Callable[..., Any]:
    """Return view(workspace, data, kernel_params): the block, the examples and the table of layers."""

    @device
    def view(workspace, data, kernel_params):
        block = Block(
            lane_view(workspace.params, lanes),
            lane_view(workspace.optimizer_state, lanes),
            lane_view(workspace.grads, lanes),
            lane_view(workspace.acts, lanes),
            lane_view(workspace.deltas, lanes),
            lane_view(workspace.held, lanes),
            lane_view(workspace.steps, lanes),
        )
        order = scalar_view(workspace.order)
        examples = Examples(splat_view(data.inputs, lanes), splat_view(data.targets, lanes), order, None)
        return block, examples, Table(scalar_view(kernel_params.sizes), scalar_view(kernel_params.arguments))

    return view


@device
def load_example(acts, examples, k, s):
    """Put example k, the same in every lane, into acts, with masks of 1: no unit is dropped."""
    for i in range(s.n_in):
        acts[i] = examples.inputs[k * s.n_in + i]
    for i in range(s.loss.n_out):
        acts[s.loss.target + i] = examples.targets[k * s.loss.n_out + i]
    for unit in range(s.n_masks):
        acts[s.loss.target + s.loss.n_out + unit] = like(acts[0], 1.0)


@device
def example_tile(sizes, first, start, end):
    """Return the tile of examples that begins at start, of those from first to end."""
    return ExampleTile(min(sizes.n_examples, end - start), sizes.stride, start == first)


@device
def load_tile(acts, examples, start, tile, s):
    """Put the examples of a tile into acts."""
    for e in range(tile.n_examples):
        load_example(beyond(acts, e * tile.stride), examples, start + e, s)


@device
def put_params(workspace, lane, params, row):
    """Put the parameters of a seed into a lane."""
    for p in range(params.shape[1]):
        workspace.params[p, lane] = params[row, p]


@device
def put_all_params(workspace, lanes, params, first):
    """Put the parameters of seeds into all lanes, from row `first` on; the last row again where there are too few.

    A few parameters of every lane at a time: a vector is in the first-level cache until its last lane is written.
    """
    n_seeds, n_params = params.shape
    for start in range(0, n_params, 128):
        vectors = workspace.params[start : min(start + 128, n_params)]
        for lane in range(lanes):
            source = params[min(first + lane, n_seeds - 1), start:]
            for p in range(vectors.shape[0]):
                vectors[p, lane] = source[p]


@device
def norm(values, start, end):
    """Return the Euclidean norm of the values from start to end, their squares summed in order."""
    squares = like(values[start], 0.0)
    for p in range(start, end):
        squares = fma(values[p], values[p], squares)
    return sqrt(squares)


@device
def mark_alive(alive, acts, table, n_layers):
    """Mark the ReLU units that a gradient passes on this example: z > 0, or z = 0 where it passes there (or NaN)."""
    one = like(acts[0], 1.0)
    zero = like(one, 0.0)
    for m in range(n_layers):
        layer = layer_at(table, m)
        if layer.is_relu:
            for i in range(layer.n_in):
                unit = layer.inp + i
                blocks = acts[layer.out + i] <= zero
                if layer.argument != 0.0:  # z is kept beside a = f(z) then
                    blocks = acts[unit] < zero
                alive[unit] = select(blocks, alive[unit], one)
