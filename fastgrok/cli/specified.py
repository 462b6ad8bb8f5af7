"""A sweep described by a TOML file: its keys are the flags of `fastgrok sweep`."""

import contextlib
import os
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from fastgrok.cli.flags import DATA_FLAGS, FIELD_FLAGS, FLAGS, Flag
from fastgrok.cli.regime import Values
from fastgrok.cli.request import Request, is_file, request
from fastgrok.errors import InvalidExperiment, one_of, short_repr
from fastgrok.spec.axes import POINT
from fastgrok.spec.experiment import FIELDS

SUFFIX = ".toml"
"""How the name of such a file ends."""

POINTS = "points"
"""The key of a list of tables, each with what one configuration has."""

_BY_KEY = {flag.name: flag for flag in FLAGS}
_IN_POINTS = {flag.name: flag for flag in (*DATA_FLAGS, *FIELD_FLAGS)}


def read(path: str, values: Values, beside: Collection[str]) -> tuple[Request, Values, list[str]]:
    """Return what a file asks for, all values, and whose are its own; the flags beside it win."""
    given = {key.replace("-", "_"): value for key, value in _table(path).items()}
    points = given.pop(POINTS, None)
    with naming(path, beside):
        merged = {**values, **_values(given, _BY_KEY), **{name: values[name] for name in beside}}
        wanted = _requested(merged, [key for key in given if isinstance(given[key], list) and key not in beside])
        if points is not None:
            wanted = wanted._replace(axes={POINT: _points(points, wanted, merged)})
    return wanted, merged, list(given)


@contextlib.contextmanager
def naming(path: str, beside: Collection[str]) -> Iterator[None]:
    """Let errors within name the file and the key, but those about a flag beside it."""
    try:
        yield
    except InvalidExperiment as error:
        key = re.sub(r"--([\w-]+)", lambda flag: flag[1].replace("-", "_"), error.field)
        if key in beside:
            raise
        accepted = error.accepted.replace("--", "").removeprefix("None, or ")
        raise InvalidExperiment(f"{path}: {key}", error.value, accepted) from None


def _table(path: str) -> dict[str, Any]:
    """Return what a file holds."""
    try:
        with open(path, "rb") as file:
            return tomllib.load(file)
    except OSError as error:
        where = os.path.abspath(path)
        raise InvalidExperiment("file", where, f"a TOML file that can be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidExperiment("file", path, f"valid TOML ({error})") from error


def _values(table: Mapping[str, Any], known: Mapping[str, Flag]) -> dict[str, Any]:
    """Return the value of each flag that a table names."""
    found = {}
    for key, value in table.items():
        flag = known.get(key.replace("-", "_"))
        if flag is None:
            raise InvalidExperiment(key, value, one_of([*known, *[POINTS] * (known is _BY_KEY)]))
        found[flag.name] = _value(flag, value)
    return found


def _value(flag: Flag, value: Any) -> Any:
    """Return a value as the flag would have it."""
    if flag.kind is not str:
        if type(value) is not flag.kind:
            raise InvalidExperiment(flag.name, value, "true or false" if flag.kind is bool else "an integer")
        return value
    items = value if isinstance(value, list) else [value]
    if not items or not all(isinstance(item, str | int | float) and not isinstance(item, bool) for item in items):
        raise InvalidExperiment(flag.name, value, "a number or a string, or a list of them, as the flag has it")
    return ",".join(str(int(x) if isinstance(x, float) and x.is_integer() else x) for x in items)  # 1e6 is an integer


def _requested(values: Values, lists: Collection[str] = ()) -> Request:
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
    found = []
    for k, point in enumerate(points):
        try:
            one = _requested({**values, **_values(point, _IN_POINTS)})
        except InvalidExperiment as error:
            raise InvalidExperiment(f"{POINTS}[{k}].{error.field}", error.value, error.accepted) from None
        names = [name for name in FIELDS if getattr(one.experiment, name) != getattr(base.experiment, name)]
        if one.axes or not names:
            expected = "one value of each key, one of them at least another one than in the rest of the file"
            raise InvalidExperiment(f"{POINTS}[{k}]", point, expected)
        found.append({name: getattr(one.experiment, name) for name in names})
    return found
