"""Parameters that are not trained: cut out, so that they are 0, or frozen, so that they stay what they start with.

What each is kept at stands in `held` (n_params, L), NaN for those that are trained. Their gradients are 0 for the
optimizer, so that they have no part in clipping, and whatever an update did to them is undone by one select each.
"""

from fastgrok.kernels.block import CUT, TRAINED
from fastgrok.kernels.jit import device
from fastgrok.kernels.lanes import for_each, like, select


@device
def begin_holding(workspace, lane, training_of):
    """Cut out what is to be 0 of the parameters that a lane begins with, and note what is held there.

    training_of: int8 (n_params,)
    """
    for p in range(workspace.params.shape[0]):
        if training_of[p] == CUT:
            workspace.params[p, lane] = 0.0
        workspace.held[p, lane] = float("nan") if training_of[p] == TRAINED else workspace.params[p, lane]


@device
def _leave_out(p, grads, held):
    grads[p] = select(held[p] == held[p], like(held[p], 0.0), grads[p])


@device
def leave_out_held(grads, held, n_params):
    """Put 0 for the gradients of what is held."""
    for_each("parameter", _leave_out, n_params, (grads, held))


@device
def _hold(p, params, held):
    params[p] = select(held[p] == held[p], held[p], params[p])


@device
def hold(params, held, n_params):
    """Give what is held the number that it is kept at."""
    for_each("parameter", _hold, n_params, (params, held))
