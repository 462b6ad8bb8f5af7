"""Pearson's correlation over examples, among all of them or among some."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

CONSTANT = {"float64": 1e-6, "float32": 1e-4}
"""What varies over the examples by no more than this share of its size is constant: the rest is rounding."""


def pearson(
    x: NDArray[Any], y: NDArray[Any], where: NDArray[np.bool_] | None = None, *, constant: float = CONSTANT["float64"]
) -> NDArray[np.float64]:
    """
    Return the correlation of every column of x with every column of y, NaN where one of them is constant.

    r = sum (x - mean x)(y - mean y) / sqrt(sum (x - mean x)**2 sum (y - mean y)**2).

    x: (..., n_examples, n_x); y: (..., n_examples, n_y); axes before the examples are broadcast; where: (...,
    n_examples, n_y): the examples that count, for each column of y; None: all; returns (..., n_x, n_y).

    Examples
    --------
    >>> x, y = np.array([[0.0], [1], [2], [3]]), np.array([[0.0], [1], [2], [0]])
    >>> pearson(x, y).round(3), pearson(x, y, y > 0)
    (array([[0.135]]), array([[1.]]))
    """
    x, y = x.astype(np.float64), y.astype(np.float64)
    weight = np.ones_like(y) if where is None else where.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):  # of a network that diverges: NaN
        least_x, least_y = ((constant * np.abs(a).max(axis=-2)) ** 2 for a in (x, y))
        columns = np.swapaxes(x - x.mean(axis=-2, keepdims=True), -1, -2)
        y = y - y.mean(axis=-2, keepdims=True)
        count = np.maximum(weight.sum(axis=-2), 1)[..., None, :]
        mean_x, mean_y = columns @ weight / count, (weight * y).sum(axis=-2)[..., None, :] / count
        var_x = columns**2 @ weight / count - mean_x**2
        var_y = (weight * y**2).sum(axis=-2)[..., None, :] / count - mean_y**2
        covariance = columns @ (weight * y) / count - mean_x * mean_y
        varies = (var_x > least_x[..., :, None]) & (var_y > least_y[..., None, :])
        r = covariance / np.sqrt(np.where(varies, var_x * var_y, 1.0))
        return np.where(varies, np.clip(r, -1, 1), np.nan)
