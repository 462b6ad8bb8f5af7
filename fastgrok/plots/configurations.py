"""The configurations of a result or a store, each with what became of its seeds."""

from __future__ import annotations

from typing import Any, NamedTuple

from fastgrok.errors import InvalidExperiment
from fastgrok.results.result import Result
from fastgrok.spec.axes import Configuration
from fastgrok.statistics.counts import Counts
from fastgrok.statistics.text import axis_value
from fastgrok.store import Store


class Counted(NamedTuple):
    """A configuration, and what became of its seeds."""

    configuration: Configuration
    counts: Counts

    @property
    def name(self) -> str:
        """Its values on the axes in words; of a run its network."""
        labels, experiment = self.configuration
        return ", ".join(axis_value(path, label) for path, label in labels.items()) or str(experiment.network)


def checked_sweep(result: Any) -> Result | Store:
    """Return what `run`, `sweep` or `open_store` returns."""
    if not isinstance(result, Result | Store):
        raise InvalidExperiment("result", result, "what fg.run, fg.sweep or fg.open_store returns")
    return result


def counted(result: Result | Store) -> list[Counted]:
    """Return every configuration with its counts."""
    sweep = checked_sweep(result)
    return list(map(Counted, sweep.configurations, sweep.counts))


def trained(result: Result | Store) -> list[Counted]:
    """Return the configurations of which a seed or more is finished."""
    some = [one for one in counted(result) if one.counts.n]
    if not some:
        raise InvalidExperiment("result", result, "one with seeds that are finished")
    return some
