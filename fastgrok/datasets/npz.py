"""Reading NPZ files, and paths of files."""

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgrok.datasets.memory import check_fits
from fastgrok.errors import InvalidExperiment, short_list


def checked_path(path: str | os.PathLike[str]) -> str:
    """Return the path of an existing file."""
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


def read_npz(path: str | os.PathLike[str], *keys: str) -> list[NDArray[Any]]:
    """Return some arrays of an NPZ file; pickled objects are never loaded."""
    name = checked_path(path)
    try:
        with open(name, "rb") as file:
            return _arrays(name, file, keys)
    except InvalidExperiment:
        raise
    except Exception as error:  # a damaged zip file raises nearly anything, a MemoryError included
        why = str(error) or type(error).__name__
        raise InvalidExperiment("path", name, f"an NPZ file of plain numbers ({why})") from error


def _arrays(name: str, file: Any, keys: tuple[str, ...]) -> list[NDArray[Any]]:
    """Read the arrays of an open file."""
    loaded = np.load(file, allow_pickle=False)
    if not isinstance(loaded, np.lib.npyio.NpzFile):
        raise InvalidExperiment("path", name, "an NPZ file with named arrays, and this is one array (NPY)")
    with loaded:
        for key in keys:
            if not isinstance(key, str) or key not in loaded.files:
                raise InvalidExperiment(f"{name}: key", key, f"a key that is there: {short_list(loaded.files)}")
        sizes = [_size(loaded.zip, key) for key in keys]  # before anything is unpacked: zeros take a thousandth
        check_fits("path", name, 4 * sum(sizes), "smaller arrays")
        return [loaded[key] for key in keys]


def _size(archive: Any, key: str) -> int:
    """Return the bytes of an array of an NPZ file."""
    names = archive.namelist()
    return int(archive.getinfo(key if key in names else f"{key}.npy").file_size)
