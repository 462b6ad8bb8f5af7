"""The base of specifications: validation, representation, dicts, and a copy with another field."""

import functools
import json
from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import Any, ClassVar, Self, TypeVar, cast, dataclass_transform

from pydantic import ConfigDict, Field, ValidationError
from pydantic.dataclasses import dataclass as pydantic_dataclass

from fastgrok.datasets import Dataset
from fastgrok.datasets.names import by_hash
from fastgrok.errors import MISSING, InvalidExperiment, check_keys, hint, one_of
from fastgrok.spec.fields import accepted, words

_Class = TypeVar("_Class", bound=type)
_REGISTRY: dict[str, Any] = {}


def register(cls: _Class) -> _Class:
    """Let `from_dict` rebuild a class that has `to_dict` and `from_fields`, by its name."""
    _REGISTRY[cls.__name__] = cls
    return cls


register(Dataset)  # datasets know nothing of specifications


def registered(base: type | tuple[type, ...]) -> dict[str, Any]:
    """Return the registered subclasses of a class by name, in the order of their definition."""
    return {name: cls for name, cls in _REGISTRY.items() if issubclass(cls, base)}


@functools.cache
def field_names(cls: Any) -> tuple[str, ...]:
    """Return the names of the fields of a dataclass; `dataclasses.fields` looks them up again each time."""
    return tuple(field.name for field in fields(cls))


def canonical(value: Any) -> str:
    """Return a field's value as canonical JSON: sorted keys, no spaces, the shortest decimals that read back."""
    if isinstance(value, Spec):
        return value._canonical
    if isinstance(value, Dataset):
        return _data(value)
    return _word(value) if value is None or isinstance(value, str | int) else _CANONICAL.encode(to_plain(value))


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)
_data = functools.lru_cache(maxsize=2)(lambda data: _CANONICAL.encode(data.to_dict()))  # which may be large
_word = functools.lru_cache(maxsize=256, typed=True)(_CANONICAL.encode)  # of fields that are names or counts


def to_plain(value: Any) -> Any:
    """Return a field's value as lists, dicts and numbers, for JSON."""
    if isinstance(value, tuple):
        return [to_plain(item) for item in value]
    return value.to_dict() if type(value).__name__ in _REGISTRY else value


def from_plain(value: Any) -> Any:
    """Rebuild a field's value from the result of `to_plain`."""
    if isinstance(value, Mapping):
        return _from_mapping(value)
    if isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        return tuple(_at(f"[{index}]", item) for index, item in enumerate(value))
    return value


def _at(field: str, value: Any) -> Any:
    """Rebuild the value of a field; an error names the field."""
    try:
        return from_plain(value)
    except InvalidExperiment as error:
        raise error.within(field) from None


def _from_mapping(plain: Mapping[Any, Any]) -> Any:
    """Rebuild an object of a registered class from the dict of all its fields."""
    kind = plain.get("type", MISSING)
    cls = _REGISTRY.get(kind) if isinstance(kind, str) else None
    if cls is None:
        raise InvalidExperiment("type", kind, one_of(_REGISTRY) + hint(kind, _REGISTRY))
    if cls is Dataset and "X" not in plain and "content_hash" in plain:
        return by_hash(plain)
    optional = getattr(cls, "optional_fields", ())
    names = [name for name in field_names(cls) if name in plain or name not in optional]
    check_keys(str(kind), plain, names)
    return cls.from_fields(**{name: _at(name, plain[name]) for name in names})


class Spec:
    """Base of the frozen specifications: subclasses are decorated with `spec` and declare typed fields.

    A field that is missing, unknown, of another type or out of bounds raises `InvalidExperiment`, with its name.
    """

    __pydantic_fields__: ClassVar[dict[str, Any]]
    from_text: ClassVar[bool] = True
    """Whether a command line can name it: `uniform(-2, 2)`."""
    optional_fields: ClassVar[tuple[str, ...]] = ()
    """Fields that its dict has only where they differ from the default: older JSON is read, and ids stay."""
    positional: ClassVar[bool] = False
    """Whether its representation leaves out the names of fields without a default: `Linear(2, 4)`."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        if cls.__name__ not in _REGISTRY:
            raise TypeError(f"{cls.__name__} is a base class: it has no fields and means nothing alone")
        return super().__new__(cls)

    def __repr__(self) -> str:
        """Return every field, but those declared with `Field(repr=False)` only where they differ from the default."""
        return self.repr_without(())

    def repr_without(self, names: Collection[str]) -> str:
        """Return the representation without the fields of some names, which stand beside it.

        Examples
        --------
        >>> import fastgrok as fg
        >>> fg.SGD(lr=0.1, momentum=0.9).repr_without(["lr"])
        'SGD(momentum=0.9)'
        """
        declared = self.__pydantic_fields__
        values = {name: value for name, value in self._values().items() if name not in names}
        parts = [
            repr(value) if self.positional and declared[name].is_required() else f"{name}={value!r}"
            for name, value in values.items()
            if declared[name].repr or value != declared[name].default
        ]
        return f"{type(self).__name__}({', '.join(parts)})"

    def _values(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in field_names(cast(Any, type(self)))}

    @functools.cached_property
    def _canonical(self) -> str:
        """The canonical JSON: experiments of a sweep have most of their specifications in common."""
        return _CANONICAL.encode(self.to_dict())

    @classmethod
    def from_fields(cls, **values: Any) -> Self:
        """Return a specification with these fields.

        Examples
        --------
        >>> import fastgrok as fg
        >>> fg.Network.from_fields(layers=[fg.Linear(2, 4, bias=False)])
        Network(Linear(2, 4, bias=False))
        """
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """Return the name of the type and the value of every field, as JSON can hold them.

        Examples
        --------
        >>> import fastgrok as fg
        >>> fg.Uniform(-1, 1).to_dict()
        {'type': 'Uniform', 'low': -1.0, 'high': 1.0}
        """
        values = {
            name: to_plain(value)
            for name, value in self._values().items()
            if name not in self.optional_fields or value != self.__pydantic_fields__[name].default
        }
        return {"type": type(self).__name__, **values}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Rebuild what `to_dict` wrote: "type" and every field but `optional_fields`; no other default is filled in.

        Raises
        ------
        InvalidExperiment
            If a field is missing, unknown or invalid, or the type is another one.

        Examples
        --------
        >>> import fastgrok as fg
        >>> fg.Uniform.from_dict({"type": "Uniform", "low": -1, "high": 1})
        Uniform(low=-1.0, high=1.0)
        """
        rebuilt = from_plain(plain)
        if not isinstance(rebuilt, cls):
            raise InvalidExperiment("type", rebuilt, f"the dict of {one_of(registered(cls))}")
        return rebuilt

    def replace(self, **values: Any) -> Self:
        """Return a copy with other values of some fields, validated anew.

        Raises
        ------
        InvalidExperiment
            If there is no such field or its value is not accepted.

        Examples
        --------
        >>> import fastgrok as fg
        >>> fg.Uniform(-1, 1).replace(high=2)
        Uniform(low=-1.0, high=2.0)
        """
        return self._with(values)

    @classmethod
    def _hint(cls, name: Any, names: Collection[str]) -> str:
        """Return the end of a sentence about a field that there is not: what may be meant."""
        return hint(name, names)

    def _with(self, values: dict[str, Any]) -> Self:
        """Return a copy with other values of some fields, validated anew."""
        return type(self).from_fields(**{**self._values(), **values})


class VariadicSpec(Spec):
    """Base of specifications that are made of any number of arguments: the items of their one field, a tuple."""

    from_text = False

    @classmethod
    def from_fields(cls, **values: Any) -> Self:
        """Return a specification of the items in its one field."""
        name = field_names(cast(Any, cls))[0]
        for other in values.keys() - {name}:
            expected = f"only the fields of {cls.__name__}: {name}{hint(other, [name])}"
            raise InvalidExperiment(other, values[other], expected)
        items = values.get(name, MISSING)
        if not isinstance(items, list | tuple):
            raise InvalidExperiment(name, items, f"a list or tuple of {name}")
        return cls(*items)


@dataclass_transform(frozen_default=True, field_specifiers=(Field,))
def spec(cls: _Class) -> _Class:
    """Make a frozen, validated dataclass of a subclass of `Spec`.

    Arguments come by position or name, NumPy scalars may stand for numbers, and everything that
    pydantic rejects, a wrong number of arguments included, is an `InvalidExperiment`.
    """
    config = ConfigDict(strict=True, extra="forbid")
    validated: Any = pydantic_dataclass(frozen=True, repr=False, config=config)(cls)
    validate = validated.__init__

    @functools.wraps(validate)
    def __init__(self: Any, /, *args: Any, **kwargs: Any) -> None:
        try:
            validate(self, *args, **kwargs)
        except ValidationError as error:
            raise _translated(validated, error) from None

    validated.__init__ = __init__
    return cast(_Class, register(validated))


def _translated(cls: type[Spec], error: ValidationError) -> InvalidExperiment:
    """Return pydantic's first error as an `InvalidExperiment`; an unknown argument comes before a missing one."""
    errors = error.errors(include_url=False)
    first = next((item for item in errors if item["type"].startswith("unexpected")), errors[0])
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, InvalidExperiment):
        return cause
    names = list(cls.__pydantic_fields__)
    where = first["loc"][0]
    if first["type"] == "unexpected_positional_argument":
        return InvalidExperiment(
            f"{cls.__name__} argument {cast(int, where) + 1}",
            first["input"],
            f"at most {where} positional arguments; the fields are {', '.join(names) or 'none'}",
        )
    field = names[where] if isinstance(where, int) else where
    if field not in names:
        expected = f"only the fields of {cls.__name__}: {', '.join(names) or 'none'}{cls._hint(field, names)}"
        return InvalidExperiment(field, first["input"], expected)
    if first["type"] == "multiple_argument_values":
        return InvalidExperiment(field, first["input"], "one value, not one by position and one by name")
    info = cls.__pydantic_fields__[field]
    value = MISSING if first["type"].startswith("missing") else first["input"]
    expected = info.description or accepted(info.annotation, info.metadata)
    return InvalidExperiment(field, value, expected + hint(value, words(info.annotation)))
