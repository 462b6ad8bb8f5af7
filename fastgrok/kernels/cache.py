"""Compiled kernels on disk: one file each, named by a hash of everything that its code depends on."""

import contextlib
import functools
import hashlib
import os
import stat
import sys
import tempfile
import warnings
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


def cache_directory() -> Path | None:
    """Where compiled kernels are kept: ``$FASTGROK_CACHE_DIR``, else the user's cache directory.

    None for a user without a home, whose "~" would be a directory in the current one.
    """
    chosen = os.environ.get("FASTGROK_CACHE_DIR")
    if chosen:
        chosen = os.path.expanduser(chosen)
        return None if chosen.startswith("~") else Path(chosen)
    try:
        directory = user_cache_path("fastgrok", appauthor=False) / "kernels"
    except RuntimeError:  # what newer versions of platformdirs say of it
        return None
    return directory if directory.is_absolute() else None


def usable_directory() -> Path | None:
    """Where compiled kernels are kept, if only this user can write there or nothing is there; else that is said once.

    Links are looked through. Another user who can move the directory gains nothing: each file that is loaded is
    checked by itself.
    """
    directory = cache_directory()
    if directory is None:
        _warn("compiled kernels are not kept: this user has no home directory. Set FASTGROK_CACHE_DIR to a directory")
        return None
    try:
        status = directory.stat()
    except OSError:
        return directory  # it is made when something is written
    if stat.S_ISDIR(status.st_mode) and not _is_own(status):
        _warn(
            f"compiled kernels in {directory} are not used: others can write there. Make it yours alone (chown, "
            "chmod go-w), or set FASTGROK_CACHE_DIR to a directory that is"
        )
        return None
    return directory


def contents() -> tuple[int, int]:
    """Return how many files of machine code the cache has, and the bytes of all code; 0 if it cannot be read."""
    directory = cache_directory()
    files = {} if directory is None else _code_files(directory)
    return sum(path.endswith(_MACHINE) for path in files), sum(status.st_size for status in files.values())


def _code_files(directory: Path) -> dict[str, os.stat_result]:
    """Return the files of code in a directory, and of nothing else that may be there."""
    try:
        with os.scandir(directory) as entries:
            return {each.path: each.stat() for each in entries if each.name.endswith((_LLVM, _MACHINE))}
    except OSError:
        return {}


_MOST_BYTES = 2**30  # of all code; beyond, what was written first goes, until half of that is left


def _is_own(status: os.stat_result) -> bool:
    """Whether something on disk belongs to this user, and nobody else can write it, where that can be known."""
    return not hasattr(os, "geteuid") or (status.st_uid == os.geteuid() and not status.st_mode & 0o022)


@functools.cache
def _warn(message: str) -> None:
    warnings.warn(message, RuntimeWarning, stacklevel=2)


def make_directory(path: Path) -> None:
    """Make a directory, and those above it that are not there, for this user alone."""
    for each in (*reversed(path.parents), path):
        if not each.exists():
            each.mkdir(mode=0o700, exist_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that only this user can write, whole or not at all, into a directory that is made if need be."""
    try:
        make_directory(path.parent)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            draft = Path(folder, "draft")
            draft.write_bytes(content)
            draft.chmod(0o600)
            os.replace(draft, path)
    except OSError:
        return


def _make_room(directory: Path) -> None:
    """Remove the code that was written first, where there is too much."""
    files = _code_files(directory)
    total = sum(status.st_size for status in files.values())
    if total <= _MOST_BYTES:
        return
    for path in sorted(files, key=lambda path: files[path].st_mtime):
        if total > _MOST_BYTES // 2:
            with contextlib.suppress(OSError):  # another process does the same
                os.unlink(path)
            total -= files[path].st_size


def _checksum(name: str, code: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\0" + code).digest()


def _digest(parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:24]


class KernelFiles:
    """The files of one kernel: LLVM's code for each form of its arguments, and machine code for each binding of that.

    A file's name is a hash of everything that its content depends on: the kernel's name and specialisation, the form,
    the binding, the CPU target, the versions of Numba and llvmlite, and all kernel sources. It begins with a checksum
    of its name and its code: a file that was given another's name is none. Whatever goes wrong with the disk costs a
    compilation, not the run.
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
        directory = usable_directory()
        return directory is not None and any(directory.glob(f"{self.stem(binding)}-*"))

    def load(self, form: object, binding: object = None) -> bytes | None:
        """Return the code, or None where there is none that is whole and this user's own."""
        path = self._path(form, binding)
        if path is None:
            return None
        try:
            with open(path, "rb") as file:
                blob = file.read() if _is_own(os.fstat(file.fileno())) else b""
        except OSError:
            return None
        digest, code = blob[:32], blob[32:]
        return code if code and _checksum(path.name, code) == digest else None

    def save(self, code: bytes, form: object, binding: object = None) -> None:
        """Write the code, whole or not at all, and make room for it."""
        path = self._path(form, binding)
        if path is not None:
            write_whole(path, _checksum(path.name, code) + code)
            _make_room(path.parent)

    def _path(self, form: object, binding: object) -> Path | None:
        """Where the code is or would be; None where none may be used."""
        directory = usable_directory()
        suffix = _LLVM if binding is None else _MACHINE
        return None if directory is None else directory / f"{self.name(form, binding)}{suffix}"
