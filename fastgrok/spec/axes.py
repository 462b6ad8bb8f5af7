"""The configurations of a sweep: an experiment for each combination of what the axes hold."""

import itertools
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from fastgrok.datasets import Dataset
from fastgrok.errors import InvalidExperiment, one_of
from fastgrok.spec.base import Spec
from fastgrok.spec.experiment import FIELDS, Experiment
from fastgrok.spec.initializers import as_initializer
from fastgrok.spec.network import Network

MAX_CONFIGURATIONS = 100_000
"""Configurations of a sweep at most."""

POINT = "point"
"""The axis of a sweep over a list of points, each a dict of paths and values."""


class Axis(NamedTuple):
    """A field of an experiment that a sweep varies."""

    path: str  # the field's dotted path: the name of a dimension
    values: tuple[Any, ...]  # its values
    labels: tuple[Any, ...]


class Configuration(NamedTuple):
    """One point of a sweep."""

    labels: Mapping[str, Any]  # its label on each axis, by the axis' path; empty for a run
    experiment: Experiment


def checked_axes(axes: Any) -> list[Axis]:
    """
    Return the axes of a sweep.

    Examples
    --------
    >>> [axis.labels for axis in checked_axes({"optimizer.lr": [0.1, 0.2]})]
    [(0.1, 0.2)]
    """
    if isinstance(axes, list | tuple):
        axes = {POINT: axes}
    if not isinstance(axes, Mapping) or not axes:
        expected = "a dict of dotted paths and lists, such as {'epochs': [10, 20]}, or a list of points"
        raise InvalidExperiment("axes", axes, expected)
    checked = [
        _points_axis(values) if path == POINT else axis(_path(path), _values(path, values), beside=axes)
        for path, values in axes.items()
    ]
    count = math.prod(len(one.values) for one in checked)
    if count > MAX_CONFIGURATIONS:
        raise InvalidExperiment("axes", count, f"at most {MAX_CONFIGURATIONS:,} configurations")
    return checked


def _points_axis(points: Any) -> Axis:
    """Return the one axis of a list of points."""
    checked = []
    for k, point in enumerate(_values(POINT, points)):
        if not isinstance(point, Mapping) or not point:
            raise InvalidExperiment(f"points[{k}]", point, "a dict of fields or dotted paths and a value each")
        checked.append({_path(path): _values(path, [value])[0] for path, value in point.items()})
    named = [{path: axis(path, [value]).labels[0] for path, value in point.items()} for point in checked]
    labels = [", ".join(f"{path}={label}" for path, label in point.items()) for point in named]
    return Axis(POINT, tuple(checked), tuple(labels))


def _path(path: Any) -> str:
    """Return a path whose first step is a field of an experiment."""
    if not isinstance(path, str) or path.partition(".")[0].partition("[")[0] not in FIELDS:
        raise InvalidExperiment("axes", path, f"{one_of(FIELDS)}, or a dotted path such as 'optimizer.lr'")
    return path


def _values(path: str, values: Any) -> Sequence[Any]:
    """Return the values of an axis."""
    if isinstance(values, np.ndarray) and values.ndim == 1:
        values = values.tolist()
    if not isinstance(values, list | tuple | range) or not values:
        raise InvalidExperiment(f"axes[{path!r}]", values, "a list of one value or more")
    if path in ("init", "bias_init"):
        return [as_initializer(f"axes[{path!r}][{k}]", value) for k, value in enumerate(values)]
    return values


def grid(experiment: Experiment, axes: Sequence[Axis]) -> list[Configuration]:
    """
    Return the product of the axes, the last one varying fastest; each experiment is validated.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor())
    >>> [one.experiment.epochs for one in grid(exp, checked_axes({"epochs": [10, 20]}))]
    [10, 20]
    """
    configurations = []
    made_of_fields: dict[tuple[int, ...], Experiment] = {}  # validating one takes as long as the rest
    for places in itertools.product(*(range(len(one.values)) for one in axes)):
        chosen: dict[str, Any] = {}
        for one, k in zip(axes, places, strict=True):
            chosen |= one.values[k] if one.path == POINT else {one.path: one.values[k]}
        labels = {one.path: one.labels[k] for one, k in zip(axes, places, strict=True)}
        fields = {path: value for path, value in chosen.items() if path in FIELDS}
        which = tuple(k for one, k in zip(axes, places, strict=True) if one.path in FIELDS or one.path == POINT)
        if which not in made_of_fields:
            made_of_fields[which] = experiment.replace(**fields)
        made = made_of_fields[which]
        for path in [path for path in chosen if path not in fields]:
            made = made.replace_at(path, chosen[path])
        configurations.append(Configuration(labels, made))
    for one in axes:
        _check_distinct(one)
    return configurations


def index_of(configurations: Sequence[Configuration], config: int | Mapping[str, Any] | None) -> int:
    """
    Return the index of one configuration.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor())
    >>> index_of(grid(exp, checked_axes({"epochs": [10, 20]})), {"epochs": 20})
    1
    """
    places = range(len(configurations))
    if isinstance(config, Mapping):
        config = {path: _label(configurations, path, value) for path, value in config.items()}
        paths = configurations[0].labels
        for path, value in config.items():
            if path not in paths:
                raise InvalidExperiment("config", path, one_of(paths) if paths else "None")
            known = list(dict.fromkeys(str(one.labels[path]) for one in configurations))
            if str(value) not in known:
                raise InvalidExperiment(f"config[{path!r}]", value, one_of(known))
        wanted = [(path, str(value)) for path, value in config.items()]
        found = [k for k in places if all(str(configurations[k].labels[path]) == value for path, value in wanted)]
    elif config is None:
        found = list(places)
    else:
        found = [int(config)] if isinstance(config, int | np.integer) and int(config) in places else []
    if len(found) != 1:
        expected = f"the place of one of {len(configurations)} configurations, or labels that one of them has alone"
        raise InvalidExperiment("config", config, expected)
    return found[0]


def _label(configurations: Sequence[Configuration], path: Any, value: Any) -> Any:
    """Return a label; of a list of configurations, its number will do."""
    if path != POINT or POINT not in configurations[0].labels or not isinstance(value, int | np.integer):
        return value
    labels = list(dict.fromkeys(one.labels[POINT] for one in configurations))
    if not 0 <= value < len(labels):
        raise InvalidExperiment(f"config[{POINT!r}]", value, f"a number from 0 to {len(labels) - 1}, or a label")
    return labels[value]


def _check_distinct(one: Axis) -> None:
    """Raise if two values of an axis are equal."""
    for k, value in enumerate(one.values):
        if value in one.values[:k]:
            raise InvalidExperiment(f"axes[{one.path!r}][{k}]", value, "values that differ from each other")


def axis(path: str, values: Sequence[Any], beside: Collection[str] = ()) -> Axis:
    """
    Name the values of an axis.

    Examples
    --------
    >>> import fastgrok as fg
    >>> axis("optimizer.lr", [0.01, 0.1]).labels
    (0.01, 0.1)
    >>> axis("optimizer", [fg.SGD(), fg.Adam()], beside=["optimizer.lr"]).labels
    ('SGD()', 'Adam()')
    >>> axis("batch_size", [1, "full"]).labels
    ('1', 'full')
    """
    for kinds in ((bool, np.bool_), (int, np.integer), (int, float, np.integer, np.floating)):
        if all(isinstance(value, kinds) and (kinds[0] is bool or not _is_bool(value)) for value in values):
            return Axis(path, tuple(values), tuple(np.asarray(values).tolist()))
    elsewhere = {other.removeprefix(f"{path}.") for other in beside if other.startswith(f"{path}.")}
    return Axis(path, tuple(values), tuple(_distinct(_name(value, elsewhere) for value in values)))


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool | np.bool_)


def _name(value: Any, elsewhere: Collection[str]) -> str:
    """Say in a word what a value is, without the fields that are shown elsewhere."""
    if isinstance(value, Dataset):
        return value.name
    if elsewhere and isinstance(value, Spec):
        return value.repr_without(elsewhere)
    return str(value) if isinstance(value, Network | str) else repr(value)


def _distinct(names: Iterator[str]) -> Iterator[str]:
    """Number the names that have been there before."""
    seen: set[str] = set()
    for name in names:
        numbered = (f"{name} #{k}" for k in itertools.count(2))
        label = next(candidate for candidate in itertools.chain([name], numbered) if candidate not in seen)
        seen.add(label)
        yield label
