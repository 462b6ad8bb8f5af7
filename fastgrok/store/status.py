"""How far a store is."""

from __future__ import annotations

from typing import NamedTuple, Self

from fastgrok.store.shards import missing
from fastgrok.store.specification import Specification
from fastgrok.store.surveying import Survey


class Status(NamedTuple):
    """How far a store is."""

    n_configurations: int  # points of the sweep
    n_seeds: int  # seeds of each
    n_runs: int  # training runs in all
    n_done: int  # those that are committed
    n_shards: int  # shards that are committed
    n_missing: int  # shards that are still to be made
    seed_epochs: int  # epochs run, all seeds together
    seconds: float  # of one thread, that training them took
    seconds_left: float | None  # what the rest takes one thread at that rate; None before anything is done
    n_bytes: int  # of the rows
    problems: list[str]  # what is wrong with files that are there; `resume` makes those shards again
    strays: list[str]  # files that no shard of this store is made of, or needed for. They are left alone

    @classmethod
    def of(cls, specification: Specification, found: Survey) -> Self:
        """Find out how far a store is."""
        there = found.there
        done = sum(one.counts.n for one in there)
        left = missing(specification, there)
        n_left = sum(shard.n_seeds for shard in left)
        seconds = sum(one.seconds for one in there)
        return cls(
            n_configurations=len(specification.configurations),
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
