"""What a result was made from, by what, on what and when."""

import functools
import json
import platform
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType

import numpy as np

import fastgrok
from fastgrok.engine.training import TrainingOutput
from fastgrok.kernels.target import description
from fastgrok.spec.axes import Axis
from fastgrok.spec.base import to_plain
from fastgrok.spec.experiment import Experiment


def cpu_name() -> str:
    """Return the CPU's name as the system gives it, else the architecture."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def cpu_target() -> str:
    """Return the CPU that kernels are compiled for, as LLVM calls it."""
    return description()[1]


@functools.cache
def versions() -> Mapping[str, str]:
    """Return the versions of everything that may decide a bit of a result."""
    known = {
        "fastgrok": fastgrok.__version__,
        "numpy": np.__version__,
        "numba": version("numba"),
        "llvmlite": version("llvmlite"),
        "python": platform.python_version(),
    }
    return MappingProxyType(known)


def utc(seconds: float) -> str:
    """Return a time since the epoch in UTC, to the second, as ISO 8601 writes it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def now() -> str:
    """Return the time, as `utc` does."""
    return utc(time.time())


def total_drivers(parts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Return how many seeds each driver trained, in all parts together."""
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part)
    return dict(sorted(total.items()))


def provenance(
    experiment: Experiment,
    axes: Sequence[Axis],
    outputs: Sequence[TrainingOutput],
    *,
    own_params: bool,
    time: str,
) -> dict[str, str | int | float]:
    """Return the attributes of a dataset that say where it comes from.

    Notes
    -----
    Plain strings and numbers, so that every format can hold them. `experiment_json` and `axes_json` bring
    back what was run: `Experiment.from_json`, and for each value of an axis `replace_at`.
    """
    trained = [output for output in outputs if output.finished.any()]
    values = [{"path": axis.path, "values": [to_plain(value) for value in axis.values]} for axis in axes]
    return {
        "experiment_json": experiment.to_json(),
        "experiment_id": experiment.id,
        **({"axes_json": json.dumps(values, default=str)} if axes else {}),
        **{f"{name}_version": number for name, number in versions().items()},
        "cpu": cpu_name(),
        "cpu_target": cpu_target(),
        "time": time,
        "drivers": json.dumps(total_drivers(output.drivers for output in outputs)),
        "lanes": max(output.lanes for output in trained),
        "threads": max(output.threads for output in trained),
        "seconds": sum(output.seconds for output in outputs),
        "initial_params": "given" if own_params else "drawn from the seeds",
        **({"masks": "given"} if any(output.recording.masked for output in outputs) else {}),
        "interrupted": int(any(output.interrupted for output in outputs)),
    }
