"""How the gradient of a batch changes the parameters."""

from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, InstanceOf

from fastgrok.errors import InvalidExperiment
from fastgrok.spec.base import Spec, spec
from fastgrok.spec.calls import named
from fastgrok.spec.fields import Bool, NotNegative, Number, Positive
from fastgrok.spec.schedules import Schedule

Decay = Annotated[Number, Field(ge=0, lt=1)]
Shrinking = Annotated[Number, Field(gt=0, lt=1)]
Growing = Annotated[Number, Field(gt=1)]
ClipNorm = Positive | None
Decayed = Literal["all", "weights"]
LayerFactor = Annotated[Number, Field(ge=0, le=1e6)]
LayerFactors = Annotated[
    tuple[LayerFactor, ...] | None,
    BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value),
    Field(description="None, or a number from 0 to 1e6 for each Linear layer, such as (1, 0.1)"),
]
LearningRates = Annotated[
    InstanceOf[Schedule] | None,
    named(Schedule),
    Field(description="None, or a schedule such as StepLR(100, gamma=0.5), or its name as in 'step_lr(100)'"),
]


class Optimizer(Spec):
    """Base of the optimizers. All of them have these fields.

    Parameters
    ----------
    lr
        Learning rate, greater than 0; the book's alpha.
    weight_decay
        Strength of the L2 penalty weight_decay / 2 * w**2, 0 or more.
    l1
        Strength of the L1 penalty l1 * abs(w), 0 or more, with sign(0) = 0.
    decay
        Which parameters `weight_decay` and `l1` touch: "all", as the optimizers of PyTorch do, or "weights" and no
        biases, as scikit-learn's alpha and Keras's kernel_regularizer do.
    clip_norm
        Largest norm of a batch's gradient, over all parameters, greater than 0. A longer gradient is scaled by
        clip_norm / (norm + 1e-6) before the penalties are added, as `torch.nn.utils.clip_grad_norm_` does before a
        step. None: no limit.
    schedule
        How the learning rate changes from epoch to epoch. None: it stays.
    lr_factors
        What `lr` is multiplied by in each Linear layer, weights and biases: as many numbers as there are such layers,
        0 to 1e6. A layer with 0 is frozen: it stays what it starts with, whatever decay there is, and its gradients
        have no part in `clip_norm`. Of Rprop it is the first step size. None: 1 for each.
    """

    optional_fields = ("decay", "lr_factors")
    full_batch_only: ClassVar[bool] = False
    """Whether each gradient must be that of all examples."""
    lr: float
    weight_decay: float
    l1: float
    clip_norm: float | None
    schedule: Schedule | None
    decay: str
    lr_factors: tuple[float, ...] | None = None


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
    lr, weight_decay, l1, clip_norm, schedule, decay, lr_factors
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
    decay: Decayed = Field(default="all", repr=False)
    lr_factors: LayerFactors = Field(default=None, repr=False)

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
    lr, weight_decay, l1, clip_norm, schedule, decay, lr_factors
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
    decay: Decayed = Field(default="all", repr=False)
    lr_factors: LayerFactors = Field(default=None, repr=False)


@spec
class AdamW(Optimizer):
    """Adam with decoupled weight decay, as in PyTorch: the decay shrinks w and is no part of the gradient.

    w -= lr * weight_decay * w, and then the step of `Adam` with g += l1 * sign(w).

    Parameters
    ----------
    beta1, beta2, eps
        As for `Adam`.
    weight_decay
        Share of each parameter that is taken from it at each step, times lr, 0 or more.
    lr, l1, clip_norm, schedule, decay, lr_factors
        As for every `Optimizer`.

    Notes
    -----
    Loshchilov, Hutter, "Decoupled Weight Decay Regularization", 2019; `torch.optim.AdamW` and its defaults, without
    amsgrad. PyTorch has no l1.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.AdamW(lr=0.01).weight_decay
    0.01
    """

    lr: Positive = 0.001
    beta1: Decay = Field(default=0.9, repr=False)
    beta2: Decay = Field(default=0.999, repr=False)
    eps: Positive = Field(default=1e-8, repr=False)
    weight_decay: NotNegative = Field(default=0.01, repr=False)
    l1: NotNegative = Field(default=0.0, repr=False)
    clip_norm: ClipNorm = Field(default=None, repr=False)
    schedule: LearningRates = Field(default=None, repr=False)
    decay: Decayed = Field(default="all", repr=False)
    lr_factors: LayerFactors = Field(default=None, repr=False)


@spec
class RMSprop(Optimizer):
    """Steps of the gradient divided by the root of its mean square, as in PyTorch.

    g += weight_decay * w + l1 * sign(w); v = alpha * v + (1 - alpha) * g**2; b = momentum * b + g / (sqrt(v) + eps);
    w -= lr * b, with v = b = 0 at the start. Centered, sqrt(v - m**2) stands for sqrt(v), with
    m = alpha * m + (1 - alpha) * g.

    Parameters
    ----------
    alpha
        Share of the mean squared gradient that a step keeps, 0 or more and less than 1.
    eps
        Added to the root of the mean squared gradient, greater than 0.
    momentum
        Share of the last step that is kept, 0 or more and less than 1.
    centered
        Whether to divide by the root of the gradient's variance instead.
    lr, weight_decay, l1, clip_norm, schedule, decay, lr_factors
        As for every `Optimizer`.

    Notes
    -----
    Tieleman, Hinton, "Lecture 6.5", 2012; centered: Graves, "Generating Sequences With Recurrent Neural Networks",
    2013; `torch.optim.RMSprop` and its defaults. A variance that rounding makes negative is 0 here, where PyTorch's
    parameters become NaN. Keras's RMSprop has eps within the root and 0.9 instead of 0.99.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.RMSprop(momentum=0.9)
    RMSprop(lr=0.01, momentum=0.9)
    """

    lr: Positive = 0.01
    alpha: Decay = Field(default=0.99, repr=False)
    eps: Positive = Field(default=1e-8, repr=False)
    momentum: Decay = Field(default=0.0, repr=False)
    centered: Bool = Field(default=False, repr=False)
    weight_decay: NotNegative = Field(default=0.0, repr=False)
    l1: NotNegative = Field(default=0.0, repr=False)
    clip_norm: ClipNorm = Field(default=None, repr=False)
    schedule: LearningRates = Field(default=None, repr=False)
    decay: Decayed = Field(default="all", repr=False)
    lr_factors: LayerFactors = Field(default=None, repr=False)


@spec
class Adagrad(Optimizer):
    """Steps of the gradient divided by the root of the sum of its squares, as in PyTorch.

    g += weight_decay * w + l1 * sign(w); s += g**2; w -= lr / (1 + (t - 1) * lr_decay) * g / (sqrt(s) + eps) at
    step t, with s = initial_accumulator_value at the start.

    Parameters
    ----------
    lr_decay
        How much a step adds to what the learning rate is divided by, 0 or more.
    initial_accumulator_value
        Sum of squares at the start, 0 or more.
    eps
        Added to the root of the sum, greater than 0.
    lr, weight_decay, l1, clip_norm, schedule, decay, lr_factors
        As for every `Optimizer`.

    Notes
    -----
    Duchi, Hazan, Singer, "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization", 2011;
    `torch.optim.Adagrad` and its defaults.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.Adagrad(lr=0.1).eps
    1e-10
    """

    lr: Positive = 0.01
    lr_decay: NotNegative = Field(default=0.0, repr=False)
    initial_accumulator_value: NotNegative = Field(default=0.0, repr=False)
    eps: Positive = Field(default=1e-10, repr=False)
    weight_decay: NotNegative = Field(default=0.0, repr=False)
    l1: NotNegative = Field(default=0.0, repr=False)
    clip_norm: ClipNorm = Field(default=None, repr=False)
    schedule: LearningRates = Field(default=None, repr=False)
    decay: Decayed = Field(default="all", repr=False)
    lr_factors: LayerFactors = Field(default=None, repr=False)


@spec
class Rprop(Optimizer):
    """Resilient backpropagation, as in PyTorch: each parameter has a step size of its own; full batch only.

    g += weight_decay * w + l1 * sign(w). Where g * g_before > 0 the step size is multiplied by eta_plus; where it is
    below 0 by eta_minus, and g = 0. Kept between step_size_min and step_size_max it is the step: w -= size * sign(g).
    At the start g_before = 0 and the sizes are lr.

    Parameters
    ----------
    lr
        The first step size, greater than 0.
    eta_minus
        Factor of a step size where the gradient has changed its sign, greater than 0 and less than 1.
    eta_plus
        Factor where it has not, greater than 1.
    step_size_min
        The least step size, greater than 0.
    step_size_max
        The largest step size, at least `step_size_min`.
    schedule
        None: after the first step there is no learning rate.
    weight_decay, l1, clip_norm, decay, lr_factors
        As for every `Optimizer`.

    Notes
    -----
    Riedmiller, Braun, "A Direct Adaptive Method for Faster Backpropagation Learning: The RPROP Algorithm", 1993;
    `torch.optim.Rprop` and its defaults, with `etas=(eta_minus, eta_plus)` and
    `step_sizes=(step_size_min, step_size_max)`; PyTorch has neither weight_decay nor l1.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), optimizer=fg.Rprop(), batch_size="full")
    >>> exp.optimizer.eta_plus
    1.2
    """

    full_batch_only = True
    lr: Positive = 0.01
    eta_minus: Shrinking = Field(default=0.5, repr=False)
    eta_plus: Growing = Field(default=1.2, repr=False)
    step_size_min: Positive = Field(default=1e-6, repr=False)
    step_size_max: Positive = Field(default=50.0, repr=False)
    weight_decay: NotNegative = Field(default=0.0, repr=False)
    l1: NotNegative = Field(default=0.0, repr=False)
    clip_norm: ClipNorm = Field(default=None, repr=False)
    schedule: LearningRates = Field(default=None, repr=False)
    decay: Decayed = Field(default="all", repr=False)
    lr_factors: LayerFactors = Field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.step_size_min > self.step_size_max:
            expected = f"a number at least step_size_min, which is {self.step_size_min}"
            raise InvalidExperiment("step_size_max", self.step_size_max, expected)
        if self.schedule is not None:
            raise InvalidExperiment("schedule", self.schedule, "None: lr is the first step size of Rprop and no more")
