"""Rows of a dataset drawn for validation, by a seed of their own."""

import numpy as np
from numpy.typing import NDArray


def held_out_rows(
    targets: NDArray[np.float64], count: int, seed: int, *, stratified: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """
    Draw rows without replacement.

    targets: shape (n_examples, n_out).

    Examples
    --------
    >>> held_out_rows(np.array([[0], [0], [1], [1]]), 2, 0, stratified=True)
    (array([1, 3]), array([0, 2]))
    """
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(len(targets))
    if not stratified:
        return np.sort(shuffled[count:]), np.sort(shuffled[:count])
    _, stratum = np.unique(targets, axis=0, return_inverse=True)
    exact = np.bincount(stratum.ravel()) * (count / len(targets))
    quota = np.floor(exact).astype(np.int64)
    order = rng.permutation(len(quota))
    most_cut = order[np.argsort((quota - exact)[order], kind="stable")]
    quota[most_cut[: count - quota.sum()]] += 1
    rows = [shuffled[stratum.ravel()[shuffled] == k] for k in range(len(quota))]
    drawn = np.concatenate([some[:take] for some, take in zip(rows, quota, strict=True)])
    left = np.concatenate([some[take:] for some, take in zip(rows, quota, strict=True)])
    return np.sort(left), np.sort(drawn)
