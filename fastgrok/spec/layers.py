"""Layers: Linear, the activations, Dropout and Skip."""

from typing import Annotated, Literal

from pydantic import Field

from fastgrok.spec.base import Spec, spec
from fastgrok.spec.fields import Bool, Integer, Number, Positive, Share

MAX_WIDTH = 4096
"""Inputs or outputs of a Linear layer at most."""

Width = Annotated[Integer, Field(ge=1, le=MAX_WIDTH)]
DropoutRate = Annotated[Number, Field(ge=0, lt=1)]
LayerCount = Annotated[Integer, Field(ge=1)]


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
class Dropout(Layer):
    """Sets units to 0 at random while training, and multiplies the others by 1 / (1 - rate).

    Whatever looks at a network sees it without: the loss, accuracy and dead units after an epoch, what stops a seed,
    gradients, predictions, explanations. Only updates are made with masks.

    Parameters
    ----------
    rate
        Probability that a unit is 0, from 0 and below 1. 0.5 in the book, whose masks are 0 and 2.

    Notes
    -----
    *Grokking Deep Learning*, chapter 8; Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from
    Overfitting", 2014. Scaled while training, as in `torch.nn.Dropout`, so that an expectation is what it is without.

    Masks come from the seed's own stream, after its initial parameters, as NumPy's Generator or RandomState draws
    them: in each epoch, after the order of the examples where that is drawn from it too,
    `rng.random((n_examples, n_units)) >= rate` says what is kept. Row k is of the k-th example of the epoch, with the
    units of all Dropout layers one layer after the other, but for those of rate 0, which draw nothing. A restart goes
    on with the stream. A kept unit is multiplied by 1 / (1 - rate), rounded to the dtype.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.Network(fg.Linear(2, 8), fg.ReLU(), fg.Dropout(0.5), fg.Linear(8, 1)).n_params
    33
    >>> fg.mlp(2, 8, 1, dropout=0.5)
    Network(Linear(2, 8), ReLU(), Dropout(0.5), Linear(8, 1))
    """

    rate: DropoutRate


@spec
class Skip(Layer):
    """Skip connection: output = x + f(x), where f are the `over` layers before it and x is what they take in.

    Parameters
    ----------
    over
        Layers that the connection leads around, activations, Dropout and other Skips included; one of them at least
        is a Linear layer. They give out as many units as they take in.

    Notes
    -----
    He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", 2016. There the activation comes after the
    sum, as in the first network below; in the second it comes before. Nothing of a connection is trained, and initial
    parameters are those of the network without.

    Going back, the delta of the output goes to f and to x: dL/dx is what f passes back, plus that delta; of several
    connections that begin at the same x the last one is added first.

    Examples
    --------
    >>> import fastgrok as fg
    >>> block = fg.Linear(8, 8), fg.ReLU(), fg.Linear(8, 8), fg.Skip(3), fg.ReLU()
    >>> print(fg.Network(fg.Linear(2, 8), fg.ReLU(), *block, fg.Linear(8, 1)))
    2-8-8-8-1 relu/relu/skip(3)+relu/linear
    >>> fg.mlp(2, 8, 8, 1, skip=True)
    Network(Linear(2, 8), ReLU(), Linear(8, 8), ReLU(), Skip(2), Linear(8, 1))
    """

    over: LayerCount


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


@spec
class ELU(Activation):
    """Exponential linear unit: f(z) = z where z > 0, else alpha * (exp(z) - 1).

    Parameters
    ----------
    alpha
        What f goes to, negative, far below zero: greater than 0.

    Notes
    -----
    Clevert, Unterthiner, Hochreiter, "Fast and Accurate Deep Network Learning by Exponential Linear Units", 2016. The
    gradient at 0 is alpha, as in PyTorch.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.ELU(0.5)
    ELU(alpha=0.5)
    """

    alpha: Positive = Field(default=1.0, repr=False)


@spec
class SELU(Activation):
    """Scaled exponential linear unit: f(z) = 1.0507 * z where z > 0, else 1.7581 * (exp(z) - 1).

    Notes
    -----
    Klambauer et al., "Self-Normalizing Neural Networks", 2017, whose constants have all their digits here.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.SELU()
    SELU()
    """


@spec
class GELU(Activation):
    """Gaussian error linear unit: f(z) = z * P(N(0, 1) <= z).

    Parameters
    ----------
    approximate
        "none", or "tanh" for z / 2 * (1 + tanh(sqrt(2 / pi) * (z + 0.044715 * z**3))).

    Notes
    -----
    Hendrycks, Gimpel, "Gaussian Error Linear Units", 2016; the two forms of `torch.nn.GELU`.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.GELU("tanh")
    GELU(approximate='tanh')
    """

    approximate: Literal["none", "tanh"] = Field(default="none", repr=False)


@spec
class SiLU(Activation):
    """Sigmoid linear unit, or swish: f(z) = z / (1 + exp(-z)).

    Notes
    -----
    Elfwing, Uchibe, Doya, "Sigmoid-Weighted Linear Units for Neural Network Function Approximation in Reinforcement
    Learning", 2018; `torch.nn.SiLU`, Keras's "silu" and "swish".

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.SiLU()
    SiLU()
    """


@spec
class Softplus(Activation):
    """Smooth rectifier: f(z) = log(1 + exp(beta * z)) / beta.

    Parameters
    ----------
    beta
        The larger, the nearer to a ReLU: greater than 0.

    Notes
    -----
    Dugas et al., "Incorporating Second-Order Functional Knowledge for Better Option Pricing", 2001. PyTorch returns z
    itself where beta * z > 20, which is less than 3e-9 away.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.Softplus(2)
    Softplus(beta=2.0)
    """

    beta: Positive = Field(default=1.0, repr=False)


@spec
class Softsign(Activation):
    """Softsign unit: f(z) = z / (1 + abs(z)), with f' = 1 / (1 + abs(z))**2.

    Notes
    -----
    Bergstra et al., "Quadratic Polynomials Learn Better Image Features", 2009; `torch.nn.Softsign`.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.Softsign()
    Softsign()
    """


@spec
class Hardtanh(Activation):
    """Hard hyperbolic tangent: f(z) = z from -1 to 1, and -1 or 1 beyond, where the gradient is 0.

    Notes
    -----
    Collobert, "Large Scale Machine Learning", 2004; `torch.nn.Hardtanh` with its defaults.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.Hardtanh()
    Hardtanh()
    """


@spec
class Hardsigmoid(Activation):
    """Hard sigmoid: f(z) = z / 6 + 1/2 from z = -3 to 3, and 0 or 1 beyond, where the gradient is 0.

    Notes
    -----
    Howard et al., "Searching for MobileNetV3", 2019; `torch.nn.Hardsigmoid`, and "hard_sigmoid" of Keras 3 (that of
    Keras 2 has a slope of 0.2).

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.Hardsigmoid()
    Hardsigmoid()
    """


@spec
class Softmax(Activation):
    """Probabilities of classes: f(z)_k = exp(z_k) / sum_j exp(z_j), over the units of the last layer.

    Notes
    -----
    Bridle, "Probabilistic Interpretation of Feedforward Classification Network Outputs", 1990; *Grokking Deep
    Learning*, chapter 9. The last layer of a network of two outputs or more, with `loss="cross_entropy"`: both are
    differentiated together, as PyTorch's CrossEntropyLoss is, whose networks end with the layer before.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.mlp(4, 8, 3, output="softmax").layers[-1]
    Softmax()
    """


ACTIVATIONS: dict[str, type[Activation] | None] = {
    "linear": None,
    "relu": ReLU,
    "leaky_relu": LeakyReLU,
    "sigmoid": Sigmoid,
    "tanh": Tanh,
    "elu": ELU,
    "selu": SELU,
    "gelu": GELU,
    "silu": SiLU,
    "softplus": Softplus,
    "softsign": Softsign,
    "hardtanh": Hardtanh,
    "hardsigmoid": Hardsigmoid,
    "softmax": Softmax,
}
"""The activations by the names that `mlp` and the command line take; "linear" is none."""
