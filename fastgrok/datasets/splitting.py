"""Which rows are held out for validation."""

import numpy as np
from numpy.typing import NDArray


def split_rows(
    targets: NDArray[np.float64], count: int, seed: int, *, stratified: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows to train on and `count` to validate on, drawn by a seed. `targets`: (n_examples, n_out)."""
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
    held_out = np.concatenate([group[:n] for group, n in zip(rows, quota, strict=True)])
    training = np.concatenate([group[n:] for group, n in zip(rows, quota, strict=True)])
    return np.sort(training), np.sort(held_out)
