"""Sweeps on disk: a directory of shards that outlives the process, and grows."""

from fastgrok.store.store import Store, open_store
from fastgrok.store.survey import Status

__all__ = ["Status", "Store", "open_store"]
