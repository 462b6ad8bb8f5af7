"""A sweep into a store: what it is to hold, how it is cut, and what it will take."""

from __future__ import annotations

import math
import operator
import os
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

from fastgrok.engine import arguments, training
from fastgrok.engine.arguments import ExecutionOptions
from fastgrok.engine.driver import cpu_count
from fastgrok.engine.kernel_params import flops_per_epoch
from fastgrok.errors import InvalidExperiment, one_of
from fastgrok.spec.axes import checked_axes
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.recording import NOTHING, checked_recording
from fastgrok.store.opening import made_store, planned_store
from fastgrok.store.specification import ALL, FAILURES, Specification
from fastgrok.store.store import Store

_SHARD_SECONDS = 2.0  # of one thread
_SHARD_BYTES = 32 * 2**20  # of its rows in memory
_SHARES = 4  # shards of a small sweep for each thread, so that all of them end together
_MOST_SEEDS = 2**17  # of a shard


class Estimate(NamedTuple):
    """What a sweep will take, roughly: no seed is known to stop early."""

    n_configurations: int  # points of the sweep
    n_seeds: int  # seeds of each
    n_runs: int  # training runs that are still to be done
    n_shards: int  # files of their rows
    seed_epochs: int  # epochs, all seeds together, if none stops early
    seconds: float  # that they take on so many threads as this process may use
    n_bytes: int  # of the rows, before they are compressed


def specified(
    experiment: Experiment,
    seeds: Any,
    axes: Any,
    *,
    keep_params: Any = False,
    rows: Any = ALL,
    record_at: Any = None,
    track: Any = None,
    shard_size: Any = None,
) -> Specification:
    """Return what a sweep into a store is asked for."""
    if rows not in (ALL, FAILURES):
        raise InvalidExperiment("rows", rows, one_of([ALL, FAILURES]))
    is_alone = axes is None or (isinstance(axes, Mapping) and not axes)
    checked = () if is_alone else tuple(checked_axes(axes))
    size = arguments.checked_integer("shard_size", shard_size)
    keep = bool(arguments.checked_flag("keep_params", keep_params, optional=False))
    made = Specification(experiment, checked, range(1), keep, rows, NOTHING, size or 1)
    recording = checked_recording(record_at, track, max(one.experiment.epochs for one in made.configurations))
    made = made.changed(recording=recording)
    for stream in {one.experiment.stream for one in made.configurations}:
        chosen = _in_a_row(seeds, stream)
    if rows == FAILURES:
        for configuration in made.configurations:
            if configuration.experiment.criteria is None:
                wanted = "a criterion Converged(...) with rows='failures': without it all seeds are failures"
                raise InvalidExperiment("stop", configuration.experiment.stop, wanted)
    return made.checked().changed(seeds=chosen, shard_size=size or _shard_size(made, len(chosen)))


def _in_a_row(seeds: Any, stream: str) -> range:
    """Return seeds as a range of step 1."""
    largest = arguments.LARGEST_SEED[stream]
    if isinstance(seeds, range) and seeds.step == 1 and seeds:
        if seeds.start < 0 or seeds.stop - 1 > largest:
            raise InvalidExperiment("seeds", seeds, f"a range within 0 to {largest}")
        if seeds.stop - seeds.start > sys.maxsize:
            raise InvalidExperiment("seeds", seeds, f"at most {sys.maxsize} seeds")
        return seeds
    try:
        n = 0 if isinstance(seeds, range) else operator.index(seeds)
    except TypeError:
        n = 0
    if isinstance(seeds, bool) or (n == 0 and not isinstance(seeds, int)):
        expected = "a number of seeds, or a range with step 1: a store holds seeds in a row"
        raise InvalidExperiment("seeds", seeds, expected)
    if not 1 <= n <= largest + 1:
        raise InvalidExperiment("seeds", seeds, f"a number of seeds from 1 to {largest + 1}")
    return _in_a_row(range(n), stream)


def _shard_size(specification: Specification, n: int) -> int:
    """Return the seeds of a shard: seconds of work, bounded memory, and enough shards for all threads."""
    experiments = [one.experiment for one in specification.configurations]
    flops = max(flops_per_epoch(one) * max(one.epochs, 1) for one in experiments)
    size = _SHARD_SECONDS * training.SPECIALISED_FLOPS / flops
    row = max(_row_bytes(specification, one) for one in experiments)
    shares = math.ceil(n * len(specification.configurations) / (_SHARES * cpu_count()))
    return max(1, min(int(size), _SHARD_BYTES // row, _MOST_SEEDS, max(shares, 64), n))


def _row_bytes(specification: Specification, experiment: Experiment) -> int:
    """Return the bytes of one seed in memory."""
    return arguments.row_bytes(experiment, specification.recording, int(specification.keep_params))


def estimate(specification: Specification) -> Estimate:
    """Return what a sweep will take."""
    first, size = specification.seeds.start, specification.shard_size
    cells = (specification.seeds.stop - 1) // size - first // size + 1
    n_seeds = dict.fromkeys(specification.by_id, len(specification.seeds))
    return _estimate(specification, n_seeds, cells * len(n_seeds))


def estimate_in(
    path: str | os.PathLike[str], specification: Specification, options: ExecutionOptions, shard_size: Any
) -> Estimate:
    """Return what is still to be done of a sweep into a store that may be there, and write nothing."""
    store = planned_store(path, specification, shard_size=shard_size)
    shards = store.missing(specification, options.checked())
    n_seeds = dict.fromkeys(specification.by_id, 0)
    for shard in shards:
        n_seeds[shard.experiment_id] += shard.n_seeds
    return _estimate(specification, n_seeds, len(shards))


def _estimate(specification: Specification, n_seeds: Mapping[str, int], n_shards: int) -> Estimate:
    """Return what it takes to train so many seeds of each configuration."""
    both = [(specification.by_id[id_].experiment, n) for id_, n in n_seeds.items()]
    flops = sum(n * flops_per_epoch(one) * one.epochs for one, n in both)
    return Estimate(
        n_configurations=len(specification.configurations),
        n_seeds=len(specification.seeds),
        n_runs=sum(n_seeds.values()),
        n_shards=n_shards,
        seed_epochs=sum(n * one.epochs for one, n in both),
        seconds=flops / (cpu_count() * training.GENERAL_FLOPS),
        n_bytes=sum(n * _row_bytes(specification, one) for one, n in both),
    )


def sweep_to_store(
    path: str | os.PathLike[str], specification: Specification, options: ExecutionOptions, *, shard_size: int | None
) -> Store:
    """Make or find a store, and make what is missing of what it is asked to hold."""
    options.checked()
    return made_store(path, specification, shard_size=shard_size).make(specification, options)
