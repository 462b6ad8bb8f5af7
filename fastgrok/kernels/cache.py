"""Compiled kernels on disk: one file each, named by a hash of everything that its code depends on."""

import functools
import hashlib
import os
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from fastgrok.kernels.target import description

_LLVM, _MACHINE = ".bc", ".o"  # how the names of files end: of LLVM's code, of machine code


@functools.cache
def source_fingerprint() -> str:
    """Hash of every source file of this package: an edit to any of them makes all cached kernels stale.

    It is taken when the package is imported, so that it is of the sources that are compiled, not of a later edit.
    """
    digest, package = hashlib.sha256(), Path(__file__).parent
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def identity(function: Any) -> str:
    """Return what stands for a device function in the key of a kernel that calls it, with those it was made with.

    `source_fingerprint` covers the functions of this package; of another one it is a hash of the file that has it,
    and says nothing of what that file imports.
    """
    python = getattr(function, "py_func", function)
    name = f"{python.__module__}.{python.__qualname__}"
    path = Path(python.__code__.co_filename)
    if Path(__file__).parent not in path.parents:
        name += f":{hashlib.sha256(path.read_bytes()).hexdigest()}"
    made_with = [identity(cell.cell_contents) for cell in python.__closure__ or ()]
    return f"{name}({', '.join(made_with)})" if made_with else name


@functools.cache
def _versions() -> tuple[str | None, str, str]:
    return sys.implementation.cache_tag, version("numba"), version("llvmlite")


def cache_directory() -> Path:
    """Where compiled kernels are kept: ``$FASTGROK_CACHE_DIR``, else the user's cache directory."""
    chosen = os.environ.get("FASTGROK_CACHE_DIR")
    return Path(chosen) if chosen else user_cache_path("fastgrok", appauthor=False) / "kernels"


def contents() -> tuple[int, int]:
    """Return how many files of machine code the cache has, and the bytes of all code; 0 if it cannot be read."""
    try:
        with os.scandir(cache_directory()) as entries:
            sizes = {entry.name: entry.stat().st_size for entry in entries if entry.name.endswith((_LLVM, _MACHINE))}
    except OSError:
        return 0, 0
    return sum(name.endswith(_MACHINE) for name in sizes), sum(sizes.values())


def _digest(parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:24]


class KernelFiles:
    """The files of one kernel: LLVM's code for each form of its arguments, and machine code for each binding of that.

    A file's name is a hash of everything that its content depends on: the kernel's name and specialisation, the form,
    the binding, the CPU target, the versions of Numba and llvmlite, and all kernel sources. Whatever goes wrong with
    the disk costs a compilation, not the run.
    """

    def __init__(self, name: str, key: tuple[object, ...]) -> None:
        self._name = name.split(".")[-1]
        self._key = (name, key)

    def stem(self, binding: object = None) -> str:
        """The names of the files without what stands for the form: of LLVM's code, or of a binding's machine code."""
        return f"{self._name}-{_digest((self._key, binding, description(), _versions(), source_fingerprint()))}"

    def name(self, form: object, binding: object = None) -> str:
        """What a file is called, but for its suffix."""
        return f"{self.stem(binding)}-{_digest(form)}"

    def exists(self, binding: object = None) -> bool:
        """Whether there is a file, for this CPU target and any form."""
        return any(cache_directory().glob(f"{self.stem(binding)}-*"))

    def load(self, form: object, binding: object = None) -> bytes | None:
        """Return the code, or None where there is none that is whole."""
        try:
            blob = self._path(form, binding).read_bytes()
        except OSError:
            return None
        digest, code = blob[:32], blob[32:]
        return code if hashlib.sha256(code).digest() == digest else None

    def save(self, code: bytes, form: object, binding: object = None) -> None:
        """Write the code, whole or not at all."""
        target = self._path(form, binding)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=target.parent) as folder:
                draft = Path(folder, "draft")
                draft.write_bytes(hashlib.sha256(code).digest() + code)
                os.replace(draft, target)
        except OSError:
            return

    def _path(self, form: object, binding: object) -> Path:
        return cache_directory() / f"{self.name(form, binding)}{_LLVM if binding is None else _MACHINE}"
