"""The disk cache of compiled kernels: never stale, never in the way."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import llvmlite.binding as llvm
import numpy as np
import pytest

import fastgrok
from fastgrok.cli.info import collect
from fastgrok.engine import compiling
from fastgrok.kernels import pipeline, target
from fastgrok.kernels.cache import _warn
from fastgrok.kernels.jit import kernel
from fastgrok.kernels.pipeline import bitcode

ROOT = Path(fastgrok.__file__).parents[1]
BOTH = """
import json
import fastgrok as fg
exp = fg.Experiment(fg.mlp(2, 3, 1, hidden="leaky_relu"), fg.datasets.xor(), epochs=20, stop=None)
"""
TRAIN = (
    BOTH
    + """
data = fg.run(exp, seeds=5, specialize=False, lanes=8, threads=1, progress=False).dataset
print(json.dumps({"numbers": data.loss_final.values.tolist(), "package": fg.__file__}))
"""
)
DRAW = (
    BOTH
    + """
params = fg.initial_params(exp, seeds=5)
print(json.dumps({"numbers": params[0].ravel().tolist(), "package": fg.__file__}))
"""
)

THREADS = (
    BOTH
    + """
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(3) as pool:
    several = pool.map(lambda k: fg.run(exp.replace(epochs=20 + k), 5, threads=1, progress=False).seeds, range(3))
    print(json.dumps([len(seeds) for seeds in several]))
"""
)

KERNELS = "initialise", "train", "evaluate", "kind"  # which TRAIN calls, and what is linked into them


class Warm(NamedTuple):
    directory: Path
    losses: list[float]


def python(script: str, cache: Path, root: Path) -> Any:
    """Run a script in a new process and return the JSON that it prints."""
    environment = os.environ | {"FASTGROK_CACHE_DIR": str(cache), "PYTHONPATH": str(root)}
    environment.pop("NUMBA_CPU_NAME", None)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        env=environment, capture_output=True, text=True, timeout=300, cwd=root,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def numbers(script: str, cache: Path, root: Path = ROOT) -> list[float]:
    """What the package under root gives."""
    said = python(script, cache, root)
    assert Path(said["package"]).parents[1] == root
    return said["numbers"]


def entries(directory: Path) -> dict[str, tuple[int, int]]:
    """Size and time of every file."""
    return {path.name: (path.stat().st_size, path.stat().st_mtime_ns) for path in directory.iterdir()}


@pytest.fixture(scope="module")
def warmed(tmp_path_factory):
    directory = tmp_path_factory.mktemp("warm") / "cache"
    return Warm(directory, numbers(TRAIN, directory))


@pytest.fixture
def warm(warmed, tmp_path):
    """A copy of a cache that has everything the script needs."""
    shutil.copytree(warmed.directory, tmp_path / "cache")
    return Warm(tmp_path / "cache", warmed.losses)


def test_threads_that_compile_at_once_do_not_disturb_each_other(tmp_path):
    assert python(THREADS, tmp_path, ROOT) == [5, 5, 5]


def test_a_second_process_compiles_nothing(warm):
    before = entries(warm.directory)
    assert {name.split("-")[0] for name in before} == set(KERNELS)
    for_other_bindings = {name.split("-")[0] for name in before if name.endswith(".bc")}
    assert for_other_bindings == set(KERNELS)
    assert numbers(TRAIN, warm.directory) == warm.losses
    assert entries(warm.directory) == before


def test_info_counts_what_a_run_has_left(warm, monkeypatch):
    monkeypatch.setenv("FASTGROK_CACHE_DIR", str(warm.directory))
    sizes = {name: size for name, (size, _) in entries(warm.directory).items() if name.startswith(KERNELS)}
    (warm.directory / "draft").mkdir()
    (warm.directory / "another.txt").write_text("what is no kernel")
    said = collect()["cache"]
    assert said["kernels"] == sum(name.endswith(".o") for name in sizes) >= 3
    assert said["bytes"] == sum(sizes.values())


def test_what_is_on_disk_is_run_without_numba(warm):
    """Numba, and what it imports, takes longer to import than NumPy."""
    script = (
        BOTH
        + """
import sys
fg.run(exp, seeds=5, specialize=False, lanes=8, threads=1, progress=False)
print(json.dumps([name for name in ("numba", "scipy") if name in sys.modules]))
"""
    )
    assert python(script, warm.directory, ROOT) == []


def test_an_edited_kernel_is_compiled_again(warm, tmp_path):
    source = Path(fastgrok.__file__).parent
    shutil.copytree(source, tmp_path / "fastgrok", ignore=shutil.ignore_patterns("__pycache__"))
    before = entries(warm.directory)
    assert numbers(TRAIN, warm.directory, tmp_path) == warm.losses
    assert entries(warm.directory) == before  # the same sources elsewhere find the same entries
    edited = tmp_path / "fastgrok" / "kernels" / "nn" / "activations.py"
    old, new = "z * like(z, slope))", "z * like(z, 2.0 * slope))"
    text = edited.read_text()
    assert text.count(old) == 1
    edited.write_text(text.replace(old, new))
    changed = numbers(TRAIN, warm.directory, tmp_path)
    assert all(a != b for a, b in zip(changed, warm.losses, strict=True))
    assert set(entries(warm.directory)) > set(before)
    assert numbers(TRAIN, warm.directory) == warm.losses  # and the entries of the old sources are still theirs


@pytest.mark.parametrize("edited", ["rng/pcg64.py", "lanes/arithmetic.py", "train/driver.py"])
def test_an_edit_to_any_kernel_file_makes_new_entries(edited, warm, tmp_path):
    """Even to one that the kernel does not call, and in a folder of its own: nothing keeps track of that."""
    shutil.copytree(ROOT / "fastgrok", tmp_path / "fastgrok", ignore=shutil.ignore_patterns("__pycache__"))
    with open(tmp_path / "fastgrok" / "kernels" / edited, "a") as file:
        file.write("# edited\n")
    before = entries(warm.directory)
    assert numbers(DRAW, warm.directory, tmp_path) == numbers(DRAW, warm.directory)
    new = entries(warm.directory).keys() - before.keys()
    assert Counter(name.split("-")[0] for name in new) == {"initialise": 2, "kind": 3}  # constant, uniform, free


DAMAGE = {
    "truncated": lambda blob: blob[: len(blob) // 2],
    "garbage": lambda blob: b"\x80\x04garbage" * 1000,
    "empty": lambda blob: b"",
    "one byte": lambda blob: blob[:1],
    "one bit flipped": lambda blob: (
        blob[: len(blob) // 2] + bytes([blob[len(blob) // 2] ^ 1]) + blob[len(blob) // 2 + 1 :]
    ),
}


def test_a_truncated_entry_is_compiled_again_and_mended(warm):
    drawn = numbers(DRAW, warm.directory)
    before = entries(warm.directory)
    path = next(warm.directory.glob("initialise-*"))
    path.write_bytes(DAMAGE["truncated"](path.read_bytes()))
    assert numbers(DRAW, warm.directory) == drawn
    after = entries(warm.directory)
    assert after.keys() == before.keys()
    assert numbers(DRAW, warm.directory) == drawn
    assert entries(warm.directory) == after


def test_a_cache_directory_that_cannot_be_made_is_survived(warm, tmp_path):
    """Under a regular file: permissions would not keep root out."""
    (tmp_path / "file").write_text("not a directory")
    assert numbers(DRAW, tmp_path / "file" / "cache") == numbers(DRAW, warm.directory)
    assert (tmp_path / "file").read_text() == "not a directory"


# The same of a kernel of one line, in this process.


def small_kernel(constant: float) -> Any:
    @kernel("small", constant)
    def small(out, x):
        out[0] = x + constant

    return small


def result(kernel: Any, x: float) -> float:
    out = np.zeros(1)
    kernel(out, x)
    return out[0]


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FASTGROK_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_entry_is_compiled_again(damage, cache, monkeypatch):
    assert result(small_kernel(0.5), 1.0) == 1.5
    (path,) = cache.iterdir()
    good = path.read_bytes()
    path.write_bytes(DAMAGE[damage](good))
    compiled = []
    monkeypatch.setattr(pipeline, "bitcode", lambda *args: compiled.append(args) or bitcode(*args))
    assert result(small_kernel(0.5), 1.0) == 1.5
    assert len(compiled) == 1
    assert [entry.stat().st_size // 1000 for entry in cache.iterdir()] == [len(good) // 1000]
    assert result(small_kernel(0.5), 1.0) == 1.5
    assert len(compiled) == 1


def test_each_key_and_signature_has_an_entry_of_its_own(cache):
    assert [result(small_kernel(c), x) for c in (0.5, 0.25) for x in (1.0, 1)] == [1.5, 1.5, 1.25, 1.25]
    assert len(list(cache.iterdir())) == 4


def test_an_entry_that_cannot_be_read_or_replaced_is_survived(cache):
    result(small_kernel(0.5), 1.0)
    (path,) = cache.iterdir()
    path.unlink()
    path.mkdir()
    (path / "in the way").touch()
    assert result(small_kernel(0.5), 1.0) == 1.5
    assert list(cache.iterdir()) == [path]  # no temporary file is left


needs_owners = pytest.mark.skipif(not hasattr(os, "getuid"), reason="files have no owner that Python knows")


@needs_owners
@pytest.mark.parametrize("who", ["another user's", "for all to write"])
def test_a_file_that_others_may_have_written_is_not_run(cache, who):
    result(small_kernel(0.5), 1.0)
    (path,) = cache.iterdir()
    before = path.read_bytes()
    if who == "for all to write":
        path.chmod(0o666)
    elif os.getuid() == 0:
        os.chown(path, 12345, 12345)
    else:
        pytest.skip("only root can give files away")
    path.write_bytes(hashlib.sha256(path.name.encode() + b"\0bad code").digest() + b"bad code")
    assert result(small_kernel(0.5), 1.0) == 1.5
    assert len(path.read_bytes()) == len(before)
    assert path.stat().st_uid == os.getuid()
    assert path.stat().st_mode & 0o777 == 0o600


@needs_owners
def test_a_directory_where_others_can_write_is_not_used_which_is_said_once(cache):
    cache.mkdir()
    cache.chmod(0o777)
    with pytest.warns(RuntimeWarning, match=f"{cache} are not used: others can write there. Make it yours alone"):
        assert result(small_kernel(0.5), 1.0) == 1.5
    assert result(small_kernel(0.25), 1.0) == 1.25
    assert not list(cache.iterdir())


@needs_owners
def test_a_new_directory_is_this_users_alone(cache):
    before = os.umask(0o002)
    try:
        assert result(small_kernel(0.5), 1.0) == 1.5
    finally:
        os.umask(before)
    assert cache.stat().st_mode & 0o777 == 0o700
    assert len(list(cache.iterdir())) == 1


@needs_owners
def test_each_directory_that_is_made_is_this_users_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("FASTGROK_CACHE_DIR", str(tmp_path / "home" / "cache" / "kernels"))
    before = os.umask(0)
    try:
        assert result(small_kernel(0.5), 1.0) == 1.5
        compiling._spawn(tmp_path / "other" / "kernels" / "x.claim", (lambda: 0,))
    finally:
        os.umask(before)
    made = [path for path in tmp_path.rglob("*") if path.is_dir()]
    assert len(made) == 5
    assert {path.stat().st_mode & 0o777 for path in made} == {0o700}


def test_a_file_under_the_name_of_another_kernel_is_not_run(cache):
    result(small_kernel(0.5), 1.0)
    (path,) = cache.iterdir()
    assert result(small_kernel(0.25), 1.0) == 1.25
    (other,) = set(cache.iterdir()) - {path}
    path.rename(other)
    assert result(small_kernel(0.25), 1.0) == 1.25


@needs_owners
def test_links_are_looked_through(cache, tmp_path, monkeypatch):
    result(small_kernel(0.5), 1.0)
    (tmp_path / "link").symlink_to(cache)
    monkeypatch.setenv("FASTGROK_CACHE_DIR", str(tmp_path / "link"))
    compiled = []
    monkeypatch.setattr(pipeline, "bitcode", lambda *args: compiled.append(args) or bitcode(*args))
    assert result(small_kernel(0.5), 1.0) == 1.5
    assert not compiled
    (path,) = cache.iterdir()
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert result(small_kernel(0.5), 1.0) == 1.5
    assert not compiled
    (tmp_path / "elsewhere").chmod(0o666)
    assert result(small_kernel(0.5), 1.0) == 1.5
    assert len(compiled) == 1
    cache.chmod(0o777)
    with pytest.warns(RuntimeWarning, match="others can write there"):
        assert result(small_kernel(0.5), 1.0) == 1.5
    assert len(compiled) == 2


@pytest.mark.parametrize("chosen", [None, "~/kernels"])
def test_without_a_home_nothing_is_kept_which_is_said_once(chosen, tmp_path, monkeypatch):
    """Python then leaves "~" as it is, which would be a directory in the current one."""
    monkeypatch.delenv("FASTGROK_CACHE_DIR")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    if chosen is not None:
        monkeypatch.setenv("FASTGROK_CACHE_DIR", chosen)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    monkeypatch.setattr("fastgrok.kernels.cache._warn", functools.cache(_warn.__wrapped__))
    monkeypatch.chdir(tmp_path)
    with pytest.warns(RuntimeWarning, match="this user has no home directory. Set FASTGROK_CACHE_DIR"):
        assert result(small_kernel(0.5), 1.0) == 1.5
    assert result(small_kernel(0.25), 1.0) == 1.25
    assert collect()["cache"]["directory"] is None
    assert list(tmp_path.iterdir()) == []


NUMBA_OPTIONS = {
    "NUMBA_OPT": "0",
    "NUMBA_DISABLE_JIT": "1",
    "NUMBA_DEBUGINFO": "1",
    "NUMBA_BOUNDSCHECK": "1",
    "NUMBA_ENABLE_AVX": "0",
    "NUMBA_LOOP_VECTORIZE": "0",
    "NUMBA_SLP_VECTORIZE": "1",
    "NUMBA_EXTEND_VARIABLE_LIFETIMES": "1",
    "NUMBA_LLVM_REFPRUNE_PASS": "0",
}


def test_no_option_of_numba_changes_machine_code(tmp_path, monkeypatch):
    """So none is in the key: code that was compiled with NUMBA_OPT=0 would make all later runs slow."""
    drawn = [numbers(DRAW, tmp_path / "without")]
    for name, value in NUMBA_OPTIONS.items():
        monkeypatch.setenv(name, value)
    drawn.append(numbers(DRAW, tmp_path / "with"))
    assert drawn[0] == drawn[1]
    code = [{path.name: path.read_bytes() for path in (tmp_path / each).glob("*.o")} for each in ("without", "with")]
    assert code[0] == code[1] != {}


@pytest.mark.parametrize("hook", ["sys.setprofile(lambda *seen: None)", "sys.settrace(lambda *seen: None)"])
def test_a_profiler_is_not_in_the_way(hook, tmp_path):
    assert numbers(f"import sys; {hook}\n" + DRAW, tmp_path / "a") == numbers(DRAW, tmp_path / "a")


FEATURES = {
    "nonsense": "names of LLVM's with [+] or -",
    "+avx2,é": "names of LLVM's with [+] or -",
    "+lacking": "features of this CPU, which has no lacking",
}


@pytest.mark.parametrize("features", FEATURES)
def test_features_that_end_a_process_are_an_error(features, monkeypatch):
    """LLVM aborts where a feature has no sign, and the CPU where it has none."""
    here = llvm.FeatureMap({"avx2": True, "lacking": False})
    with pytest.raises(fastgrok.InvalidExperiment, match=f"^NUMBA_CPU_FEATURES = .*: expected {FEATURES[features]}"):
        target._checked(features, here)
    assert target._checked("-lacking,+avx2,+unheard-of", here) == "-lacking,+avx2,+unheard-of"


def test_what_was_written_first_makes_room(cache, monkeypatch):
    for k, c in enumerate((0.5, 0.25, 0.125)):
        result(small_kernel(c), 1.0)
        for path in cache.iterdir():
            if path.stat().st_mtime > 10:
                os.utime(path, (k, k))
    sizes = {path.stat().st_mtime: path.stat().st_size for path in cache.iterdir()}
    assert sorted(sizes) == [0, 1, 2]
    monkeypatch.setattr("fastgrok.kernels.cache._MOST_BYTES", sum(sizes.values()) * 4 // 3 + 100)
    result(small_kernel(2.0), 1.0)
    assert len(list(cache.iterdir())) == 4
    (cache / "notes.txt").write_text("of whoever chose the directory")
    os.utime(cache / "notes.txt", (0, 0))
    result(small_kernel(4.0), 1.0)
    assert (cache / "notes.txt").exists()
    assert all(path.stat().st_mtime > 2 for path in cache.glob("small-*"))
    assert len(list(cache.iterdir())) == 3


def test_an_empty_entry_is_compiled_again(cache):
    result(small_kernel(0.5), 1.0)
    (path,) = cache.iterdir()
    path.write_bytes(hashlib.sha256(path.name.encode() + b"\0").digest())
    assert result(small_kernel(0.5), 1.0) == 1.5


@pytest.mark.parametrize("seconds", [0.3, 0.8])
def test_ctrl_c_in_a_first_run_leaves_the_next_one_whole(cache, seconds):
    script = (
        BOTH
        + f"""
import os, signal, threading, warnings
warnings.simplefilter("ignore")
threading.Timer({seconds}, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    fg.run(exp, seeds=5, progress=False)
except KeyboardInterrupt:
    pass
print(json.dumps(fg.run(exp, seeds=5, progress=False).n_finished))
"""
    )
    assert python(script, cache, ROOT) == 5


def test_where_one_thread_was_too_many_nothing_waits_for_ever(cache):
    """The main thread compiles then, with LLVM's lock, and the next thing that wants a thread of its own gets one."""
    script = """
import json, threading
import numpy as np
from fastgrok.kernels.jit import kernel

start = threading.Thread.start

def refused(thread):
    threading.Thread.start = start
    raise RuntimeError("can't start new thread")

@kernel("small")
def small(out, x):
    out[0] = x + 0.5

threading.Thread.start = refused
small(out := np.zeros(1), 1.0)
print(json.dumps(out[0]))
"""
    assert python(script, cache, ROOT) == 1.5


def test_a_file_in_place_of_the_cache_directory_is_survived(cache):
    cache.write_text("not a directory")
    assert result(small_kernel(0.5), 1.0) == 1.5
    assert cache.read_text() == "not a directory"


BOUNDED = """
import json, os, pathlib
import fastgrok as fg
cache = pathlib.Path(os.environ["FASTGROK_CACHE_DIR"])
def run(*sizes, **fields):
    data = fg.datasets.parity(sizes[0])
    exp = fg.Experiment(fg.mlp(*sizes), data, epochs=3, **fields)
    fg.run(exp, seeds=5, specialize=False, lanes=8, threads=1, progress=False)
    return [path.name for path in cache.iterdir()]
print(json.dumps([
    run(2, 3, 1), run(2, 4, 1), run(3, 5, 2, 1), run(1, 1), run(2, 4, 1, init=fg.HeNormal(), stop=None),
    run(2, 4, 1, loss="squared_error", reduction="sum", optimizer=fg.SGD(0.01)),
]))
"""


def test_one_general_driver_serves_every_architecture(warm):
    """Numba makes it once, LLVM once for kinds of layers: here Linear, with leaky ReLUs, with ReLUs."""
    *_, names = python(BOUNDED, warm.directory, ROOT)
    suffixes = Counter((Path(name).suffix, name.split("-")[0]) for name in names)
    assert {name: n for (suffix, name), n in suffixes.items() if suffix == ".bc" and name != "kind"} == {
        "train": 1,
        "evaluate": 1,
        "initialise": 1,
    }
    assert suffixes[".o", "train"] == suffixes[".o", "evaluate"] == 3
