"""Histograms of many rows of whole numbers at once: NumPy is called once for all of them, not for each."""

import itertools

import numpy as np
from numpy.typing import NDArray

from fastgrok.statistics.histogram import DENSE, DENSE_AT_LEAST, Histogram


def row_histograms(
    values: NDArray[np.integer], classes: NDArray[np.integer], n_classes: int
) -> list[list[Histogram]]:
    """Return the histograms of the values of each row by their classes: values and classes are (n_rows, n).

    Values of class `n_classes` are left out.
    """
    n_rows = len(values)
    low, high = (int(values.min()), int(values.max())) if values.size else (0, 0)
    width, n_bins = high - low + 1, n_rows * (n_classes + 1)
    if n_bins * width > np.iinfo(np.int64).max:
        return [_one_by_one(*row, n_classes) for row in zip(values, classes, strict=True)]
    keys = np.multiply(classes, width, dtype=np.int64)
    keys += values
    keys += (np.arange(n_rows) * (width * (n_classes + 1)) - low)[:, None]
    found, counts = _counted(keys, n_bins * width)
    distinct = found % width + low
    ends = np.searchsorted(found, np.arange(n_bins + 1) * width).tolist()
    rows = (ends[k : k + n_classes + 1] for k in range(0, n_bins, n_classes + 1))
    return [[Histogram(distinct[a:b], counts[a:b]) for a, b in itertools.pairwise(row)] for row in rows]


def _counted(keys: NDArray[np.int64], size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the distinct keys below a size, and how often each occurs; those of a row are above those before it."""
    if size < max(DENSE * keys.size, DENSE_AT_LEAST):
        counts = np.bincount(keys.ravel())
        distinct = (counts != 0).nonzero()[0]  # a third of the time of those of whole numbers
        return distinct, counts[distinct]
    if size <= 2**32:
        keys = keys.astype(np.uint32)  # sorted in half the time
    ordered = np.sort(keys, axis=1).ravel()
    starts = np.concatenate([[0], (ordered[1:] != ordered[:-1]).nonzero()[0] + 1])
    return ordered[starts].astype(np.int64), np.diff(starts, append=ordered.size)


def _one_by_one(values: NDArray[np.integer], classes: NDArray[np.integer], n_classes: int) -> list[Histogram]:
    """Return those of one row, whose values are too far apart for keys."""
    return [Histogram.of(values[classes == kind]) for kind in range(n_classes)]
