"""The Skip layer: what it takes in, plus what an earlier layer took in; backward, the delta goes to both.

A Skip has two rows in the table of layers. At its own place is the sum. Where it begins, before the first layer that
it leads around, is a branch (`n_in` units at `inp`, which is `out`): forward it does nothing, backward it adds the
sum's deltas to those that this layer has just written. So no other layer's backward knows of it. Several that begin
at one place add their deltas one after the other, the last first.

`layer.weight` is, of a sum, where in acts lies what it adds; of a branch, where the sum lies.
"""

from fastgrok.kernels.jit import device


@device
def skip_forward(acts, params, layer):
    """a_i = z_i + x_i."""
    for i in range(layer.n_in):
        acts[layer.out + i] = acts[layer.inp + i] + acts[layer.weight + i]


@device
def skip_backward(deltas, grad_out, params, acts, layer):
    """dz_i = da_i."""
    for i in range(layer.n_in):
        deltas[layer.inp + i] = deltas[layer.out + i]


@device
def skip_backward_in_place(deltas, acts, layer):
    """dz_i is da_i; the branch finds it in the place of a_i, which no layer before this one reads."""
    for i in range(layer.n_in):
        acts[layer.out + i] = deltas[i]


@device
def branch_forward(acts, params, layer):
    """Leave x as it is."""


@device
def branch_backward(deltas, grad_out, params, acts, layer):
    """dx_i += da_i."""
    for i in range(layer.n_in):
        deltas[layer.out + i] = deltas[layer.out + i] + deltas[layer.weight + i]


@device
def branch_backward_in_place(deltas, acts, layer):
    """dx_i += da_i, which `skip_backward_in_place` has left in acts."""
    for i in range(layer.n_in):
        deltas[i] = deltas[i] + acts[layer.weight + i]
