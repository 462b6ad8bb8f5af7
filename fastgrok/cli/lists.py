"""Comma lists of the command line, and what stands between the commas."""

from collections.abc import Callable
from typing import Any, TypeVar

from fastgrok.errors import InvalidExperiment

_T = TypeVar("_T")


def items(flag: str, text: str) -> list[str]:
    """
    Split a comma list, leaving commas in parentheses alone.

    Parameters
    ----------
    flag
        What an error names.
    text
        What was given.

    Raises
    ------
    InvalidExperiment
        If an item is blank, is there twice, or a parenthesis stays open.

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
    if depth or not all(found):
        raise InvalidExperiment(flag, text, "one value, or several with a comma between two")
    if len(set(found)) < len(found):
        raise InvalidExperiment(flag, text, "values that differ from each other")
    return found


def listed(flag: str, text: str, parse: Callable[[str, str], _T]) -> list[_T]:
    """
    Return the values of a comma list.

    Parameters
    ----------
    flag
        What an error names.
    text
        What was given.
    parse
        Turns a flag and one item into a value.

    Raises
    ------
    InvalidExperiment
        If there is no value, or one will not do.

    Examples
    --------
    >>> listed("--lr", "0.1,1", number)
    [0.1, 1.0]
    """
    return [parse(flag, item) for item in items(flag, text)]


def number(flag: str, text: str) -> float:
    """
    Read a number.

    Parameters
    ----------
    flag
        What an error names.
    text
        What was given.

    Raises
    ------
    InvalidExperiment
        If it is none.
    """
    try:
        return float(text)
    except ValueError as error:
        raise InvalidExperiment(flag, text, "a number") from error


def integer(flag: str, text: str) -> int:
    """
    Read an integer.

    Parameters
    ----------
    flag
        What an error names.
    text
        What was given; underscores may part its digits, as in Python.

    Raises
    ------
    InvalidExperiment
        If it is none.
    """
    try:
        return int(text)
    except ValueError as error:
        raise InvalidExperiment(flag, text, "an integer") from error


def word(flag: str, text: str) -> str:
    """
    Return what stands there.

    Parameters
    ----------
    flag
        What an error would name.
    text
        What was given.
    """
    return text


def integer_or(name: str) -> Callable[[str, str], Any]:
    """
    Return what reads an integer or one word.

    Parameters
    ----------
    name
        The word.

    Examples
    --------
    >>> integer_or("full")("--batch-size", "full")
    'full'
    """

    def parse(flag: str, text: str) -> int | str:
        try:
            return name if text == name else int(text)
        except ValueError as error:
            raise InvalidExperiment(flag, text, f"an integer or {name!r}") from error

    return parse


def seeds(text: str) -> range:
    """
    Read `n` or `first:stop`.

    Parameters
    ----------
    text
        What was given to `--seeds`.

    Raises
    ------
    InvalidExperiment
        If it is neither, or there are none.

    Examples
    --------
    >>> seeds("1000"), seeds("10:20")
    (range(0, 1000), range(10, 20))
    """
    first, colon, stop = text.partition(":")
    found = range(integer("--seeds", first), integer("--seeds", stop)) if colon else range(integer("--seeds", text))
    if not found:
        raise InvalidExperiment("--seeds", text, "a number of seeds at least 1, or first:stop")
    return found
