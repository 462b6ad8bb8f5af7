"""How a store grows: what it holds once more is asked for, or what differs."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from fastgrok.errors import InvalidExperiment, StoreError, shown
from fastgrok.experiment import Experiment
from fastgrok.grid import checked_axes
from fastgrok.results.configuration import Axis
from fastgrok.store.specification import Specification
from fastgrok.store.storage import Storage
from fastgrok.store.work import STORE, read_specification


def grow(storage: Storage, asked: Specification) -> Specification:
    """
    Let a store hold what is asked for as well, and return what it holds then.

    Parameters
    ----------
    storage
        Its files.
    asked
        What is asked for.

    Raises
    ------
    InvalidExperiment
        If that is another sweep.
    StoreError
        If there is no store, or it cannot be written to.
    """
    while (newest := read_specification(storage)) is not None:  # another process may let it grow, too
        wanted = grown(newest, asked)
        if wanted == newest:
            return newest
        try:
            storage.write(STORE, wanted.to_json().encode())
        except OSError as error:
            message = f"{storage.root}/{STORE} could not be written: {error}. The store is as it was"
            raise StoreError(message) from error
    raise StoreError(f"{storage.root} holds no {STORE}: was the store removed?")


def grown(here: Specification, asked: Specification) -> Specification:
    """
    Return what a store holds if more is asked for: more seeds, more values on an axis.

    Parameters
    ----------
    here
        What it holds.
    asked
        What is asked for; it may also be a part of what there is.

    Raises
    ------
    InvalidExperiment
        If anything else differs: the error says what.
    """
    here.check_version()
    for name, value in here.options().items():
        if value != (other := asked.options()[name]):
            raise _differs(name, value, other)
    paths = [axis.path for axis in here.axes]
    if paths != (others := [axis.path for axis in asked.axes]):
        raise _other_axes(", ".join(paths) or "none", ", ".join(others) or "none", is_more=set(paths) < set(others))
    _check_same(here.points[0].experiment, dataclasses.replace(asked, axes=here.axes).points[0].experiment)
    if max(here.seeds.start, asked.seeds.start) > min(here.seeds.stop, asked.seeds.stop):
        expected = f"seeds that overlap or follow those in the store, {here.seeds.start}:{here.seeds.stop}"
        raise InvalidExperiment("seeds", f"{asked.seeds.start}:{asked.seeds.stop}", expected)
    made = dataclasses.replace(
        here,
        axes=tuple(map(_joined, here.axes, asked.axes)),
        seeds=range(min(here.seeds.start, asked.seeds.start), max(here.seeds.stop, asked.seeds.stop)),
    )
    for id_, point in asked.by_id.items():
        if id_ not in made.by_id:
            raise _differs("experiment", here.experiment, point.experiment)
    return made.checked()


def _differs(field: str, here: Any, there: Any) -> InvalidExperiment:
    """Say what is another one in the store."""
    return InvalidExperiment(field, there, f"{shown(here)}, as in the store; another store for another sweep")


def _other_axes(here: str, there: str, *, is_more: bool) -> InvalidExperiment:
    """Say that the axes are others; rows have a column for each, so that none can be added later."""
    if not is_more:
        return _differs("axes", here, there)
    expected = f"{shown(here)}, as in the store: its rows have a column for each axis, and none for another one"
    return InvalidExperiment("axes", there, f"{expected}; in another store, with all axes from the start")


def _check_same(here: Experiment, there: Experiment) -> None:
    """Raise with the first field that differs, the deeper the better."""
    if here == there:
        return
    different = [path for path in here.paths() if _at(here, path) != _at(there, path)]
    path = next(path for path in different if not any(o != path and o.startswith(path) for o in different))
    raise _differs(path, _at(here, path), _at(there, path))


def _at(experiment: Experiment, path: str) -> Any:
    """Return what stands at a path, None where there is no such path."""
    value: Any = experiment
    for step in re.findall(r"\w+", path):
        try:
            value = value[int(step)] if isinstance(value, tuple) else getattr(value, step)
        except (AttributeError, IndexError, ValueError):
            return None
    return value


def _joined(here: Axis, there: Axis) -> Axis:
    """Return the values of an axis, those of the store first."""
    values = [*here.values, *(value for value in there.values if value not in here.values)]
    joined = checked_axes({here.path: values})[0]
    if joined.labels[: len(here.labels)] != here.labels or len(set(map(type, joined.labels))) > 1:
        kind = type(here.labels[0]).__name__
        raise InvalidExperiment(f"axes[{here.path!r}]", there.values, f"values that are {kind}, as in the store")
    return joined
