"""Schemes by name, as the command line writes them."""

import re
from collections.abc import Callable, Iterable

from fastgrok.calls import split_call
from fastgrok.errors import InvalidExperiment
from fastgrok.fields import one_of
from fastgrok.initializers.base import Initializer, Scheme
from fastgrok.spec import registered


def initializer_names() -> list[str]:
    """
    Return the names that `initializer` knows.

    Examples
    --------
    >>> initializer_names()[:3]
    ['uniform', 'normal', 'truncated_normal']
    """
    return [_words(name) for name in registered(Scheme)]


def _words(name: str) -> str:
    """Write the name of a class in lower case: XavierNormal is xavier_normal, LeCunNormal as Keras writes it."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.replace("LeCun", "Lecun")).lower()


def initializer(name: str) -> Initializer:
    """
    Return the scheme that a command line names.

    Parameters
    ----------
    name
        The class name in lower case, words joined by "_", with its arguments in parentheses if it takes any:
        "he_normal", "uniform(-2,2)", "normal(std=0.5)", "he_normal(mode=fan_out)".

    Raises
    ------
    InvalidExperiment
        If there is no such scheme or its arguments will not do.

    Examples
    --------
    >>> initializer("uniform(-2, 2)")
    Uniform(low=-2.0, high=2.0)
    """
    call = split_call("init", name)
    schemes: Iterable[Callable[..., Initializer]] = registered(Scheme).values()
    classes = dict(zip(initializer_names(), schemes, strict=True))
    if call.name not in classes:
        raise InvalidExperiment("init", name, one_of(classes))
    try:
        return classes[call.name](*call.args, **call.kwargs)
    except InvalidExperiment as error:
        raise error.within(f"init {call.name}") from None
