"""Whether the interval of a mean need not cover: seeds are few, or a few of them outweigh all others."""

import numpy as np
from numpy.typing import NDArray

_FEW = 100  # seeds, of which none may be of a kind that three in a hundred are
_SKEWED = 0.1  # of a mean: where it is 0.2 Student's t covers 93 % of skewed losses, and samples show half of it

NOTE = (
    "intervals of differences of means need not cover (mean_doubtful): with fewer than 100 seeds, or where a few lie "
    "far from all others, a mean rests on seeds that a sample may not hold; medians, and how often a seed does "
    "better, do not"
)
"""What is said where means are doubtful."""


def mean_doubtful(*samples: NDArray[np.float64]) -> bool:
    """Say whether Student's t need not cover the mean of one sample, or the difference of the means of two.

    Notes
    -----
    A t is skewed as the mean is, whose skewness is a third moment, of all samples together, by a standard error to
    the third. That of a sample says nothing of seeds that it does not hold, so that few are doubtful in any case.
    """
    if min(map(len, samples)) < _FEW:
        return True
    apart = [sample - sample.mean() for sample in samples if np.isfinite(sample).all()]
    variance = sum(float(np.square(x).mean()) / len(x) for x in apart)
    third = sum(sign * float((x**3).mean()) / len(x) ** 2 for x, sign in zip(apart, (1, -1), strict=False))
    return bool(abs(third) > _SKEWED * variance**1.5)
