"""Schemes by name, as the command line writes them."""

from typing import cast

from fastgrok.spec.calls import call_names, from_call
from fastgrok.spec.initializers.base import Initializer, Scheme


def initializer_names() -> list[str]:
    """
    Return the names that `initializer` knows.

    Examples
    --------
    >>> initializer_names()[:3]
    ['uniform', 'normal', 'truncated_normal']
    """
    return call_names(Scheme)


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
    return cast(Initializer, from_call("init", Scheme, name))
