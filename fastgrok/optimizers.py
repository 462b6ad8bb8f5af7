"""How the gradient of a batch changes the parameters."""

from typing import Annotated

from pydantic import Field

from fastgrok.fields import Number
from fastgrok.spec import Spec, spec

NotNegative = Annotated[Number, Field(ge=0)]


class Optimizer(Spec):
    """Base of the optimizers."""


@spec
class SGD(Optimizer):
    """
    Stochastic gradient descent, as in PyTorch.

    g += weight_decay * w + l1 * sign(w); v = momentum * v + g; w -= lr * v, with v = 0 at the start.

    Parameters
    ----------
    lr
        Learning rate, greater than 0; the book's alpha.
    momentum
        Share of the last step that is kept, 0 or more and less than 1.
    weight_decay
        Strength of the L2 penalty weight_decay / 2 * w**2, 0 or more. Biases are penalised too.
    l1
        Strength of the L1 penalty l1 * abs(w), 0 or more, with sign(0) = 0. Biases are penalised too.

    Raises
    ------
    InvalidExperiment
        If one is not a finite number within its limits.

    Notes
    -----
    `torch.optim.SGD` with dampening 0 and no Nesterov momentum; PyTorch has no l1.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.SGD(lr=0.1, momentum=0.9)
    SGD(lr=0.1, momentum=0.9, weight_decay=0.0, l1=0.0)
    """

    lr: Annotated[Number, Field(gt=0)] = 0.1
    momentum: Annotated[Number, Field(ge=0, lt=1)] = 0.0
    weight_decay: NotNegative = 0.0
    l1: NotNegative = 0.0
