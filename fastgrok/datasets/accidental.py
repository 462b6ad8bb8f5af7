"""Data made so that accidental correlation exists."""

import numbers
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgrok.datasets.dataset import Dataset
from fastgrok.errors import InvalidExperiment

MAX_ROWS = 10**6
"""Examples of each of the two datasets, and features, at most."""


def accidental(
    n_examples: int = 12, n_noise: int = 10, n_validation: int = 200, *, flipped: float = 0.15, seed: int = 0
) -> tuple[Dataset, Dataset]:
    """
    Return few examples to train on, in which noise correlates with the target by accident, and many to validate on.

    The input `signal` is 0 or 1, each in half of the examples, and the target is the same but in a share `flipped` of
    the examples, where it is the other one. The inputs `noise_0`, `noise_1`, ... are 0 or 1 by chance: they say
    nothing, and with few examples a network learns the flipped ones from them by heart.

    Parameters
    ----------
    n_examples
        To train on, 2 or more.
    n_noise
        Inputs beside the signal, 1 or more.
    n_validation
        To validate on, 2 or more.
    flipped
        Share of the examples of either dataset whose target is flipped, from 0 to less than 0.5; their number is
        rounded to the nearest integer.
    seed
        Of `numpy.random.default_rng`, from 0.

    Returns
    -------
    The training and the validation data.

    Raises
    ------
    InvalidExperiment
        If an argument will not do.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.datasets.accidental()[0]
    <Dataset accidental (training): 12 examples, 11 inputs, 1 output>
    """
    for field, given, low in (
        ("n_examples", n_examples, 2),
        ("n_noise", n_noise, 1),
        ("n_validation", n_validation, 2),
        ("seed", seed, 0),
    ):
        _check_integer(field, given, low)
    if isinstance(flipped, bool) or not isinstance(flipped, numbers.Real) or not 0 <= flipped < 0.5:
        raise InvalidExperiment("flipped", flipped, "a share from 0 to less than 0.5")
    rng = np.random.default_rng(int(seed))
    names = ("signal", *(f"noise_{k}" for k in range(n_noise)))

    def made(n: int, what: str) -> Dataset:
        X, y = _rows(rng, n, n_noise, float(flipped))
        return Dataset(X, y, f"accidental ({what})", names, ("target",))

    return made(n_examples, "training"), made(n_validation, "validation")


def _rows(
    rng: np.random.Generator, n: int, n_noise: int, flipped: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return inputs and targets."""
    signal = rng.permutation(np.arange(n) % 2)
    noise = rng.integers(0, 2, (n, n_noise))
    target = signal.copy()
    rows = rng.permutation(n)[: round(flipped * n)]
    target[rows] = 1 - target[rows]
    return np.concatenate([signal[:, None], noise], axis=1), target


def _check_integer(field: str, given: Any, low: int) -> None:
    """Raise unless it is an integer within the limits."""
    most = "" if field == "seed" else f" and at most {MAX_ROWS}"
    integer = isinstance(given, numbers.Integral) and not isinstance(given, bool)
    if not integer or int(given) < low or (most and int(given) > MAX_ROWS):
        raise InvalidExperiment(field, given, f"an integer at least {low}{most}")
