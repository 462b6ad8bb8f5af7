"""Bins of losses: the same everywhere, so that counts of losses add up."""

import numpy as np
from numpy.typing import NDArray

_LOSS_BITS = 6


def loss_bins(losses: NDArray[np.float64]) -> NDArray[np.int64]:
    """
    Return the bin of each loss: the leading bits of its float64, so that a bin is 0.8 to 1.6 % wide.

    Notes
    -----
    The sign, the exponent and the first 6 bits of the fraction. No logarithm is taken: a loss has the same bin
    on every machine, and bins ascend as losses do.

    Examples
    --------
    >>> float(loss_centers(loss_bins(np.array([0.25])))[0])
    0.251953125
    """
    bits = np.ascontiguousarray(losses, dtype=np.float64) + 0.0
    return bits.view(np.int64) >> (52 - _LOSS_BITS)


def loss_centers(bins: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the loss in the middle of each bin; 0 for the first."""
    wide = np.asarray(bins, dtype=np.int64) << (52 - _LOSS_BITS)
    middle = wide + (wide > 0) * (1 << (51 - _LOSS_BITS))
    return middle.view(np.float64)


def loss_edges(bins: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Return the least loss of each bin, and the least of the next.

    Examples
    --------
    >>> [edges.tolist() for edges in loss_edges(loss_bins(np.array([0.25])))]
    [[0.25], [0.25390625]]
    """
    first = np.asarray(bins, dtype=np.int64)
    return tuple((k << (52 - _LOSS_BITS)).view(np.float64) for k in (first, first + 1))  # type: ignore[return-value]
