"""The command line's way to write a spec: `uniform(-2, 2)`, `he_normal(mode=fan_out)`."""

import re
from typing import Any

from fastgrok.datasets.names import split_call
from fastgrok.errors import InvalidExperiment, one_of
from fastgrok.spec.base import registered


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
