"""How the gradient of a batch changes the parameters."""

from typing import Annotated

from pydantic import Field, InstanceOf

from fastgrok.errors import InvalidExperiment
from fastgrok.spec.base import Spec, spec
from fastgrok.spec.fields import Bool, NotNegative, Number, Positive
from fastgrok.spec.schedules import Schedule

Decay = Annotated[Number, Field(ge=0, lt=1)]
ClipNorm = Positive | None
LearningRates = Annotated[
    InstanceOf[Schedule] | None, Field(description="None, or a schedule such as StepLR(100, gamma=0.5)")
]


class Optimizer(Spec):
    """Base of the optimizers. All of them have these fields.

    Parameters
    ----------
    lr
        Learning rate, greater than 0; the book's alpha.
    weight_decay
        Strength of the L2 penalty weight_decay / 2 * w**2, 0 or more. Biases are penalised too.
    l1
        Strength of the L1 penalty l1 * abs(w), 0 or more, with sign(0) = 0. Biases are penalised too.
    clip_norm
        Largest norm of a batch's gradient, over all parameters, greater than 0. A longer gradient is scaled by
        clip_norm / (norm + 1e-6) before the penalties are added, as `torch.nn.utils.clip_grad_norm_` does before a
        step. None: no limit.
    schedule
        How the learning rate changes from epoch to epoch. None: it stays.
    """

    lr: float
    weight_decay: float
    l1: float
    clip_norm: float | None
    schedule: Schedule | None


@spec
class SGD(Optimizer):
    """Stochastic gradient descent, as in PyTorch.

    g += weight_decay * w + l1 * sign(w); v = momentum * v + g; w -= lr * v, with v = 0 at the start. Nesterov's:
    w -= lr * (g + momentum * v).

    Parameters
    ----------
    momentum
        Share of the last step that is kept, 0 or more and less than 1.
    nesterov
        Whether to take Nesterov's step, which needs a momentum greater than 0.
    lr, weight_decay, l1, clip_norm, schedule
        As for every `Optimizer`.

    Notes
    -----
    `torch.optim.SGD` with dampening 0; PyTorch has no l1.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.SGD(lr=0.1, momentum=0.9, nesterov=True).momentum
    0.9
    """

    lr: Positive = 0.1
    momentum: Decay = Field(default=0.0, repr=False)
    weight_decay: NotNegative = Field(default=0.0, repr=False)
    l1: NotNegative = Field(default=0.0, repr=False)
    nesterov: Bool = Field(default=False, repr=False)
    clip_norm: ClipNorm = Field(default=None, repr=False)
    schedule: LearningRates = Field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.nesterov and self.momentum == 0:
            raise InvalidExperiment("momentum", self.momentum, "a number greater than 0 with nesterov=True")


@spec
class Adam(Optimizer):
    """Adam, as in PyTorch.

    g += weight_decay * w + l1 * sign(w); m = beta1 * m + (1 - beta1) * g; v = beta2 * v + (1 - beta2) * g**2;
    w -= lr * (m / (1 - beta1**t)) / (sqrt(v / (1 - beta2**t)) + eps) at step t, with m = v = 0 at the start.

    Parameters
    ----------
    beta1
        Share of the mean gradient that a step keeps, 0 or more and less than 1.
    beta2
        Share of the mean squared gradient that a step keeps, likewise.
    eps
        Added to the root of the mean squared gradient, greater than 0.
    lr, weight_decay, l1, clip_norm, schedule
        As for every `Optimizer`.

    Notes
    -----
    Kingma, Ba, "Adam: A Method for Stochastic Optimization", 2015; `torch.optim.Adam` and its defaults, with
    `betas=(beta1, beta2)` and without amsgrad. The corrections 1 - beta**t are averaged as m and v are, from the
    same rounded beta: docs/design/0006-features.md.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.Adam(lr=0.01).beta2
    0.999
    """

    lr: Positive = 0.001
    beta1: Decay = Field(default=0.9, repr=False)
    beta2: Decay = Field(default=0.999, repr=False)
    eps: Positive = Field(default=1e-8, repr=False)
    weight_decay: NotNegative = Field(default=0.0, repr=False)
    l1: NotNegative = Field(default=0.0, repr=False)
    clip_norm: ClipNorm = Field(default=None, repr=False)
    schedule: LearningRates = Field(default=None, repr=False)
