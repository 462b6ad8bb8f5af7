"""What networks with given parameters do on data: their loss, gradient, dead units and outputs."""

import functools
from typing import Any, NamedTuple

from fastgrok.kernels.block import (
    TRAINED,
    example_tile,
    load_example,
    load_tile,
    make_view,
    mark_alive,
    norm,
    put_all_params,
)
from fastgrok.kernels.jit import device, kernel
from fastgrok.kernels.lanes import beyond, by_reference, lane_view, like, peek, scalar_view
from fastgrok.kernels.nn.batched import Step, batched, one_by_one
from fastgrok.kernels.nn.losses import add_correct
from fastgrok.kernels.nn.passes import Functions, general, layer_at

LOSS, N_CORRECT, GRADIENT_NORM = range(3)


class Measures(NamedTuple):
    """What evaluate writes for each seed."""

    loss: Any  # float (n_seeds,), the mean over examples
    n_correct: Any  # float (n_seeds,), examples that are right
    gradient_norm: Any  # float (n_seeds,), of the mean loss
    weight_norms: Any  # float (n_seeds, n_linear_layers), of the weights without the biases
    dead: Any  # bool (n_units, n_seeds): the units of the ReLU layers, one layer after the other


class Scratch(NamedTuple):
    """What evaluate needs besides the memory of a block."""

    numbers: Any  # float (3, lanes): LOSS, N_CORRECT, GRADIENT_NORM
    norms: Any  # float (n_linear_layers, lanes)
    alive: Any  # float (n_acts, lanes): 1 where a unit's z has been above 0
    training_of: Any  # int8 (n_seeds, n_params), or (0, n_params) where all are TRAINED: block.py


@device
def _find_weight_norms(norms, params, table, n_layers):
    """Fill norms (n_linear_layers, L) with the Frobenius norm of each layer's weights."""
    row = 0
    for m in range(n_layers):
        layer = layer_at(table, m)
        if layer.kind == 0:
            norms[row] = norm(params, layer.weight, layer.weight + layer.n_in * layer.n_out)
            row += 1


@device
def _find_dead(dead, seed, alive, lane, table, n_layers):
    """Fill the column of a seed in dead (n_units, n_seeds): the ReLU units that are not marked in its lane."""
    place = 0
    for m in range(n_layers):
        layer = layer_at(table, m)
        if layer.is_relu:
            for unit in range(layer.inp, layer.inp + layer.n_in):
                dead[place, seed] = alive[unit, lane] == 0.0
                place += 1


@device
def _leave_out_others(workspace, training_of, first, lanes):
    """Put 0 for the gradients of parameters that are not trained, in lanes of the seeds from `first` on."""
    n_seeds, n_params = training_of.shape
    for lane in range(min(lanes, n_seeds - first)):
        for p in range(n_params):
            if training_of[first + lane, p] != TRAINED:
                workspace.grads[p, lane] = 0.0


@functools.cache
def make_evaluate(lanes: int, dtype: str, functions: Functions, *, is_batched: bool) -> Any:
    """Compile evaluate(measures, params, scratch, workspace, data, kernel_params, gradient_scale, cancel).

    params : (n_seeds, n_params)
    gradient_scale : float
        What a delta is multiplied by, so that the gradients are those of the mean loss; 0: without gradients.
    cancel : int64 (1,)
        Set by another thread to end early; the measures mean nothing then.
    """
    _, _, add_loss, loss_backward = general(functions)
    forward, backward = batched(functions) if is_batched else one_by_one(functions)
    view = make_view(lanes)

    @device
    def measure(numbers, living, views, kernel_params, gradient_scale, flag):
        """Put loss and n_correct of a block into numbers, and mark the units that are alive."""
        block, examples, table = views
        s = kernel_params.structure
        zero = like(block.params[0], 0.0)
        total, n_correct, scale = zero, zero, like(zero, gradient_scale)
        no_step = Step(False, block.params)
        for p in range(s.n_params):
            block.grads[p] = zero
        n = kernel_params.n_examples
        for start in range(0, n, kernel_params.tile.n_examples):
            if peek(flag):
                break
            tile = example_tile(kernel_params.tile, 0, start, n)
            load_tile(block.acts, examples, start, tile, s)
            forward(block.acts, block.params, table, s.n_layers, tile)
            for e in range(tile.n_examples):
                acts = beyond(block.acts, e * tile.stride)
                total = add_loss(total, acts, s.loss)
                n_correct = add_correct(n_correct, acts, s.loss)
                mark_alive(living, acts, table, s.n_layers)
                if gradient_scale != 0.0:
                    loss_backward(beyond(block.deltas, e * tile.stride), acts, scale, s.loss)
            if gradient_scale != 0.0:
                backward(block.deltas, block.grads, block.params, block.acts, table, s.n_backward, tile, no_step)
        numbers[LOSS] = total * like(zero, kernel_params.criteria.loss_factor)
        numbers[N_CORRECT] = n_correct

    @kernel(lanes, dtype, functions.identity, is_batched)
    def evaluate(measures, params, scratch, workspace, data, kernel_params, gradient_scale, cancel):
        workspace, kernel_params = by_reference(workspace), by_reference(kernel_params)
        views = view(workspace, data, kernel_params)
        numbers, norms = lane_view(scratch.numbers, lanes), lane_view(scratch.norms, lanes)
        living, flag = lane_view(scratch.alive, lanes), scalar_view(cancel)
        table, n_layers, n_seeds = views[2], kernel_params.structure.n_layers, params.shape[0]
        for first in range(0, n_seeds, lanes):
            put_all_params(workspace, lanes, params, first)
            for unit in range(scratch.alive.shape[0]):
                living[unit] = like(views[0].params[0], 0.0)
            measure(numbers, living, views, kernel_params, gradient_scale, flag)
            _leave_out_others(workspace, scratch.training_of, first, lanes)
            numbers[GRADIENT_NORM] = norm(views[0].grads, 0, kernel_params.structure.n_params)
            _find_weight_norms(norms, views[0].params, table, n_layers)
            for lane in range(min(lanes, n_seeds - first)):
                seed = first + lane
                measures.loss[seed] = scratch.numbers[LOSS, lane]
                measures.n_correct[seed] = scratch.numbers[N_CORRECT, lane]
                measures.gradient_norm[seed] = scratch.numbers[GRADIENT_NORM, lane]
                for k in range(scratch.norms.shape[0]):
                    measures.weight_norms[seed, k] = scratch.norms[k, lane]
                _find_dead(measures.dead, seed, scratch.alive, lane, table, n_layers)

    return evaluate


@functools.cache
def make_expose(lanes: int, dtype: str, functions: Functions) -> Any:
    """Compile expose(acts, deltas, grads, params, workspace, data, kernel_params, slope): all that networks do.

    acts, deltas : (n_networks, n_examples, n_acts)
        As in nn/linear.py, of the loss of the example alone.
    grads : (n_networks, n_params)
        Of the sum of the examples' losses.
    slope : float
        What multiplies a delta, so that it is that of one example's loss.
    """
    forward, backward, _, loss_backward = general(functions)
    view = make_view(lanes)

    @kernel(lanes, dtype, functions.identity)
    def expose(acts, deltas, grads, params, workspace, data, kernel_params, slope):
        workspace, kernel_params = by_reference(workspace), by_reference(kernel_params)
        block, examples, table = view(workspace, data, kernel_params)
        s, n = kernel_params.structure, params.shape[0]
        scale = like(block.params[0], slope)
        for first in range(0, n, lanes):
            put_all_params(workspace, lanes, params, first)
            for p in range(s.n_params):
                block.grads[p] = like(scale, 0.0)
            for k in range(kernel_params.n_examples):
                load_example(block.acts, examples, k, s)
                forward(block.acts, block.params, table, s.n_layers)
                loss_backward(block.deltas, block.acts, scale, s.loss)
                backward(block.deltas, block.grads, block.params, block.acts, table, s.n_backward)
                for lane in range(min(lanes, n - first)):
                    for unit in range(acts.shape[2]):
                        acts[first + lane, k, unit] = workspace.acts[unit, lane]
                        deltas[first + lane, k, unit] = workspace.deltas[unit, lane]
            for lane in range(min(lanes, n - first)):
                for p in range(s.n_params):
                    grads[first + lane, p] = workspace.grads[p, lane]

    return expose


@functools.cache
def make_predict(lanes: int, dtype: str, functions: Functions, *, is_batched: bool) -> Any:
    """Compile predict(outputs, params, workspace, data, kernel_params, cancel).

    outputs : (n_seeds, n_examples, n_out)
    params : (n_seeds, n_params)
    cancel : int64 (1,)
        Set by another thread to end early; what is written means nothing then.
    """
    forward, _ = batched(functions) if is_batched else one_by_one(functions)
    view = make_view(lanes)

    @kernel(lanes, dtype, functions.identity, is_batched)
    def predict(outputs, params, workspace, data, kernel_params, cancel):
        workspace, kernel_params = by_reference(workspace), by_reference(kernel_params)
        block, examples, table = view(workspace, data, kernel_params)
        s, n_seeds, flag = kernel_params.structure, params.shape[0], scalar_view(cancel)
        for first in range(0, n_seeds, lanes):
            put_all_params(workspace, lanes, params, first)
            for start in range(0, kernel_params.n_examples, kernel_params.tile.n_examples):
                if peek(flag):
                    break
                tile = example_tile(kernel_params.tile, 0, start, kernel_params.n_examples)
                load_tile(block.acts, examples, start, tile, s)
                forward(block.acts, block.params, table, s.n_layers, tile)
                for lane in range(min(lanes, n_seeds - first)):
                    for e in range(tile.n_examples):
                        for j in range(s.loss.n_out):
                            outputs[first + lane, start + e, j] = workspace.acts[
                                e * tile.stride + s.loss.out + j, lane
                            ]

    return predict
