"""A small sweep into a store."""

from pathlib import Path
from typing import Any

import fastgrok as fg
from fastgrok.store import Store

XOR = fg.Experiment(fg.mlp(2, 3, 1), fg.datasets.xor(), epochs=60)
AXES: dict[str, list[Any]] = {"init": [fg.XavierNormal(), fg.HeNormal()], "optimizer.lr": [0.05, 0.2]}


def swept(path: Path, seeds: Any = 50, axes: Any = AXES, exp: fg.Experiment = XOR, **options: Any) -> Store:
    """Sweep, or make what is missing of a sweep."""
    return fg.sweep(exp, seeds, axes, store=path, progress=False, **options)
