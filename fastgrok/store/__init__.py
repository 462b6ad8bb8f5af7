"""Sweeps on disk: a directory of shards that outlives the process, and grows."""

from fastgrok.store.opening import open_store
from fastgrok.store.status import Status
from fastgrok.store.storage import is_store
from fastgrok.store.store import Store

__all__ = ["Status", "Store", "is_store", "open_store"]
