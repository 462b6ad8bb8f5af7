"""Comma lists of the command line, and what stands between the commas."""

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeVar

from fastgrok.errors import InvalidExperiment

_T = TypeVar("_T")

_POWER = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE]\+?[0-9]{1,2}", re.ASCII)


def option(name: str) -> str:
    """
    Return the flag of a name.

    Examples
    --------
    >>> option("batch_size")
    '--batch-size'
    """
    return "--" + name.replace("_", "-")


def items(flag: str, text: str) -> list[str]:
    """
    Split a comma list, leaving commas in parentheses alone.

    Examples
    --------
    >>> items("--init", "uniform(-2,2), he_normal")
    ['uniform(-2,2)', 'he_normal']
    """
    found, depth = [""], 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            found.append("")
        else:
            found[-1] += character
    found = [item.strip() for item in found]
    if depth:
        wanted = "a closing parenthesis: one is not closed" if depth > 0 else "an opening parenthesis for each )"
        raise InvalidExperiment(flag, text, wanted)
    if not all(found):
        raise InvalidExperiment(flag, text, "one value, or several with a comma between two")
    if len(set(found)) < len(found):
        raise InvalidExperiment(flag, text, "values that differ from each other")
    return found


def listed(flag: str, text: str, parse: Callable[[str, str], _T]) -> list[_T]:
    """
    Return the values of a comma list.

    Examples
    --------
    >>> listed("--lr", "0.1,1", number)
    [0.1, 1.0]
    """
    return [parse(flag, item) for item in items(flag, text)]


def number(flag: str, text: str) -> float:
    """Read a number."""
    try:
        return float(text)
    except ValueError as error:
        raise InvalidExperiment(flag, text, "a number") from error


def integer(flag: str, text: str) -> int:
    """
    Read an integer.

    Examples
    --------
    >>> integer("--epochs", "1_000"), integer("--epochs", "1.5e5")
    (1000, 150000)
    """
    try:
        exact = Fraction(text) if _POWER.fullmatch(text) else Fraction(int(text))
    except ValueError as error:
        raise InvalidExperiment(flag, text, "an integer") from error
    if exact.denominator > 1:
        raise InvalidExperiment(flag, text, "an integer")
    return exact.numerator


def word(flag: str, text: str) -> str:
    """Return what stands there."""
    return text


def integer_or(name: str) -> Callable[[str, str], Any]:
    """
    Return what reads an integer or one word.

    Examples
    --------
    >>> integer_or("full")("--batch-size", "full")
    'full'
    """

    def parse(flag: str, text: str) -> int | str:
        try:
            return name if text == name else integer(flag, text)
        except InvalidExperiment as error:
            raise InvalidExperiment(flag, text, f"an integer or {name!r}") from error

    return parse


def seeds(text: str) -> range | list[int]:
    """
    Read `n`, `first:stop`, or a comma list of seeds.

    Examples
    --------
    >>> seeds("1e3"), seeds("42:43"), seeds("3,5,8")
    (range(0, 1000), range(42, 43), [3, 5, 8])
    """
    if "," in text:
        for item in items("--seeds", text):
            if re.fullmatch("0[0-9]+", item):  # 100,000 is not seed 100 and seed 0
                raise InvalidExperiment("--seeds", text, "seeds without zeros before them; 100_000 for 100,000 seeds")
        return listed("--seeds", text, integer)
    first, colon, stop = text.partition(":")
    found = range(integer("--seeds", first), integer("--seeds", stop)) if colon else range(integer("--seeds", text))
    if not found:
        raise InvalidExperiment("--seeds", text, "a number of seeds at least 1, first:stop, or seeds with commas")
    return found
