"""Sweeps on disk: a directory of shards that outlives the process, and grows."""

from fastgrok.store.store import Status, Store, open_store

__all__ = ["Status", "Store", "open_store"]
