"""The disk cache of compiled kernels: never stale, never in the way."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import fastgrok

SCRIPT = """
import json
import fastgrok as fg
exp = fg.Experiment(fg.mlp(2, 3, 1, hidden="leaky_relu"), fg.datasets.xor(), epochs=20, stop=None)
data = fg.run(exp, seeds=5, specialize=False, lanes=8, threads=1, progress=False).dataset
assert "numba" in __import__("sys").modules
print(json.dumps({"loss": data.loss_final.values.tolist(), "package": fg.__file__}))
"""


class Warm(NamedTuple):
    directory: Path
    losses: list[float]


def losses(cache: Path | str, package: Path | None = None) -> list[float]:
    """Run the script in a new process."""
    root = package or Path(fastgrok.__file__).parents[1]
    environment = os.environ | {"FASTGROK_CACHE_DIR": str(cache), "PYTHONPATH": str(root)}
    environment.pop("NUMBA_CPU_NAME", None)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT],
        env=environment, capture_output=True, text=True, timeout=300, cwd=root,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    said: dict[str, Any] = json.loads(done.stdout)
    assert Path(said["package"]).parents[1] == root
    return said["loss"]


def entries(directory: Path) -> dict[str, tuple[int, int]]:
    """Size and time of every file."""
    return {path.name: (path.stat().st_size, path.stat().st_mtime_ns) for path in directory.iterdir()}


@pytest.fixture(scope="module")
def warmed(tmp_path_factory):
    directory = tmp_path_factory.mktemp("warm") / "cache"
    return Warm(directory, losses(directory))


@pytest.fixture
def warm(warmed, tmp_path):
    """A copy of a cache that has everything the script needs."""
    shutil.copytree(warmed.directory, tmp_path / "cache")
    return Warm(tmp_path / "cache", warmed.losses)


def test_a_second_process_compiles_nothing(warm):
    before = entries(warm.directory)
    assert {name.split("-")[0] for name in before} == {"initialise", "train", "evaluate"}
    assert all(name.endswith(".nbc") for name in before)
    assert losses(warm.directory) == warm.losses
    assert entries(warm.directory) == before


def test_an_edited_kernel_is_compiled_again(warm, tmp_path):
    source = Path(fastgrok.__file__).parent
    shutil.copytree(source, tmp_path / "fastgrok", ignore=shutil.ignore_patterns("__pycache__"))
    before = entries(warm.directory)
    assert losses(warm.directory, tmp_path) == warm.losses
    assert entries(warm.directory) == before  # the same sources elsewhere find the same entries
    edited = tmp_path / "fastgrok" / "kernels" / "layers.py"
    old, new = "z * like(z, layer.argument))", "z * like(z, 2.0 * layer.argument))"
    text = edited.read_text()
    assert text.count(old) == 1
    edited.write_text(text.replace(old, new))
    changed = losses(warm.directory, tmp_path)
    assert all(a != b for a, b in zip(changed, warm.losses, strict=True))
    assert set(entries(warm.directory)) > set(before)
    assert losses(warm.directory) == warm.losses  # and the entries of the old sources are still theirs


DAMAGE = {
    "truncated": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "one byte of the digest left": lambda path: path.write_bytes(path.read_bytes()[:1]),
    "empty": lambda path: path.write_bytes(b""),
    "garbage": lambda path: path.write_bytes(b"\x80\x04garbage" * 1000),
    "one bit flipped": lambda path: path.write_bytes(path.read_bytes()[:-1] + bytes([path.read_bytes()[-1] ^ 1])),
}


def test_damaged_entries_are_compiled_again_and_mended(warm):
    """Each file of the cache damaged in another way."""
    before = entries(warm.directory)
    paths = sorted(warm.directory.iterdir())
    for path, name in zip(paths, ["truncated", "garbage", "empty"], strict=True):
        DAMAGE[name](path)
    assert losses(warm.directory) == warm.losses
    assert {name: size for name, (size, _) in entries(warm.directory).items()}.keys() == before.keys()
    after = entries(warm.directory)
    assert losses(warm.directory) == warm.losses
    assert entries(warm.directory) == after


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_entry_is_compiled_again(damage, warm):
    """The smallest kernel, for speed."""
    path = next(warm.directory.glob("initialise-*"))
    good = path.stat().st_size
    DAMAGE[damage](path)
    assert losses(warm.directory) == warm.losses
    assert abs(path.stat().st_size - good) < good / 10


def test_an_entry_that_cannot_be_read_or_replaced_is_survived(warm):
    path = next(warm.directory.glob("initialise-*"))
    path.unlink()
    path.mkdir()
    (path / "in the way").touch()
    assert losses(warm.directory) == warm.losses
    assert {entry.suffix for entry in warm.directory.iterdir()} == {".nbc"}  # no temporary file is left


def test_a_cache_directory_that_cannot_be_made_is_survived(warm, tmp_path):
    """Under a regular file: permissions would not keep root out."""
    (tmp_path / "file").write_text("not a directory")
    assert losses(tmp_path / "file" / "cache") == warm.losses
    assert (tmp_path / "file").read_text() == "not a directory"


def test_a_file_in_place_of_the_cache_directory_is_survived(warm, tmp_path):
    (tmp_path / "file").write_text("not a directory")
    assert losses(tmp_path / "file") == warm.losses
    assert (tmp_path / "file").read_text() == "not a directory"


BOUNDED = """
import json, os, pathlib
import fastgrok as fg
cache = pathlib.Path(os.environ["FASTGROK_CACHE_DIR"])
def run(*sizes, **fields):
    data = fg.datasets.parity(sizes[0])
    exp = fg.Experiment(fg.mlp(*sizes), data, epochs=3, **fields)
    fg.run(exp, seeds=5, specialize=False, lanes=8, threads=1, progress=False)
    return sorted(path.name for path in cache.iterdir())
print(json.dumps([
    run(2, 3, 1), run(2, 4, 1), run(3, 5, 2, 1), run(1, 1), run(2, 4, 1, init=fg.HeNormal(), stop=None),
    run(2, 4, 1, loss="squared_error", reduction="sum", optimizer=fg.SGD(0.01)),
]))
"""


def test_one_general_driver_serves_every_architecture(warm):
    environment = os.environ | {"FASTGROK_CACHE_DIR": str(warm.directory)}
    environment.pop("NUMBA_CPU_NAME", None)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", BOUNDED],
        env=environment, capture_output=True, text=True, timeout=300, cwd=Path(fastgrok.__file__).parents[1],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert all(names == sorted(entries(warm.directory)) for names in json.loads(done.stdout))
    assert len(entries(warm.directory)) == 3
