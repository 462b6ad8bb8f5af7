"""How a store grows: what it holds once more is asked for, or what differs."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

from fastgrok.errors import InvalidExperiment, StoreError, short_repr
from fastgrok.spec.axes import Axis, checked_axes
from fastgrok.spec.experiment import Experiment
from fastgrok.store.specification import Specification
from fastgrok.store.storage import Storage
from fastgrok.store.work import STORE, read_specification


def grow(storage: Storage, asked: Specification) -> Specification:
    """Let a store hold what is asked for as well, and return what it holds then."""
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
    """Return what a store holds if more is asked for: more seeds, more values on an axis."""
    here.check_version()
    for name, value in here.options().items():
        if value != (other := asked.options()[name]):
            raise _differs(name, value, other)
    paths = [axis.path for axis in here.axes]
    if paths != (others := [axis.path for axis in asked.axes]):
        raise _other_axes(paths, others)
    _check_same(
        here.configurations[0].experiment, dataclasses.replace(asked, axes=here.axes).configurations[0].experiment
    )
    if max(here.seeds.start, asked.seeds.start) > min(here.seeds.stop, asked.seeds.stop):
        expected = f"seeds that overlap or follow those in the store, {here.seeds.start}:{here.seeds.stop}"
        raise InvalidExperiment("seeds", f"{asked.seeds.start}:{asked.seeds.stop}", expected)
    made = dataclasses.replace(
        here,
        axes=_joined(here.axes, asked.axes),
        seeds=range(min(here.seeds.start, asked.seeds.start), max(here.seeds.stop, asked.seeds.stop)),
    )
    for id_, configuration in asked.by_id.items():
        if id_ not in made.by_id:
            raise _differs("experiment", here.experiment, configuration.experiment)
    return made.checked()


def _differs(field: str, here: Any, there: Any) -> InvalidExperiment:
    """Say what is another one in the store."""
    return InvalidExperiment(field, there, f"{short_repr(here)}, as in the store; another store for another sweep")


def _other_axes(here: Sequence[str], there: Sequence[str]) -> InvalidExperiment:
    """Say that the axes are others; rows have a column for each, so that none can be added or left out later."""
    texts = [", ".join(paths) or "none" for paths in (here, there)]
    new = [path for path in there if path not in here]
    fixed = [path for path in here if path not in there]
    expected = f"{short_repr(texts[0])}, as in the store"
    if new and not fixed:
        expected += f": it was made with one {' and one '.join(new)}; another store, with all axes from the start"
    elif fixed and not new:
        expected += f": say what is wanted of {' and '.join(fixed)} as an axis, too, if only one value"
    else:
        return _differs("axes", *texts)
    return InvalidExperiment("axes", texts[1], expected)


def _check_same(here: Experiment, there: Experiment) -> None:
    """Raise with the first field that differs, the deeper the better, but not with a field of what is replaced."""
    if here == there:
        return
    different = [path for path in here.paths() if _at(here, path) != _at(there, path)]
    replaced = [path for path in different if _is_another_kind(_at(here, path), _at(there, path))]
    whole = [path for path in different if not any(_is_within(path, other) for other in replaced)]
    path = next(path for path in whole if not any(_is_within(other, path) for other in whole))
    raise _differs(path, _at(here, path), _at(there, path))


def _is_another_kind(here: Any, there: Any) -> bool:
    """Whether two values have no fields in common by which they could be told apart."""
    return type(here) is not type(there) or (isinstance(here, tuple) and len(here) != len(there))


def _is_within(path: str, other: str) -> bool:
    """Whether a path leads to a field of what another one leads to."""
    return path.startswith((f"{other}.", f"{other}["))


def _at(experiment: Experiment, path: str) -> Any:
    """Return what stands at a path, None where there is no such path."""
    value: Any = experiment
    for step in re.findall(r"\w+", path):
        try:
            value = value[int(step)] if isinstance(value, tuple) else getattr(value, step)
        except (AttributeError, IndexError, ValueError):
            return None
    return value


def _joined(here: Sequence[Axis], there: Sequence[Axis]) -> tuple[Axis, ...]:
    """Return axes with the values of both, those of the store first."""
    values = {
        mine.path: [*mine.values, *(value for value in other.values if value not in mine.values)]
        for mine, other in zip(here, there, strict=True)
    }
    joined = checked_axes(values) if values else []
    for mine, other, both in zip(here, there, joined, strict=True):
        if both.labels[: len(mine.labels)] != mine.labels or len(set(map(type, both.labels))) > 1:
            kind = type(mine.labels[0]).__name__
            raise InvalidExperiment(f"axes[{mine.path!r}]", other.values, f"values that are {kind}, as in the store")
    return tuple(joined)
