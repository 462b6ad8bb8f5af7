"""A row of a store trained again with its whole history, and held against what was stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastgrok.errors import StoreError
from fastgrok.spec.variables import SEED

if TYPE_CHECKING:
    import xarray as xr


def check_same(trace: xr.Dataset, rows: xr.Dataset, root: str) -> None:
    """Raise unless the replay of a seed came to what its row says, bit for bit."""
    for row in (rows.isel({SEED: k}) for k in range(rows.sizes[SEED])):
        both = [str(name) for name in row.data_vars if name in trace]
        different = [name for name in both if not _same(row[name], trace[name])]
        if different:
            seed, names = f"seed {int(row[SEED])} of {root}", ", ".join(different)
            message = f"{seed} comes out with other bits than were stored, in {names}"
            raise StoreError(f"{message}: `fastgrok verify {root}` says more")


def _same(one: xr.DataArray, other: xr.DataArray) -> bool:
    return bool(np.array_equal(one, other, equal_nan=one.dtype.kind == "f"))
