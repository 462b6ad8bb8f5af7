"""The files of a store as pyarrow opens them: what is read is checked against its SHA-256."""

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import pyarrow as pa
from pyarrow import fs

from fastgrok.errors import StoreError
from fastgrok.store.shards import Sidecar, checked_rows
from fastgrok.store.storage import open_storage


class CheckedFiles(fs.FileSystemHandler):  # type: ignore[misc]
    """A file system of shards of a store, for reading.

    A file is read whole when it is opened, which is when a scan comes to it, checked, and given to pyarrow in memory
    of pyarrow's own: its threads let go of it when they please, and of Python's bytes they must not.
    """

    def __init__(self, root: str, sidecars: Mapping[str, Sidecar]) -> None:
        self._root = root
        self._sidecars = {path: sidecar._replace(parts=()) for path, sidecar in sidecars.items()}  # small, for pickle

    def open_input_file(self, path: str) -> Any:
        """Return a file, if it is what was written."""
        data = checked_rows(open_storage(self._root), self._sidecars[path])
        buffer = pa.allocate_buffer(len(data))
        memoryview(buffer).cast("B")[:] = data
        return pa.BufferReader(buffer)

    open_input_stream = open_input_file

    def get_file_info(self, paths: Sequence[str]) -> list[Any]:
        """Return what is known of files without opening them."""
        return [fs.FileInfo(path, fs.FileType.File, size=self._sidecars[path].n_bytes) for path in paths]

    def get_type_name(self) -> str:
        """Return what kind of file system this is."""
        return "fastgrok"

    def normalize_path(self, path: str) -> str:
        """Return a path as it is."""
        return path

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CheckedFiles) and other.__dict__ == self.__dict__

    def __hash__(self) -> int:
        return hash(self._root)

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise StoreError(f"{self._root} is read here, and nothing else")

    get_file_info_selector = create_dir = delete_dir = delete_dir_contents = delete_root_dir_contents = _refuse
    delete_file = move = copy_file = open_output_stream = open_append_stream = _refuse
