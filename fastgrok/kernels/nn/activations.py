"""Each activation on lanes: forward(z, argument) = a, and backward(da, z, a, argument) = da f'(z).

Backward takes what it needs of z and a = f(z). `argument` is the number that the activation has, 0 if it has none. A
Softmax is of a whole layer, and has no backward: it is differentiated together with a loss.
"""

from fastgrok.kernels.jit import device
from fastgrok.kernels.lanes import absolute, both, fma, like, select
from fastgrok.kernels.nn import lane_math

SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
_ROOT_2_PI, GELU_CUBE = 0.7978845608028654, 0.044715  # sqrt(2 / pi)


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


@device
def elu_forward(z, alpha):
    """Return z where z > 0, else alpha (e**z - 1)."""
    zero = like(z, 0.0)
    return select(z > zero, z, like(z, alpha) * lane_math.expm1(select(z > zero, zero, z)))


@device
def elu_backward(da, z, a, alpha):
    """Return da where z > 0, else da alpha e**z, which is a + alpha."""
    return select(z > like(z, 0.0), da, da * (a + like(a, alpha)))


@device
def selu_forward(z, argument):
    """Return scale times ELU(z) with the alpha of Klambauer et al."""
    return like(z, SELU_SCALE) * elu_forward(z, SELU_ALPHA)


@device
def selu_backward(da, z, a, argument):
    """Return da scale where z > 0, else da (a + scale alpha)."""
    scale = like(z, SELU_SCALE)
    return da * select(z > like(z, 0.0), scale, a + like(a, SELU_SCALE * SELU_ALPHA))


@device
def _gelu_tanh(z):
    """Return tanh(u) with u = sqrt(2/pi) (z + 0.044715 z**3), and du/dz."""
    root, square = like(z, _ROOT_2_PI), z * z
    u = root * fma(z * square, like(z, GELU_CUBE), z)
    return lane_math.tanh(u), root * fma(square, like(z, 3.0 * GELU_CUBE), like(z, 1.0))


@device
def gelu_forward(z, is_tanh):
    """Return z times the standard normal distribution function, or z (1 + tanh(u)) / 2."""
    if is_tanh != 0.0:
        tanh, _ = _gelu_tanh(z)
        half = like(z, 0.5) * z
        return fma(half, tanh, half)
    return z * lane_math.normal_cdf(z)


@device
def gelu_backward(da, z, a, is_tanh):
    """Return da times the distribution function plus z times its density, or what that is of the approximation."""
    if is_tanh != 0.0:
        tanh, du = _gelu_tanh(z)
        half, one = like(z, 0.5), like(z, 1.0)
        return da * fma(half * z * fma(-tanh, tanh, one), du, fma(half, tanh, half))
    return da * fma(z, lane_math.normal_density(z), lane_math.normal_cdf(z))


@device
def silu_forward(z, argument):
    """Return z sigmoid(z)."""
    return z * lane_math.sigmoid(z)


@device
def silu_backward(da, z, a, argument):
    """Return da s (1 + z (1 - s)) with s = sigmoid(z)."""
    s, one = lane_math.sigmoid(z), like(z, 1.0)
    return da * (s * fma(z, one - s, one))


@device
def softplus_forward(z, beta):
    """Return log(1 + e**(beta z)) / beta."""
    return lane_math.softplus(like(z, beta) * z) / like(z, beta)


@device
def softplus_backward(da, z, a, beta):
    """Return da sigmoid(beta z)."""
    return da * lane_math.sigmoid(like(z, beta) * z)


@device
def softsign_forward(z, argument):
    """Return z / (1 + |z|)."""
    return z / (like(z, 1.0) + absolute(z))


@device
def softsign_backward(da, z, a, argument):
    """Return da / (1 + |z|)**2."""
    one = like(z, 1.0)
    rest = one / (one + absolute(z))
    return da * (rest * rest)


@device
def hardtanh_forward(z, argument):
    """Return z between -1 and 1, those beyond; NaN stays NaN."""
    one = like(z, 1.0)
    return select(z > one, one, select(z < -one, -one, z))


@device
def hardtanh_backward(da, z, a, argument):
    """Return da where -1 < z < 1, else 0."""
    one = like(z, 1.0)
    return select(both(z > -one, z < one), da, like(z, 0.0))


@device
def hardsigmoid_forward(z, argument):
    """Return z / 6 + 1/2 between 0 and 1, those beyond."""
    zero, one = like(z, 0.0), like(z, 1.0)
    a = (z + like(z, 3.0)) / like(z, 6.0)
    return select(a > one, one, select(a < zero, zero, a))


@device
def hardsigmoid_backward(da, z, a, argument):
    """Return da / 6 where -3 < z < 3, else 0."""
    three = like(z, 3.0)
    return select(both(z > -three, z < three), da / like(z, 6.0), like(z, 0.0))


@device
def softmax_forward(acts, params, layer):
    """a_k = e**(z_k - largest z) / sum_j e**(z_j - largest z), the sum in the order of j."""
    largest = acts[layer.inp]
    for k in range(1, layer.n_in):
        largest = select(acts[layer.inp + k] > largest, acts[layer.inp + k], largest)
    total = like(largest, 0.0)
    for k in range(layer.n_in):
        part = lane_math.exp_of_negative(acts[layer.inp + k] - largest)
        acts[layer.out + k] = part
        total = total + part
    for k in range(layer.n_in):
        acts[layer.out + k] = acts[layer.out + k] / total
