"""Which data have so few examples that differ that their plateaus can be enumerated: one rule for all who ask."""

import functools

import numpy as np

from fastgrok.datasets import Dataset
from fastgrok.spec.variables import MAX_PLATEAU_EXAMPLES


def has_known_plateaus(data: Dataset) -> bool:
    """Whether at most `MAX_PLATEAU_EXAMPLES` examples differ, in inputs or targets, however often each occurs.

    Most data show in their first rows that they have more: no others are looked at, and no hash is taken.
    """
    few = MAX_PLATEAU_EXAMPLES
    if data.n_examples <= few:
        return True
    first = {(x.tobytes(), y.tobytes()) for x, y in zip(data.X[: few + 1], data.y[: few + 1], strict=True)}
    return len(first) <= few and _few_differ(data)


@functools.lru_cache(maxsize=256)
def _few_differ(data: Dataset) -> bool:
    """Whether at most so few examples differ, by leaving out those that equal the first, time and again."""
    both = np.concatenate([data.X, data.y], axis=1)
    for _ in range(MAX_PLATEAU_EXAMPLES):
        both = both[(both != both[0]).any(axis=1)]
        if not len(both):
            return True
    return False
