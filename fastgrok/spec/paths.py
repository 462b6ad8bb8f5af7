"""Fields of nested specs by their dotted paths."""

import re
from collections.abc import Iterator
from dataclasses import fields
from typing import Any, cast

from fastgrok.errors import InvalidExperiment
from fastgrok.spec.base import Spec


def paths(value: Any) -> Iterator[str]:
    """
    Yield the path of every field in a spec, and of every element of a tuple in it.

    Examples
    --------
    >>> import fastgrok as fg
    >>> list(paths(fg.Network(fg.Linear(2, 1))))[:3]
    ['layers', 'layers[0]', 'layers[0].fan_in']
    """
    for step, item in steps(value):
        yield step
        for rest in paths(item):
            yield f"{step}{'' if rest.startswith('[') else '.'}{rest}"


def steps(value: Any) -> list[tuple[str, Any]]:
    """Return the first step of each path in a value, and the value at it."""
    if isinstance(value, Spec):
        return [(field.name, getattr(value, field.name)) for field in fields(cast(Any, value))]
    return [(f"[{index}]", item) for index, item in enumerate(value)] if isinstance(value, tuple) else []


def _has(value: Any, path: str) -> bool:
    """Whether a path is among those of a value; they need not be listed for that."""
    for step, item in steps(value):
        if path == step:
            return True
        rest = path.removeprefix(step)
        if rest != path and (rest[0] == "[" or (rest[0] == "." and rest[1:2] != "[")):
            return _has(item, rest.removeprefix("."))
    return False


def replaced(spec: Spec, path: str, value: Any) -> Spec:
    """
    Return a spec with another value at a path; everything on the way is validated anew.

    Examples
    --------
    >>> import fastgrok as fg
    >>> replaced(fg.mlp(2, 1, output="relu"), "layers[1].gradient_at_zero", 1)
    Network(Linear(2, 1), ReLU(gradient_at_zero=1.0))
    """
    if not isinstance(path, str) or not _has(spec, path):
        known = list(paths(spec))
        raise InvalidExperiment("path", path, f"one of {', '.join(_worth_listing(known, path))}")
    return cast(Spec, _replaced(spec, re.findall(r"\w+", path), value))


def _worth_listing(known: list[str], path: Any) -> list[str]:
    """Leave out the fields of single layers, unless the path is in one."""
    if isinstance(path, str) and "[" in path:
        return known
    return [other for other in known if "[" not in other]


def _replaced(holder: Any, steps: list[str], value: Any) -> Any:
    """Return a spec or tuple with another value at the end of the steps."""
    if not steps:
        return value
    step, *rest = steps
    index = int(step) if isinstance(holder, tuple) else None
    try:
        inner = _replaced(getattr(holder, step) if index is None else holder[index], rest, value)
    except InvalidExperiment as error:
        raise error.within(step if index is None else f"[{index}]") from None
    if index is None:
        return holder.replace(**{step: inner})
    return (*holder[:index], inner, *holder[index + 1 :])
