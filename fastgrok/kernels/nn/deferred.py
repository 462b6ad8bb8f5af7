"""Plain SGD on wide layers example by example, with updates written every few examples.

A wide layer's weights come from the second-level cache, and what is read and written of them is what a pass costs. So
the updates of a few examples stay where they are made, as activations and deltas, and are worked out anew by every
pass over the weights (lanes/outer.py) until the pass of the last of them writes them all.

Examples go in groups of `DEFERRED`, each with an area of memory for its acts and deltas. The updates of a group are
written by its last backward pass. Those of a first layer, whose inputs need no deltas, wait for the first forward
pass of the next group; so there are areas for two groups.

Every sum has its order, and every weight its updates one by one, as in linear.py: the bits are the same.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

from fastgrok.kernels.jit import by_kind, device
from fastgrok.kernels.lanes import (
    Matrix,
    Updates,
    add_columns,
    add_product,
    beyond,
    like,
    most_columns,
    most_rows,
    product_before,
)
from fastgrok.kernels.nn.passes import Functions, layer_at, units_backward, units_forward
from fastgrok.kernels.nn.products import parts
from fastgrok.kernels.target import DEFERRED

AREAS = 2 * DEFERRED
"""Examples whose acts and deltas are in memory at once."""


class Group(NamedTuple):
    """A group of examples in memory, and the one of them that is gone through."""

    acts: Any  # of the first
    deltas: Any
    stride: int  # from one to the next
    place: int  # of the one, from 0
    is_last: bool  # its updates are written


class DeferredPasses(NamedTuple):
    """What is done with an example.

    forward(group, before, params, table, n_layers)
    backward(group, params, table, n_layers)
    write_first(group, before, params, table)
    """

    forward: Callable[
        ..., Any
    ]  # `before`, of the group before: its `place` is the number of its updates to be written
    backward: Callable[..., Any]
    write_first: Callable[..., Any]  # the updates of a first layer that wait; `group` is worked in


@device
def _updates(group, layer, i, j, count, is_written):
    """Return the updates of a layer's weights, from w_ij on, that the first examples of a group make."""
    x, d = beyond(group.acts, layer.inp + i), beyond(group.deltas, layer.out + j)
    return Updates(Matrix(x, group.stride, 1), Matrix(d, group.stride, 1), count, is_written)


@device
def _weights(params, layer, i, j):
    return Matrix(beyond(params, layer.weight + i * layer.n_out + j), layer.n_out, 1)


@device
def _add_written(z, x, before, params, layer):
    """z_j += sum_i x_i w_ij, of weights that the updates of the group before are written to."""
    i = 0
    while i < layer.n_in:
        n = most_rows(params, layer.n_in - i)
        updates = _updates(before, layer, i, 0, before.place, True)
        add_product((n, layer.n_out), _weights(params, layer, i, 0), updates, (z, beyond(x, i)))
        i += n


@device
def _add_behind(z, x, group, params, layer):
    """z_j += sum_i x_i w_ij, of weights that are behind by the updates of the group so far."""
    n_parts, width, wider = parts(layer.n_out, most_columns(params))
    j = 0
    for part in range(n_parts):
        n = width + 1 if part < wider else width
        updates = _updates(group, layer, 0, j, group.place, False)
        add_columns((n, layer.n_in), _weights(params, layer, 0, j), updates, (beyond(z, j), x))
        j += n


@device
def _linear_forward(group, before, params, layer):
    """z_j = b_j + sum_i x_i w_ij, the sum in the order of i, each term one fma."""
    acts = beyond(group.acts, group.place * group.stride)
    z, x = beyond(acts, layer.out), beyond(acts, layer.inp)
    for j in range(layer.n_out):
        z[j] = params[layer.bias + j] if layer.bias >= 0 else like(z[0], 0.0)
    if layer.inp == 0 and before.place > 0:
        _add_written(z, x, before, params, layer)
    else:
        _add_behind(z, x, group, params, layer)


@device
def _linear_backward(group, params, layer):
    """dx_i = sum_j w_ij d_j, in the order of j, but for the network's inputs; b_j += d_j."""
    deltas = beyond(group.deltas, group.place * group.stride)
    d, dx = beyond(deltas, layer.out), beyond(deltas, layer.inp)
    if layer.bias >= 0:
        for j in range(layer.n_out):
            params[layer.bias + j] = params[layer.bias + j] + d[j]
    i = 0
    while layer.inp > 0 and i < layer.n_in:
        n = most_rows(params, layer.n_in - i)
        updates = _updates(group, layer, i, 0, group.place + 1, group.is_last)
        product_before((n, layer.n_out), _weights(params, layer, i, 0), updates, (beyond(dx, i), d))
        i += n


@functools.cache
def deferred(functions: Functions) -> DeferredPasses:
    """Return the passes of any network of these activations, its sizes read at run time."""
    forward_units = by_kind("layer", units_forward(functions))
    backward_units = by_kind("layer", units_backward(functions))

    @device
    def forward(group, before, params, table, n_layers):
        acts = beyond(group.acts, group.place * group.stride)
        for k in range(n_layers):
            layer = layer_at(table, k)
            if layer.kind == 0:
                _linear_forward(group, before, params, layer)
            else:
                forward_units(layer.kind, acts, params, layer)

    @device
    def backward(group, params, table, n_layers):
        first = group.place * group.stride
        acts, deltas = beyond(group.acts, first), beyond(group.deltas, first)
        for back in range(n_layers):
            layer = layer_at(table, n_layers - 1 - back)
            if layer.kind == 0:
                _linear_backward(group, params, layer)
            else:
                backward_units(layer.kind, deltas, params, params, acts, layer)

    @device
    def write_first(group, before, params, table):
        _linear_forward(group, before, params, layer_at(table, 0))

    return DeferredPasses(forward, backward, write_first)
