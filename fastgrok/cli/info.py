"""The command `fastgrok info`: versions, machine, and the state of the cache."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from fastgrok.cli import texts
from fastgrok.cli.output import print_json
from fastgrok.errors import one_line


def info(as_json: Annotated[bool, typer.Option("--json", help=texts.JSON)] = False) -> int:
    """Show versions, CPU, vector width, lanes chosen, and the state of the cache."""
    facts = collect()
    if as_json:
        print_json(facts)
    else:
        print("\n".join(_lines(facts)), flush=True)
    return 0


def collect() -> dict[str, Any]:
    """Return everything that `fastgrok info` shows."""
    from fastgrok.engine.threads import cpu_count
    from fastgrok.kernels.target import vector_bytes
    from fastgrok.results.provenance import cpu_name, cpu_target, versions

    return {
        "versions": dict(versions()),
        "cpu": cpu_name(),
        "cpu_target": cpu_target(),
        "vector_bits": 8 * vector_bytes(),
        "threads": cpu_count(),
        "lanes": _lanes(),
        "cache": _cache(),
    }


def _lanes() -> dict[str, dict[str, int]]:
    """Return the lanes chosen for XOR 2-4-1, by driver and dtype."""
    from fastgrok.datasets import xor
    from fastgrok.engine.driver import lane_count
    from fastgrok.spec.experiment import Experiment
    from fastgrok.spec.network import mlp

    experiment = Experiment(mlp(2, 4, 1), xor())
    return {
        driver: {
            dtype: lane_count(experiment.replace(dtype=dtype), specialize=driver == "specialised")
            for dtype in ("float64", "float32")
        }
        for driver in ("general", "specialised")
    }


def _cache() -> dict[str, Any]:
    """Return where compiled kernels are kept, how many there are, and the bytes of all that is kept for them."""
    from fastgrok.kernels.cache import cache_directory, contents

    directory, (n, size) = cache_directory(), contents()
    writable = directory is not None and _is_writable(directory)
    named = None if directory is None else str(directory)
    return {"directory": named, "kernels": n, "bytes": size, "writable": writable}


def _is_writable(directory: Path) -> bool:
    """Whether files can be made in a directory, or it can be made itself."""
    nearest = next(path for path in (directory.absolute(), *directory.absolute().parents) if path.exists())
    return nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)


def _lines(facts: dict[str, Any]) -> list[str]:
    """Return the facts as aligned lines."""
    cache = facts["cache"]
    lines = {
        **facts["versions"],
        "cpu": facts["cpu"],
        "compiled for": f"{facts['cpu_target']}, vectors of {facts['vector_bits']} bits",
        "threads": facts["threads"],
    }
    for driver, lanes in facts["lanes"].items():
        counts = ", ".join(f"{count} {dtype}" for dtype, count in lanes.items())
        lines[f"lanes, {driver}"] = f"{counts} (2-4-1)"
    where = one_line(cache["directory"] or "") or "none: no home directory, and FASTGROK_CACHE_DIR names none"
    lines["cache"] = where + ("" if cache["writable"] or not cache["directory"] else " (not writable)")
    lines["cached kernels"] = f"{cache['kernels']}, {cache['bytes'] / 1e6:.1f} MB"
    width = max(map(len, lines))
    return [f"{name:{width}}  {value}" for name, value in lines.items()]
