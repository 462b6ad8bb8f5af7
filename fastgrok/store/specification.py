"""What a store holds: an experiment, what varies of it, the seeds, and what is kept of each."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

import fastgrok
from fastgrok.errors import InvalidExperiment
from fastgrok.spec.axes import POINT, Axis, Configuration, checked_axes, grid
from fastgrok.spec.base import from_plain, to_plain
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.recording import DEAD_UNITS, Recording
from fastgrok.store.document import ALL, FAILURES, FORMAT, read, written

__all__ = ["ALL", "FAILURES", "Specification"]


@dataclass(frozen=True)
class Specification:
    """Everything that fixes the contents of a store."""

    experiment: Experiment  # what the axes vary
    axes: tuple[Axis, ...]  # what varies; empty for one configuration
    seeds: range  # the same ones for every configuration; step 1
    keep_params: bool  # whether trained parameters are kept
    rows: str  # "all", or "failures": only the rows of the seeds that did not converge. All are counted
    recording: Recording  # what is kept besides the end
    shard_size: int  # seeds of a shard at most. No bit of a row depends on it
    version: str = fastgrok.__version__  # of the fastgrok that trains: bits are promised within one version

    @cached_property
    def configurations(self) -> list[Configuration]:
        """The configurations, in the order of the product of the axes."""
        return grid(self.experiment, self.axes)

    @cached_property
    def by_id(self) -> dict[str, Configuration]:
        """The configurations by the ids of their experiments."""
        return {one.experiment.id: one for one in self.configurations}

    def changed(self, **values: Any) -> Specification:
        """Return the same configurations with something else changed, without validating each of them again."""
        made = dataclasses.replace(self, **values)
        known = vars(self)
        vars(made).update({name: known[name] for name in ("configurations", "by_id") if name in known})
        return made

    @property
    def n_runs(self) -> int:
        """Training runs: seeds times configurations."""
        return len(self.seeds) * len(self.configurations)

    def options(self) -> dict[str, Any]:
        """Return what is kept and how, by the names of the arguments that say so."""
        return {
            "keep_params": self.keep_params,
            "rows": self.rows,
            "record_at": self.recording.at,
            "track": DEAD_UNITS if self.recording.dead_units else None,
            "shard_size": self.shard_size,
        }

    def to_json(self) -> str:
        """Return everything as JSON, the version of fastgrok that makes it, and the SHA-256 of all that."""
        plain = {
            "format": FORMAT,
            "fastgrok": self.version,
            "experiment": self.experiment.to_dict(),
            "axes": [
                {"path": axis.path, "values": [_plain(axis.path, value) for value in axis.values]}
                for axis in self.axes
            ],
            "seeds": {"first": self.seeds.start, "stop": self.seeds.stop},
            **self.options(),
        }
        return written(plain)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Rebuild what `to_json` wrote."""
        found = read(text)
        axes = {axis.path: [_rebuilt(axis.path, value) for value in axis.values] for axis in found.axes}
        return cls(
            experiment=Experiment.from_dict(found.experiment),
            axes=tuple(checked_axes(axes)) if axes else (),
            seeds=range(found.seeds.first, found.seeds.stop),
            keep_params=found.keep_params,
            rows=found.rows,
            recording=Recording(None if found.record_at is None else tuple(found.record_at), found.track is not None),
            shard_size=found.shard_size,
            version=found.fastgrok,
        )

    def checked(self) -> Specification:
        """Return it, if no two of its configurations are the same experiment."""
        if len(self.by_id) < len(self.configurations):
            twice = next(one for one in self.configurations if self.by_id[one.experiment.id] is not one)
            expected = "values that make experiments which differ from each other"
            raise InvalidExperiment("axes", ", ".join(f"{k}={v}" for k, v in twice.labels.items()), expected)
        return self

    def check_version(self) -> None:
        """Raise unless this version of fastgrok made it."""
        if self.version != fastgrok.__version__:
            raise InvalidExperiment(
                "store", self.version, f"a store made by fastgrok {fastgrok.__version__}, to add to it"
            )


def _plain(path: str, value: Any) -> Any:
    """Return a value of an axis as JSON has it."""
    if path == POINT:
        return {inner: to_plain(item) for inner, item in value.items()}
    return to_plain(value.item() if isinstance(value, np.generic) else value)


def _rebuilt(path: str, value: Any) -> Any:
    """Return a value of an axis from JSON."""
    if path == POINT and isinstance(value, dict):
        return {inner: from_plain(item) for inner, item in value.items()}
    return from_plain(value)
