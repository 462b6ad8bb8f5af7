"""Compiled kernels on disk: one file each, named by a hash of everything that its code depends on."""

import functools
import hashlib
import os
import pickle
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numba
from numba.core import caching
from numba.core.serialize import dumps
from numba.misc.appdirs import AppDirs

from fastgrok.kernels.target import description


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
    """Return what stands for a device function in the key of a kernel that calls it.

    `source_fingerprint` covers the functions of this package; of another one it is a hash of the file that has it,
    and says nothing of what that file imports.
    """
    python = getattr(function, "py_func", function)
    name = f"{python.__module__}.{python.__qualname__}"
    path = Path(python.__code__.co_filename)
    if Path(__file__).parent in path.parents:
        return name
    return f"{name}:{hashlib.sha256(path.read_bytes()).hexdigest()}"


@functools.cache
def _versions() -> tuple[str | None, str, str]:
    return sys.implementation.cache_tag, numba.__version__, version("llvmlite")


def cache_directory() -> Path:
    """Where compiled kernels are kept: ``$FASTGROK_CACHE_DIR``, else the user's cache directory."""
    chosen = os.environ.get("FASTGROK_CACHE_DIR")
    return Path(chosen) if chosen else Path(AppDirs("fastgrok", appauthor=False).user_cache_dir) / "kernels"


def _digest(parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:24]


class KernelCache(caching._Cache):
    """The disk cache of one kernel, in place of Numba's own.

    Numba keys an entry on the bytecode of one function and the time stamp of its file, so an edit to a function
    that it calls goes unnoticed, and a closure over other compiled functions gets a new key in every process.
    Here the key is the kernel's name and specialisation, the signature, the CPU target, the versions of Numba and
    llvmlite, and a hash of all kernel sources. Whatever goes wrong with the disk costs a compilation, not the run.
    """

    def __init__(self, name: str, key: tuple[object, ...]) -> None:
        self._name = name.split(".")[-1]
        self._key = (name, key)
        self._enabled = True

    @property
    def cache_path(self) -> str:
        return str(cache_directory())

    def enable(self) -> None:
        self._enabled = True

    def disable(self) -> None:
        self._enabled = False

    def flush(self) -> None:
        """Do nothing: an entry is never stale, since its name is a hash of what it was made from."""

    def _stem(self) -> str:
        """Return the file name without the part for the signature."""
        return f"{self._name}-{_digest((self._key, description(), _versions(), source_fingerprint()))}"

    def path(self, signature: Any) -> Path:
        """Return the file of one signature."""
        return cache_directory() / f"{self._stem()}-{_digest(str(signature))}.nbc"

    def exists(self) -> bool:
        """Whether the kernel is on disk, for this CPU target and any signature."""
        return any(cache_directory().glob(f"{self._stem()}-*.nbc"))

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled kernel, or None where there is none that can be used."""
        if not self._enabled:
            return None
        try:
            blob = self.path(sig).read_bytes()
            digest, payload = blob[:32], blob[32:]
            if hashlib.sha256(payload).digest() != digest:
                return None
            return numba.core.compiler.CompileResult._rebuild(target_context, *pickle.loads(payload))
        except Exception:  # whatever cannot be read, unpickled or rebuilt is compiled again
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Write the compiled kernel, whole or not at all."""
        if not self._enabled:
            return
        payload = dumps(data._reduce())
        target = self.path(sig)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=target.parent) as folder:
                draft = Path(folder, "draft")
                draft.write_bytes(hashlib.sha256(payload).digest() + payload)
                os.replace(draft, target)
        except OSError:
            return
