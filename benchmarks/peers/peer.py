"""What a peer says about itself."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.peers.works import Params, Work

THREADS = 2

Run = Callable[[], np.ndarray]
"""Train from the starting points; return the final loss of each seed, (n_seeds,)."""


@dataclass(frozen=True)
class Peer:
    """One way to do the work.

    `prepare(work, params, epochs)` does everything that is not training and returns a `Run`. A slow peer says
    with `most_seeds` and `most_epochs` how much of the work it does: it is compared per seed-epoch, so these
    are chosen where it is at its best and takes a second or so. It needs a Python module and perhaps a program.
    """

    name: str
    group: str
    works: tuple[Work, ...]
    prepare: Callable[[Work, Params, int], Run]
    requires: str = "numpy"
    program: str | None = None
    most_seeds: int | None = None
    most_epochs: int | None = None

    @property
    def missing(self) -> str | None:
        """What is not installed."""
        if importlib.util.find_spec(self.requires) is None:
            return self.requires
        return self.program if self.program and shutil.which(self.program) is None else None

    def size(self, seeds: int, epochs: int) -> tuple[int, int]:
        """Return the seeds and epochs that this peer runs when so many are asked for."""
        return min(seeds, self.most_seeds or seeds), min(epochs, self.most_epochs or epochs)
