"""The losses of networks on examples, and their gradients: what a training loop outside asks for."""

import functools
from typing import Any

from fastgrok.kernels.block import example_tile, load_tile, make_view, put_all_params
from fastgrok.kernels.jit import device, kernel
from fastgrok.kernels.lanes import beyond, like, peek, scalar_view
from fastgrok.kernels.nn.batched import Step, batched, one_by_one
from fastgrok.kernels.nn.passes import Functions, general


@functools.cache
def make_gradients(lanes: int, dtype: str, functions: Functions, *, is_batched: bool) -> Any:
    """Compile gradients(losses, grads, params, workspace, data, kernel_params, slope, cancel).

    losses : (n_seeds,)
        The mean over the examples.
    grads : (n_seeds, n_params)
        Of that mean: the gradients of the examples' losses summed in order, then divided. With no rows there are only
        losses.
    params : (n_seeds, n_params)
    slope : float
        What multiplies a delta, so that it is that of one example's loss.
    cancel : int64 (1,)
        Set by another thread to end early; what is written means nothing then.
    """
    forward, backward = batched(functions) if is_batched else one_by_one(functions)
    _, _, add_loss, loss_backward = general(functions)
    view = make_view(lanes)

    @device
    def pass_over(block, examples, table, kernel_params, slope, with_gradients, flag):
        """Return the sum of the examples' losses; the sums of their gradients go to the block's."""
        s, n = kernel_params.structure, kernel_params.n_examples
        total, no_step = like(block.params[0], 0.0), Step(False, block.params)
        if with_gradients:
            for p in range(s.n_params):
                block.grads[p] = like(total, 0.0)
        for start in range(0, n, kernel_params.tile.n_examples):
            if peek(flag):
                break
            tile = example_tile(kernel_params.tile, 0, start, n)
            load_tile(block.acts, examples, start, tile, s)
            forward(block.acts, block.params, table, s.n_layers, tile)
            for e in range(tile.n_examples):
                acts = beyond(block.acts, e * tile.stride)
                total = add_loss(total, acts, s.loss)
                if with_gradients:
                    loss_backward(beyond(block.deltas, e * tile.stride), acts, like(total, slope), s.loss)
            if with_gradients:
                backward(block.deltas, block.grads, block.params, block.acts, table, s.n_backward, tile, no_step)
        return total

    @kernel(lanes, dtype, functions.identity, is_batched)
    def gradients(losses, grads, params, workspace, data, kernel_params, slope, cancel):
        block, examples, table = view(workspace, data, kernel_params)
        n_seeds, n_params, flag = params.shape[0], kernel_params.structure.n_params, scalar_view(cancel)
        with_gradients = grads.shape[0] > 0
        for first in range(0, n_seeds, lanes):
            put_all_params(workspace, lanes, params, first)
            total = pass_over(block, examples, table, kernel_params, slope, with_gradients, flag)
            block.deltas[0] = total * like(total, kernel_params.criteria.loss_factor)
            for lane in range(min(lanes, n_seeds - first)):
                losses[first + lane] = workspace.deltas[0, lane]
            if with_gradients:
                for p in range(n_params):
                    block.grads[p] = block.grads[p] / like(total, kernel_params.n_examples)
                for lane in range(min(lanes, n_seeds - first)):
                    for p in range(n_params):
                        grads[first + lane, p] = workspace.grads[p, lane]

    return gradients
