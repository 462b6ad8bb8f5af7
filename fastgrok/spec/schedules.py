"""How the learning rate changes from epoch to epoch."""

from abc import ABC, abstractmethod
from itertools import pairwise
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, InstanceOf

from fastgrok.errors import InvalidExperiment
from fastgrok.spec.base import Spec, spec
from fastgrok.spec.calls import from_call
from fastgrok.spec.fields import Epochs, NotNegative, Number, Share

MAX_EPOCHS = 10**7
"""Epochs at most of an experiment with a schedule: its learning rates are a table."""

Factor = Annotated[Number, Field(gt=0, le=1)]


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


Milestones = Annotated[
    tuple[Epochs, ...], BeforeValidator(_as_tuple), Field(description="a list of epochs from 1, each after the last")
]


class Schedule(Spec, ABC):
    """Base of the schedules. Epoch e of a seed, from 0, has rate e; a restarted seed begins at 0 again."""

    @abstractmethod
    def rates(self, lr: float, epochs: int) -> NDArray[np.float64]:
        """Return the learning rate of each epoch.

        Parameters
        ----------
        lr
            The optimizer's learning rate.
        epochs
            Their number.
        """


def _powers(first: float, factor: float, n: int) -> NDArray[np.float64]:
    """Return first * factor**k for k < n, each from the one before: one rounding a step, on every CPU the same."""
    factors = np.full(n, factor)
    factors[:1] = first
    powers: NDArray[np.float64] = np.multiply.accumulate(factors)
    return powers


@spec
class StepLR(Schedule):
    """A factor every few epochs: lr * gamma ** (epoch // step_size).

    Parameters
    ----------
    step_size
        Epochs between two steps, 1 or more.
    gamma
        The factor, greater than 0 and at most 1.

    Notes
    -----
    `torch.optim.lr_scheduler.StepLR`, stepped once an epoch.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.StepLR(2, gamma=0.5).rates(0.1, 5).tolist()
    [0.1, 0.1, 0.05, 0.05, 0.025]
    """

    step_size: Epochs
    gamma: Factor = 0.1

    def rates(self, lr: float, epochs: int) -> NDArray[np.float64]:
        """Return lr * gamma ** (epoch // step_size)."""
        steps = np.arange(epochs) // self.step_size
        return _powers(lr, self.gamma, int(steps[-1]) + 1 if epochs else 0)[steps]


def _check_ascending(milestones: tuple[int, ...]) -> None:
    """Raise unless each epoch is after the one before."""
    if not milestones or any(b <= a for a, b in pairwise(milestones)):
        raise InvalidExperiment("milestones", milestones, "a list of epochs from 1, each after the last")


@spec
class MultiStepLR(Schedule):
    """A factor at each of some epochs: lr * gamma ** (milestones passed), constant between them.

    Parameters
    ----------
    milestones
        Epochs, counted from 0, that are the first with the next rate; a list in ascending order, on a command line
        in brackets.
    gamma
        The factor, greater than 0 and at most 1.

    Raises
    ------
    InvalidExperiment
        If there are no milestones, or one is not after the one before.

    Notes
    -----
    `torch.optim.lr_scheduler.MultiStepLR`, stepped once an epoch.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.MultiStepLR([1, 3], gamma=0.5).rates(0.1, 5).tolist()
    [0.1, 0.05, 0.05, 0.025, 0.025]
    """

    milestones: Milestones
    gamma: Factor = 0.1

    def __post_init__(self) -> None:
        _check_ascending(self.milestones)

    def rates(self, lr: float, epochs: int) -> NDArray[np.float64]:
        """Return lr * gamma ** (milestones passed)."""
        passed = np.searchsorted(self.milestones, np.arange(epochs), side="right")
        return _powers(lr, self.gamma, len(self.milestones) + 1)[passed]


@spec
class ExponentialLR(Schedule):
    """A factor every epoch: lr * gamma ** epoch.

    Parameters
    ----------
    gamma
        The factor, greater than 0 and at most 1.

    Notes
    -----
    `torch.optim.lr_scheduler.ExponentialLR`, stepped once an epoch.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.ExponentialLR(0.5).rates(0.1, 3).tolist()
    [0.1, 0.05, 0.025]
    """

    gamma: Factor

    def rates(self, lr: float, epochs: int) -> NDArray[np.float64]:
        """Return lr * gamma ** epoch."""
        return _powers(lr, self.gamma, epochs)


@spec
class CosineAnnealingLR(Schedule):
    """Half a cosine down: eta_min + (lr - eta_min) * (1 + cos(pi * epoch / t_max)) / 2, and up again after t_max.

    Parameters
    ----------
    t_max
        Epochs from the learning rate to the least, 1 or more.
    eta_min
        The least learning rate, 0 or more.

    Notes
    -----
    `torch.optim.lr_scheduler.CosineAnnealingLR` in its closed form, stepped once an epoch; Loshchilov, Hutter,
    "SGDR", 2017. The cosine is a polynomial of our own, within 1e-15, so that its bits are the same on every CPU.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.CosineAnnealingLR(2).rates(0.1, 5).tolist()
    [0.1, 0.05, 0.0, 0.05, 0.1]
    """

    t_max: Epochs
    eta_min: NotNegative = 0.0

    def rates(self, lr: float, epochs: int) -> NDArray[np.float64]:
        """Return eta_min + (lr - eta_min) * (1 + cos(pi * epoch / t_max)) / 2."""
        phase = np.arange(epochs) % (2 * self.t_max)
        half = np.minimum(phase, 2 * self.t_max - phase) / self.t_max  # the way down; the way up mirrors it
        rates: NDArray[np.float64] = self.eta_min + (lr - self.eta_min) * ((1 + _cos_pi(half)) / 2)
        return rates


def _cos_pi(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return cos(pi x) for 0 <= x <= 1, as -sin(pi (x - 1/2)): Taylor's series, exact where |x - 1/2| is 0 or 1/2."""
    z = np.pi * (x - 0.5)
    square, total = z * z, np.zeros_like(z)
    for k in range(23, 1, -2):
        total = (total + 1) * -square / (k * (k - 1))
    sine = z + z * total
    return np.where(x == 0, 1.0, np.where(x == 1, -1.0, -sine))


@spec
class LinearLR(Schedule):
    """A straight line from a share of the learning rate to another, and constant then: a warm-up by default.

    Epoch e has lr * (start_factor + (end_factor - start_factor) * min(e, total_iters) / total_iters).

    Parameters
    ----------
    start_factor
        The share of lr at epoch 0, greater than 0 and at most 1.
    end_factor
        The share from epoch `total_iters` on, 0 to 1.
    total_iters
        Epochs that the line takes, 1 or more.

    Notes
    -----
    `torch.optim.lr_scheduler.LinearLR` in its closed form, stepped once an epoch.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.LinearLR(0.25, total_iters=2).rates(0.1, 4).tolist()
    [0.025, 0.0625, 0.1, 0.1]
    """

    start_factor: Factor = 1 / 3
    end_factor: Share = 1.0
    total_iters: Epochs = 5

    def rates(self, lr: float, epochs: int) -> NDArray[np.float64]:
        """Return lr times the factors of the line."""
        epoch = np.arange(epochs)
        factors = self.start_factor + (self.end_factor - self.start_factor) * epoch / self.total_iters
        rates: NDArray[np.float64] = lr * np.where(epoch < self.total_iters, factors, self.end_factor)
        return rates


def _read(value: Any) -> Any:
    """Return schedules of which some may be named, as in 'step_lr(100)'."""
    if not isinstance(value, list | tuple):
        return value
    named = enumerate(value)
    return tuple(from_call(f"schedules[{k}]", Schedule, v) if isinstance(v, str) else v for k, v in named)


Schedules = Annotated[
    tuple[InstanceOf[Schedule], ...],
    BeforeValidator(_read),
    Field(description="a list of schedules, such as [LinearLR(), StepLR(100)], or their names"),
]


@spec
class SequentialLR(Schedule):
    """Schedules one after the other, each from its own epoch 0: a warm-up, and what follows it.

    Parameters
    ----------
    schedules
        Two or more, as a list; on a command line in brackets.
    milestones
        Epochs at which the second, the third, ... begins; a list in ascending order.

    Raises
    ------
    InvalidExperiment
        If there are not as many milestones as changes from one schedule to the next, or one is not after the one
        before.

    Notes
    -----
    `torch.optim.lr_scheduler.SequentialLR`, stepped once an epoch, whose first argument is named `schedulers`.

    Examples
    --------
    >>> import fastgrok as fg
    >>> warm = fg.SequentialLR([fg.LinearLR(0.5, total_iters=1), fg.ExponentialLR(0.5)], [1])
    >>> warm.rates(0.1, 4).tolist()
    [0.05, 0.1, 0.05, 0.025]
    """

    schedules: Schedules
    milestones: Milestones

    def __post_init__(self) -> None:
        if len(self.schedules) < 2:
            raise InvalidExperiment("schedules", self.schedules, "two schedules or more")
        _check_ascending(self.milestones)
        if len(self.milestones) != len(self.schedules) - 1:
            expected = f"{len(self.schedules) - 1} of them: where each schedule after the first begins"
            raise InvalidExperiment("milestones", self.milestones, expected)

    def rates(self, lr: float, epochs: int) -> NDArray[np.float64]:
        """Return the rates of each schedule until the next one begins."""
        ends = np.minimum([*self.milestones, epochs], epochs).tolist()
        starts = [0, *ends[:-1]]
        pairs = zip(self.schedules, starts, ends, strict=True)
        return np.concatenate([schedule.rates(lr, end - start) for schedule, start, end in pairs])
