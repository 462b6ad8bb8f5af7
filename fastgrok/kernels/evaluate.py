"""What networks with given parameters do on data: their loss, gradient, dead units and outputs."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

from fastgrok.kernels.block import load_example, make_view, put_params
from fastgrok.kernels.jit import device, kernel
from fastgrok.kernels.lanes import fma, lane_view, like, peek, scalar_view, select, sqrt
from fastgrok.kernels.layers import RELU
from fastgrok.kernels.losses import add_hit, add_loss, loss_backward
from fastgrok.kernels.network import GENERAL, layer_at

LOSS, HITS, GRADIENT_NORM = range(3)


class Measures(NamedTuple):
    """What evaluate writes, one row a seed."""

    loss: Any  # float (n_seeds,), the mean over examples
    hits: Any  # float (n_seeds,), examples that are right
    gradient_norm: Any  # float (n_seeds,), of the mean loss
    dead_units: Any  # int64 (n_seeds, n_relu_layers)


class Scratch(NamedTuple):
    """What evaluate needs besides the memory of a block."""

    numbers: Any  # float (3, lanes): LOSS, HITS, GRADIENT_NORM
    alive: Any  # float (n_acts, lanes): 1 where a unit's z has been above 0


@device
def _mark_alive(living, acts, table, n_layers):
    """Mark the ReLU units whose z is not <= 0 on this example."""
    one = like(acts[0], 1.0)
    for m in range(n_layers):
        layer = layer_at(table, m)
        if layer.kind == RELU:
            for unit in range(layer.inp, layer.inp + layer.n_in):
                living[unit] = select(acts[unit] <= like(one, 0.0), living[unit], one)


@device
def _count_dead(dead_units, alive, table, n_layers, lane):
    """Fill dead_units (n_relu_layers,) with the units of each ReLU layer that are not marked in a lane."""
    column = 0
    for m in range(n_layers):
        layer = layer_at(table, m)
        if layer.kind == RELU:
            dead_units[column] = 0
            for unit in range(layer.inp, layer.inp + layer.n_in):
                if alive[unit, lane] == 0.0:
                    dead_units[column] += 1
            column += 1


@functools.cache
def make_evaluate(lanes: int, dtype: str) -> Any:
    """Compile evaluate(measures, params, scratch, work, data, plan, gradient_scale, cancel).

    params : (n_seeds, n_params)
    gradient_scale : float
        What a delta is multiplied by, so that the gradients are those of the mean loss; 0: without gradients.
    cancel : int64 (1,)
        Set by another thread to end early; the measures mean nothing then.
    """
    forward, backward = GENERAL
    view = make_view(lanes)

    @device
    def measure(numbers, living, views, plan, gradient_scale, flag):
        """Put loss, hits and gradient norm of a block into numbers, and mark the units that are alive."""
        block, examples, table = views
        s = plan.structure
        zero = like(block.params[0], 0.0)
        total, hits, squares, scale = zero, zero, zero, like(zero, gradient_scale)
        for p in range(s.n_params):
            block.grads[p] = zero
        for k in range(plan.n_examples):
            if peek(flag):
                break
            load_example(block.acts, examples, k, s)
            forward(block.acts, block.params, table, s.n_layers)
            total = add_loss(total, block.acts, s.loss)
            hits = add_hit(hits, block.acts, s.loss)
            _mark_alive(living, block.acts, table, s.n_layers)
            if gradient_scale != 0.0:
                loss_backward(block.deltas, block.acts, scale, s.loss)
                backward(block.deltas, block.grads, block.params, block.acts, table, s.n_backward)
        for p in range(s.n_params):
            squares = fma(block.grads[p], block.grads[p], squares)
        numbers[LOSS] = total * like(zero, plan.criteria.loss_factor)
        numbers[HITS] = hits
        numbers[GRADIENT_NORM] = sqrt(squares)

    @kernel(lanes, dtype)
    def evaluate(measures, params, scratch, work, data, plan, gradient_scale, cancel):
        views = view(work, data, plan)
        numbers, living, flag = (
            lane_view(scratch.numbers, lanes),
            lane_view(scratch.alive, lanes),
            scalar_view(cancel),
        )
        table, n_layers, n_seeds = views[2], plan.structure.n_layers, params.shape[0]
        for first in range(0, n_seeds, lanes):
            for lane in range(lanes):
                put_params(work, lane, params, min(first + lane, n_seeds - 1))
            for unit in range(scratch.alive.shape[0]):
                living[unit] = like(views[0].params[0], 0.0)
            measure(numbers, living, views, plan, gradient_scale, flag)
            for lane in range(min(lanes, n_seeds - first)):
                seed = first + lane
                measures.loss[seed] = scratch.numbers[LOSS, lane]
                measures.hits[seed] = scratch.numbers[HITS, lane]
                measures.gradient_norm[seed] = scratch.numbers[GRADIENT_NORM, lane]
                _count_dead(measures.dead_units[seed], scratch.alive, table, n_layers, lane)

    return evaluate


@functools.cache
def make_predict(lanes: int, dtype: str) -> Any:
    """Compile predict(outputs, params, work, data, plan), outputs: (n_seeds, n_examples, n_out)."""
    forward = GENERAL.forward
    view = make_view(lanes)

    @kernel(lanes, dtype)
    def predict(outputs, params, work, data, plan):
        block, examples, table = view(work, data, plan)
        s, n_seeds = plan.structure, params.shape[0]
        for first in range(0, n_seeds, lanes):
            for lane in range(lanes):
                put_params(work, lane, params, min(first + lane, n_seeds - 1))
            for k in range(plan.n_examples):
                load_example(block.acts, examples, k, s)
                forward(block.acts, block.params, table, s.n_layers)
                for lane in range(min(lanes, n_seeds - first)):
                    for j in range(s.loss.n_out):
                        outputs[first + lane, k, j] = work.acts[s.loss.out + j, lane]

    return predict
