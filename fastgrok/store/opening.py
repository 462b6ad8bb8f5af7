"""How a store is opened, made, and let grow."""

from __future__ import annotations

import os
from collections.abc import Sequence

from fastgrok.errors import InvalidExperiment, StoreError
from fastgrok.store.growing import grow, grown
from fastgrok.store.recovering import has_shards, recovered
from fastgrok.store.specification import Specification
from fastgrok.store.storage import Storage, open_storage
from fastgrok.store.store import Store
from fastgrok.store.work import STORE, read_specification


def open_store(path: str | os.PathLike[str]) -> Store:
    """
    Open a store.

    Parameters
    ----------
    path
        A directory, or a URL that fsspec knows.

    Raises
    ------
    InvalidExperiment
        If there is no store.
    StoreError
        If store.json cannot be read, or is damaged.

    Examples
    --------
    >>> open_store("/nowhere")
    Traceback (most recent call last):
    fastgrok.errors.InvalidExperiment: store = '/nowhere': expected a directory that holds store.json
    """
    storage = open_storage(path)
    specification = read_specification(storage)
    if specification is None:
        again = f"; its shards are there: the same sweep into it writes {STORE} again" * has_shards(storage)
        raise InvalidExperiment("store", os.fspath(path), f"a directory that holds {STORE}{again}")
    return Store(storage, specification)


def made_store(path: str | os.PathLike[str], asked: Specification, *, shard_size: int | None) -> Store:
    """
    Return the store of a sweep, made if there is none, grown if more is asked for than it holds.

    Notes
    -----
    Where shards are and no store.json, it is written again, and the shards of the configurations that are asked for
    are there.
    """
    storage = open_storage(path)
    try:
        Specification.from_json(asked.to_json())
    except InvalidExperiment as error:
        expected = "something that a store can read back from JSON, such as a scheme or arrays instead of a function"
        raise InvalidExperiment(error.field, error.value, expected) from error
    try:
        first = _first(storage, asked) if storage.size(STORE) is None else None
        made = first is not None and storage.create(STORE, first.to_json().encode())
    except OSError as error:
        expected = f"a directory that can be written to ({error.strerror or error})"
        raise InvalidExperiment("store", os.fspath(path), expected) from error
    if first is not None and made:
        return Store(storage, first)
    here = open_store(path).specification
    return Store(storage, grow(storage, _sized(asked, here, shard_size)))


def planned_store(path: str | os.PathLike[str], asked: Specification, *, shard_size: int | None) -> Store:
    """Return the store that `made_store` would return, and write nothing."""
    storage = open_storage(path)
    here = read_specification(storage)
    if here is None:
        return Store(storage, _first(storage, asked))
    return Store(storage, grown(here, _sized(asked, here, shard_size)))


def _sized(asked: Specification, here: Specification, shard_size: int | None) -> Specification:
    """Return what is asked for in shards as the store has them, unless something was said of it."""
    return asked.changed(shard_size=here.shard_size) if shard_size is None else asked


def merged_store(path: str | os.PathLike[str], others: Sequence[Store]) -> Store:
    """Return the store of several stores' sweep, made if there is none, with the shards of all of them."""
    ordered = sorted(others, key=lambda other: other.specification.seeds.start)
    whole = ordered[0].specification
    for other in ordered[1:]:
        whole = grown(whole, _sized(other.specification, whole, None))
    storage = open_storage(path)
    is_new = storage.size(STORE) is None
    store = made_store(path, whole, shard_size=None)
    try:
        for other in ordered:
            store.merge(other)
    except StoreError:
        if is_new and not has_shards(storage):
            storage.remove(STORE)
        raise
    return store


def _first(storage: Storage, asked: Specification) -> Specification:
    """Return what a directory without store.json is to hold."""
    if storage.is_empty() or storage.size(STORE) is not None:  # another process has just made it
        return asked
    if not has_shards(storage):
        raise InvalidExperiment("store", storage.root, "a store, or a directory that is empty or not there")
    return recovered(storage, asked)
