"""One configuration of a store, by its place or its labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fastgrok.errors import InvalidExperiment
from fastgrok.fields import one_of
from fastgrok.grid import Point


def chosen(points: Sequence[Point], config: Any) -> Point:
    """
    Return the configuration that is meant.

    Parameters
    ----------
    points
        All of them.
    config
        Its place, labels that it has alone, or None for the only one.

    Raises
    ------
    InvalidExperiment
        If there is none, or there are several.
    """
    if isinstance(config, Mapping):
        found = _labelled(points, config)
    elif config is None:
        found = list(points)
    else:
        is_place = isinstance(config, int | np.integer) and int(config) in range(len(points))
        found = [points[config]] if is_place else []
    if len(found) != 1:
        expected = f"the place of one of {len(points)} configurations, or labels that one of them has alone"
        raise InvalidExperiment("config", config, expected)
    return found[0]


def _labelled(points: Sequence[Point], config: Mapping[Any, Any]) -> list[Point]:
    """Return the configurations that have these labels."""
    for path, value in config.items():
        if path not in points[0].labels:
            raise InvalidExperiment("config", path, one_of(points[0].labels) if points[0].labels else "None")
        known = list(dict.fromkeys(str(point.labels[path]) for point in points))
        if str(value) not in known:
            raise InvalidExperiment(f"config[{path!r}]", value, one_of(known))
    return [p for p in points if all(str(p.labels[path]) == str(value) for path, value in config.items())]
