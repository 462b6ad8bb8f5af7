"""What a scheme says of a layer: fan_in, fan_out -> how its initial parameters are drawn."""

from abc import ABC, abstractmethod
from typing import Annotated, ClassVar, Literal, NamedTuple

from pydantic import Field

from fastgrok.spec.base import Spec
from fastgrok.spec.fields import Number

Positive = Annotated[Number, Field(gt=0)]

Kind = Literal["constant", "uniform", "normal"]
Form = Literal["free", "truncated", "orthogonal", "sparse", "identity", "nguyen_widrow", "rai"]


class Distribution(NamedTuple):
    """
    What each parameter of a layer is drawn from, and what is then made of all of them.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.Uniform(-1, 1).distribution(2, 4)
    Distribution(kind='uniform', a=-1.0, b=1.0)
    >>> fg.Orthogonal().distribution(2, 4)
    Distribution(kind='normal', a=0.0, b=1.0, form='orthogonal', numbers=(1.0,))
    """

    kind: Kind  # "constant", "uniform" or "normal". A constant draws nothing from the stream
    a: float  # the constant, the low end, or the mean
    b: float  # 0, the high end, or the standard deviation
    form: Form = "free"  # "free": the parameters are what is drawn
    numbers: tuple[float, ...] = ()

    def __repr__(self) -> str:
        form = f", form={self.form!r}, numbers={self.numbers}" if self.form != "free" else ""
        return f"Distribution(kind={self.kind!r}, a={self.a}, b={self.b}{form})"


class Initializer(Spec, ABC):
    """Base of the schemes."""

    in_kernel: ClassVar[bool]
    """Whether a kernel can draw it at any moment, as a restart needs; if not, Python makes it before training."""


class Scheme(Initializer):
    """Base of the schemes that the fans of a layer determine."""

    in_kernel = True

    @abstractmethod
    def distribution(self, fan_in: int, fan_out: int) -> Distribution:
        """
        Return the distribution of the weights of one Linear layer.

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
        """
        Return the distribution of the biases of one Linear layer: that of its weights, unless a scheme says more.

        Parameters
        ----------
        fan_in
            Inputs of the layer.
        fan_out
            Outputs of the layer.

        Raises
        ------
        InvalidExperiment
            If the scheme is one of matrices.

        Examples
        --------
        >>> import fastgrok as fg
        >>> fg.KerasDense().bias_distribution(4, 1)
        Distribution(kind='constant', a=0.0, b=0.0)
        """
        return self.distribution(fan_in, fan_out)


def symmetric(limit: float) -> Distribution:
    """
    Return U(-limit, limit).

    Examples
    --------
    >>> symmetric(2.0)
    Distribution(kind='uniform', a=-2.0, b=2.0)
    """
    return Distribution("uniform", -limit, limit)


def centred(std: float) -> Distribution:
    """
    Return N(0, std**2).

    Examples
    --------
    >>> centred(2.0)
    Distribution(kind='normal', a=0.0, b=2.0)
    """
    return Distribution("normal", 0.0, std)
