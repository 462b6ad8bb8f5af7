"""The command line's way to write a spec: `uniform(-2, 2)`, `he_normal(mode=fan_out)`, `parity(3)`."""

import re
from typing import Any, NamedTuple

from fastgrok.errors import InvalidExperiment
from fastgrok.spec.base import registered
from fastgrok.spec.fields import one_of

_CALL = re.compile(r"\s*([A-Za-z]\w*)\s*(?:\((.*)\))?\s*", re.ASCII | re.DOTALL)
_ARGUMENT = re.compile(r"\s*(?:([A-Za-z]\w*)\s*=)?\s*([-+.0-9A-Za-z_]+)\s*", re.ASCII)
_WORD = re.compile(r"[A-Za-z]\w*", re.ASCII)
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}", re.ASCII)


Value = int | float | str


class Call(NamedTuple):
    """A name and its arguments."""

    name: str
    args: tuple[Value, ...]
    kwargs: dict[str, Value]


def split_call(field: str, text: str) -> Call:
    """
    Take a name with numbers and words in parentheses apart.

    Examples
    --------
    >>> split_call("init", "uniform(-2, high=0.5)")
    Call(name='uniform', args=(-2,), kwargs={'high': 0.5})
    """
    expected = "a name, with numbers or words in parentheses if any, such as uniform(-2, 2)"
    match = _CALL.fullmatch(text) if isinstance(text, str) else None
    if match is None and isinstance(text, str) and text.count("(") > text.count(")"):
        raise InvalidExperiment(field, text, "a closing parenthesis: one is not closed")
    if match is None:
        raise InvalidExperiment(field, text, expected)
    args: list[Value] = []
    kwargs: dict[str, Value] = {}
    inside = (match[2] or "").strip()
    for part in inside.split(",") if inside else []:
        argument = _ARGUMENT.fullmatch(part)
        value = _value(argument[2]) if argument else None
        if argument is None or value is None or argument[1] in kwargs or (kwargs and not argument[1]):
            raise InvalidExperiment(field, text, expected)
        if argument[1]:
            kwargs[argument[1]] = value
        else:
            args.append(value)
    return Call(match[1], tuple(args), kwargs)


def _value(text: str) -> Value | None:
    """Read an integer, a float or a word; None if it is none of them."""
    if _INTEGER.fullmatch(text):
        return int(text)
    try:
        return float("" if "_" in text else text)  # Python would take 1_0 for 10
    except ValueError:
        return text if _WORD.fullmatch(text) else None


def call_names(base: type) -> list[str]:
    """
    Return the names of a kind of spec on the command line: the class names in lower case, words joined by "_".

    Examples
    --------
    >>> from fastgrok.spec.schedules import Schedule
    >>> call_names(Schedule)
    ['step_lr', 'exponential_lr', 'cosine_annealing_lr']
    """
    return [_words(name) for name in registered(base)]


def _words(name: str) -> str:
    """Write the name of a class in lower case: XavierNormal is xavier_normal, LeCunNormal as Keras writes it."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.replace("LeCun", "Lecun")).lower()


def from_call(field: str, base: type, text: str) -> Any:
    """
    Return the spec that a command line names.

    Examples
    --------
    >>> from fastgrok.spec.schedules import Schedule
    >>> from_call("schedule", Schedule, "step_lr(100, gamma=0.5)")
    StepLR(step_size=100, gamma=0.5)
    """
    call = split_call(field, text)
    classes = dict(zip(call_names(base), registered(base).values(), strict=True))
    if call.name not in classes:
        raise InvalidExperiment(field, text, one_of(classes))
    try:
        return classes[call.name](*call.args, **call.kwargs)
    except InvalidExperiment as error:
        raise error.within(f"{field} {call.name}") from None
