"""The configurations of a result or a store, whichever it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from fastgrok.errors import InvalidExperiment
from fastgrok.results.configuration import Configuration
from fastgrok.results.result import Result
from fastgrok.spec.axes import Axis, Point, chosen
from fastgrok.spec.experiment import Experiment
from fastgrok.statistics.counts import Counts
from fastgrok.statistics.numbers import named
from fastgrok.store import Store


class Counted(NamedTuple):
    """One configuration, and what became of its seeds."""

    name: str  # its values on the axes in words; of a run its network
    labels: Mapping[str, Any]  # its label on each axis
    experiment: Experiment  # what was trained
    counts: Counts  # what became of its seeds


def configurations(result: Result | Store) -> list[Counted]:
    """
    Return every configuration.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=10)
    >>> [one.name for one in configurations(fg.sweep(exp, 4, {"optimizer.lr": [0.01, 0.1]}))]
    ['lr=0.01', 'lr=0.1']
    """
    result = _checked(result)
    points: Sequence[Point | Configuration] = (
        result.specification.points if isinstance(result, Store) else result.configurations
    )
    return [
        Counted(
            ", ".join(named(path, label) for path, label in point.labels.items()) or str(point.experiment.network),
            point.labels,
            point.experiment,
            counts,
        )
        for point, counts in zip(points, result.counts, strict=True)
    ]


def trained(result: Result | Store) -> list[Counted]:
    """Return the configurations of which a seed or more is finished."""
    found = [one for one in configurations(result) if one.counts.n]
    if not found:
        raise InvalidExperiment("result", result, "one with seeds that are finished")
    return found


def axes_of(result: Result | Store) -> list[Axis]:
    """Return what was varied."""
    result = _checked(result)
    return list(result.specification.axes if isinstance(result, Store) else result.axes)


def place_of(result: Result | Store, config: int | Mapping[str, Any] | None) -> int:
    """
    Return the place of one configuration among all.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=10)
    >>> place_of(fg.sweep(exp, 4, {"optimizer.lr": [0.01, 0.1]}), {"optimizer.lr": 0.1})
    1
    """
    return chosen([Point(dict(one.labels), one.experiment) for one in configurations(result)], config)


def _checked(result: Any) -> Result | Store:
    """Return what `run`, `sweep` or `open_store` returns."""
    if not isinstance(result, Result | Store):
        raise InvalidExperiment("result", result, "what fg.run, fg.sweep or fg.open_store returns")
    return result
