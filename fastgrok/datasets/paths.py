"""What is checked of a path before it is opened."""

import os

from fastgrok.errors import InvalidExperiment


def checked_path(path: str | os.PathLike[str]) -> str:
    """
    Return the path of an existing file.

    Examples
    --------
    >>> checked_path("missing.csv")
    Traceback (most recent call last):
    fastgrok.errors.InvalidExperiment: path = 'missing.csv': expected an existing file
    """
    name = os.fspath(path) if isinstance(path, str | os.PathLike) else None
    if not isinstance(name, str):
        raise InvalidExperiment("path", path, "the path of a file")
    try:
        exists = os.path.isfile(name)
    except ValueError as error:  # a NUL or a lone surrogate in it
        raise InvalidExperiment("path", name, "the path of a file") from error
    if not exists:
        raise InvalidExperiment("path", name, "an existing file")
    return name
