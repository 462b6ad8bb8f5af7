"""What a store holds: an experiment, what varies of it, the seeds, and what is kept of each."""

from __future__ import annotations

import dataclasses
import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

import fastgrok
from fastgrok.errors import InvalidExperiment, shown
from fastgrok.experiment import Experiment
from fastgrok.grid import POINT, Point, checked_axes, grid
from fastgrok.recording import DEAD_UNITS, Recording
from fastgrok.results.configuration import Axis
from fastgrok.spec import from_plain, to_plain

ALL, FAILURES = "all", "failures"
"""Which rows are kept: those of every seed, or of the seeds that did not converge."""

FORMAT = 1
"""Of the files of a store; another one is refused."""


@dataclass(frozen=True)
class Specification:
    """
    Everything that fixes the contents of a store.

    Parameters
    ----------
    experiment
        What the axes vary.
    axes
        What varies; empty for one configuration.
    seeds
        The same ones for every configuration; step 1.
    keep_params
        Whether trained parameters are kept.
    rows
        "all", or "failures": only the rows of the seeds that did not converge. All are counted.
    recording
        What is kept besides the end.
    shard_size
        Seeds of a shard at most. No bit of a row depends on it.
    version
        Of the fastgrok that trains: bits are promised within one version.
    """

    experiment: Experiment
    axes: tuple[Axis, ...]
    seeds: range
    keep_params: bool
    rows: str
    recording: Recording
    shard_size: int
    version: str = fastgrok.__version__

    @cached_property
    def points(self) -> list[Point]:
        """The configurations, in the order of the product of the axes."""
        return grid(self.experiment, self.axes)

    @cached_property
    def by_id(self) -> dict[str, Point]:
        """The configurations by the ids of their experiments."""
        return {point.experiment.id: point for point in self.points}

    def changed(self, **values: Any) -> Specification:
        """
        Return the same configurations with something else changed, without validating each of them again.

        Parameters
        ----------
        **values
            Any fields but `experiment` and `axes`.
        """
        made = dataclasses.replace(self, **values)
        known = vars(self)
        vars(made).update({name: known[name] for name in ("points", "by_id") if name in known})
        return made

    @property
    def n_runs(self) -> int:
        """Training runs: seeds times configurations."""
        return len(self.seeds) * len(self.points)

    def _options(self) -> dict[str, Any]:
        """Return what is kept and how, by the names of the arguments that say so."""
        return {
            "keep_params": self.keep_params,
            "rows": self.rows,
            "record_at": self.recording.at,
            "track": DEAD_UNITS if self.recording.dead_units else None,
            "shard_size": self.shard_size,
        }

    def to_json(self) -> str:
        """Return everything as JSON, and the version of fastgrok that makes it."""
        plain = {
            "format": FORMAT,
            "fastgrok": self.version,
            "experiment": self.experiment.to_dict(),
            "axes": [
                {"path": axis.path, "values": [_plain(axis.path, value) for value in axis.values]}
                for axis in self.axes
            ],
            "seeds": {"first": self.seeds.start, "stop": self.seeds.stop},
            **self._options(),
        }
        return json.dumps(plain, indent=1, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """
        Rebuild what `to_json` wrote.

        Parameters
        ----------
        text
            JSON.

        Raises
        ------
        InvalidExperiment
            If it is something else.
        """
        try:
            plain = json.loads(text)
            if plain["format"] != FORMAT:
                raise InvalidExperiment("store", plain["format"], f"files of format {FORMAT}")
            axes = {
                axis["path"]: [_rebuilt(axis["path"], value) for value in axis["values"]] for axis in plain["axes"]
            }
            at = plain["record_at"]
            return cls(
                experiment=Experiment.from_dict(plain["experiment"]),
                axes=tuple(checked_axes(axes)) if axes else (),
                seeds=range(plain["seeds"]["first"], plain["seeds"]["stop"]),
                keep_params=plain["keep_params"],
                rows=plain["rows"],
                recording=Recording(None if at is None else tuple(at), plain["track"] is not None),
                shard_size=plain["shard_size"],
                version=plain["fastgrok"],
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            if isinstance(error, InvalidExperiment):
                raise
            raise InvalidExperiment("store", text, f"what a sweep wrote into store.json ({error!r})") from error

    def merged(self, asked: Specification) -> Specification:
        """
        Return what a store of this specification holds if more is asked for: more seeds, more values on an axis.

        Parameters
        ----------
        asked
            What is asked for; it may also be a part of what there is.

        Raises
        ------
        InvalidExperiment
            If anything else differs: the error says what.
        """
        self.check_version()
        for name, here in self._options().items():
            if here != (there := asked._options()[name]):
                raise _differs(name, here, there)
        paths = [axis.path for axis in self.axes]
        if paths != (others := [axis.path for axis in asked.axes]):
            raise _differs("axes", ", ".join(paths) or "none", ", ".join(others) or "none")
        _check_same(self.points[0].experiment, dataclasses.replace(asked, axes=self.axes).points[0].experiment)
        if max(self.seeds.start, asked.seeds.start) > min(self.seeds.stop, asked.seeds.stop):
            first, stop = self.seeds.start, self.seeds.stop
            expected = f"seeds that overlap or follow those in the store, {first}:{stop}"
            raise InvalidExperiment("seeds", f"{asked.seeds.start}:{asked.seeds.stop}", expected)
        made = dataclasses.replace(
            self,
            axes=tuple(map(_joined, self.axes, asked.axes)),
            seeds=range(
                min(self.seeds.start, asked.seeds.start),
                max(self.seeds.stop, asked.seeds.stop),
            ),
        )
        for id_, point in asked.by_id.items():
            if id_ not in made.by_id:
                raise _differs("experiment", self.experiment, point.experiment)
        return made.checked()

    def checked(self) -> Specification:
        """
        Return it, if no two of its configurations are the same experiment.

        Raises
        ------
        InvalidExperiment
            If two are: a store finds them by their experiments.
        """
        if len(self.by_id) < len(self.points):
            twice = next(p for p in self.points if self.by_id[p.experiment.id] is not p)
            expected = "values that make experiments which differ from each other"
            raise InvalidExperiment("axes", ", ".join(f"{k}={v}" for k, v in twice.labels.items()), expected)
        return self

    def check_version(self) -> None:
        """
        Raise unless this version of fastgrok made it.

        Raises
        ------
        InvalidExperiment
            If another one did, whose bits may be others.
        """
        if self.version != fastgrok.__version__:
            raise InvalidExperiment(
                "store", self.version, f"a store made by fastgrok {fastgrok.__version__}, to add to it"
            )


def _differs(field: str, here: Any, there: Any) -> InvalidExperiment:
    """Say what is another one in the store."""
    return InvalidExperiment(field, there, f"{shown(here)}, as in the store; another store for another sweep")


def _check_same(here: Experiment, there: Experiment) -> None:
    """Raise with the first field that differs, the deeper the better."""
    if here == there:
        return
    different = [path for path in here.paths() if _at(here, path) != _at(there, path)]
    path = next(path for path in different if not any(o != path and o.startswith(path) for o in different))
    raise _differs(path, _at(here, path), _at(there, path))


def _at(experiment: Experiment, path: str) -> Any:
    """Return what stands at a path, None where there is no such path."""
    value: Any = experiment
    for step in re.findall(r"\w+", path):
        try:
            value = value[int(step)] if isinstance(value, tuple) else getattr(value, step)
        except (AttributeError, IndexError, ValueError):
            return None
    return value


def _joined(here: Axis, there: Axis) -> Axis:
    """Return the values of an axis, those of the store first."""
    values = [*here.values, *(value for value in there.values if value not in here.values)]
    joined = checked_axes({here.path: values})[0]
    if joined.labels[: len(here.labels)] != here.labels or len(set(map(type, joined.labels))) > 1:
        kind = type(here.labels[0]).__name__
        raise InvalidExperiment(f"axes[{here.path!r}]", there.values, f"values that are {kind}, as in the store")
    return joined


def _plain(path: str, value: Any) -> Any:
    """Return a value of an axis as JSON has it."""
    if path == POINT:
        return {inner: to_plain(item) for inner, item in value.items()}
    return to_plain(value.item() if isinstance(value, np.generic) else value)


def _rebuilt(path: str, value: Any) -> Any:
    """Return a value of an axis from JSON."""
    if path == POINT:
        return {inner: from_plain(item) for inner, item in value.items()}
    return from_plain(value)
