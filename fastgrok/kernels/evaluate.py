"""What networks with given parameters do on data: their loss, gradient, dead units and outputs."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

from fastgrok.kernels.jit import kernel
from fastgrok.kernels.lanes import fma, lane_view, like, scalar_view, select, splat_view, sqrt
from fastgrok.kernels.layers import RELU
from fastgrok.kernels.losses import add_hit, add_loss, loss_backward
from fastgrok.kernels.network import GENERAL, Table, layer_at
from fastgrok.kernels.train import Examples, Memory, load_example


class Measures(NamedTuple):
    """What evaluate writes, one row a seed."""

    loss: Any  # float (n_seeds,), the mean over examples
    hits: Any  # float (n_seeds,), examples that are right
    gradient_norm: Any  # float (n_seeds,), of the mean loss
    dead_units: Any  # int64 (n_seeds, n_relu_layers)


@functools.cache
def make_evaluate(lanes: int, dtype: str) -> Any:
    """Compile evaluate(measures, params, alive, work, data, plan, gradient_scale).

    params : (n_seeds, n_params)
    alive : (n_acts, lanes)
        A buffer.
    gradient_scale : float
        What a delta is multiplied by, so that the gradients are those of the mean loss.
    """
    forward, backward = GENERAL

    @kernel(lanes, dtype)
    def evaluate(measures, params, alive, work, data, plan, gradient_scale):
        block = Memory(
            lane_view(work.params, lanes),
            lane_view(work.moments, lanes),
            lane_view(work.grads, lanes),
            lane_view(work.acts, lanes),
            lane_view(work.deltas, lanes),
        )
        living = lane_view(alive, lanes)
        examples = Examples(splat_view(data.inputs, lanes), splat_view(data.targets, lanes), scalar_view(work.order))
        table = Table(scalar_view(plan.sizes), scalar_view(plan.arguments))
        s = plan.structure
        n_seeds, n_params = params.shape
        for first in range(0, n_seeds, lanes):
            for lane in range(lanes):
                seed = min(first + lane, n_seeds - 1)
                for p in range(n_params):
                    work.params[p, lane] = params[seed, p]
            zero = like(block.params[0], 0.0)
            for p in range(n_params):
                block.grads[p] = zero
            for unit in range(alive.shape[0]):
                living[unit] = zero
            total, hits = zero, zero
            scale = like(zero, gradient_scale)
            for k in range(plan.n_examples):
                load_example(block.acts, examples, k, s)
                forward(block.acts, block.params, table, s.n_layers)
                total = add_loss(total, block.acts, s.loss)
                hits = add_hit(hits, block.acts, s.loss)
                loss_backward(block.deltas, block.acts, scale, s.loss)
                backward(block.deltas, block.grads, block.params, block.acts, table, s.n_backward)
                for m in range(s.n_layers):
                    layer = layer_at(table, m)
                    if layer.kind == RELU:
                        for unit in range(layer.inp, layer.inp + layer.n_in):
                            living[unit] = select(block.acts[unit] <= zero, living[unit], like(zero, 1.0))
            squares = zero
            for p in range(n_params):
                squares = fma(block.grads[p], block.grads[p], squares)
            block.deltas[0] = total * like(zero, plan.criteria.loss_factor)
            block.deltas[1] = hits
            block.acts[0] = sqrt(squares)
            for lane in range(min(lanes, n_seeds - first)):
                seed = first + lane
                measures.loss[seed] = work.deltas[0, lane]
                measures.hits[seed] = work.deltas[1, lane]
                measures.gradient_norm[seed] = work.acts[0, lane]
                column = 0
                for m in range(s.n_layers):
                    layer = layer_at(table, m)
                    if layer.kind == RELU:
                        dead = 0
                        for unit in range(layer.inp, layer.inp + layer.n_in):
                            if alive[unit, lane] == 0.0:
                                dead += 1
                        measures.dead_units[seed, column] = dead
                        column += 1

    return evaluate


@functools.cache
def make_predict(lanes: int, dtype: str) -> Any:
    """Compile predict(outputs, params, work, data, plan), outputs: (n_seeds, n_examples, n_out)."""
    forward = GENERAL.forward

    @kernel(lanes, dtype)
    def predict(outputs, params, work, data, plan):
        weights, acts = lane_view(work.params, lanes), lane_view(work.acts, lanes)
        examples = Examples(splat_view(data.inputs, lanes), splat_view(data.targets, lanes), scalar_view(work.order))
        table = Table(scalar_view(plan.sizes), scalar_view(plan.arguments))
        s = plan.structure
        n_seeds, n_params = params.shape
        for first in range(0, n_seeds, lanes):
            for lane in range(lanes):
                seed = min(first + lane, n_seeds - 1)
                for p in range(n_params):
                    work.params[p, lane] = params[seed, p]
            for k in range(plan.n_examples):
                load_example(acts, examples, k, s)
                forward(acts, weights, table, s.n_layers)
                for lane in range(min(lanes, n_seeds - first)):
                    for j in range(s.loss.n_out):
                        outputs[first + lane, k, j] = work.acts[s.loss.out + j, lane]

    return predict
