"""Names with arguments in parentheses, as a command line has them; datasets by such names: `parity(3, low=-1)`."""

import inspect
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from fastgrok.datasets.builtin import BUILTIN
from fastgrok.datasets.dataset import Dataset
from fastgrok.datasets.sklearn_data import SKLEARN, sklearn
from fastgrok.errors import InvalidExperiment, hint, one_of

_CALL = re.compile(r"\s*([A-Za-z][\w-]*)\s*(?:\((.*)\))?\s*", re.ASCII | re.DOTALL)
_ARGUMENT = re.compile(r"\s*(?:([A-Za-z]\w*)\s*=)?\s*(['\"]?)([-+.0-9A-Za-z_]+)\2\s*", re.ASCII)
_NESTED = re.compile(r"\s*(?:([A-Za-z]\w*)\s*=)?\s*()(\[.*\]|[A-Za-z]\w*\s*\(.*\))\s*", re.ASCII | re.DOTALL)
_WORD = re.compile(r"[A-Za-z]\w*", re.ASCII)
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}", re.ASCII)

Value = int | float | str | tuple["Value", ...]
"""A number, a word, a list in brackets, or a call in a call as its text."""


class Call(NamedTuple):
    """A name and its arguments."""

    name: str
    args: tuple[Value, ...]
    kwargs: dict[str, Value]


def split_call(field: str, text: str) -> Call:
    """Take a name with numbers and words in parentheses apart."""
    expected = "a name, with numbers or words in parentheses if any, such as uniform(-2, 2)"
    match = _CALL.fullmatch(text) if isinstance(text, str) else None
    if match is None and isinstance(text, str) and text.count("(") > text.count(")"):
        raise InvalidExperiment(field, text, "a closing parenthesis: one is not closed")
    if match is None:
        raise InvalidExperiment(field, text, expected)
    args: list[Value] = []
    kwargs: dict[str, Value] = {}
    for part in _parts(match[2] or ""):
        argument = _NESTED.fullmatch(part) or _ARGUMENT.fullmatch(part)
        value = _value(argument[3]) if argument else None
        if argument is None or value is None or argument[1] in kwargs or (kwargs and not argument[1]):
            raise InvalidExperiment(field, text, expected)
        if argument[1]:
            kwargs[argument[1]] = value
        else:
            args.append(value)
    return Call(match[1], tuple(args), kwargs)


def _parts(text: str) -> list[str]:
    """Split at commas outside of parentheses and brackets."""
    parts, depth = [""], 0
    for character in text.strip():
        depth += (character in "([") - (character in ")]")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts if text.strip() else []


def _value(text: str) -> Value | None:
    """Read an integer, a float, a word, a list of such or a call; None if it is none of them."""
    if text.startswith("["):
        items = [_value(part.strip()) for part in _parts(text[1:-1])]
        return None if None in items else tuple(item for item in items if item is not None)
    if _NESTED.fullmatch(text):
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    try:
        return float("" if "_" in text else text)  # Python would take 1_0 for 10
    except ValueError:
        return text if _WORD.fullmatch(text) else None


def by_name(name: str) -> Dataset:
    """Return the dataset that a command line names.

    Parameters
    ----------
    name
        "xor", "and", "or", "streetlights", "deep_streetlights", "parity3" or "parity(3)"; with inputs -1 and
        1 "xor(low=-1)", "parity3(low=-1)" or "parity(3, low=-1)". Every name of such a dataset is one of these.
        Where scikit-learn is installed, "iris", "wine", "digits", "breast_cancer" and "diabetes" as well.

    Raises
    ------
    InvalidExperiment
        If there is no such dataset or its arguments are not accepted.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.datasets.by_name("parity3") == fg.datasets.parity(3)
    True
    """
    text = re.sub(r"^\s*parity([0-9]+)\s*(?:\(\s*(?=.)|$)", _bits_inside, name) if isinstance(name, str) else name
    call = split_call("data", text)
    if name in SKLEARN:
        return _sklearn(name)
    if call.name not in BUILTIN:
        names = [*BUILTIN, *SKLEARN]
        expected = f"{one_of(names)}, parity with its bits as in 'parity(3)'{hint(call.name, names)}"
        raise InvalidExperiment("data", name, expected)
    signature = inspect.signature(BUILTIN[call.name])
    try:
        arguments = signature.bind(*call.args, **call.kwargs)
    except TypeError:
        expected = f"{call.name} with the arguments {', '.join(signature.parameters) or 'none'}"
        raise InvalidExperiment("data", name, expected) from None
    try:
        return BUILTIN[call.name](*arguments.args, **arguments.kwargs)
    except InvalidExperiment as error:
        raise error.within(f"data {call.name}") from None


def by_hash(plain: Mapping[str, Any]) -> Dataset:
    """Return the dataset of which a dict has the name and the hash alone; raise where no name brings it back."""
    name, wanted = plain.get("name"), plain["content_hash"]
    expected = f"X and y: data of one's own are not in this, only their hash; {name!r} is no name of known data"
    try:
        known = by_name(str(name))
    except InvalidExperiment:
        raise InvalidExperiment("data", dict(plain), expected) from None
    if known.content_hash != wanted:
        raise InvalidExperiment(
            "content_hash", wanted, f"that of {name}, {known.content_hash}: X and y are not in this"
        )
    return known


def _sklearn(name: str) -> Dataset:
    """Return a data set of scikit-learn; an error is about the data."""
    try:
        return sklearn(name)
    except InvalidExperiment as error:
        raise InvalidExperiment("data", name, error.accepted) from None


def _bits_inside(match: re.Match[str]) -> str:
    """Write parity3 as parity(3), and parity3(low=-1) as parity(3, low=-1)."""
    return f"parity({match[1]}, " if "(" in match[0] else f"parity({match[1]})"
