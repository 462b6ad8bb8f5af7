"""Where and with what the figures were measured."""

from __future__ import annotations

import datetime
import platform
import re
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from benchmarks.peers.cpp_lanes import COMPILERS
from benchmarks.peers.peer import THREADS

PACKAGES = ("fastgrok", "numpy", "numba", "llvmlite", "torch", "jax")


def cpu_name() -> str:
    """Return the model name of the CPU, as Linux or else Python knows it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """Return the versions of Python, and of the packages and compilers that are installed."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found | {compiler: compiler_version(compiler) for compiler in COMPILERS if shutil.which(compiler)}


def compiler_version(compiler: str) -> str:
    """Return what a compiler says of itself: three numbers, of whatever else it says."""
    said = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=False).stdout
    numbers = re.search(r"\d+\.\d+\.\d+", said)
    return numbers[0] if numbers else "of an unknown version"


def describe(arguments: Sequence[str], program: str = "benchmarks.peers") -> dict[str, object]:
    """Return CPU, threads, versions, date and the command that was given, without this machine's paths."""
    shown = ["PATH" if Path(word).is_absolute() else word for word in arguments]
    return {
        "cpu": cpu_name(),
        "threads": THREADS,
        "versions": versions(),
        "date": datetime.date.today().isoformat(),
        "command": shlex.join(["python", "-m", program, *shown]),
    }
