"""How the learning rate changes from epoch to epoch."""

from abc import ABC, abstractmethod
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from fastgrok.spec.base import Spec, spec
from fastgrok.spec.fields import Epochs, NotNegative, Number

MAX_EPOCHS = 10**7
"""Epochs at most of an experiment with a schedule: its learning rates are a table."""

Factor = Annotated[Number, Field(gt=0, le=1)]


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
