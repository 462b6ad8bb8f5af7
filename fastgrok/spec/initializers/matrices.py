"""Schemes in which the numbers of a matrix depend on each other. Those of a matrix alone do not draw biases."""

import math
from decimal import Context, Decimal

from fastgrok.errors import InvalidExperiment
from fastgrok.spec.base import spec
from fastgrok.spec.fields import NotNegative, Number, Positive, Share
from fastgrok.spec.initializers.base import Distribution, Scheme

_DIGITS = Context(prec=40)


class MatrixScheme(Scheme):
    """Base of the schemes of matrices, which mean nothing for a vector of biases."""

    def bias_distribution(self, fan_in: int, fan_out: int) -> Distribution:
        expected = f"a scheme for biases, such as Zeros(); {type(self).__name__} is one of matrices"
        raise InvalidExperiment("bias_init", self, expected)


@spec
class Orthogonal(MatrixScheme):
    """A random orthogonal matrix times a gain: orthonormal columns, or rows where those are fewer; no biases.

    `a = rng.standard_normal((fan_in, fan_out))`; with fan_in < fan_out `a` is transposed before and `q` after;
    `q, r = numpy.linalg.qr(a)`; the weights are `gain * q * numpy.sign(numpy.diag(r))`.

    Parameters
    ----------
    gain
        Factor, greater than 0: the singular values of the weights.

    Notes
    -----
    Saxe, McClelland, Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks",
    2013; PyTorch's `orthogonal_`, sign convention included: the matrix is uniform among the orthogonal ones.
    The decomposition is our own, so that no bit depends on a library or CPU, and equals NumPy's but for rounding.
    It is modified Gram-Schmidt, twice: vector by vector, each is divided by its norm, and its share is taken from
    all that follow. Sums run over the elements of a vector in order; every operation is rounded.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 2, 1), fg.datasets.xor(), init=fg.Orthogonal())
    >>> weight = fg.initial_params(exp, seeds=1)[0][0]
    >>> bool(abs(weight.T @ weight - [[1, 0], [0, 1]]).max() < 1e-15)
    True
    """

    gain: Positive = 1.0

    def distribution(self, fan_in: int, fan_out: int) -> Distribution:
        return Distribution("normal", 0.0, 1.0, "orthogonal", (self.gain,))


@spec
class Sparse(MatrixScheme):
    """Normal with zeros: ceil(sparsity * fan_out) weights of each input are zero, the others N(0, std**2); no biases.

    `w = 0.0 + std * rng.standard_normal((fan_in, fan_out))`; then for each row, in order,
    `row[rng.permutation(fan_out)[:zeros]] = 0`.

    Parameters
    ----------
    sparsity
        Share of zeros, 0 to 1.
    std
        Standard deviation of the others, 0 or more.

    Notes
    -----
    Martens, "Deep learning via Hessian-free optimization", 2010; PyTorch's `sparse_`, which makes zeros in each
    column of its (fan_out, fan_in) weights: our row.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.Sparse(0.5).distribution(2, 5)
    Distribution(kind='normal', a=0.0, b=0.01, form='sparse', numbers=(3.0,))
    """

    sparsity: Share
    std: NotNegative = 0.01

    def distribution(self, fan_in: int, fan_out: int) -> Distribution:
        return Distribution("normal", 0.0, self.std, "sparse", (float(math.ceil(self.sparsity * fan_out)),))


@spec
class Identity(MatrixScheme):
    """The gain on the diagonal: `numpy.where(numpy.eye(fan_in, fan_out), gain, 0.0)`. Draws nothing; no biases.

    Parameters
    ----------
    gain
        The number on the diagonal.

    Notes
    -----
    With gain 1 it is PyTorch's `eye_`: as many inputs as possible are passed on.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 3, 1), fg.datasets.xor(), init=fg.Identity())
    >>> fg.initial_params(exp, seeds=1)[0][0].tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """

    gain: Number = 1.0

    def distribution(self, fan_in: int, fan_out: int) -> Distribution:
        return Distribution("constant", 0.0, 0.0, "identity", (self.gain,))


@spec
class NguyenWidrow(Scheme):
    """Nguyen and Widrow's: weights of each unit of norm 0.7 * fan_out**(1/fan_in), biases within plus or minus it.

    `w = rng.uniform(-1, 1, (fan_in, fan_out))`, then `w *= norm / numpy.sqrt((w**2).sum(axis=0))`, the sum from the
    first row to the last; biases are `rng.uniform(-norm, norm, fan_out)`.

    Notes
    -----
    Nguyen, Widrow, "Improving the learning speed of 2-layer neural networks by choosing initial values of the
    adaptive weights", 1990, for inputs from -1 to 1 and tanh units, whose active regions then share out the inputs.
    Biases are part of it: use it with `bias_init="same"`. They are random, as in the paper; MATLAB's `initnw` spaces
    them evenly.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.NguyenWidrow().bias_distribution(2, 4)
    Distribution(kind='uniform', a=-1.4, b=1.4)
    """

    def distribution(self, fan_in: int, fan_out: int) -> Distribution:
        return Distribution("uniform", -1.0, 1.0, "nguyen_widrow", (_norm(fan_in, fan_out),))

    def bias_distribution(self, fan_in: int, fan_out: int) -> Distribution:
        norm = _norm(fan_in, fan_out)
        return Distribution("uniform", -norm, norm)


def _norm(fan_in: int, fan_out: int) -> float:
    """Return 0.7 * fan_out**(1/fan_in), rounded once: the power of a C library need not be the same everywhere."""
    root = _DIGITS.power(Decimal(fan_out), _DIGITS.divide(Decimal(1), Decimal(fan_in)))
    return float(_DIGITS.multiply(Decimal("0.7"), root))


@spec
class RAI(Scheme):
    """Randomized asymmetric initialisation: of each unit one parameter Beta(2, 1), the rest N(0, sigma**2/fan_in).

    `v = 0.0 + sigma / sqrt(fan_in) * rng.standard_normal((n, fan_out))` with n = fan_in + 1, the last row being the
    biases, where `bias_init="same"` and the layer has biases, and n = fan_in otherwise. Then for each unit, in order,
    `k = int(rng.random() * n)` and `v[k, unit] = sqrt(rng.random())`, which is Beta(2, 1).
    It cannot draw the biases without the weights.

    Parameters
    ----------
    sigma
        Greater than 0. The paper derives 0.6007, so that the lengths of the activations stay.

    Notes
    -----
    Lu, Shin, Su, Karniadakis, "Dying ReLU and Initialization: Theory and Numerical Examples", 2020, §4. The entry
    that is positive makes a ReLU network less likely to be born dead.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.RAI(0.5).distribution(4, 8)
    Distribution(kind='normal', a=0.0, b=0.25, form='rai', numbers=())
    """

    sigma: Positive = 0.6007

    def distribution(self, fan_in: int, fan_out: int) -> Distribution:
        return Distribution("normal", 0.0, self.sigma / math.sqrt(fan_in), "rai")

    def bias_distribution(self, fan_in: int, fan_out: int) -> Distribution:
        raise InvalidExperiment("bias_init", self, f"init={self!r} beside it: it draws weights and biases together")
