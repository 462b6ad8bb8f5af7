"""Fields of nested specs by their dotted paths."""

import re
from collections.abc import Iterator
from typing import Any, cast

from fastgrok.errors import InvalidExperiment, hint, joined
from fastgrok.spec.base import Spec


def paths(value: Any) -> Iterator[str]:
    """Yield the path of every field in a spec, and of every element of a tuple in it."""
    for step, item in children(value):
        yield step
        for rest in paths(item):
            yield joined(step, rest)


def children(value: Any) -> list[tuple[str, Any]]:
    """Return the fields of a spec, or the items of a tuple, each with its step in a path."""
    if isinstance(value, Spec):
        return list(value._values().items())
    return [(f"[{index}]", item) for index, item in enumerate(value)] if isinstance(value, tuple) else []


def replaced(spec: Spec, path: str, value: Any) -> Spec:
    """Return a spec with another value at a path; everything on the way is validated anew."""
    steps = re.findall(r"\[\d+\]|\w+", path) if isinstance(path, str) else []
    try:
        if not steps or path != ".".join(steps).replace(".[", "["):
            raise KeyError(path)
        return cast(Spec, _replaced(spec, steps, value))
    except KeyError:
        in_a_layer = isinstance(path, str) and "[" in path  # fields of single layers are many
        known = [other for other in paths(spec) if in_a_layer or "[" not in other]
        raise InvalidExperiment("path", path, f"one of {', '.join(known)}{hint(path, known)}") from None


def _replaced(holder: Any, steps: list[str], value: Any) -> Any:
    """Return a spec or tuple with another value at the end of the steps; raise a KeyError if one leads nowhere."""
    if not steps:
        return value
    step, *rest = steps
    inner = dict(children(holder))[step]
    try:
        inner = _replaced(inner, rest, value)
    except InvalidExperiment as error:
        raise error.within(step) from None
    if isinstance(holder, tuple):
        return tuple(inner if place == step else item for place, item in children(holder))
    return holder.replace(**{step: inner})
