"""Initializers whose range or spread the fans of a layer set: one rule, and what each takes for gain and fan.

Uniform draws lie within r = gain * sqrt(3 * c / fan) of 0: `rng.uniform(-r, r, shape)`, which is
`-r + 2 * r * rng.random(shape)`. Normal draws have the standard deviation std = gain * sqrt(c / fan):
`0.0 + std * rng.standard_normal(shape)`. Either way the variance is gain**2 * c / fan.
"""

import math
from typing import ClassVar, Literal

from pydantic import Field

from fastgrok.spec.base import spec
from fastgrok.spec.fields import NotNegative, Positive
from fastgrok.spec.initializers.base import Distribution, Initializer, Kind, Scheme

Mode = Literal["fan_in", "fan_out"]


class ScaledScheme(Scheme):
    """Base of the schemes whose variance is gain**2 * c / fan."""

    kind: ClassVar[Kind]
    c: ClassVar[int]
    gain = 1.0

    def fan(self, fan_in: int, fan_out: int) -> float:
        """Return what the variance is inversely proportional to."""
        return fan_in

    def distribution(self, fan_in: int, fan_out: int) -> Distribution:
        fan = self.fan(fan_in, fan_out)
        if self.kind == "uniform":
            r = self.gain * math.sqrt(3 * self.c / fan)
            return Distribution("uniform", -r, r)
        return Distribution("normal", 0.0, self.gain * math.sqrt(self.c / fan))


class Xavier(ScaledScheme):
    """Base of Glorot's schemes, by both fans."""

    c = 2

    def fan(self, fan_in: int, fan_out: int) -> float:
        """Return fan_in + fan_out."""
        return fan_in + fan_out


@spec
class XavierUniform(Xavier):
    """Glorot's uniform scheme: U(-r, r) with r = gain * sqrt(6 / (fan_in + fan_out)).

    Parameters
    ----------
    gain
        Factor for the activation that follows, greater than 0.

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

    kind = "uniform"
    gain: Positive = 1.0


@spec
class XavierNormal(Xavier):
    """Glorot's scheme with normal draws: N(0, std**2) with std = gain * sqrt(2 / (fan_in + fan_out)).

    Parameters
    ----------
    gain
        As for `XavierUniform`.

    Notes
    -----
    Glorot, Bengio, 2010; PyTorch's `xavier_normal_`.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.XavierNormal().distribution(4, 4)
    Distribution(kind='normal', a=0.0, b=0.5)
    """

    kind = "normal"
    gain: Positive = 1.0


class He(ScaledScheme):
    """Base of He's schemes, by one fan."""

    c = 2
    mode: Mode
    slope: float

    def fan(self, fan_in: int, fan_out: int) -> float:
        """Return (1 + slope**2) times the fan of the mode."""
        return (1 + self.slope * self.slope) * (fan_in if self.mode == "fan_in" else fan_out)


@spec
class HeUniform(He):
    """He's uniform scheme: U(-r, r) with r = sqrt(6 / ((1 + slope**2) * fan)).

    Parameters
    ----------
    mode
        Which fan: "fan_in" keeps the second moment of the activations from layer to layer, "fan_out" that of the
        deltas.
    slope
        Slope of the leaky ReLU that follows, 0 or more; 0: ReLU.

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

    kind = "uniform"
    mode: Mode = Field(default="fan_in", repr=False)
    slope: NotNegative = Field(default=0.0, repr=False)


@spec
class HeNormal(He):
    """He's scheme with normal draws: N(0, std**2) with std = sqrt(2 / ((1 + slope**2) * fan)).

    Parameters
    ----------
    mode, slope
        As for `HeUniform`.

    Notes
    -----
    He, Zhang, Ren, Sun, 2015; PyTorch's `kaiming_normal_`, likewise.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.HeNormal(mode="fan_out").distribution(4, 8)
    Distribution(kind='normal', a=0.0, b=0.5)
    """

    kind = "normal"
    mode: Mode = Field(default="fan_in", repr=False)
    slope: NotNegative = Field(default=0.0, repr=False)


@spec
class LeCunUniform(ScaledScheme):
    """LeCun's uniform scheme: U(-r, r) with r = sqrt(3 / fan_in), so that the variance is 1 / fan_in.

    Notes
    -----
    LeCun, Bottou, Orr, Müller, "Efficient BackProp", 1998, §4.6; Keras's `LecunUniform`.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.LeCunUniform().distribution(3, 4)
    Distribution(kind='uniform', a=-1.0, b=1.0)
    """

    kind, c = "uniform", 1


@spec
class LeCunNormal(ScaledScheme):
    """LeCun's scheme with normal draws: N(0, std**2) with std = sqrt(1 / fan_in).

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

    kind, c = "normal", 1


@spec
class TorchLinear(Scheme):
    """The default of PyTorch's `Linear`, for weights and biases alike: U(-r, r) with r = 1 / sqrt(fan_in).

    As `init` it draws the biases too, unless `bias_init` says otherwise.

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

    @property
    def default_biases(self) -> Initializer:
        return self

    def distribution(self, fan_in: int, fan_out: int) -> Distribution:
        r = 1 / math.sqrt(fan_in)  # sqrt(1 / fan_in) has other bits
        return Distribution("uniform", -r, r)


@spec
class KerasDense(Xavier):
    """The default of Keras's `Dense`: weights U(-r, r) with r = sqrt(6 / (fan_in + fan_out)), biases zero.

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

    kind = "uniform"

    def bias_distribution(self, fan_in: int, fan_out: int) -> Distribution:
        return Distribution("constant", 0.0, 0.0)
