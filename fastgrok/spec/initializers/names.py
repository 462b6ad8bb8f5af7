"""Schemes by name, as the command line writes them."""

from typing import cast

from fastgrok.spec.calls import call_names, from_call
from fastgrok.spec.initializers.base import Initializer


def initializer_names() -> list[str]:
    """
    Return the names that `initializer` knows.

    Examples
    --------
    >>> initializer_names()[:3]
    ['uniform', 'normal', 'truncated_normal']
    """
    return call_names(Initializer)


def initializer(name: str) -> Initializer:
    """
    Return the scheme that a command line names.

    Examples
    --------
    >>> initializer("uniform(-2, 2)")
    Uniform(low=-2.0, high=2.0)
    """
    return cast(Initializer, from_call("init", Initializer, name))
