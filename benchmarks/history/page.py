"""asv's numbers of several commits as a page."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.asv_benchmarks.work import EPOCHS, SEEDS, WIDE_EPOCHS, WIDE_SEEDS
from benchmarks.peers.tables import number, table

ABOUT = """# What asv has measured

Speed, start, memory and answers, followed over commits; [benchmarks/README.md](../benchmarks/README.md) says what
each does. Every commit is measured by the benchmarks of today; machines differ, so that a row is to be read where
they are the same. `python -m benchmarks.history run` adds a commit and writes this page.
"""
SECTIONS = {
    "throughput": "Million seed-epochs per second; `Predict`: milliseconds",
    "calls": "Microseconds of a call",
    "start": "Seconds to the first result",
    "memory": "Peak memory of a process, MB",
    "answers": "Answers: the same on every commit, or something is wrong",
}


def shown(key: str, value: float) -> str:
    """Return a number of a benchmark as it is shown; times of training as rates."""
    module, _, rest = key.partition(".")
    if module == "throughput" and not rest.startswith("Predict"):
        return number(_seed_epochs(rest) / value / 1e6)
    if module == "answers":
        return f"{value:.0f}" if "bits" in rest else f"{value:.4f}"
    scale = {"throughput": 1e3, "calls": 1e6, "memory": 1e-6}.get(module, 1.0)
    return number(value * scale)


def _seed_epochs(rest: str) -> int:
    """Return how many seeds times epochs a benchmark of training runs."""
    name, _, arguments = rest.partition("(")
    first = ast.literal_eval(arguments.rstrip(")") + ",")[0]
    if name.startswith("Wide"):
        return WIDE_SEEDS[first] * WIDE_EPOCHS
    return SEEDS.get(first, SEEDS["2-4-1"]) * EPOCHS


def history(kept: Sequence[Mapping[str, Any]]) -> str:
    """Return the page: a table for each module, a column for each commit, the oldest first."""
    if not kept:
        return ABOUT
    header = [f"{commit['date']} `{commit['commit'][:7]}`" for commit in kept]
    about = [f"- `{c['commit'][:7]}`, {c['date']}: {c['subject']} ({c['cpu']}, {c['threads']} threads)" for c in kept]
    keys = sorted(dict.fromkeys(key for commit in kept for key in commit["values"]))
    parts = [ABOUT.strip(), "\n".join(about)]
    for module, title in SECTIONS.items():
        rows = []
        for key in (key for key in keys if key.startswith(f"{module}.")):
            numbers = [shown(key, c["values"][key]) if key in c["values"] else "–" for c in kept]
            rows.append([f"`{key.removeprefix(f'{module}.')}`", *numbers])
        if rows:
            parts += [f"## {title}", table([module, *header], rows)]
    return "\n\n".join(parts) + "\n"
