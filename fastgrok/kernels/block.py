"""A block of lanes: its memory as views, and how examples and parameters get into it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from fastgrok.kernels.jit import device
from fastgrok.kernels.lanes import lane_view, scalar_view, splat_view
from fastgrok.kernels.nn.passes import Table


class Block(NamedTuple):
    """The vectors of a block of lanes, as views."""

    params: Any
    moments: Any
    grads: Any
    acts: Any
    deltas: Any
    steps: Any


class Examples(NamedTuple):
    """The examples, and the order of each lane, as views."""

    inputs: Any
    targets: Any
    order: Any


def make_view(lanes: int) -> Callable[..., Any]:
    """Return view(work, data, plan): the block, the examples and the table of layers that kernels work on."""

    @device
    def view(work, data, plan):
        block = Block(
            lane_view(work.params, lanes),
            lane_view(work.moments, lanes),
            lane_view(work.grads, lanes),
            lane_view(work.acts, lanes),
            lane_view(work.deltas, lanes),
            lane_view(work.steps, lanes),
        )
        examples = Examples(splat_view(data.inputs, lanes), splat_view(data.targets, lanes), scalar_view(work.order))
        return block, examples, Table(scalar_view(plan.sizes), scalar_view(plan.arguments))

    return view


@device
def load_example(acts, examples, k, s):
    """Put example k, the same in every lane, into acts."""
    for i in range(s.n_in):
        acts[i] = examples.inputs[k * s.n_in + i]
    for i in range(s.loss.n_out):
        acts[s.loss.target + i] = examples.targets[k * s.loss.n_out + i]


@device
def put_params(work, lane, params, seed):
    """Put the parameters of a seed into a lane."""
    for p in range(params.shape[1]):
        work.params[p, lane] = params[seed, p]
