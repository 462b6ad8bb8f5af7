"""The small datasets of the texts that fastgrok follows."""

import itertools
import numbers
from collections.abc import Callable, Container
from typing import Any

from fastgrok.datasets.dataset import Dataset
from fastgrok.errors import InvalidExperiment

MAX_BITS = 16
"""Bits of `parity` at most: 65,536 examples."""

_LIGHTS = ("light_0", "light_1", "light_2")


def _integer(field: str, given: Any, allowed: Container[int], accepted: str) -> int:
    """Return an integer that is allowed."""
    if isinstance(given, bool) or not isinstance(given, numbers.Integral) or int(given) not in allowed:
        raise InvalidExperiment(field, given, accepted)
    return int(given)


def _bits(name: str, n_bits: int, low: Any, target: Callable[[tuple[int, ...]], int]) -> Dataset:
    """Return every pattern of bits, counting upwards, with a target in {0, 1}."""
    low = _integer("low", low, (0, -1), "0 for inputs 0 and 1, or -1 for inputs -1 and 1")
    patterns = list(itertools.product((0, 1), repeat=n_bits))
    X = [[1 if bit else low for bit in bits] for bits in patterns]
    return Dataset(X, [target(bits) for bits in patterns], f"{name}(low={low})" if low else name)


def xor(low: int = 0) -> Dataset:
    """
    Return the four examples of exclusive or.

    Parameters
    ----------
    low
        0: inputs 0 and 1. -1: inputs -1 and 1. The targets are 0 and 1 in either case.

    Raises
    ------
    InvalidExperiment
        If `low` is neither 0 nor -1.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.datasets.xor().y.ravel()
    array([0., 1., 1., 0.])
    """
    return _bits("xor", 2, low, lambda bits: bits[0] ^ bits[1])


def and_(low: int = 0) -> Dataset:
    """
    Return the four examples of and.

    Parameters
    ----------
    low
        0: inputs 0 and 1. -1: inputs -1 and 1. The targets are 0 and 1 in either case.

    Raises
    ------
    InvalidExperiment
        If `low` is neither 0 nor -1.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.datasets.and_().y.ravel()
    array([0., 0., 0., 1.])
    """
    return _bits("and", 2, low, lambda bits: bits[0] & bits[1])


def or_(low: int = 0) -> Dataset:
    """
    Return the four examples of or.

    Parameters
    ----------
    low
        0: inputs 0 and 1. -1: inputs -1 and 1. The targets are 0 and 1 in either case.

    Raises
    ------
    InvalidExperiment
        If `low` is neither 0 nor -1.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.datasets.or_().y.ravel()
    array([0., 1., 1., 1.])
    """
    return _bits("or", 2, low, lambda bits: bits[0] | bits[1])


def parity(n_bits: int, low: int = 0) -> Dataset:
    """
    Return the 2**n_bits patterns of bits, with target 1 where the number of ones is odd.

    Parameters
    ----------
    n_bits
        Inputs, 1 to 16.
    low
        0: inputs 0 and 1. -1: inputs -1 and 1. The targets are 0 and 1 in either case.

    Raises
    ------
    InvalidExperiment
        If there are too few or too many bits, or `low` is neither 0 nor -1.

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
    """
    Return the six crossings of *Grokking Deep Learning*, chapter 6: three lights, and whether people walk.

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
    """
    Return the four crossings of *Grokking Deep Learning*, chapter 6, that no single layer can learn.

    People walk where exactly one of the first two lights is on.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.datasets.deep_streetlights().y.ravel()
    array([1., 1., 0., 0.])
    """
    X = [[1, 0, 1], [0, 1, 1], [0, 0, 1], [1, 1, 1]]
    return Dataset(X, [1, 1, 0, 0], "deep_streetlights", _LIGHTS, ("walk",))


BUILTIN: dict[str, Callable[..., Dataset]] = {
    "xor": xor,
    "and": and_,
    "or": or_,
    "parity": parity,
    "streetlights": streetlights,
    "deep_streetlights": deep_streetlights,
}
"""The datasets by the names that the command line takes."""
