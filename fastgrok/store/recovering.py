"""A store that has lost store.json: what it held, as far as its shards and the sweep that is asked for tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import fastgrok
from fastgrok.engine.training import TrainingOutput
from fastgrok.errors import InvalidExperiment
from fastgrok.spec.axes import Configuration
from fastgrok.store.growing import grown
from fastgrok.store.rows import read
from fastgrok.store.shards import Sidecar
from fastgrok.store.specification import ALL, FAILURES, Specification
from fastgrok.store.storage import Storage
from fastgrok.store.surveying import names, survey
from fastgrok.store.work import PARAMS, STORE, rows_table


def has_shards(storage: Storage) -> bool:
    """Whether shards are where a store has them."""
    return bool(names(storage, ".json"))


def recovered(storage: Storage, asked: Specification) -> Specification:
    """Return what a store without store.json is to hold: what is asked for, and all seeds of its shards."""
    there = survey(storage, asked).there
    if not there:
        expected = f"the directory of this sweep: it has lost {STORE}, and none of its shards is of this experiment"
        raise InvalidExperiment("store", storage.root, expected)
    _check_rows(there, asked)
    seen: set[str] = set()
    for one in there:
        if one.shard.experiment_id not in seen:
            seen.add(one.shard.experiment_id)
            _check_columns(read(storage, one).column_names, one, asked)
    first, stop = min(one.shard.first for one in there), max(one.shard.stop for one in there)
    return grown(asked.changed(seeds=range(first, stop)), asked)


def _check_rows(there: Sequence[Sidecar], asked: Specification) -> None:
    """Raise unless the shards were made by this version, with these rows."""
    for one in there:
        if (version := one.versions.get("fastgrok")) != fastgrok.__version__:
            expected = f"shards made by fastgrok {fastgrok.__version__}, and {one.shard.rows_name} was not"
            raise InvalidExperiment("store", version, expected)
        kept = {ALL: one.counts.n, FAILURES: one.counts.n - one.counts.n_converged}
        if kept[asked.rows] != one.n_rows:
            raise _otherwise("rows", asked.rows, next((name for name in kept if kept[name] == one.n_rows), "?"), one)


def _check_columns(columns: Sequence[str], one: Sidecar, asked: Specification) -> None:
    """Raise unless a shard has the columns that it would be given now."""
    if (PARAMS in columns) != asked.keep_params:
        raise _otherwise("keep_params", asked.keep_params, not asked.keep_params, one)
    wanted = _columns(asked, asked.by_id[one.shard.experiment_id])
    if other := sorted(wanted ^ (set(columns) - {PARAMS})):
        expected = f"axes, record_at and track as they were when {one.shard.rows_name} was made"
        raise InvalidExperiment("columns", ", ".join(other), expected)


def _columns(asked: Specification, configuration: Configuration) -> set[str]:
    """Return the names of the columns of a configuration, but that of its parameters."""
    blank = TrainingOutput.blank(configuration.experiment, asked.recording, 0)
    table = rows_table(asked, configuration, blank, np.empty(0, np.uint64))
    return set(table.column_names)


def _otherwise(field: str, value: Any, there: Any, one: Sidecar) -> InvalidExperiment:
    """Say that a shard was made with another value."""
    return InvalidExperiment(field, value, f"{there!r}, as {one.shard.rows_name} was made")
