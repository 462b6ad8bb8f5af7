"""How far a store is."""

from __future__ import annotations

from typing import NamedTuple, Self

from fastgrok.store.shards import missing
from fastgrok.store.specification import Specification
from fastgrok.store.surveying import Survey


class Status(NamedTuple):
    """
    How far a store is.

    Parameters
    ----------
    n_configurations
        Points of the sweep.
    n_seeds
        Seeds of each.
    n_runs
        Training runs in all.
    n_done
        Those that are committed.
    n_shards
        Shards that are committed.
    n_missing
        Shards that are still to be made.
    seed_epochs
        Epochs run, all seeds together.
    seconds
        Of one thread, that training them took.
    seconds_left
        What the rest takes one thread at that rate; None before anything is done.
    n_bytes
        Of the rows.
    problems
        What is wrong with files that are there; `resume` makes those shards again.
    strays
        Files that no shard of this store is made of, or needed for. They are left alone.
    """

    n_configurations: int
    n_seeds: int
    n_runs: int
    n_done: int
    n_shards: int
    n_missing: int
    seed_epochs: int
    seconds: float
    seconds_left: float | None
    n_bytes: int
    problems: list[str]
    strays: list[str]

    @classmethod
    def of(cls, specification: Specification, found: Survey) -> Self:
        """
        Find out how far a store is.

        Parameters
        ----------
        specification
            What it holds when it is complete.
        found
            What is there.
        """
        there = found.there
        done = sum(one.counts.n for one in there)
        left = missing(specification, there)
        n_left = sum(shard.n_seeds for shard in left)
        seconds = sum(one.seconds for one in there)
        return cls(
            n_configurations=len(specification.points),
            n_seeds=len(specification.seeds),
            n_runs=specification.n_runs,
            n_done=done,
            n_shards=len(there),
            n_missing=len(left),
            seed_epochs=sum(one.counts.seed_epochs for one in there),
            seconds=seconds,
            seconds_left=seconds / done * n_left if done else None,
            n_bytes=sum(one.n_bytes for one in there),
            problems=found.problems,
            strays=found.strays,
        )
