"""The distribution of a layer's initial parameters, and the initializers that are the same for every layer."""

import math
from abc import ABC, abstractmethod
from typing import ClassVar, Literal, NamedTuple

from fastgrok.errors import InvalidExperiment
from fastgrok.spec.base import Spec, spec
from fastgrok.spec.fields import NotNegative, Number, Positive

LEAST_ACCEPTANCE = 0.01
"""Share of normal draws that must lie within the bounds of a TruncatedNormal, at least."""

Kind = Literal["constant", "uniform", "normal"]
BiasWord = Literal["default", "same"]
Form = Literal["free", "truncated", "orthogonal", "sparse", "identity", "nguyen_widrow", "rai"]


class Distribution(NamedTuple):
    """The distribution of each parameter of a layer, and the form that all of them are brought into."""

    kind: Kind  # a constant draws nothing from the stream
    a: float  # the constant, the low end, or the mean
    b: float  # 0, the high end, or the standard deviation
    form: Form = "free"  # of the parameters together; "free": they are the draws
    numbers: tuple[float, ...] = ()  # what the form needs: bounds, a gain, a norm

    def __repr__(self) -> str:
        form = f", form={self.form!r}, numbers={self.numbers}" if self.form != "free" else ""
        return f"Distribution(kind={self.kind!r}, a={self.a}, b={self.b}{form})"


class Initializer(Spec, ABC):
    """Base of the initializers: what `init` and `bias_init` of an experiment accept."""

    in_kernel: ClassVar[bool]
    """Whether a kernel can draw it at any moment, as a restart needs; if not, Python makes it before training."""

    @property
    def default_biases(self) -> "Initializer":
        """The scheme of the biases where `bias_init` is not said: zeros, unless the scheme is one for both."""
        return Zeros()


class Scheme(Initializer):
    """Base of the initializers that draw from a distribution, which the fans of a layer determine."""

    in_kernel = True

    @abstractmethod
    def distribution(self, fan_in: int, fan_out: int) -> Distribution:
        """Return the distribution of the weights of one Linear layer.

        Parameters
        ----------
        fan_in
            Inputs of the layer.
        fan_out
            Outputs of the layer.

        Examples
        --------
        >>> import fastgrok as fg
        >>> fg.TorchLinear().distribution(4, 1)
        Distribution(kind='uniform', a=-0.5, b=0.5)
        """

    def bias_distribution(self, fan_in: int, fan_out: int) -> Distribution:
        """Return the distribution of the biases of one Linear layer: that of its weights, unless a scheme says more.

        Parameters
        ----------
        fan_in, fan_out
            As for `distribution`.

        Raises
        ------
        InvalidExperiment
            If the scheme is for weights alone.

        Examples
        --------
        >>> import fastgrok as fg
        >>> fg.KerasDense().bias_distribution(4, 1)
        Distribution(kind='constant', a=0.0, b=0.0)
        """
        return self.distribution(fan_in, fan_out)


@spec
class Uniform(Scheme):
    """Uniform: U(low, high).

    `rng.uniform(low, high, shape)`, which is `low + (high - low) * rng.random(shape)`.

    Parameters
    ----------
    low
        Lower end, included.
    high
        Upper end, above `low`.

    Raises
    ------
    InvalidExperiment
        If an end is not finite, `high` is not above `low`, or float64 cannot hold high - low.

    Notes
    -----
    The default is the book's `2 * random(shape) - 1`, in every bit.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.Uniform(-1, 1)
    Uniform(low=-1.0, high=1.0)
    """

    low: Number = -1.0
    high: Number = 1.0

    def __post_init__(self) -> None:
        if self.high <= self.low:
            raise InvalidExperiment("high", self.high, f"a finite number above low = {self.low}")
        if math.isinf(self.high - self.low):
            raise InvalidExperiment("high", self.high, "high - low to be a finite number in float64")

    def distribution(self, fan_in: int, fan_out: int) -> Distribution:
        return Distribution("uniform", self.low, self.high)


@spec
class Normal(Scheme):
    """Normal: N(mean, std**2).

    `mean + std * rng.standard_normal(shape)`.

    Parameters
    ----------
    mean
        Mean.
    std
        Standard deviation, 0 or more.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.Normal(0, 0.5)
    Normal(mean=0.0, std=0.5)
    """

    mean: Number = 0.0
    std: NotNegative = 1.0

    def distribution(self, fan_in: int, fan_out: int) -> Distribution:
        return Distribution("normal", self.mean, self.std)


@spec
class TruncatedNormal(Scheme):
    """Normal, drawn again while it lies outside of [low, high]: N(mean, std**2) conditional on low <= x <= high.

    `x = mean + std * rng.standard_normal(shape)`; then, while there are any,
    `x[outside] = mean + std * rng.standard_normal(outside.sum())` with `outside = (x < low) | (x > high)`.

    Parameters
    ----------
    mean
        Mean before truncation.
    std
        Standard deviation before truncation, greater than 0.
    low
        Lower bound of the values, not in units of std.
    high
        Upper bound, greater than `low`.

    Raises
    ------
    InvalidExperiment
        If a number is not finite, `high` is not above `low`, or fewer than 1 in 100 normal draws would lie between
        them.

    Notes
    -----
    The distribution of PyTorch's `trunc_normal_`, bounds and defaults included. PyTorch inverts the normal
    distribution function; rejection gives the same distribution.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.TruncatedNormal(0, 0.5, low=-1, high=1).distribution(2, 4)
    Distribution(kind='normal', a=0.0, b=0.5, form='truncated', numbers=(-1.0, 1.0))
    """

    mean: Number = 0.0
    std: Positive = 1.0
    low: Number = -2.0
    high: Number = 2.0

    def __post_init__(self) -> None:
        if self.high <= self.low:
            raise InvalidExperiment("high", self.high, f"a finite number greater than low = {self.low}")
        if self.acceptance < LEAST_ACCEPTANCE:
            expected = f"bounds that hold at least {LEAST_ACCEPTANCE:.0%} of N({self.mean}, {self.std}**2)"
            raise InvalidExperiment("high", self.high, f"{expected}, and from low = {self.low} it is less")

    @property
    def acceptance(self) -> float:
        """Share of normal draws that lie within the bounds."""
        below = [math.erfc((self.mean - bound) / self.std / math.sqrt(2)) / 2 for bound in (self.low, self.high)]
        return below[1] - below[0]

    def distribution(self, fan_in: int, fan_out: int) -> Distribution:
        return Distribution("normal", self.mean, self.std, "truncated", (self.low, self.high))


@spec
class Zeros(Scheme):
    """All zero: `numpy.zeros(shape)`. Draws nothing from the stream.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.Zeros().distribution(2, 4)
    Distribution(kind='constant', a=0.0, b=0.0)
    """

    def distribution(self, fan_in: int, fan_out: int) -> Distribution:
        return Distribution("constant", 0.0, 0.0)


@spec
class Constant(Scheme):
    """All the same: `numpy.full(shape, value)`. Draws nothing from the stream.

    Parameters
    ----------
    value
        The value of every parameter.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.Constant(0.1).distribution(2, 4)
    Distribution(kind='constant', a=0.1, b=0.0)
    """

    value: Number

    def distribution(self, fan_in: int, fan_out: int) -> Distribution:
        return Distribution("constant", self.value, 0.0)
