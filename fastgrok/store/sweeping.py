"""A sweep into a store: what it is to hold, how it is cut, and what it will take."""

from __future__ import annotations

import math
import operator
import os
from typing import Any, NamedTuple

from fastgrok import arguments, training
from fastgrok.errors import InvalidExperiment
from fastgrok.experiment import Experiment
from fastgrok.fields import one_of
from fastgrok.grid import checked_axes
from fastgrok.kernels import builder
from fastgrok.recording import NOTHING, checked_recording
from fastgrok.store.how import How
from fastgrok.store.opening import made_store
from fastgrok.store.specification import ALL, FAILURES, Specification
from fastgrok.store.store import Store

_SHARD_SECONDS = 2.0  # of one thread
_SHARD_BYTES = 32 * 2**20  # of its rows in memory
_SHARES = 4  # shards of a small sweep for each thread, so that all of them end together
_MOST_SEEDS = 2**17  # of a shard


class Estimate(NamedTuple):
    """
    What a sweep will take, roughly: no seed is known to stop early.

    Parameters
    ----------
    n_configurations
        Points of the sweep.
    n_seeds
        Seeds of each.
    n_shards
        Files of rows.
    seed_epochs
        Epochs, all seeds together, if none stops early.
    seconds
        That they take on so many threads as this process may use.
    n_bytes
        Of the rows, before they are compressed.
    """

    n_configurations: int
    n_seeds: int
    n_shards: int
    seed_epochs: int
    seconds: float
    n_bytes: int


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
    """
    Return what a sweep into a store is asked for.

    Parameters
    ----------
    experiment
        What the axes vary.
    seeds
        A number of them, or a range with step 1.
    axes
        As for `fastgrok.sweep`; None or empty: there is one configuration.
    keep_params
        Whether trained parameters are kept.
    rows
        "all" or "failures".
    record_at
        As for `fastgrok.run`.
    track
        As for `fastgrok.run`.
    shard_size
        Seeds of a shard at most; None: what suits.

    Raises
    ------
    InvalidExperiment
        If an argument will not do.
    """
    if rows not in (ALL, FAILURES):
        raise InvalidExperiment("rows", rows, one_of([ALL, FAILURES]))
    checked = tuple(checked_axes(axes)) if axes else ()
    size = arguments.checked_integer("shard_size", shard_size)
    keep = bool(arguments.checked_flag("keep_params", keep_params, optional=False))
    made = Specification(experiment, checked, range(1), keep, rows, NOTHING, size or 1)
    recording = checked_recording(record_at, track, max(point.experiment.epochs for point in made.points))
    made = made.changed(recording=recording)
    for stream in {point.experiment.stream for point in made.points}:
        chosen = _in_a_row(seeds, stream)
    if rows == FAILURES:
        for point in made.points:
            if point.experiment.criteria is None:
                wanted = "a criterion Converged(...) with rows='failures': without it all seeds are failures"
                raise InvalidExperiment("stop", point.experiment.stop, wanted)
    return made.checked().changed(seeds=chosen, shard_size=size or _shard_size(made, len(chosen)))


def _in_a_row(seeds: Any, stream: str) -> range:
    """Return seeds as a range of step 1."""
    if isinstance(seeds, range) and seeds.step == 1 and len(seeds) > 0:
        arguments.checked_seeds(range(seeds.start, seeds.start + 1), stream)
        arguments.checked_seeds(range(seeds.stop - 1, seeds.stop), stream)
        return seeds
    try:
        n = 0 if isinstance(seeds, range) else operator.index(seeds)
    except TypeError:
        n = 0
    if isinstance(seeds, bool) or (n == 0 and not isinstance(seeds, int)):
        expected = "a number of seeds, or a range with step 1: a store holds seeds in a row"
        raise InvalidExperiment("seeds", seeds, expected)
    if n < 1:
        raise InvalidExperiment("seeds", seeds, "a number of seeds of 1 or more")
    return _in_a_row(range(n), stream)


def _shard_size(specification: Specification, n: int) -> int:
    """Return the seeds of a shard: seconds of work, bounded memory, and enough shards for all threads."""
    flops = max(builder.flops_per_epoch(p.experiment) * max(p.experiment.epochs, 1) for p in specification.points)
    size = _SHARD_SECONDS * training.SPECIALISED_FLOPS / flops
    row = max(_row_bytes(specification, point.experiment) for point in specification.points)
    shares = math.ceil(n * len(specification.points) / (_SHARES * builder.threads()))
    return max(1, min(int(size), _SHARD_BYTES // row, _MOST_SEEDS, max(shares, 64), n))


def _row_bytes(specification: Specification, experiment: Experiment) -> int:
    """Return the bytes of one seed in memory."""
    return arguments.row_bytes(experiment, specification.recording, int(specification.keep_params))


def estimate(specification: Specification) -> Estimate:
    """
    Return what a sweep will take.

    Parameters
    ----------
    specification
        What it is asked for.
    """
    points, n = specification.points, len(specification.seeds)
    epochs = [point.experiment.epochs for point in points]
    flops = sum(n * builder.flops_per_epoch(p.experiment) * p.experiment.epochs for p in points)
    speed = builder.threads() * training.GENERAL_FLOPS
    first, size = specification.seeds.start, specification.shard_size
    cells = (specification.seeds.stop - 1) // size - first // size + 1
    return Estimate(
        n_configurations=len(points),
        n_seeds=n,
        n_shards=cells * len(points),
        seed_epochs=n * sum(epochs),
        seconds=flops / speed,
        n_bytes=n * sum(_row_bytes(specification, point.experiment) for point in points),
    )


def sweep_to_store(
    path: str | os.PathLike[str], specification: Specification, how: How, *, shard_size: int | None
) -> Store:
    """
    Make or find a store, and make what is missing of what it is asked to hold.

    Parameters
    ----------
    path
        A directory, or a URL that fsspec knows.
    specification
        What it is to hold.
    how
        Who trains, and how.
    shard_size
        What was said of it; None: that of the store.
    """
    how.checked()
    return made_store(path, specification, shard_size=shard_size).make(specification, how)
