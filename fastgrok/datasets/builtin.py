"""Built-in data: the small datasets of the source texts, and data with accidental correlation."""

import itertools
import numbers
from collections.abc import Callable, Container
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgrok.datasets.dataset import Dataset
from fastgrok.errors import InvalidExperiment

MAX_BITS = 16
"""Bits of `parity` at most: 65,536 examples."""

MAX_ACCIDENTAL = 10**6
"""Examples of each dataset of `accidental`, and its features, at most."""

_LIGHTS = ("light_0", "light_1", "light_2")


def _integer(field: str, value: Any, allowed: Container[int], accepted: str) -> int:
    """Return an integer that is allowed."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or int(value) not in allowed:
        raise InvalidExperiment(field, value, accepted)
    return int(value)


def _bits(name: str, n_bits: int, low: Any, target: Callable[[tuple[int, ...]], int]) -> Dataset:
    """Return every pattern of bits, counting upwards, with a target in {0, 1}."""
    low = _integer("low", low, (0, -1), "0 for inputs 0 and 1, or -1 for inputs -1 and 1")
    patterns = list(itertools.product((0, 1), repeat=n_bits))
    X = [[1 if bit else low for bit in bits] for bits in patterns]
    return Dataset(X, [target(bits) for bits in patterns], f"{name}(low={low})" if low else name)


def xor(low: int = 0) -> Dataset:
    """Return the four examples of exclusive or.

    Parameters
    ----------
    low
        0: inputs 0 and 1. -1: inputs -1 and 1. The targets are 0 and 1 in either case.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.datasets.xor().y.ravel()
    array([0., 1., 1., 0.])
    """
    return _bits("xor", 2, low, lambda bits: bits[0] ^ bits[1])


def and_(low: int = 0) -> Dataset:
    """Return the four examples of and.

    Parameters
    ----------
    low
        As for `xor`.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.datasets.and_().y.ravel()
    array([0., 0., 0., 1.])
    """
    return _bits("and", 2, low, lambda bits: bits[0] & bits[1])


def or_(low: int = 0) -> Dataset:
    """Return the four examples of or.

    Parameters
    ----------
    low
        As for `xor`.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.datasets.or_().y.ravel()
    array([0., 1., 1., 1.])
    """
    return _bits("or", 2, low, lambda bits: bits[0] | bits[1])


def parity(n_bits: int, low: int = 0) -> Dataset:
    """Return the 2**n_bits patterns of bits, with target 1 where the number of ones is odd.

    Parameters
    ----------
    n_bits
        Inputs, 1 to 16.
    low
        As for `xor`.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.datasets.parity(3)
    <Dataset parity3: 8 examples, 3 inputs, 1 output>
    """
    allowed = range(1, MAX_BITS + 1)
    count = _integer("n_bits", n_bits, allowed, f"an integer at least 1 and at most {MAX_BITS}")
    return _bits(f"parity{count}", count, low, lambda bits: sum(bits) % 2)


def streetlights() -> Dataset:
    """Return the six crossings of *Grokking Deep Learning*, chapter 6: three lights, and whether people walk.

    The middle light alone decides.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.datasets.streetlights().y.ravel()
    array([0., 1., 0., 1., 1., 0.])
    """
    X = [[1, 0, 1], [0, 1, 1], [0, 0, 1], [1, 1, 1], [0, 1, 1], [1, 0, 1]]
    return Dataset(X, [0, 1, 0, 1, 1, 0], "streetlights", _LIGHTS, ("walk",))


def deep_streetlights() -> Dataset:
    """Return the four crossings of *Grokking Deep Learning*, chapter 6, that no single layer can learn.

    People walk where exactly one of the first two lights is on.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.datasets.deep_streetlights().y.ravel()
    array([1., 1., 0., 0.])
    """
    X = [[1, 0, 1], [0, 1, 1], [0, 0, 1], [1, 1, 1]]
    return Dataset(X, [1, 1, 0, 0], "deep_streetlights", _LIGHTS, ("walk",))


def accidental(
    n_examples: int = 12, n_noise: int = 10, n_validation: int = 200, *, flipped: float = 0.15, seed: int = 0
) -> tuple[Dataset, Dataset]:
    """Return few examples to train on, in which noise correlates with the target by accident, and many to validate.

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

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.datasets.accidental()[0]
    <Dataset accidental (training): 12 examples, 11 inputs, 1 output>
    """
    for field, value, least in (
        ("n_examples", n_examples, 2),
        ("n_noise", n_noise, 1),
        ("n_validation", n_validation, 2),
    ):
        allowed = range(least, MAX_ACCIDENTAL + 1)
        _integer(field, value, allowed, f"an integer at least {least} and at most {MAX_ACCIDENTAL}")
    _integer("seed", seed, range(2**128), "an integer at least 0")
    if isinstance(flipped, bool) or not isinstance(flipped, numbers.Real) or not 0 <= flipped < 0.5:
        raise InvalidExperiment("flipped", flipped, "a share from 0 to less than 0.5")
    rng = np.random.default_rng(int(seed))
    names = ("signal", *(f"noise_{k}" for k in range(n_noise)))

    def part(n: int, which: str) -> Dataset:
        X, y = _rows(rng, n, n_noise, float(flipped))
        return Dataset(X, y, f"accidental ({which})", names, ("target",))

    return part(n_examples, "training"), part(n_validation, "validation")


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


BUILTIN: dict[str, Callable[..., Dataset]] = {
    "xor": xor,
    "and": and_,
    "or": or_,
    "parity": parity,
    "streetlights": streetlights,
    "deep_streetlights": deep_streetlights,
}
"""The datasets by the names that the command line takes."""
