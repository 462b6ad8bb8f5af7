"""Schemes whose range or spread the fans of a layer set."""

import math
from typing import Annotated, Literal

from pydantic import Field

from fastgrok.spec.base import spec
from fastgrok.spec.fields import Number
from fastgrok.spec.initializers.base import Distribution, Positive, Scheme, centred, symmetric

Mode = Literal["fan_in", "fan_out"]


@spec
class XavierUniform(Scheme):
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
        return symmetric(self.gain * math.sqrt(6 / (fan_in + fan_out)))


@spec
class XavierNormal(Scheme):
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
        return centred(self.gain * math.sqrt(2 / (fan_in + fan_out)))


class _He(Scheme):
    """What He's schemes share."""

    mode: Mode
    slope: float

    def _scaled(self, fan_in: int, fan_out: int) -> float:
        """Return (1 + slope**2) * fan."""
        return (1 + self.slope * self.slope) * (fan_in if self.mode == "fan_in" else fan_out)


@spec
class HeUniform(_He):
    """
    He's uniform scheme: U(-r, r) with r = sqrt(6 / ((1 + slope**2) * fan)).

    `rng.uniform(-r, r, shape)`, which is `-r + 2 * r * rng.random(shape)`.

    Parameters
    ----------
    mode
        Which fan: "fan_in" keeps the second moment of the activations from layer to layer, "fan_out" that of the
        deltas.
    slope
        Slope of the leaky ReLU that follows, 0 or more; 0: ReLU.

    Raises
    ------
    InvalidExperiment
        If the mode is another one, or the slope is not a finite number of 0 or more.

    Notes
    -----
    He, Zhang, Ren, Sun, "Delving Deep into Rectifiers", 2015; PyTorch's `kaiming_uniform_` with `a=slope` and
    `nonlinearity="leaky_relu"`, whose gain is sqrt(2 / (1 + slope**2)). fan_in and fan_out are the inputs and
    outputs of the layer, as PyTorch counts them for a Linear.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.HeUniform().distribution(6, 4)
    Distribution(kind='uniform', a=-1.0, b=1.0)
    """

    mode: Mode = Field(default="fan_in", repr=False)
    slope: Annotated[Number, Field(ge=0)] = Field(default=0.0, repr=False)

    def distribution(self, fan_in: int, fan_out: int) -> Distribution:
        """Return U(-r, r) with r = sqrt(6 / ((1 + slope**2) * fan))."""
        return symmetric(math.sqrt(6 / self._scaled(fan_in, fan_out)))


@spec
class HeNormal(_He):
    """
    He's scheme with normal draws: N(0, std**2) with std = sqrt(2 / ((1 + slope**2) * fan)).

    `0.0 + std * rng.standard_normal(shape)`.

    Parameters
    ----------
    mode
        Which fan: "fan_in" keeps the second moment of the activations from layer to layer, "fan_out" that of the
        deltas.
    slope
        Slope of the leaky ReLU that follows, 0 or more; 0: ReLU.

    Raises
    ------
    InvalidExperiment
        If the mode is another one, or the slope is not a finite number of 0 or more.

    Notes
    -----
    He, Zhang, Ren, Sun, "Delving Deep into Rectifiers", 2015; PyTorch's `kaiming_normal_` with `a=slope` and
    `nonlinearity="leaky_relu"`, whose gain is sqrt(2 / (1 + slope**2)). fan_in and fan_out are the inputs and
    outputs of the layer, as PyTorch counts them for a Linear.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.HeNormal(mode="fan_out").distribution(4, 8)
    Distribution(kind='normal', a=0.0, b=0.5)
    """

    mode: Mode = Field(default="fan_in", repr=False)
    slope: Annotated[Number, Field(ge=0)] = Field(default=0.0, repr=False)

    def distribution(self, fan_in: int, fan_out: int) -> Distribution:
        """Return N(0, std**2) with std = sqrt(2 / ((1 + slope**2) * fan))."""
        return centred(math.sqrt(2 / self._scaled(fan_in, fan_out)))


@spec
class LeCunUniform(Scheme):
    """
    LeCun's uniform scheme: U(-r, r) with r = sqrt(3 / fan_in), so that the variance is 1 / fan_in.

    `rng.uniform(-r, r, shape)`, which is `-r + 2 * r * rng.random(shape)`.

    Raises
    ------
    InvalidExperiment
        If given an argument.

    Notes
    -----
    LeCun, Bottou, Orr, Müller, "Efficient BackProp", 1998, §4.6; Keras's `LecunUniform`.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.LeCunUniform().distribution(3, 4)
    Distribution(kind='uniform', a=-1.0, b=1.0)
    """

    def distribution(self, fan_in: int, fan_out: int) -> Distribution:
        """Return U(-r, r) with r = sqrt(3 / fan_in)."""
        return symmetric(math.sqrt(3 / fan_in))


@spec
class LeCunNormal(Scheme):
    """
    LeCun's scheme with normal draws: N(0, std**2) with std = sqrt(1 / fan_in).

    `0.0 + std * rng.standard_normal(shape)`.

    Raises
    ------
    InvalidExperiment
        If given an argument.

    Notes
    -----
    LeCun, Bottou, Orr, Müller, "Efficient BackProp", 1998, §4.6. Keras's `LecunNormal` has the same variance,
    truncated at two standard deviations; here nothing is cut off.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.LeCunNormal().distribution(4, 8)
    Distribution(kind='normal', a=0.0, b=0.5)
    """

    def distribution(self, fan_in: int, fan_out: int) -> Distribution:
        """Return N(0, std**2) with std = sqrt(1 / fan_in)."""
        return centred(math.sqrt(1 / fan_in))


@spec
class TorchLinear(Scheme):
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
        return symmetric(1 / math.sqrt(fan_in))


@spec
class KerasDense(Scheme):
    """
    The default of Keras's `Dense`: weights U(-r, r) with r = sqrt(6 / (fan_in + fan_out)), biases zero.

    `rng.uniform(-r, r, shape)`, which is `-r + 2 * r * rng.random(shape)`; biases draw nothing.

    Raises
    ------
    InvalidExperiment
        If given an argument.

    Notes
    -----
    `keras.layers.Dense`: `kernel_initializer="glorot_uniform"`, `bias_initializer="zeros"`. With `bias_init="same"`
    the biases are zero all the same. The distribution is Keras's; the draws are NumPy's.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.KerasDense().distribution(2, 4)
    Distribution(kind='uniform', a=-1.0, b=1.0)
    """

    def distribution(self, fan_in: int, fan_out: int) -> Distribution:
        """Return U(-r, r) with r = sqrt(6 / (fan_in + fan_out))."""
        return symmetric(math.sqrt(6 / (fan_in + fan_out)))

    def bias_distribution(self, fan_in: int, fan_out: int) -> Distribution:
        """Return the constant 0."""
        return Distribution("constant", 0.0, 0.0)
