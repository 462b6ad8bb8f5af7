"""A sweep described by a TOML file: its keys are the flags of `fastgrok sweep`."""

import contextlib
import errno
import os
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from fastgrok.cli.data import is_file
from fastgrok.cli.experiment import Request, request
from fastgrok.cli.flags import EXPERIMENT_FLAGS, SWEEP_FLAGS, Flag, Values
from fastgrok.errors import InvalidExperiment, hint, one_of, short_repr
from fastgrok.spec.axes import POINT
from fastgrok.spec.experiment import FIELDS

SUFFIX = ".toml"
"""How the name of such a file ends."""

POINTS = "points"
"""The key of a list of tables, each with what one configuration has."""

_BY_KEY = {flag.name: flag for flag in SWEEP_FLAGS}
_IN_POINTS = {flag.name: flag for flag in EXPERIMENT_FLAGS}


def read(path: str, values: Values, typed: Collection[str]) -> tuple[Request, Values, list[str]]:
    """Return what a file asks for, all values, and the flags that it sets; those typed beside it win."""
    table = {key.replace("-", "_"): value for key, value in _table(path).items()}
    points = table.pop(POINTS, None)
    with naming_keys(path, typed):
        merged = {**values, **_values(table, _BY_KEY), **{name: values[name] for name in typed}}
        requested = _request(merged, [key for key in table if isinstance(table[key], list) and key not in typed])
        if points is not None:
            requested = requested._replace(axes={POINT: _points(points, requested, merged)})
    return requested, merged, list(table)


@contextlib.contextmanager
def naming_keys(path: str, typed: Collection[str]) -> Iterator[None]:
    """Let errors name the file and the key, but those about a flag typed beside it."""
    try:
        yield
    except InvalidExperiment as error:
        key = re.sub(r"--([\w-]+)", lambda flag: flag[1].replace("-", "_"), error.field)
        if key in typed:
            raise
        accepted = error.accepted.replace("--", "").removeprefix("None, or ")
        raise InvalidExperiment(f"{path}: {key}", error.value, accepted) from None


def _table(path: str) -> dict[str, Any]:
    """Return the keys and values of a file."""
    try:
        if os.path.exists(path) and not os.path.isfile(path):  # a pipe waits for a writer, a device may never end
            raise OSError(errno.EINVAL, "not a regular file")
        with open(path, "rb") as file:
            return tomllib.load(file)
    except OSError as error:
        where = os.path.abspath(path)
        raise InvalidExperiment("file", where, f"a TOML file that can be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:  # neither TOML nor UTF-8, or nested without end
        raise InvalidExperiment("file", path, f"valid TOML ({error})") from error


def _values(table: Mapping[str, Any], flags: Mapping[str, Flag]) -> dict[str, Any]:
    """Return the value of each flag that a table names."""
    values = {}
    for key, value in table.items():
        flag = flags.get(key.replace("-", "_"))
        if flag is None:
            known = [*flags, *[POINTS] * (flags is _BY_KEY)]
            raise InvalidExperiment(key, value, one_of(known) + hint(key, known))
        values[flag.name] = _typed(flag, value)
    return values


def _typed(flag: Flag, value: Any) -> Any:
    """Return a value as it would be typed: a list with commas."""
    listed = value if isinstance(value, list) else [value]
    if flag.kind is bool and flag.read is not None and len(listed) > 1 and all(type(item) is bool for item in listed):
        return ",".join(str(item).lower() for item in listed)
    if flag.kind is not str:
        if type(value) is not flag.kind:
            raise InvalidExperiment(flag.name, value, "true or false" if flag.kind is bool else "an integer")
        return value
    if not listed or not all(isinstance(item, str | int | float) and not isinstance(item, bool) for item in listed):
        raise InvalidExperiment(flag.name, value, "a number or a string, or a list of them, as the flag has it")
    numbers = (int(x) if isinstance(x, float) and x.is_integer() else x for x in listed)  # 1e6 is an integer
    return ",".join(map(str, numbers))


def _request(values: Values, lists: Collection[str] = ()) -> Request:
    """Return what values ask for; `data` is a name here, or a file."""
    data = values["data"]
    if data is not None and not is_file(data):
        return request(data, {**values, "data": None}, lists)
    return request(None, values, lists)


def _points(points: Any, base: Request, values: Values) -> list[dict[str, Any]]:
    """Return the points of a list of tables: the fields in which each differs from the rest of the file."""
    if not isinstance(points, list) or not points or not all(isinstance(point, dict) for point in points):
        raise InvalidExperiment(POINTS, points, f"one or more tables [[{POINTS}]]")
    if base.axes:
        raise InvalidExperiment(POINTS, short_repr(points), f"no lists beside it, and {one_of(base.axes)} has one")
    fields = []
    for k, point in enumerate(points):
        try:
            requested = _request({**values, **_values(point, _IN_POINTS)})
        except InvalidExperiment as error:
            raise InvalidExperiment(f"{POINTS}[{k}].{error.field}", error.value, error.accepted) from None
        made = requested.experiment
        names = [name for name in FIELDS if getattr(made, name) != getattr(base.experiment, name)]
        if requested.axes or not names:
            expected = "one value of each key, one of them at least another one than in the rest of the file"
            raise InvalidExperiment(f"{POINTS}[{k}]", point, expected)
        fields.append({name: getattr(made, name) for name in names})
    return fields
