"""The losses of networks on examples, and their gradients: what a training loop outside asks for."""

import functools
from typing import Any

from fastgrok.kernels.block import load_example, make_view, put_params
from fastgrok.kernels.jit import device, kernel
from fastgrok.kernels.lanes import like, peek, scalar_view
from fastgrok.kernels.nn.passes import Functions, general


@functools.cache
def make_gradients(lanes: int, dtype: str, functions: Functions) -> Any:
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
    forward, backward, add_loss, loss_backward = general(functions)
    view = make_view(lanes)

    @device
    def pass_over(block, examples, table, kernel_params, slope, with_gradients, flag):
        """Return the sum of the examples' losses; the sums of their gradients go to the block's."""
        s = kernel_params.structure
        total = like(block.params[0], 0.0)
        if with_gradients:
            for p in range(s.n_params):
                block.grads[p] = like(total, 0.0)
        for k in range(kernel_params.n_examples):
            if peek(flag):
                break
            load_example(block.acts, examples, k, s)
            forward(block.acts, block.params, table, s.n_layers)
            total = add_loss(total, block.acts, s.loss)
            if with_gradients:
                loss_backward(block.deltas, block.acts, like(total, slope), s.loss)
                backward(block.deltas, block.grads, block.params, block.acts, table, s.n_backward)
        return total

    @kernel(lanes, dtype, functions.identity)
    def gradients(losses, grads, params, workspace, data, kernel_params, slope, cancel):
        block, examples, table = view(workspace, data, kernel_params)
        n_seeds, n_params, flag = params.shape[0], kernel_params.structure.n_params, scalar_view(cancel)
        with_gradients = grads.shape[0] > 0
        for first in range(0, n_seeds, lanes):
            for lane in range(lanes):
                put_params(workspace, lane, params, min(first + lane, n_seeds - 1))
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
