"""Each activation on lanes: forward(z, argument) = a, and backward(da, z, a, argument) = da f'(z).

Backward takes what it needs of z and a = f(z). `argument` is the number that the activation has, 0 if it has none.
"""

from fastgrok.kernels.jit import device
from fastgrok.kernels.lanes import fma, like, select
from fastgrok.kernels.nn import lane_math


@device
def relu_forward(z, gradient_at_zero):
    """Return z where z > 0, else 0; NaN stays NaN."""
    return select(z < like(z, 0.0), like(z, 0.0), z)


@device
def relu_backward(da, z, a, gradient_at_zero):
    """Return da where z > 0, da * gradient_at_zero where z = 0, else 0."""
    zero = like(z, 0.0)
    dz = select(z > zero, da, zero)
    if gradient_at_zero != 0.0:
        dz = select(z == zero, da * like(z, gradient_at_zero), dz)
    return dz


@device
def leaky_relu_forward(z, slope):
    """Return z where z > 0, else slope * z."""
    return select(z > like(z, 0.0), z, z * like(z, slope))


@device
def leaky_relu_backward(da, z, a, slope):
    """Return da where z > 0, else slope * da."""
    return select(z > like(z, 0.0), da, da * like(z, slope))


@device
def sigmoid_forward(z, argument):
    """Return 1 / (1 + e**-z)."""
    return lane_math.sigmoid(z)


@device
def sigmoid_backward(da, z, a, argument):
    """Return da a (1 - a)."""
    return da * fma(-a, a, a)


@device
def tanh_forward(z, argument):
    """Return tanh(z)."""
    return lane_math.tanh(z)


@device
def tanh_backward(da, z, a, argument):
    """Return da (1 - a**2)."""
    return da * fma(-a, a, like(a, 1.0))
