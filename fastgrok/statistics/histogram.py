"""How many there are of each whole number: what every statistic of seeds is computed from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgrok.errors import InvalidExperiment
from fastgrok.statistics.arguments import Addable

_DENSE = 4  # a table over the whole range is quicker than sorting while it is no longer than this per value
_DENSE_AT_LEAST = 1 << 17


@dataclass(frozen=True, eq=False)
class Histogram(Addable):
    """
    Whole numbers and how often each occurs.

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
        """
        Count whole numbers.

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
        if high - low < max(_DENSE * flat.size, _DENSE_AT_LEAST):
            dense = np.bincount(flat - low)
            places = np.flatnonzero(dense)
            return cls(places + low, dense[places])
        distinct, counts = np.unique(flat, return_counts=True)
        return cls(distinct, counts.astype(np.int64))

    @property
    def n(self) -> int:
        """How many there are."""
        return int(self.counts.sum())

    def total(self) -> int:
        """Return the sum of all of them."""
        return sum(v * c for v, c in zip(self.values.tolist(), self.counts.tolist(), strict=True))

    def __add__(self, other: "Histogram") -> Self:
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
        items = [f"{v}: {c}" for v, c in zip(self.values[:8].tolist(), self.counts[:8].tolist(), strict=True)]
        more = [f"... {len(self.values) - 8} more"] if len(self.values) > 8 else []
        return f"Histogram({{{', '.join(items + more)}}})"

    def to_dict(self) -> dict[str, list[int]]:
        """
        Return both columns as lists.

        Examples
        --------
        >>> Histogram.of([3, 5, 3]).to_dict()
        {'values': [3, 5], 'counts': [2, 1]}
        """
        return {"values": self.values.tolist(), "counts": self.counts.tolist()}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """
        Rebuild what `to_dict` wrote.

        Parameters
        ----------
        plain
            "values" and "counts".

        Raises
        ------
        InvalidExperiment
            If it is something else.

        Examples
        --------
        >>> Histogram.from_dict({"values": [3], "counts": [2]})
        Histogram({3: 2})
        """
        try:
            values, counts = (np.array(plain[name]) for name in ("values", "counts"))
        except (KeyError, TypeError, ValueError):
            values = counts = np.zeros(0)
            whole = False
        else:
            whole = all(array.dtype.kind == "i" for array in (values, counts)) or not values.size
        if not whole or values.shape != counts.shape or values.ndim != 1 or np.any(counts < 1):
            raise InvalidExperiment("histogram", plain, "'values', ascending, and as many 'counts' of 1 or more")
        if np.any(np.diff(values) <= 0):
            raise InvalidExperiment("histogram", plain, "distinct 'values' in ascending order")
        return cls(values.astype(np.int64), counts.astype(np.int64))
