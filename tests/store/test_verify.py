"""A store is verified, and what killed writers left is removed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from swept import swept

import fastgrok as fg
from fastgrok.results import files
from fastgrok.results.files import place_of_processes
from fastgrok.store import verify
from fastgrok.store.store import Store


@pytest.mark.parametrize(("argument", "value"), [("sample", -1), ("sample", 1.5), ("sample", None), ("seed", -1)])
def test_verify_names_what_will_not_do(store: Store, argument: str, value: Any) -> None:
    with pytest.raises(fg.InvalidExperiment, match=f"{argument} = {value}: expected .*an integer of 0 or more"):
        store.verify(**{argument: value})


def test_verify_does_not_complain_of_shards_in_flight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = swept(tmp_path / "a", 20, shard_size=10)
    sidecars = sorted(Path(here.path).glob("shards/*/*.json"))
    texts = {file: file.read_bytes() for file in sidecars[:3]}
    for file in texts:
        file.unlink()
    assert len(here.verify(sample=0).uncommitted) == 3
    again = verify._trained_again

    def meanwhile(*args: Any) -> Any:
        for file in sidecars[:2]:
            file.write_bytes(texts[file])
        return again(*args)

    monkeypatch.setattr(verify, "_trained_again", meanwhile)
    rows = (file.with_name(file.name.removeprefix("_")).with_suffix(".parquet") for file in texts)
    names = [str(file.relative_to(here.path)) for file in rows]
    assert here.verify(sample=0).uncommitted == names[2:]


def test_temporary_files_of_processes_that_are_gone_are_removed(tmp_path: Path) -> None:
    here = swept(tmp_path / "a", 5)
    folder = next(Path(here.path).glob("shards/*"))
    place = place_of_processes()
    (folder / f".0-9.json.{place}-999999999-0123abcd.tmp").write_text("")
    for name in (f".0-9.json.{place}-{os.getpid()}-0123abcd.tmp", ".somebody.tmp"):
        (folder / name).write_text("")
    assert [Path(name).name.split("-")[-2] for name in here.verify(sample=0).removed] == ["999999999"]


def test_who_cannot_be_asked_for_by_the_number_is_given_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container that has the host's name, or after a restart, a number is another process's, or nobody's."""
    here, before = swept(tmp_path / "a", 5), files.place_of_processes()
    monkeypatch.setattr(files, "host_name", lambda: "elsewhere")
    here_now = files.place_of_processes()
    places = [before, f"{here_now}0", here_now.replace("elsewhere-", "elsewhere-1"), "elsewhere"]
    written = [Path(here.path) / f".0-9.json.{place}-999999999-0123abcd.tmp" for place in places]
    for path in written:
        path.write_text("")
    assert here.verify(sample=0).removed == []
    for path in written:
        os.utime(path, (0, 0))
    assert len(here.verify(sample=0).removed) == 4


IN_ANOTHER_NAMESPACE = """
import os, sys
from fastgrok.results.files import temporary_beside
from pathlib import Path

with temporary_beside(Path(sys.argv[1])) as temporary:
    temporary.write_text("being written")
    print("written", flush=True)
    sys.stdin.readline()
"""


def test_a_writer_in_another_pid_namespace_keeps_its_file(tmp_path: Path) -> None:
    here = swept(tmp_path / "a", 5)
    command = ["unshare", "--pid", "--fork", sys.executable, "-c", IN_ANOTHER_NAMESPACE, f"{here.path}/x.json"]
    if shutil.which("unshare") is None or subprocess.run([*command[:3], "true"], capture_output=True).returncode:
        pytest.skip("no PID namespace can be made here")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as writer:  # type: ignore[call-overload]
        assert writer.stdout.readline() == "written\n"
        (temporary,) = Path(here.path).glob(".x.json*")
        number = temporary.name.split("-")[-2]
        with pytest.raises(ProcessLookupError):  # here nobody has the number that the writer has there
            os.kill(int(number), 0) if int(number) > 1 else os.kill(2**22, 0)
        removed = here.verify(sample=0).removed
        writer.communicate("\n")
    assert removed == []
