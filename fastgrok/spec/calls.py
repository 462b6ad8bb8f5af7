"""Specifications and their fields as text: `uniform(-2, 2)`, `he_normal(mode=fan_out)`, `1.5e5`, `none`.

`describe` returns for every field what a flag or a form needs: default, accepted values, a line of help, and the
reading of a text.
"""

import functools
import inspect
import re
from dataclasses import fields
from fractions import Fraction
from itertools import zip_longest
from typing import Any, NamedTuple, cast, get_args

from pydantic import BeforeValidator, ValidationInfo

from fastgrok.datasets.names import split_call
from fastgrok.errors import MISSING, InvalidExperiment, hint
from fastgrok.spec.base import Spec, VariadicSpec, registered
from fastgrok.spec.fields import accepted, alternatives
from fastgrok.spec.losses import Loss
from fastgrok.spec.names import INITIALIZERS, LOSSES, OPTIMIZERS, Names, resolved

_POWER = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE]\+?[0-9]{1,2}", re.ASCII)

NONE = "none"
"""How None is written."""


class FieldDescription(NamedTuple):
    """A field of a specification."""

    name: str
    annotation: Any
    default: Any  # MISSING where there is none
    accepted: str  # bounds included: "a finite number at least 0 and less than 1"
    help: str  # the first sentence on it in the docstring of the class

    @property
    def words(self) -> tuple[str, ...]:
        """The words that are values of the field: those of a Literal, and the names of specifications."""
        types = list(alternatives(self.annotation))
        return (*classes_by_name(_classes(types)), *(word for word in types if isinstance(word, str)))

    def parse(self, field: str, text: str) -> Any:
        """Return the value that a text stands for; its bounds are checked when the specification is made of it."""
        types = list(alternatives(self.annotation))
        if text == NONE and type(None) in types:
            return None
        if text in types:  # a word of a Literal
            return text
        if get_args(Loss)[0] in types:
            return resolved(field, text, self.words, LOSSES)
        kinds = _classes(types)
        if classes_by_name(kinds):
            return from_call(field, kinds[0] if len(kinds) == 1 else kinds, text)
        for kind, read in _READERS.items():
            if kind in types:
                try:
                    return _each(read, text) if Ellipsis in types else read(text)
                except (ValueError, KeyError):
                    break
        raise InvalidExperiment(field, text, self.accepted + hint(text, self.words))


def describe(cls: type[Spec]) -> dict[str, FieldDescription]:
    """Return a description of each field of a specification, by name."""
    return _described(cast(Any, cls))


@functools.cache
def _described(cls: Any) -> dict[str, FieldDescription]:
    """Return what is known of each field, read from the docstrings once."""
    sentences: dict[str, str] = {}
    for base in cls.__mro__:
        sentences |= _parameters(base.__doc__ or "")  # a base class describes the fields that its subclasses share
    described = {}
    for field in fields(cast(Any, cls)):
        info = cls.__pydantic_fields__[field.name]
        default = MISSING if info.is_required() else info.default
        words = info.description or accepted(info.annotation, info.metadata)
        described[field.name] = FieldDescription(
            field.name, info.annotation, default, words, sentences.get(field.name, "")
        )
    return described


def _parameters(docstring: str) -> dict[str, str]:
    """Return the first sentence on each parameter of a numpydoc docstring."""
    _, _, section = inspect.cleandoc(docstring).partition("Parameters\n----------\n")
    section = re.split(r"\n\n\S+\n-+\n", section)[0]
    entries = re.findall(r"^(\S.*)\n((?: +.*\n?|\n)+)", section, re.MULTILINE)
    first = {names: re.split(r"(?<=[.])\s", " ".join(text.split()))[0] for names, text in entries}
    return {name: sentence for names, sentence in first.items() for name in names.split(", ")}


def _classes(types: list[Any]) -> tuple[type, ...]:
    return tuple(kind for kind in types if isinstance(kind, type))


def integer(text: str) -> int:
    """Read an integer."""
    exact = Fraction(text) if _POWER.fullmatch(text) else Fraction(int(text))
    if exact.denominator > 1:
        raise ValueError("not an integer")
    return exact.numerator


def _each(read: Any, text: str) -> tuple[Any, ...]:
    """Read a tuple in parentheses."""
    if not (text.startswith("(") and text.endswith(")")):
        raise ValueError("not in parentheses")
    return tuple(read(item.strip()) for item in text[1:-1].split(",") if item.strip())


_READERS: dict[type, Any] = {int: integer, float: float, bool: {"true": True, "false": False}.__getitem__}


_CONSTANTS = {"true": True, "false": False, NONE: None}


def call_name(cls: type) -> str:
    """Return the name of a class in a text: in lower case, its words joined by "_"."""
    name = cls.__name__.replace("LeCun", "Lecun").replace("AdamW", "Adamw")
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def classes_by_name(base: type | tuple[type, ...]) -> dict[str, type[Spec]]:
    """Return the classes of a kind of spec, or of several, by their names in a text."""
    return {call_name(cls): cls for cls in registered(base).values() if getattr(cls, "from_text", False)}


def from_call(field: str, base: type | tuple[type, ...], text: str) -> Any:
    """Return the spec that a text names, of a kind or of several."""
    call = split_call(field, text)
    classes = classes_by_name(base)
    names = _NAMES.get(base.__name__, Names()) if isinstance(base, type) else Names()
    ours = resolved(field, call.name, classes, names)
    if "(" in ours:  # a name that stands for a call
        if call.args or call.kwargs:
            raise InvalidExperiment(field, text, f"{ours}, or {call.name} without arguments")
        call = split_call(field, ours)
        ours = call.name
    described = {} if issubclass(classes[ours], VariadicSpec) else describe(classes[ours])
    args = [_argument(field, *pair) for pair in zip_longest(call.args, [*described.values()][: len(call.args)])]
    kwargs = {name: _argument(field, value, described.get(name)) for name, value in call.kwargs.items()}
    try:
        return classes[ours](*args, **kwargs)
    except InvalidExperiment as error:
        raise error.within(f"{field} {call.name}") from None


def _argument(field: str, value: Any, described: FieldDescription | None) -> Any:
    """Return an argument in parentheses, with the specs that it names made where its field has specs."""
    if isinstance(value, tuple):
        return tuple(_argument(field, item, described) for item in value)
    if not isinstance(value, str) or value in _CONSTANTS:
        return _CONSTANTS.get(value, value)
    types = _classes(list(alternatives(described.annotation))) if described else ()
    return from_call(field, types, value) if classes_by_name(types) else value


_NAMES = {"Initializer": INITIALIZERS, "Optimizer": OPTIMIZERS}


def named(base: type) -> Any:
    """Return a validator that makes a spec of its name."""

    def read(value: Any, info: ValidationInfo) -> Any:
        return from_call(str(info.field_name), base, value) if isinstance(value, str) else value

    return BeforeValidator(read)
