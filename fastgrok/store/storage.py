"""Where shards are: a directory, or whatever fsspec reaches."""

import contextlib
import errno
import fnmatch
import os
import re
import shutil
import stat
import time
from pathlib import Path
from typing import Any

from fastgrok.errors import InvalidExperiment
from fastgrok.results.files import TEMPORARY, place_of_processes, temporary_beside

_ABANDONED = 3600  # seconds after which a temporary file whose writer cannot be asked for counts as nobody's
_IS_POSIX = os.name == "posix"
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL}  # where there are none; the last on Windows


class Storage:
    """Files in a directory, by their names, such as "store.json" or "shards/1f/0-9.json"."""

    def __init__(self, root: str) -> None:
        self.root = os.path.abspath(root)
        self._path = Path(self.root)

    def write(self, name: str, data: bytes) -> None:
        """Put a file in its place, whole or not at all, instead of one that may be there.

        What it holds is on the disk afterwards. So is its name where a file was there; else once `create` has written
        another file beside it, so that a shard costs one directory.
        """
        target = self._path / name
        with temporary_beside(target) as temporary:
            _write(temporary, data)
            is_new = not target.exists()
            os.replace(temporary, target)
        if not is_new:
            _sync(target.parent)

    def create(self, name: str, data: bytes) -> bool:
        """Write a file unless there is one, and return whether there was none; one of two writers at once wins."""
        target = self._path / name
        with temporary_beside(target) as temporary:
            _write(temporary, data)
            try:
                os.link(temporary, target)  # unlike a rename it fails where there is a file
            except FileExistsError:
                return False
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                if not _claimed(target):
                    return False
                os.replace(temporary, target)
            finally:
                temporary.unlink(missing_ok=True)
        _sync(target.parent)
        return True

    def read(self, name: str) -> bytes:
        """Return what is in a file; FileNotFoundError without it, OSError where something else has its name."""
        path = self._path / name
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would wait for a writer, a device might never end
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        return path.read_bytes()

    def size(self, name: str) -> int | None:
        """Return the bytes of a file, None without it."""
        try:
            return (self._path / name).stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            return None

    def names(self, folder: str, suffix: str, folders: str = "*") -> list[str]:
        """Return the names of the files that end so in the folders of a folder, or in those that match, sorted."""
        inner_folders = [folders]
        if "*" in folders:
            inside = (entry for entry in self._entries(folder) if fnmatch.fnmatchcase(entry.name, folders))
            inner_folders = [entry.name for entry in inside if entry.is_dir()]
        files = (f"{folder}/{inner}/{e.name}" for inner in inner_folders for e in self._entries(f"{folder}/{inner}"))
        return sorted(name for name in files if name.endswith(suffix) and not name.endswith(TEMPORARY))

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        try:
            return list(os.scandir(self._path / folder))
        except FileNotFoundError:
            return []

    def listed(self) -> list[str]:
        """Return the names of what is in the root itself, but temporary files."""
        return [entry.name for entry in self._entries("") if not entry.name.endswith(TEMPORARY)]

    def free_bytes(self) -> int | None:
        """Return how much space there is for more, None where that is not known."""
        there = next(path for path in (self._path, *self._path.parents) if path.exists())
        with contextlib.suppress(OSError):
            return shutil.disk_usage(there).free
        return None

    def remove_abandoned(self) -> list[str]:
        """Remove the temporary files that nobody writes any more, and return their names."""
        removed = []
        for path in sorted(self._path.rglob(f".*{TEMPORARY}")):
            if _is_abandoned(path):
                path.unlink(missing_ok=True)
                removed.append(str(path.relative_to(self._path)))
        return removed

    def arrow(self) -> tuple[str, Any]:
        """Return the root as pyarrow takes it: a path, and a file system or None."""
        return self.root, None


def is_store(name: str | None) -> bool:
    """Whether a name means a store rather than built-in data: a URL, a path with a slash, or a directory."""
    return name is not None and ("://" in name or "/" in name or Path(name).is_dir())


def open_storage(root: str | os.PathLike[str]) -> Storage:
    """Return the files under a root."""
    name = os.fspath(root) if isinstance(root, str | os.PathLike) else None
    if not isinstance(name, str) or not name or "\0" in name:
        raise InvalidExperiment("store", root, "a directory, or a URL that fsspec knows")
    local = name.removeprefix("file://")
    return _Remote(name) if "://" in local else Storage(local)


def _write(path: Path, data: bytes) -> None:
    """Write a file that is not there to the disk, and make its directory if that is not there either."""
    try:
        file = open(path, "xb")  # noqa: SIM115 - closed below
    except FileNotFoundError:
        _make(path.parent)
        file = open(path, "xb")  # noqa: SIM115
    with file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _claimed(target: Path) -> bool:
    """Whether a name was free and is now taken by an empty file: on a file system without links, for a moment."""
    try:
        target.open("xb").close()
    except FileExistsError:
        return False
    return True


def _make(directory: Path) -> None:
    """Make a directory, and those above it that are not there."""
    try:
        directory.mkdir(exist_ok=True)
    except FileNotFoundError:
        _make(directory.parent)
        directory.mkdir(exist_ok=True)
    with contextlib.suppress(PermissionError):  # one may add to directories that one may not read
        _sync(directory.parent)


def _sync(directory: Path) -> None:
    """Let the names in a directory, too, outlive a power cut; Windows opens no directories."""
    if not _IS_POSIX:
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_abandoned(path: Path) -> bool:
    """Whether the process that wrote a temporary file is gone.

    Only a process of this run of this machine, and of these process numbers, can be asked for by its number. Others,
    as of another machine or of a container that shares the directory and the host's name, are given time.
    """
    stamp = re.fullmatch(r"\..+\.([^.]+)-([0-9]+)-[0-9a-f]{8}\.tmp", path.name)
    if stamp is None:
        return False  # somebody else's
    if stamp[1] == place_of_processes() and _IS_POSIX:  # on Windows 0 is Ctrl-C, and no question
        try:
            os.kill(int(stamp[2]), 0)
        except ProcessLookupError:
            return True
        except (PermissionError, OverflowError):
            pass
    with contextlib.suppress(FileNotFoundError):
        return time.time() - path.stat().st_mtime > _ABANDONED
    return False


class _Remote(Storage):
    """Files that fsspec reaches. Object stores put a file in its place whole; the rest do what they can."""

    def __init__(self, root: str) -> None:
        self.root = root.rstrip("/")
        try:
            import fsspec

            self._files, self._root = fsspec.url_to_fs(self.root)
        except (ImportError, ValueError) as error:
            raise InvalidExperiment("store", root, f"a directory, or a URL that fsspec knows ({error})") from error

    def _full(self, name: str) -> str:
        return f"{self._root}/{name}"

    def write(self, name: str, data: bytes) -> None:
        self._files.makedirs(self._files._parent(self._full(name)), exist_ok=True)
        self._files.pipe_file(self._full(name), data)

    def create(self, name: str, data: bytes) -> bool:
        if self.size(name) is not None:
            return False
        self._files.makedirs(self._files._parent(self._full(name)), exist_ok=True)
        try:
            self._files.pipe_file(self._full(name), data, mode="create")
        except FileExistsError:
            return False
        except (TypeError, NotImplementedError):  # this kind of storage knows no other way than to overwrite
            self.write(name, data)
        return True

    def read(self, name: str) -> bytes:
        content: bytes = self._files.cat_file(self._full(name))
        return content

    def size(self, name: str) -> int | None:
        try:
            return int(self._files.info(self._full(name))["size"])
        except FileNotFoundError:
            return None

    def names(self, folder: str, suffix: str, folders: str = "*") -> list[str]:
        self._files.invalidate_cache()
        paths = self._files.glob(f"{self._full(folder)}/{folders}/*{suffix}")
        return sorted(
            name.removeprefix(self._root.lstrip("/")).removeprefix(self._root).lstrip("/") for name in paths
        )

    def listed(self) -> list[str]:
        self._files.invalidate_cache()
        try:
            paths = self._files.ls(self._root, detail=False)
        except FileNotFoundError:
            return []
        return [path.rstrip("/").rpartition("/")[2] for path in paths]

    def free_bytes(self) -> int | None:
        return None

    def remove_abandoned(self) -> list[str]:
        return []

    def arrow(self) -> tuple[str, Any]:
        return self._root, self._files
