"""Whole numbers of the seeds that converged apart from those of the rest."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from fastgrok.statistics.histogram import Histogram


class Split(NamedTuple):
    """Histograms of the seeds that converged and of the rest."""

    converged: Histogram  # of those that did
    rest: Histogram  # of those that did not

    def merged(self, other: "Split") -> "Split":
        """Return the sum of two."""
        return Split(self.converged + other.converged, self.rest + other.rest)

    @property
    def all(self) -> Histogram:
        """That of all seeds."""
        return self.converged + self.rest

    def to_dict(self) -> dict[str, Any]:
        """Return both as JSON has them."""
        return {name: histogram.to_dict() for name, histogram in self._asdict().items()}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Rebuild what `to_dict` wrote."""
        return cls(*(Histogram.from_dict(plain[name]) for name in cls._fields))
