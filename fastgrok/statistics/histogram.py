"""Histograms of whole numbers, and records of them that add up: what every statistic of seeds is computed from."""

import base64
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self, cast, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgrok.errors import InvalidExperiment

DENSE = 4
"""A table over the whole range is quicker than sorting while it is no longer than this per value..."""

DENSE_AT_LEAST = 1 << 17
"""...or than this."""

_LOSS_BITS = 6
_ACCURACY_UNITS = 2**31
_TYPES = {
    "|u1": 0xFF,
    "<u2": 0xFFFF,
    "<u4": 0xFFFFFFFF,
    "<i8": 2**63 - 1,
}  # of packed numbers, and the most each holds
_FEW = 16  # numbers of a list, which one can read


@dataclass(frozen=True)
class Tally:
    """Whole numbers of seeds: those of parts add up to those of the whole, exactly and in any order."""

    def __add__(self, other: "Tally") -> Self:
        if not isinstance(other, type(self)):
            return NotImplemented
        return type(self)(*(_sum(getattr(self, f.name), getattr(other, f.name)) for f in fields(self)))

    def __radd__(self, other: int) -> Self:
        """Let `sum` start from 0."""
        return self if type(other) is int and not other else NotImplemented

    def to_dict(self, column: Callable[[NDArray[np.int64]], Any] = np.ndarray.tolist) -> dict[str, Any]:
        """Return every field as JSON has it.

        Parameters
        ----------
        column
            What makes JSON of the values or the counts of a histogram: a list, or `packed`.

        Examples
        --------
        >>> Histogram.of([3, 5, 3]).to_dict()
        {'values': [3, 5], 'counts': [2, 1]}
        """
        return {name: _plain(getattr(self, name), keys, column) for name, keys in _keys(cast(Any, type(self)))}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Rebuild what `to_dict` wrote.

        Parameters
        ----------
        plain
            Every field.

        Raises
        ------
        InvalidExperiment
            If a field is missing or something else, or the fields contradict each other.

        Examples
        --------
        >>> Histogram.from_dict({"values": [3], "counts": [2]})
        Histogram({3: 2})
        """
        kinds = _kinds(cast(Any, cls))
        try:
            written = [f for f in fields(cls) if f.name in plain or not f.metadata.get(LATER)]
            read = {f.name: _read(kinds[f.name], plain[f.name], f.metadata.get(KEYS)) for f in written}
        except InvalidExperiment:
            raise
        except (KeyError, TypeError, ValueError) as error:
            expected = f"what to_dict wrote ({error} is missing or wrong)"
            name = cls.__name__.lower().removesuffix("counts") or "counts"
            raise InvalidExperiment(name, plain, expected) from None
        return cls(**read)


KEYS = "keys"
"""In the metadata of a field that holds a tuple: the keys that its items have in JSON."""

LATER = "later"
"""In the metadata of a field that earlier versions did not count: JSON without it is read, as its default."""


@functools.cache
def _keys(cls: Any) -> list[tuple[str, Sequence[str] | None]]:
    """Return the names of the fields of a record, and the keys of those whose items have keys in JSON."""
    return [(f.name, f.metadata.get(KEYS)) for f in fields(cls)]


def _sum(a: Any, b: Any) -> Any:
    """Add a field to that of another tally; of tuples item by item, of which the longer one has more."""
    if isinstance(a, tuple):
        return (*(x + y for x, y in zip(a, b, strict=False)), *a[len(b) :], *b[len(a) :])
    return b if a is None else a if b is None or isinstance(a, bool) else a + b


def _plain(value: Any, keys: Sequence[str] | None, column: Callable[[NDArray[np.int64]], Any]) -> Any:
    """Return a field as JSON has it."""
    if isinstance(value, tuple):
        items = [_plain(item, None, column) for item in value]
        return items if keys is None else dict(zip(keys, items, strict=True))
    return value.to_dict(column) if isinstance(value, Tally) else value


def _read(kind: Any, plain: Any, keys: Sequence[str] | None) -> Any:
    """Return a field of this type from JSON."""
    if get_origin(kind) is tuple:
        items = plain if keys is None else [plain[key] for key in keys]
        return tuple(_read(get_args(kind)[0], item, None) for item in items)
    if isinstance(kind, type) and issubclass(kind, Tally):
        return kind.from_dict(plain)
    return int(plain) if kind is int else None if plain is None else bool(plain)


@functools.cache
def _kinds(cls: Any) -> dict[str, Any]:
    """Return the type of each field; finding out takes longer than reading a record does."""
    return get_type_hints(cls)


@dataclass(frozen=True, eq=False)
class Histogram(Tally):
    """Whole numbers and how often each occurs.

    Parameters
    ----------
    values
        Distinct, ascending.
    counts
        How often each occurs, 1 or more.

    Notes
    -----
    The sum of two is exact, and does not depend on their order.

    Examples
    --------
    >>> Histogram.of([3, 5, 3]) + Histogram.of([5])
    Histogram({3: 2, 5: 2})
    """

    values: NDArray[np.int64]
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, values: ArrayLike) -> Self:
        """Count whole numbers.

        Parameters
        ----------
        values
            Of any shape.

        Examples
        --------
        >>> Histogram.of([]).n
        0
        """
        flat = np.asarray(values, dtype=np.int64).ravel()
        if not flat.size:
            return cls(flat, flat)
        low, high = int(flat.min()), int(flat.max())
        if high - low < max(DENSE * flat.size, DENSE_AT_LEAST):
            table = np.bincount(flat - low)
            places = (table != 0).nonzero()[0]
            return cls(places + low, table[places])
        distinct, counts = np.unique(flat, return_counts=True)
        return cls(distinct, counts.astype(np.int64))

    @property
    def n(self) -> int:
        """How many there are."""
        if len(self.counts) <= _FEW:  # NumPy takes longer to begin
            return sum(self.counts.tolist())
        return int(np.add.reduce(self.counts))  # half the time of `sum`

    @property
    def by_value(self) -> dict[int, int]:
        """Value -> how often it occurs."""
        return dict(zip(self.values.tolist(), self.counts.tolist(), strict=True))

    def total(self) -> int:
        """Return the sum of all of them."""
        return sum(value * count for value, count in self.by_value.items())

    def n_below(self, limits: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many are less than each limit.

        Parameters
        ----------
        limits
            Of any shape.
        """
        return np.concatenate([[0], np.cumsum(self.counts)])[np.searchsorted(self.values, limits, side="left")]

    def __add__(self, other: Tally) -> Self:
        if not isinstance(other, Histogram):
            return NotImplemented
        values, places = np.unique(np.concatenate([self.values, other.values]), return_inverse=True)
        counts = np.zeros(len(values), np.int64)
        np.add.at(counts, places, np.concatenate([self.counts, other.counts]))
        return type(self)(values, counts)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Histogram):
            return NotImplemented
        return np.array_equal(self.values, other.values) and np.array_equal(self.counts, other.counts)

    def __hash__(self) -> int:
        return hash((self.values.tobytes(), self.counts.tobytes()))

    def __repr__(self) -> str:
        items = [f"{value}: {count}" for value, count in list(self.by_value.items())[:8]]
        more = [f"... {len(self.values) - 8} more"] if len(self.values) > 8 else []
        return f"Histogram({{{', '.join(items + more)}}})"

    def to_dict(self, column: Callable[[NDArray[np.int64]], Any] = np.ndarray.tolist) -> dict[str, Any]:
        """Return both columns as lists, or as another function has them."""
        return {"values": column(self.values), "counts": column(self.counts)}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Rebuild what `to_dict` wrote; raise `InvalidExperiment` if it is something else."""
        try:
            values, counts = (_numbers(plain[name]) for name in ("values", "counts"))
        except (KeyError, TypeError, ValueError):
            values = counts = np.array([0.5])
        whole = values.dtype.kind == counts.dtype.kind == "i" or not values.size
        if not whole or values.shape != counts.shape or values.ndim != 1 or np.any(counts < 1):
            raise InvalidExperiment("histogram", plain, "'values', ascending, and as many 'counts' of 1 or more")
        if np.any(np.diff(values) <= 0):
            raise InvalidExperiment("histogram", plain, "distinct 'values' in ascending order")
        return cls(values.astype(np.int64), counts.astype(np.int64))


@dataclass(frozen=True)
class Split(Tally):
    """Histograms of the seeds that converged and of the rest."""

    converged: Histogram
    rest: Histogram

    def to_dict(self, column: Callable[[NDArray[np.int64]], Any] = np.ndarray.tolist) -> dict[str, Any]:
        """Return both as JSON has them."""
        return {"converged": self.converged.to_dict(column), "rest": self.rest.to_dict(column)}

    @property
    def all(self) -> Histogram:
        """That of all seeds."""
        return self.converged + self.rest


def packed(values: NDArray[np.int64]) -> list[int] | str:
    """Return whole numbers as JSON has them: few as a list, many as the name of a type and their bytes in base 64.

    Examples
    --------
    >>> packed(np.array([3, 5]))
    [3, 5]
    >>> packed(np.arange(20))
    '|u1:AAECAwQFBgcICQoLDA0ODxAREhM='
    """
    if len(values) <= _FEW:
        few: list[int] = values.tolist()
        return few
    high = int(values.view(np.uint64).max())  # beyond all types if one is negative
    kind = next((kind for kind, most in _TYPES.items() if high <= most), "<i8")
    return f"{kind}:{base64.b64encode(values.astype(kind).tobytes()).decode()}"


def _numbers(plain: Any) -> NDArray[Any]:
    """Return the whole numbers that `packed` was given, or those of a list."""
    if not isinstance(plain, str):
        return np.array(plain)
    kind, _, text = plain.partition(":")
    if kind not in _TYPES:
        raise ValueError(f"{kind} is no type of whole numbers")
    return np.frombuffer(base64.b64decode(text, validate=True), kind).astype(np.int64)


def loss_bins(losses: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the bin of each loss: the sign, the exponent and the first 6 bits of the fraction of its float64.

    A bin is 0.8 to 1.6 % wide. No logarithm is taken: a loss has the same bin on every machine, and bins ascend as
    losses do.
    """
    bits = np.ascontiguousarray(losses, dtype=np.float64) + 0.0
    return bits.view(np.int64) >> (52 - _LOSS_BITS)


def loss_centers(bins: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the loss in the middle of each bin; 0 for the first."""
    wide = np.asarray(bins, dtype=np.int64) << (52 - _LOSS_BITS)
    middle = wide + (wide > 0) * (1 << (51 - _LOSS_BITS))
    return middle.view(np.float64)


def loss_edges(bins: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the least loss of each bin, and the least of the next."""
    first = np.asarray(bins, dtype=np.int64)
    return tuple((k << (52 - _LOSS_BITS)).view(np.float64) for k in (first, first + 1))  # type: ignore[return-value]


INFINITE = int(np.array(np.inf).view(np.int64)) >> (52 - _LOSS_BITS)
"""The bin of a loss that is infinite, or no number where that counts as infinite."""


def accuracy_bins(n_correct: NDArray[np.integer], n_examples: int) -> NDArray[np.int64]:
    """Return the accuracy of so many right ones of all examples as a whole number of 2**-31.

    Two accuracies have different numbers while there are fewer than 46,000 examples, and differ by less than 2**-32
    from what they stand for in any case.
    """
    return np.rint(np.asarray(n_correct) * (_ACCURACY_UNITS / n_examples)).astype(np.int64)


def accuracies(bins: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the accuracy of each such number."""
    return np.asarray(bins) / _ACCURACY_UNITS
