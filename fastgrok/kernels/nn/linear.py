"""The Linear layer, and the memory that every layer works in.

Forward and backward are written once for both drivers. Arguments come in the order outputs, buffers, inputs, layer.
All memory is `LaneView`; L networks at a time:

acts
    (n_acts, L): the example's inputs at 0, then the output of every layer at its `layer.out`, then the targets, then
    the masks of Dropout layers.
deltas
    (n_acts, L): dL/d(acts), at the same places.
params, grad_out
    (n_params, L): each Linear layer's weight (n_in, n_out), row-major, at `layer.weight`, its bias (n_out,) at
    `layer.bias`. Backward adds delta * input to `grad_out`: a buffer of gradients, or the parameters themselves, when
    the deltas have been scaled by -lr and the update is that sum.
"""

from typing import NamedTuple

from fastgrok.kernels.jit import device
from fastgrok.kernels.lanes import fixed, fma, like, select


class Layer(NamedTuple):
    """One layer as kernels see it: its kind, its sizes, and where its parts lie."""

    kind: int  # 0: Linear; k: the k-th activation of those compiled; beyond: Dropout, and the rows of a Skip
    n_in: int
    n_out: int
    weight: int  # offset in params; -1 for an activation; of a Dropout that of its masks in acts; of a Skip: skip.py
    bias: int  # offset in params; -1 where there is none
    inp: int  # offset in acts
    out: int
    is_relu: bool  # its units are counted as dead or alive
    argument: float  # an activation's own number: the slope of LeakyReLU


@device
def _bias(acts, params, layer, j):
    """Return the bias of unit j, or zero."""
    return params[layer.bias + j] if layer.bias >= 0 else like(acts[layer.inp], 0.0)


@device
def _add_product(is_binary, x, w, z):
    """Return x w + z; for x that is 0 or 1 in all lanes without a product, so that w = inf and z = -0 differ."""
    if is_binary:
        return select(x == like(x, 0.0), z, z + w)
    return fma(x, w, z)


@device
def _is_binary(layer):
    """Whether the inputs of a layer are known to be 0 and 1: those of the network may be."""
    return fixed("binary", False) and layer.inp == 0


@device
def linear_forward(acts, params, layer):
    """z_j = b_j + sum_i x_i w_ij, the sum in the order of i, each term one fma.

    Four units at a time: their sums do not wait for each other.
    """
    whole, is_binary = layer.n_out - layer.n_out % 4, _is_binary(layer)
    for j in range(0, whole, 4):
        z0, z1 = _bias(acts, params, layer, j), _bias(acts, params, layer, j + 1)
        z2, z3 = _bias(acts, params, layer, j + 2), _bias(acts, params, layer, j + 3)
        for i in range(layer.n_in):
            x, w = acts[layer.inp + i], layer.weight + i * layer.n_out + j
            z0, z1 = _add_product(is_binary, x, params[w], z0), _add_product(is_binary, x, params[w + 1], z1)
            z2, z3 = _add_product(is_binary, x, params[w + 2], z2), _add_product(is_binary, x, params[w + 3], z3)
        acts[layer.out + j], acts[layer.out + j + 1] = z0, z1
        acts[layer.out + j + 2], acts[layer.out + j + 3] = z2, z3
    for j in range(whole, layer.n_out):
        z = _bias(acts, params, layer, j)
        for i in range(layer.n_in):
            z = _add_product(is_binary, acts[layer.inp + i], params[layer.weight + i * layer.n_out + j], z)
        acts[layer.out + j] = z


@device
def _weight_backward(is_binary, grad_out, dinp, w, x, dout, params):
    """Return dinp + params[w] dout, and add dout x to grad_out[w]; the weight is read before that is written."""
    dinp = fma(params[w], dout, dinp)
    grad_out[w] = _add_product(is_binary, x, dout, grad_out[w])
    return dinp


@device
def linear_backward(deltas, grad_out, params, acts, layer):
    """dx_i = sum_j w_ij d_j, in the order of j, and grad_ij += d_j x_i.

    Four inputs at a time, as in `linear_forward`.
    """
    whole, n, is_binary = layer.n_in - layer.n_in % 4, layer.n_out, _is_binary(layer)
    for i in range(0, whole, 4):
        x0, x1 = acts[layer.inp + i], acts[layer.inp + i + 1]
        x2, x3 = acts[layer.inp + i + 2], acts[layer.inp + i + 3]
        d0 = d1 = d2 = d3 = like(x0, 0.0)
        for j in range(n):
            w, dout = layer.weight + i * n + j, deltas[layer.out + j]
            d0 = _weight_backward(is_binary, grad_out, d0, w, x0, dout, params)
            d1 = _weight_backward(is_binary, grad_out, d1, w + n, x1, dout, params)
            d2 = _weight_backward(is_binary, grad_out, d2, w + 2 * n, x2, dout, params)
            d3 = _weight_backward(is_binary, grad_out, d3, w + 3 * n, x3, dout, params)
        deltas[layer.inp + i], deltas[layer.inp + i + 1] = d0, d1
        deltas[layer.inp + i + 2], deltas[layer.inp + i + 3] = d2, d3
    for i in range(whole, layer.n_in):
        x = acts[layer.inp + i]
        dinp = like(x, 0.0)
        for j in range(n):
            dinp = _weight_backward(
                is_binary, grad_out, dinp, layer.weight + i * n + j, x, deltas[layer.out + j], params
            )
        deltas[layer.inp + i] = dinp
    if layer.bias >= 0:
        for j in range(n):
            grad_out[layer.bias + j] = grad_out[layer.bias + j] + deltas[layer.out + j]
