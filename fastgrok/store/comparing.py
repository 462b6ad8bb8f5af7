"""The rows of a store in all configurations, some seeds after others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from fastgrok.errors import InvalidExperiment
from fastgrok.results.files import OUTCOME
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.recording import shapes
from fastgrok.spec.variables import VARIABLES
from fastgrok.statistics.sweep import Rows
from fastgrok.store.rows import read
from fastgrok.store.shards import Sidecar
from fastgrok.store.specification import ALL, Specification
from fastgrok.store.storage import Storage
from fastgrok.store.work import outcome_codes

_COMPARED = (OUTCOME, "epochs_run", "epochs_to_converge", "stopped_early")
_IN_MEMORY = 2**22  # rows of all configurations at a time, some 20 bytes each
_LEAST = 2**12  # seeds at a time


def windows(storage: Storage, specification: Specification, there: Sequence[Sidecar]) -> Iterator[list[Rows]]:
    """Return the rows that comparisons need, window by window."""
    if specification.rows != ALL:
        expected = "'all', when the store is made: a comparison needs the rows of the same seeds"
        raise InvalidExperiment("rows", specification.rows, expected)
    return _windows(storage, specification, there)


def _windows(storage: Storage, specification: Specification, there: Sequence[Sidecar]) -> Iterator[list[Rows]]:
    """Yield the rows of some seeds after others, in all configurations."""
    by_id: dict[str, list[Sidecar]] = {id_: [] for id_ in specification.by_id}
    for one in there:
        by_id[one.shard.experiment_id].append(one)
    first = min([specification.seeds.start, *(one.shard.first for one in there)])
    stop = max([specification.seeds.stop, *(one.shard.stop for one in there)])
    size = max(_LEAST, _IN_MEMORY // len(specification.configurations))
    for start in range(first, stop, size):
        seeds = range(start, min(start + size, stop))
        yield [
            _rows(storage, specification, one.experiment, by_id[one.experiment.id], seeds)
            for one in specification.configurations
        ]


def _rows(
    storage: Storage, specification: Specification, experiment: Experiment, sidecars: Sequence[Sidecar], seeds: range
) -> Rows:
    """Return the rows of some seeds in one configuration."""
    there = shapes(experiment, specification.recording, len(seeds))
    columns = {name: np.zeros(there[name], VARIABLES[name].dtype) for name in _COMPARED if name in there}
    finished = np.zeros(len(seeds), np.bool_)
    for one in sidecars:
        first, stop = max(one.shard.first, seeds.start), min(one.shard.stop, seeds.stop)
        if first >= stop:
            continue
        target = slice(first - seeds.start, stop - seeds.start)
        table = read(storage, one, list(columns)).slice(first - one.shard.first, stop - first)
        for name, column in columns.items():
            column[target] = outcome_codes(table[name]) if name == OUTCOME else table[name].to_numpy()
        finished[target] = True
    return Rows(columns, finished)
