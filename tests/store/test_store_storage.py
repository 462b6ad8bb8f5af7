"""`fastgrok.store.storage`: its functions one by one."""

import os

from fastgrok.results.files import place_of_processes
from fastgrok.store import storage
from fastgrok.store.storage import Storage, is_store


def test_example_of_is_store():
    value = (is_store("runs/xor"), is_store("s3://bucket/xor"), is_store("xor"), is_store(None))
    assert value == (True, True, False, False)


def test_where_directories_cannot_be_opened_and_processes_not_asked_for_a_store_is_written_all_the_same(
    monkeypatch, tmp_path
):
    """Such as on Windows, where `os.kill(process, 0)` sends Ctrl-C."""
    files = Storage(str(tmp_path))
    abandoned = tmp_path / f".a.{place_of_processes()}-{os.getpid()}-00000000.tmp"
    opened = os.open

    def only_files(path, *args):
        if os.path.isdir(path):
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *args)

    monkeypatch.setattr(storage, "_IS_POSIX", False)
    monkeypatch.setattr(os, "open", only_files)
    monkeypatch.setattr(os, "kill", None)
    assert files.create("shards/1.json", b"1")
    files.write("shards/1.json", b"2")
    assert files.read("shards/1.json") == b"2"
    abandoned.touch()
    assert files.remove_abandoned() == []
    os.utime(abandoned, (0, 0))
    assert files.remove_abandoned() == [abandoned.name]
