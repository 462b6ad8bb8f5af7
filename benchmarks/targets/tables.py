"""The table of the targets, as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.peers.tables import number, table
from benchmarks.targets.registry import Target

Said = Mapping[str, Mapping[str, Any]]
"""What "now" and perhaps "before" answered: {"measured": number} or {"failed": why}."""


@dataclass(frozen=True)
class Line:
    """One target, what the versions answered, their commits, and how long it took."""

    target: Target
    said: Said
    commits: Mapping[str, str]
    seconds: float

    @property
    def verdict(self) -> str:
        now = self.said["now"].get("measured")
        return "not measured" if now is None else "yes" if self.target.reached(now) else "no"

    def figure(self, version: str) -> str:
        """Return a version's figure with its unit; a dash where there is none."""
        measured = self.said.get(version, {}).get("measured")
        return "–" if measured is None else _with_unit(measured, self.target.unit)

    @property
    def aim(self) -> str:
        return ("≥ " if self.target.at_least else "≤ ") + _with_unit(self.target.target, self.target.unit)

    def as_json(self) -> dict[str, object]:
        """Return the numbers, in the target's unit."""
        target = {"name": self.target.name, "target": self.target.target, "unit": self.target.unit}
        return {**target, "at_least": self.target.at_least, **self.said, "commits": dict(self.commits)}


def _with_unit(value: float, unit: str) -> str:
    return number(value) + (unit if unit == "x" else f" {unit}")


def progress(line: Line) -> str:
    """Return what is said while the next figure is measured."""
    failures = "; ".join(f"{version}: {said['failed']}" for version, said in line.said.items() if "failed" in said)
    figures = f"{line.figure('now')} ({line.aim}: {line.verdict}), before {line.figure('before')}"
    return f"{line.target.name}: {figures}, {line.seconds:.0f} s" + (f" [{failures}]" if failures else "")


def report(environment: Mapping[str, Any], lines: Sequence[Line]) -> str:
    """Return the table, under what it was measured with, above what failed."""
    versions = ", ".join(f"{name} {version}" for name, version in environment["versions"].items())
    commits = lines[0].commits if lines else {}
    before = f" Before: commit {commits['before']}." if "before" in commits else ""
    about = (
        f"Measured {environment['date']} on {environment['cpu']}, {environment['threads']} threads, at commit "
        f"{commits.get('now', '–')}, with {versions}, by `{environment['command']}`, in "
        f"{sum(line.seconds for line in lines) / 60:.0f} minutes.{before} Ratios are medians of runs right after "
        "each other, since the machine's clock changes; what is compared was checked to give the same losses."
    )
    rows = [[line.target.name, line.figure("before"), line.figure("now"), line.aim, line.verdict] for line in lines]
    failed = [
        f"- {line.target.name}, {version}: {said['failed']}"
        for line in lines
        for version, said in line.said.items()
        if "failed" in said
    ]
    parts = [about, table(["figure", "before", "now", "target", "reached"], rows)]
    if failed:
        parts.append("Not measured:\n\n" + "\n".join(failed))
    n_reached = sum(line.verdict == "yes" for line in lines)
    return "\n\n".join([*parts, f"Reached: {n_reached} of {len(lines)}."])
