"""The configurations of a sweep: an experiment for each combination of values on its axes."""

import itertools
import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, get_args

import numpy as np

from fastgrok.datasets import Dataset
from fastgrok.datasets.names import by_name
from fastgrok.errors import InvalidExperiment, hint, one_of
from fastgrok.spec import names
from fastgrok.spec.base import Spec, from_plain, to_plain
from fastgrok.spec.calls import from_call
from fastgrok.spec.experiment import FIELDS, STOPPING, Experiment
from fastgrok.spec.initializers.base import BiasWord, Initializer
from fastgrok.spec.initializers.custom import as_initializer
from fastgrok.spec.losses import LOSSES
from fastgrok.spec.names import resolved
from fastgrok.spec.network import Network
from fastgrok.spec.optimizers import Optimizer
from fastgrok.spec.schedules import Schedule
from fastgrok.spec.stopping import Restart
from fastgrok.spec.words import NETWORK_WORDS, WORDS, axis_named, network_value, reshaped, widths_text, word_of_path

MAX_CONFIGURATIONS = 100_000
"""Configurations of a sweep at most."""

POINT = "point"
"""The axis of a sweep over a list of points, each a dict of paths and values."""


class Axis(NamedTuple):
    """A field of an experiment that a sweep varies."""

    path: str  # the field's dotted path, which is the name of the dimension
    values: tuple[Any, ...]
    labels: tuple[Any, ...]  # numbers, where all values are; else different texts


class Configuration(NamedTuple):
    """One point of a sweep."""

    labels: Mapping[str, Any]  # its label on each axis, by the axis' path; empty for a run
    experiment: Experiment


def checked_axes(axes: Any) -> list[Axis]:
    """Return the axes of a sweep."""
    if isinstance(axes, list | tuple):
        axes = {POINT: axes}
    if not isinstance(axes, Mapping) or not axes:
        expected = "a dict of dotted paths and lists, such as {'epochs': [10, 20]}, or a list of points"
        raise InvalidExperiment("axes", axes, expected)
    by_path = {name if name == POINT else _path(name): values for name, values in axes.items()}
    if len(by_path) < len(axes):
        raise InvalidExperiment("axes", list(axes), "one axis of each field, by its path or by its word")
    count = math.prod(_length(values) for values in by_path.values())
    if count > MAX_CONFIGURATIONS:  # before anything is made of each value
        raise InvalidExperiment("axes", count, f"at most {MAX_CONFIGURATIONS:,} configurations")
    return [
        _points_axis(values) if path == POINT else labelled_axis(path, _values(path, values), beside=by_path)
        for path, values in by_path.items()
    ]


def _length(values: Any) -> int:
    """Return how many values there are; 1 where there are none, or they are no list, which is an error later on."""
    if isinstance(values, range):  # its `len` ends at 2**63 - 1
        return (values[-1] - values[0]) // values.step + 1 if values else 1
    is_list = isinstance(values, list | tuple) or (isinstance(values, np.ndarray) and values.ndim)
    return max(len(values), 1) if is_list else 1


def axes_to_plain(axes: Sequence[Axis]) -> list[dict[str, Any]]:
    """Return axes as JSON has them: the path and the values of each."""

    def plain(value: Any) -> Any:
        return to_plain(value.item() if isinstance(value, np.generic) else value)

    return [{"path": axis.path, "values": [_each(plain, axis.path, v) for v in axis.values]} for axis in axes]


def axes_from_plain(plain: Sequence[Mapping[str, Any]]) -> list[Axis]:
    """Return the axes of which `axes_to_plain` wrote the paths and values."""
    axes = {axis["path"]: [_each(from_plain, axis["path"], value) for value in axis["values"]] for axis in plain}
    return checked_axes(axes) if axes else []


def _each(convert: Callable[[Any], Any], path: str, value: Any) -> Any:
    """Convert a value of an axis, or each value of a point."""
    if path == POINT and isinstance(value, dict):
        return {inner: convert(item) for inner, item in value.items()}
    return convert(value)


def _points_axis(points: Any) -> Axis:
    """Return the one axis of a list of points."""
    checked = []
    for k, point in enumerate(_values(POINT, points)):
        if not isinstance(point, Mapping) or not point:
            raise InvalidExperiment(f"points[{k}]", point, "a dict of fields or dotted paths and a value each")
        checked.append({(path := _path(name)): _values(path, [value])[0] for name, value in point.items()})
    named = [{path: labelled_axis(path, [value]).labels[0] for path, value in point.items()} for point in checked]
    labels = [", ".join(f"{path}={label}" for path, label in point.items()) for point in named]
    return Axis(POINT, tuple(checked), tuple(labels))


def _path(path: Any) -> str:
    """Return a path whose first step is a field of an experiment, or a word of a network."""
    word = path.replace("-", "_") if isinstance(path, str) else path
    if isinstance(word, str) and (word in NETWORK_WORDS or word in WORDS):
        return WORDS.get(word, word)
    if not isinstance(path, str) or path.partition(".")[0].partition("[")[0] not in FIELDS:
        near = hint(path, [*FIELDS, *NETWORK_WORDS, *WORDS])
        expected = f"{one_of(FIELDS)}, a word such as 'lr' or 'hidden', or a path such as 'optimizer.lr'{near}"
        raise InvalidExperiment("axes", path, expected)
    return path


def _values(path: str, values: Any) -> Sequence[Any]:
    """Return the values of an axis."""
    if isinstance(values, np.ndarray) and values.ndim == 1:
        values = values.tolist()
    if not isinstance(values, list | tuple | range) or not values:
        raise InvalidExperiment(f"axes[{path!r}]", values, "a list of one value or more")
    if path in NETWORK_WORDS:
        return [network_value(path, f"axes[{path!r}][{k}]", value) for k, value in enumerate(values)]
    if path in _READ:
        return [_read(path, f"axes[{path!r}][{k}]", value) for k, value in enumerate(values)]
    tuples: list[Any] = [tuple(value) if isinstance(value, list) else value for value in values]  # JSON has lists
    if path == "optimizer.lr_factors":  # (1, 1) is not read as widths
        return [tuple(map(float, v)) if _is_numbers(v) else v for v in tuples]
    return tuples


def _is_numbers(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(item, int | float) and not _is_bool(item) for item in value)


def _read(path: str, field: str, value: Any) -> Any:
    """Return the value that a name stands for, as the field of an experiment takes it."""
    if not isinstance(value, str):
        return as_initializer(field, value) if path in ("init", "bias_init") else value
    if path in ("data", "validation"):
        return by_name(value)
    if path == "loss":
        return resolved(field, value, LOSSES, names.LOSSES)
    return value if path == "bias_init" and value in get_args(BiasWord) else from_call(field, _READ[path], value)


_READ: dict[str, Any] = {
    "init": Initializer,
    "bias_init": Initializer,
    "optimizer": Optimizer,
    "optimizer.schedule": Schedule,
    "stop": STOPPING,
    "restart": Restart,
    "data": Dataset,
    "validation": Dataset,
    "loss": str,
}
"""The fields whose values may be names, and of what."""


def grid(experiment: Experiment, axes: Sequence[Axis]) -> list[Configuration]:
    """Return the product of the axes, the last one varying fastest; each experiment is validated."""
    configurations = []
    validated: dict[tuple[int, ...], Experiment] = {}  # by the indices of whole fields: validating takes long
    changed: dict[tuple[Any, ...], tuple[Any, Any]] = {}
    for indices in itertools.product(*(range(len(axis.values)) for axis in axes)):
        point = list(zip(axes, indices, strict=True))
        values: dict[str, Any] = {}
        for axis, k in point:
            values |= axis.values[k] if axis.path == POINT else {axis.path: axis.values[k]}
        key = tuple(k for axis, k in point if axis.path in _WHOLE)
        if key not in validated:
            validated[key] = experiment.replace(**_fields(experiment, values))
        varied = validated[key]
        for path in [path for path in values if path not in _WHOLE]:
            varied = _replaced_at(varied, path, values[path], changed)
        configurations.append(Configuration({axis.path: axis.labels[k] for axis, k in point}, varied))
    for axis in axes:
        _check_distinct(axis)
    return configurations


_WHOLE = {*FIELDS, *NETWORK_WORDS, POINT}
"""The axes whose values are fields of an experiment, or make one."""


def _fields(experiment: Experiment, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of an experiment that the values of axes give or make."""
    fields = {path: value for path, value in values.items() if path in FIELDS}
    for word in [word for word in NETWORK_WORDS if word in values]:
        fields["network"] = reshaped(fields.get("network", experiment.network), word, values[word])
    return fields


def _replaced_at(
    experiment: Experiment, path: str, value: Any, changed: dict[tuple[Any, ...], tuple[Any, Any]]
) -> Experiment:
    """Return `experiment.replace_at(path, value)`; fields that come again with the same value are changed once.

    changed: what a field was, and what it is, by the path and the identities of the value and of the field.
    """
    field = re.split(r"[.[]", path, maxsplit=1)[0]
    before = getattr(experiment, field)
    key = path, id(value), id(before)
    if key in changed:
        return experiment.replace(**{field: changed[key][1]})
    made = experiment.replace_at(path, value)
    changed[key] = before, getattr(made, field)  # the first keeps its identity while it is here
    return made


def index_of(configurations: Sequence[Configuration], config: int | Mapping[str, Any] | None) -> int:
    """Return the index of one configuration."""
    indices = range(len(configurations))
    if isinstance(config, Mapping):
        paths = configurations[0].labels
        config = {axis_named(name, paths): value for name, value in config.items()}
        config = {path: _label(configurations, path, value) for path, value in config.items()}
        for path, value in config.items():
            if path not in paths:
                words = [word_of_path(known) for known in paths]
                raise InvalidExperiment("config", path, one_of(words) + hint(path, words) if paths else "None")
            known = list(dict.fromkeys(str(configuration.labels[path]) for configuration in configurations))
            if str(value) not in known:
                raise InvalidExperiment(f"config[{word_of_path(path)!r}]", value, one_of(known) + hint(value, known))
        texts = [(path, str(value)) for path, value in config.items()]
        matches = [k for k in indices if all(str(configurations[k].labels[path]) == text for path, text in texts)]
    elif config is None:
        matches = list(indices)
    else:
        matches = [int(config)] if isinstance(config, int | np.integer) and int(config) in indices else []
    if len(matches) != 1:
        first = ", ".join(f"{word_of_path(path)}={label}" for path, label in configurations[0].labels.items())
        expected = f"one of {len(configurations)} configurations: its place, from 0, or labels that it has alone"
        expected += f", such as {first}" if first else ""
        raise InvalidExperiment("config", config, expected)
    return matches[0]


def _label(configurations: Sequence[Configuration], path: Any, value: Any) -> Any:
    """Return the label of a value, which may be a specification or its name, or the number of a point in the list."""
    if path in configurations[0].labels and path != POINT:
        return _known_label({configuration.labels[path] for configuration in configurations}, path, value)
    if path != POINT or POINT not in configurations[0].labels or not isinstance(value, int | np.integer):
        return value
    labels = list(dict.fromkeys(configuration.labels[POINT] for configuration in configurations))
    if not 0 <= value < len(labels):
        raise InvalidExperiment(f"config[{POINT!r}]", value, f"a number from 0 to {len(labels) - 1}, or a label")
    return labels[value]


def _known_label(labels: Collection[Any], path: str, value: Any) -> Any:
    """Return the label that a value has; the value where no label is its own."""
    if str(value) in map(str, labels):
        return value
    try:
        label = labelled_axis(path, _values(path, [value])).labels[0]
    except InvalidExperiment:
        return value
    return label if str(label) in map(str, labels) else value


def _check_distinct(axis: Axis) -> None:
    """Raise if two values of an axis are equal."""
    for k, value in enumerate(axis.values):
        if value in axis.values[:k]:
            raise InvalidExperiment(f"axes[{axis.path!r}][{k}]", value, "values that differ from each other")


def labelled_axis(path: str, values: Sequence[Any], beside: Collection[str] = ()) -> Axis:
    """Return an axis with a label for each value; labels leave out what axes of fields within it (`beside`) vary."""
    for kinds in ((bool, np.bool_), (int, np.integer), (int, float, np.integer, np.floating)):
        if all(isinstance(value, kinds) and (kinds[0] is bool or not _is_bool(value)) for value in values):
            return Axis(path, tuple(values), tuple(np.asarray(values).tolist()))
    varied = {other.removeprefix(f"{path}.") for other in beside if other.startswith(f"{path}.")}
    return Axis(path, tuple(values), tuple(_distinct(_text(value, varied) for value in values)))


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool | np.bool_)


def _text(value: Any, varied: Collection[str]) -> str:
    """Return a short text for a value, without the fields that other axes vary."""
    if isinstance(value, Dataset):
        return value.name
    if isinstance(value, Network | str):
        return str(value)
    if isinstance(value, tuple) and all(isinstance(width, int) for width in value):
        return widths_text(value)
    return value.repr_without(varied) if varied and isinstance(value, Spec) else repr(value)


def _distinct(texts: Iterator[str]) -> Iterator[str]:
    """Yield the texts, with a number where one comes again."""
    seen: set[str] = set()
    for text in texts:
        numbered = (f"{text} #{k}" for k in itertools.count(2))
        label = next(candidate for candidate in itertools.chain([text], numbered) if candidate not in seen)
        seen.add(label)
        yield label
