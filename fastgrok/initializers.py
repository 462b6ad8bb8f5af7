"""Schemes of initialisation: fan_in, fan_out -> the distribution of a layer's initial parameters.

Every scheme says which distribution the weights of a layer have, and so which NumPy call draws them from the
seed's stream `rng` (`numpy.random.default_rng(seed)`, or `numpy.random.RandomState(seed)` for
`stream="numpy_legacy"`), in float64 and row by row. For a bias `shape` is (fan_out,) instead of
(fan_in, fan_out); fan_in and fan_out are still the layer's.

A further scheme is one more class here: the command line finds it by its name.
"""

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from fastgrok.calls import split_call
from fastgrok.errors import InvalidExperiment
from fastgrok.fields import Number, one_of
from fastgrok.spec import Spec, registered, spec

Positive = Annotated[Number, Field(gt=0)]


class Distribution(NamedTuple):
    """
    What each parameter of a layer is drawn from.

    Parameters
    ----------
    kind
        "constant", "uniform" or "normal". A constant draws nothing from the stream.
    a
        The constant, the low end, or the mean.
    b
        0, the high end, or the standard deviation.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.Uniform(-1, 1).distribution(2, 4)
    Distribution(kind='uniform', a=-1.0, b=1.0)
    """

    kind: Literal["constant", "uniform", "normal"]
    a: float
    b: float


class Initializer(Spec, ABC):
    """Base of the schemes."""

    @abstractmethod
    def distribution(self, fan_in: int, fan_out: int) -> Distribution:
        """
        Return the distribution of the parameters of one Linear layer.

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


def _symmetric(limit: float) -> Distribution:
    return Distribution("uniform", -limit, limit)


@spec
class Uniform(Initializer):
    """
    Uniform: U(low, high).

    `rng.uniform(low, high, shape)`, which is `low + (high - low) * rng.random(shape)`.

    Parameters
    ----------
    low
        Lower end, included.
    high
        Upper end, at least `low`.

    Raises
    ------
    InvalidExperiment
        If an end is not finite, they are the wrong way round, or float64 cannot hold high - low.

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
        if self.high < self.low:
            raise InvalidExperiment("high", self.high, f"a finite number at least low = {self.low}")
        if math.isinf(self.high - self.low):
            raise InvalidExperiment("high", self.high, "high - low to be a finite number in float64")

    def distribution(self, fan_in: int, fan_out: int) -> Distribution:
        """Return U(low, high), whatever the layer."""
        return Distribution("uniform", self.low, self.high)


@spec
class Normal(Initializer):
    """
    Normal: N(mean, std**2).

    `mean + std * rng.standard_normal(shape)`.

    Parameters
    ----------
    mean
        Mean.
    std
        Standard deviation, 0 or more.

    Raises
    ------
    InvalidExperiment
        If one is not finite or the standard deviation is negative.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.Normal(0, 0.5)
    Normal(mean=0.0, std=0.5)
    """

    mean: Number = 0.0
    std: Annotated[Number, Field(ge=0)] = 1.0

    def distribution(self, fan_in: int, fan_out: int) -> Distribution:
        """Return N(mean, std**2), whatever the layer."""
        return Distribution("normal", self.mean, self.std)


@spec
class XavierUniform(Initializer):
    """
    Glorot's uniform scheme: U(-r, r) with r = gain * sqrt(6 / (fan_in + fan_out)).

    `rng.uniform(-r, r, shape)`, which is `-r + 2 * r * rng.random(shape)`.

    Parameters
    ----------
    gain
        Factor for the activation that follows, greater than 0.

    Raises
    ------
    InvalidExperiment
        If the gain is not a finite number greater than 0.

    Notes
    -----
    Glorot, Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010;
    PyTorch's `xavier_uniform_`.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.XavierUniform().distribution(2, 4)
    Distribution(kind='uniform', a=-1.0, b=1.0)
    """

    gain: Positive = 1.0

    def distribution(self, fan_in: int, fan_out: int) -> Distribution:
        """Return U(-r, r) with r = gain * sqrt(6 / (fan_in + fan_out))."""
        return _symmetric(self.gain * math.sqrt(6 / (fan_in + fan_out)))


@spec
class XavierNormal(Initializer):
    """
    Glorot's scheme with normal draws: N(0, std**2) with std = gain * sqrt(2 / (fan_in + fan_out)).

    `0.0 + std * rng.standard_normal(shape)`.

    Parameters
    ----------
    gain
        Factor for the activation that follows, greater than 0.

    Raises
    ------
    InvalidExperiment
        If the gain is not a finite number greater than 0.

    Notes
    -----
    Glorot, Bengio, 2010; PyTorch's `xavier_normal_`.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.XavierNormal().distribution(4, 4)
    Distribution(kind='normal', a=0.0, b=0.5)
    """

    gain: Positive = 1.0

    def distribution(self, fan_in: int, fan_out: int) -> Distribution:
        """Return N(0, std**2) with std = gain * sqrt(2 / (fan_in + fan_out))."""
        return Distribution("normal", 0.0, self.gain * math.sqrt(2 / (fan_in + fan_out)))


@spec
class HeUniform(Initializer):
    """
    He's uniform scheme for ReLU: U(-r, r) with r = sqrt(6 / fan_in).

    `rng.uniform(-r, r, shape)`, which is `-r + 2 * r * rng.random(shape)`.

    Raises
    ------
    InvalidExperiment
        If given an argument.

    Notes
    -----
    He, Zhang, Ren, Sun, "Delving Deep into Rectifiers", 2015; PyTorch's `kaiming_uniform_` with
    `mode="fan_in"` and `nonlinearity="relu"`, whose gain is sqrt(2).

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.HeUniform().distribution(6, 4)
    Distribution(kind='uniform', a=-1.0, b=1.0)
    """

    def distribution(self, fan_in: int, fan_out: int) -> Distribution:
        """Return U(-r, r) with r = sqrt(6 / fan_in)."""
        return _symmetric(math.sqrt(6 / fan_in))


@spec
class HeNormal(Initializer):
    """
    He's scheme for ReLU with normal draws: N(0, std**2) with std = sqrt(2 / fan_in).

    `0.0 + std * rng.standard_normal(shape)`.

    Raises
    ------
    InvalidExperiment
        If given an argument.

    Notes
    -----
    He, Zhang, Ren, Sun, 2015; PyTorch's `kaiming_normal_` with `mode="fan_in"` and `nonlinearity="relu"`.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.HeNormal().distribution(2, 4)
    Distribution(kind='normal', a=0.0, b=1.0)
    """

    def distribution(self, fan_in: int, fan_out: int) -> Distribution:
        """Return N(0, std**2) with std = sqrt(2 / fan_in)."""
        return Distribution("normal", 0.0, math.sqrt(2 / fan_in))


@spec
class Zeros(Initializer):
    """
    All zero: `numpy.zeros(shape)`. Draws nothing from the stream.

    Raises
    ------
    InvalidExperiment
        If given an argument.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.Zeros().distribution(2, 4)
    Distribution(kind='constant', a=0.0, b=0.0)
    """

    def distribution(self, fan_in: int, fan_out: int) -> Distribution:
        """Return the constant 0."""
        return Distribution("constant", 0.0, 0.0)


@spec
class Constant(Initializer):
    """
    All the same: `numpy.full(shape, value)`. Draws nothing from the stream.

    Parameters
    ----------
    value
        The value of every parameter.

    Raises
    ------
    InvalidExperiment
        If the value is not a finite number.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.Constant(0.1).distribution(2, 4)
    Distribution(kind='constant', a=0.1, b=0.0)
    """

    value: Number

    def distribution(self, fan_in: int, fan_out: int) -> Distribution:
        """Return the constant."""
        return Distribution("constant", self.value, 0.0)


@spec
class TorchLinear(Initializer):
    """
    The default of PyTorch's `Linear`, for weights and biases alike: U(-r, r) with r = 1 / sqrt(fan_in).

    `rng.uniform(-r, r, shape)`, which is `-r + 2 * r * rng.random(shape)`.

    Raises
    ------
    InvalidExperiment
        If given an argument.

    Notes
    -----
    `torch.nn.Linear.reset_parameters`: its `kaiming_uniform_(a=sqrt(5))` comes to the same. The distribution
    is PyTorch's; the draws are NumPy's.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.TorchLinear().distribution(4, 8)
    Distribution(kind='uniform', a=-0.5, b=0.5)
    """

    def distribution(self, fan_in: int, fan_out: int) -> Distribution:
        """Return U(-r, r) with r = 1 / sqrt(fan_in)."""
        return _symmetric(1 / math.sqrt(fan_in))


def initializer_names() -> list[str]:
    """
    Return the names that `initializer` knows.

    Examples
    --------
    >>> initializer_names()[:3]
    ['uniform', 'normal', 'xavier_uniform']
    """
    return [re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower() for name in registered(Initializer)]


def initializer(name: str) -> Initializer:
    """
    Return the scheme that a command line names.

    Parameters
    ----------
    name
        The class name in lower case, words joined by "_", with its arguments in parentheses if it takes any:
        "he_normal", "uniform(-2,2)", "normal(std=0.5)", "constant(0.1)".

    Raises
    ------
    InvalidExperiment
        If there is no such scheme or its arguments will not do.

    Examples
    --------
    >>> initializer("uniform(-2, 2)")
    Uniform(low=-2.0, high=2.0)
    """
    call = split_call("init", name)
    schemes: Iterable[Callable[..., Initializer]] = registered(Initializer).values()
    classes = dict(zip(initializer_names(), schemes, strict=True))
    if call.name not in classes:
        raise InvalidExperiment("init", name, one_of(classes))
    try:
        return classes[call.name](*call.args, **call.kwargs)
    except InvalidExperiment as error:
        raise error.within(f"init {call.name}") from None
