"""Forward and backward of each layer, written once for both drivers.

Arguments come in the order outputs, buffers, inputs, layer. All memory is `LaneView`; L networks at a time:

acts
    (n_acts, L): the example's inputs at 0, then the output of every layer at its `layer.out`, then the targets.
deltas
    (n_acts, L): dL/d(acts), at the same places.
params, into
    (n_params, L): each Linear layer's weight (n_in, n_out), row-major, at `layer.weight`, its bias (n_out,) at
    `layer.bias`. Backward adds delta * input to `into`: a buffer of gradients, or the parameters themselves, when
    the deltas have been scaled by -lr and the update is that sum.
"""

from __future__ import annotations

from typing import NamedTuple

from fastgrok.kernels.jit import device
from fastgrok.kernels.lanes import fma, like, select
from fastgrok.kernels.nn import lane_math

LINEAR, RELU, LEAKY_RELU, SIGMOID, TANH = range(5)


class Layer(NamedTuple):
    """One layer as kernels see it: its kind, its sizes, and where its parts lie."""

    kind: int
    n_in: int
    n_out: int
    weight: int  # offset in params; -1 for an activation
    bias: int  # offset in params; -1 where there is none
    inp: int  # offset in acts
    out: int
    argument: float  # ReLU: the gradient at zero; LeakyReLU: the slope


@device
def _bias(acts, params, layer, j):
    """Return the bias of unit j, or zero."""
    return params[layer.bias + j] if layer.bias >= 0 else like(acts[layer.inp], 0.0)


@device
def linear_forward(acts, params, layer):
    """z_j = b_j + sum_i x_i w_ij, the sum in the order of i, each term one fma.

    Four units at a time: their sums do not wait for each other.
    """
    whole = layer.n_out - layer.n_out % 4
    for j in range(0, whole, 4):
        z0, z1 = _bias(acts, params, layer, j), _bias(acts, params, layer, j + 1)
        z2, z3 = _bias(acts, params, layer, j + 2), _bias(acts, params, layer, j + 3)
        for i in range(layer.n_in):
            x, w = acts[layer.inp + i], layer.weight + i * layer.n_out + j
            z0, z1 = fma(x, params[w], z0), fma(x, params[w + 1], z1)
            z2, z3 = fma(x, params[w + 2], z2), fma(x, params[w + 3], z3)
        acts[layer.out + j], acts[layer.out + j + 1] = z0, z1
        acts[layer.out + j + 2], acts[layer.out + j + 3] = z2, z3
    for j in range(whole, layer.n_out):
        z = _bias(acts, params, layer, j)
        for i in range(layer.n_in):
            z = fma(acts[layer.inp + i], params[layer.weight + i * layer.n_out + j], z)
        acts[layer.out + j] = z


@device
def _weight_backward(into, dinp, w, x, dout, params):
    """Return dinp + params[w] dout, and add dout x to into[w]; the weight is read before into is written."""
    dinp = fma(params[w], dout, dinp)
    into[w] = fma(dout, x, into[w])
    return dinp


@device
def linear_backward(deltas, into, params, acts, layer):
    """dx_i = sum_j w_ij d_j, in the order of j, and into_ij += d_j x_i.

    Four inputs at a time, as in `linear_forward`.
    """
    whole, n = layer.n_in - layer.n_in % 4, layer.n_out
    for i in range(0, whole, 4):
        x0, x1 = acts[layer.inp + i], acts[layer.inp + i + 1]
        x2, x3 = acts[layer.inp + i + 2], acts[layer.inp + i + 3]
        d0 = d1 = d2 = d3 = like(x0, 0.0)
        for j in range(n):
            w, dout = layer.weight + i * n + j, deltas[layer.out + j]
            d0 = _weight_backward(into, d0, w, x0, dout, params)
            d1 = _weight_backward(into, d1, w + n, x1, dout, params)
            d2 = _weight_backward(into, d2, w + 2 * n, x2, dout, params)
            d3 = _weight_backward(into, d3, w + 3 * n, x3, dout, params)
        deltas[layer.inp + i], deltas[layer.inp + i + 1] = d0, d1
        deltas[layer.inp + i + 2], deltas[layer.inp + i + 3] = d2, d3
    for i in range(whole, layer.n_in):
        x = acts[layer.inp + i]
        dinp = like(x, 0.0)
        for j in range(n):
            dinp = _weight_backward(into, dinp, layer.weight + i * n + j, x, deltas[layer.out + j], params)
        deltas[layer.inp + i] = dinp
    if layer.bias >= 0:
        for j in range(n):
            into[layer.bias + j] = into[layer.bias + j] + deltas[layer.out + j]


@device
def relu_forward(acts, params, layer):
    """a = z where z > 0, else 0; NaN stays NaN."""
    for i in range(layer.n_in):
        z = acts[layer.inp + i]
        acts[layer.out + i] = select(z < like(z, 0.0), like(z, 0.0), z)


@device
def relu_backward(deltas, into, params, acts, layer):
    """dz = da where z > 0, da * gradient_at_zero where z = 0, else 0."""
    for i in range(layer.n_in):
        z = acts[layer.inp + i]
        zero = like(z, 0.0)
        dout = deltas[layer.out + i]
        dz = select(z > zero, dout, zero)
        if layer.argument != 0.0:
            dz = select(z == zero, dout * like(z, layer.argument), dz)
        deltas[layer.inp + i] = dz


@device
def leaky_relu_forward(acts, params, layer):
    """a = z where z > 0, else slope * z."""
    for i in range(layer.n_in):
        z = acts[layer.inp + i]
        acts[layer.out + i] = select(z > like(z, 0.0), z, z * like(z, layer.argument))


@device
def leaky_relu_backward(deltas, into, params, acts, layer):
    """dz = da where z > 0, else slope * da."""
    for i in range(layer.n_in):
        z = acts[layer.inp + i]
        dout = deltas[layer.out + i]
        deltas[layer.inp + i] = select(z > like(z, 0.0), dout, dout * like(z, layer.argument))


@device
def sigmoid_forward(acts, params, layer):
    """a = 1 / (1 + e**-z)."""
    for i in range(layer.n_in):
        acts[layer.out + i] = lane_math.sigmoid(acts[layer.inp + i])


@device
def sigmoid_backward(deltas, into, params, acts, layer):
    """dz = da a (1 - a)."""
    for i in range(layer.n_in):
        a = acts[layer.out + i]
        deltas[layer.inp + i] = deltas[layer.out + i] * fma(-a, a, a)


@device
def tanh_forward(acts, params, layer):
    """a = tanh(z)."""
    for i in range(layer.n_in):
        acts[layer.out + i] = lane_math.tanh(acts[layer.inp + i])


@device
def tanh_backward(deltas, into, params, acts, layer):
    """dz = da (1 - a**2)."""
    for i in range(layer.n_in):
        a = acts[layer.out + i]
        deltas[layer.inp + i] = deltas[layer.out + i] * fma(-a, a, like(a, 1.0))


FORWARD = {
    LINEAR: linear_forward,
    RELU: relu_forward,
    LEAKY_RELU: leaky_relu_forward,
    SIGMOID: sigmoid_forward,
    TANH: tanh_forward,
}
BACKWARD = {
    LINEAR: linear_backward,
    RELU: relu_backward,
    LEAKY_RELU: leaky_relu_backward,
    SIGMOID: sigmoid_backward,
    TANH: tanh_backward,
}
