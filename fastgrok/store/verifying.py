"""Whether a store still holds what was committed, and whether training gives the same bits again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from fastgrok.schema import SEED
from fastgrok.store.rows import read
from fastgrok.store.shards import FOLDER, Shard, Sidecar, committed, missing
from fastgrok.store.specification import Specification
from fastgrok.store.storage import Storage
from fastgrok.store.work import content_hash, rows_table, train


class Verification(NamedTuple):
    """
    What `Store.verify` found.

    Parameters
    ----------
    n_shards
        Shards whose files are what was committed.
    n_missing
        Shards that are still to be made, those with problems included.
    bad
        What is wrong with the others: they have lost their sidecars, and `resume` makes them again.
    n_rows
        Rows that were trained again.
    different
        Those that came out with other bits: seeds of configurations. None should.
    removed
        Temporary files of writers that are gone.
    uncommitted
        Files of rows without a sidecar: somebody is about to write it, or it is lost, and `resume` makes them again.
    """

    n_shards: int
    n_missing: int
    bad: list[str]
    n_rows: int
    different: list[str]
    removed: list[str]
    uncommitted: list[str]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong; what is missing is no error."""
        return not (self.bad or self.different)


def verify(storage: Storage, specification: Specification, sample: int, seed: int | None) -> Verification:
    """
    Check a store: see `Store.verify`.

    Parameters
    ----------
    storage
        Its files.
    specification
        What it holds.
    sample
        Rows that are trained again.
    seed
        Of their choice.
    """
    removed = storage.remove_abandoned()
    there, bad = committed(storage, specification)
    committed_names = {one.shard.rows_name for one in there}
    uncommitted = [name for name in storage.names(FOLDER, ".parquet") if name not in committed_names]
    whole = []
    for one in there:
        if hashlib.sha256(storage.read(one.shard.rows_name)).hexdigest() == one.sha256:
            whole.append(one)
        else:
            bad.append(f"{one.shard.rows_name} is not what was written: its SHA-256 is another one")
            storage.remove(one.shard.sidecar_name)
    different, n_rows = _trained_again(storage, specification, whole, sample, np.random.default_rng(seed))
    n_missing = len(missing(specification, whole))
    return Verification(len(whole), n_missing, bad, n_rows, different, removed, uncommitted)


def _trained_again(
    storage: Storage, specification: Specification, there: Sequence[Sidecar], sample: int, rng: np.random.Generator
) -> tuple[list[str], int]:
    """Train rows again that are chosen at random, and return those that differ, and how many there were."""
    filled = [one for one in there if one.n_rows]
    if not filled or not sample:
        return [], 0
    weights = np.array([one.n_rows for one in filled], float)
    chosen = rng.choice(len(filled), size=sample, p=weights / weights.sum())
    different, n_rows = [], 0
    for place, n in zip(*np.unique(chosen, return_counts=True), strict=True):
        one = filled[place]
        table = read(storage, one)
        for row in sorted(rng.choice(one.n_rows, size=min(int(n), one.n_rows), replace=False).tolist()):
            value = int(table[SEED][row].as_py())
            shard = Shard(one.shard.experiment_id, value, value + 1)
            point = specification.by_id[shard.experiment_id]
            again = rows_table(specification, train(specification, point, shard, None), np.array([value], np.uint64))
            n_rows += 1
            if content_hash(again) != content_hash(table.slice(row, 1)):
                different.append(f"seed {value} of experiment {shard.experiment_id}")
    return different, n_rows
