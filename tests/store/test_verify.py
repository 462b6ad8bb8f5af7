"""A store is verified, and what killed writers left is removed."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest
from swept import swept

import fastgrok as fg
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
    host = socket.gethostname().replace(".", "_")
    (folder / f".0-9.json.{host}-999999999-0123abcd.tmp").write_text("")
    for name in (f".0-9.json.{host}-{os.getpid()}-0123abcd.tmp", ".somebody.tmp"):
        (folder / name).write_text("")
    assert [Path(name).name.split("-")[-2] for name in here.verify(sample=0).removed] == ["999999999"]
