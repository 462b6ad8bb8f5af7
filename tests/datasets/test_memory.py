"""What would take more memory than this process may is refused before anything is made, by every call."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import fastgrok as fg
from fastgrok import InvalidExperiment
from fastgrok.datasets import memory
from fastgrok.datasets.memory import check_fits


@pytest.fixture
def system(tmp_path, monkeypatch):
    """Write files of a system that are read instead of this one's."""
    monkeypatch.setattr(memory, "_ROOT", tmp_path)
    monkeypatch.setattr(memory, "_of_process", lambda: ())

    def write(**files: str) -> None:
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/").replace("_DOT_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    write(proc__meminfo="MemTotal: 64000000 kB\nMemFree: 1 kB\nMemAvailable: 32000000 kB\n")
    return write


def refusal(size: int) -> str:
    with pytest.raises(InvalidExperiment, match=r"^seeds = 7: expected fewer: ") as caught:
        check_fits("seeds", 7, size)
    return caught.value.accepted


def test_the_limit_is_what_the_machine_has_left(system) -> None:
    check_fits("seeds", 7, 32_700_000_000)
    assert refusal(32_800_000_000) == "fewer: 32.8 GB do not fit into 32.8 GB of memory"
    assert refusal(10**22) == "fewer: 10,000,000,000,000 GB do not fit into 32.8 GB of memory"


def test_the_limit_is_that_of_a_control_group(system) -> None:
    """Of version 2: of the group or of one above it, whichever leaves less; pages that can be given back are free."""
    system(proc__self__cgroup="0::/site/job\n")
    check_fits("seeds", 7, 3 * 10**9)
    own = "sys__fs__cgroup__site__job__memory_DOT_"
    system(**{f"{own}max": "max\n", f"{own}current": "900000000\n"})
    check_fits("seeds", 7, 3 * 10**9)
    above = "sys__fs__cgroup__site__memory_DOT_"
    system(**{f"{above}max": "2000000000\n", f"{above}current": "900000000\n"})
    system(**{f"{above}stat": "anon 100000000\ninactive_file 600000000\n"})
    check_fits("seeds", 7, 1_600_000_000)
    assert refusal(1_700_000_000) == (
        "fewer: 1.7 GB do not fit into 1.7 GB of memory, by the limit of its control group"
    )


def test_the_limit_is_that_of_a_control_group_of_version_1(system) -> None:
    """In a container the path is that of the host, and the files are those of the container."""
    system(proc__self__cgroup="12:cpu:/docker/ab12\n5:memory:/docker/ab12\n0::/\n")
    system(sys__fs__cgroup__memory__memory_DOT_limit_in_bytes="2000000000\n")
    system(sys__fs__cgroup__memory__memory_DOT_usage_in_bytes="500000000\n")
    check_fits("seeds", 7, 1_400_000_000)
    assert "into 1.5 GB of memory, by the limit of its control group" in refusal(1_600_000_000)


@pytest.mark.parametrize("text", ["", "nonsense", "0::\n", "5:memory:\n"])
def test_files_that_say_nothing_leave_the_limit_of_the_machine(system, text: str) -> None:
    system(proc__self__cgroup=text)
    system(sys__fs__cgroup__memory_DOT_max="many\n")
    check_fits("seeds", 7, 3 * 10**9)


def _unknown(name: str) -> int:
    raise ValueError(f"unrecognized configuration name {name}")


@pytest.mark.parametrize("sysconf", [None, _unknown, lambda name: -1], ids=["Windows", "unknown", "no limit"])
def test_where_the_memory_is_not_known_nothing_that_an_address_can_name_is_refused(
    monkeypatch, tmp_path, sysconf
) -> None:
    monkeypatch.setattr(memory, "_ROOT", tmp_path)
    monkeypatch.setattr(memory, "_of_process", lambda: ())
    monkeypatch.delattr(os, "sysconf", raising=False)
    if sysconf is not None:
        monkeypatch.setattr(os, "sysconf", sysconf, raising=False)
    check_fits("seeds", 1, 2**50)
    exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=1)
    assert fg.run(exp, 5000, progress=False).n_finished == 5000
    with pytest.raises(InvalidExperiment, match="seeds"):
        check_fits("seeds", 2**61, 2**64)


LIMITED = """
import json, resource, tempfile, zipfile
import numpy as np
import pyarrow.compute, pyarrow.csv  # which take memory of their own
import fastgrok as fg

exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=20)
trainer, deep = fg.compile(exp), fg.mlp(2, 4096, 4096, 4096, 1)
result = fg.run(exp, 1000, keep_params=True, progress=False)
params, many = np.zeros((5000, 17)), np.zeros((5_000_000, 17))
folder = tempfile.mkdtemp()
with zipfile.ZipFile(folder + "/bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
    with archive.open("X.npy", "w") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": (40_000_000, 1)})
        for _ in range(320):
            file.write(bytes(10**6))
    with archive.open("y.npy", "w") as file:
        np.save(file, np.zeros(3))
with open(folder + "/words.csv", "w") as file:
    file.write("word,y\\n" + "".join(f"w{k % 4000},{k % 2}\\n" for k in range(20_000)))
with open(folder + "/classes.csv", "w") as file:
    file.write("x,y\\n" + "".join(f"{k},c{k % 4000}\\n" for k in range(20_000)))
wide = np.broadcast_to(0.5, (1000, 200_000))

CALLS = {
    "run": lambda: fg.run(exp, 10**9),
    "run of a range": lambda: fg.run(exp, range(0, 10**18, 7)),
    "run that keeps parameters": lambda: fg.run(exp, 5_000_000, keep_params=True),
    "run of a large network": lambda: fg.run(exp.replace(network=deep), 1000),
    "sweep": lambda: fg.sweep(exp, 5_000_000, {"lr": [0.1, 0.2, 0.3]}),
    "initial_params": lambda: fg.initial_params(exp, 10**9),
    "initial_params of a trainer": lambda: trainer.initial_params(10**9),
    "predict": lambda: fg.predict(exp.network, params, np.zeros((10**5, 2))),
    "predict of a result": lambda: result.predict(np.zeros((10**6, 2))),
    "predict of a trainer": lambda: trainer.predict(params, np.zeros((10**5, 2))),
    "predict of wide inputs": lambda: fg.predict(fg.mlp(2, 1), [np.zeros((2, 1)), np.zeros(1)], wide),
    "compile": lambda: fg.compile(exp.replace(network=deep)),
    "train": lambda: trainer.train(many),
    "gradients": lambda: trainer.gradients(many),
    "loss_and_gradients": lambda: trainer.loss_and_gradients(many),
    "replay of seeds": lambda: fg.replay(exp, range(10**8)),
    "replay of epochs": lambda: fg.replay(exp.replace(epochs=10**8), 1),
    "Dataset": lambda: fg.Dataset(wide, np.zeros(1000)),
    "inputs": lambda: exp.data.inputs(wide),
    "from_npz": lambda: fg.Dataset.from_npz(folder + "/bomb.npz"),
    "from_csv of words": lambda: fg.Dataset.from_csv(folder + "/words.csv", "y", categorical="word"),
    "from_csv of classes": lambda: fg.Dataset.from_csv(folder + "/classes.csv", "y"),
}
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 500_000_000,) * 2)
before, said = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, {}
for name, call in CALLS.items():
    try:
        call()
        said[name] = "it was done"
    except BaseException as error:
        said[name] = f"{type(error).__name__}: {error}"
print(json.dumps({"said": said, "kilobytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before}))
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="Linux says how much of the address space is used")
def test_every_call_refuses_before_it_takes_what_the_process_may_not_have() -> None:
    done = subprocess.run([sys.executable, "-c", LIMITED], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    for name, line in answer["said"].items():
        assert line.startswith("InvalidExperiment: "), (name, line)
        assert "GB of memory, by the limit of the process (RLIMIT_AS)" in line, (name, line)
        assert len(line.splitlines()) == 1
    for name in ("run", "sweep", "initial_params"):
        assert answer["said"][name].startswith("InvalidExperiment: seeds = ")
    assert answer["kilobytes"] < 120_000
