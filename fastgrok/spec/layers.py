"""Layers: Linear, and the activations."""

from typing import Annotated

from pydantic import Field

from fastgrok.spec.base import Spec, spec
from fastgrok.spec.fields import Bool, Integer, Share

MAX_WIDTH = 4096
"""Inputs or outputs of a Linear layer at most."""

Width = Annotated[Integer, Field(ge=1, le=MAX_WIDTH)]


class Layer(Spec):
    """Base of the layers of a `Network`."""

    positional = True


class Activation(Layer):
    """Base of the activations: functions of each unit alone, without trained parameters."""


@spec
class Linear(Layer):
    """Fully connected layer: output = input @ weight + bias.

    Parameters
    ----------
    fan_in
        Inputs, 1 to 4096. The weight has shape (fan_in, fan_out).
    fan_out
        Outputs, 1 to 4096. The bias has shape (fan_out,).
    bias
        Whether the layer has biases.

    Notes
    -----
    The weight stands as in `layer_0.dot(weights_0_1)` (*Grokking Deep Learning*): PyTorch's, transposed.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.Linear(2, 4)
    Linear(2, 4)
    """

    fan_in: Width
    fan_out: Width
    bias: Bool = Field(default=True, repr=False)


@spec
class ReLU(Activation):
    """Rectifier: f(z) = z where z > 0, else 0.

    Parameters
    ----------
    gradient_at_zero
        The gradient at exactly z = 0, from 0 to 1. 0 is the book's `x > 0`; 1 is `x >= 0`.

    Notes
    -----
    *Grokking Deep Learning*, chapter 6. At 0 every value from 0 to 1 is a subgradient; PyTorch takes 0.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.ReLU(gradient_at_zero=1)
    ReLU(gradient_at_zero=1.0)
    """

    gradient_at_zero: Share = Field(default=0.0, repr=False)


@spec
class LeakyReLU(Activation):
    """Leaky rectifier: f(z) = z where z > 0, else slope * z.

    Parameters
    ----------
    slope
        The gradient where z <= 0, from 0 to 1.

    Notes
    -----
    Maas, Hannun, Ng, "Rectifier Nonlinearities Improve Neural Network Acoustic Models", 2013.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.LeakyReLU(0.2)
    LeakyReLU(slope=0.2)
    """

    slope: Share = Field(default=0.01, repr=False)


@spec
class Sigmoid(Activation):
    """Logistic function: f(z) = 1 / (1 + exp(-z)), with f' = f * (1 - f).

    Notes
    -----
    *Grokking Deep Learning*, chapter 9.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.Sigmoid()
    Sigmoid()
    """


@spec
class Tanh(Activation):
    """Hyperbolic tangent: f(z) = tanh(z), with f' = 1 - f**2.

    Notes
    -----
    *Grokking Deep Learning*, chapter 9.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.Tanh()
    Tanh()
    """


ACTIVATIONS: dict[str, type[Activation] | None] = {
    "linear": None,
    "relu": ReLU,
    "leaky_relu": LeakyReLU,
    "sigmoid": Sigmoid,
    "tanh": Tanh,
}
"""The activations by the names that `mlp` and the command line take; "linear" is none."""
