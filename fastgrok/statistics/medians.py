"""Where the true medians of two configurations may lie among seeds that are common to both."""

import numpy as np
from numpy.typing import NDArray

from fastgrok.statistics.proportion import normal_quantile

_DRAWS = 4_000  # the ends of an interval then vary by 2 % of its width


def ranks_of_medians(n: tuple[int, int], alike: float) -> NDArray[np.int64]:
    """Return ranks, from 1, at which the true medians of a and of b may lie among n seeds each: (2, n_draws).

    How many seeds lie below a true median is binomial(n, 1/2), and it lies between the last of these and the next:
    below all (0), or above all (n + 1), too. `alike` is the correlation of being below with a and with b.
    The generator has a fixed seed, and to swap a and b changes the order of the draws alone.
    """
    from scipy.special import ndtr

    rng = np.random.default_rng(0)
    common, apart = rng.standard_normal((2, _DRAWS // 2))
    common, apart = common * np.sqrt((1 + alike) / 2), apart * np.sqrt((1 - alike) / 2)
    next_one = np.tile(rng.integers(0, 2, _DRAWS // 2), 2)
    drawn = [np.concatenate([common + apart, common - apart]), np.concatenate([common - apart, common + apart])]
    return np.stack([_binomial(ndtr(z), size) + next_one for z, size in zip(drawn, n, strict=True)])


def _binomial(chances: NDArray[np.float64], n: int) -> NDArray[np.int64]:
    """Return the quantiles of binomial(n, 1/2)."""
    from scipy.stats import binom

    reach = int(4 * n**0.5) + 1  # eight standard deviations
    below = np.arange(max(n // 2 - reach, 0), min(n // 2 + reach, n) + 1)
    quantiles: NDArray[np.int64] = below[np.searchsorted(binom.cdf(below[:-1], n, 0.5), chances)]
    return quantiles


def ends_of_draws(drawn: NDArray[np.float64], confidence: float) -> tuple[float, float]:
    """Return the ends of an interval that leaves as many draws out on either side.

    What is no number, the difference of two infinities, may be anything: it counts as beyond either end.
    """
    normal_quantile(confidence)
    out = int(len(drawn) * (1 - float(confidence)) / 2 + 1e-9)
    unknown = np.isnan(drawn)
    low = np.partition(np.where(unknown, -np.inf, drawn), out)[out]
    high = np.partition(np.where(unknown, np.inf, drawn), len(drawn) - 1 - out)[len(drawn) - 1 - out]
    return float(low), float(high)
