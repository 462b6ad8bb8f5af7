"""Where the true medians of two configurations may lie, among the same seeds or each among seeds of its own."""

import numpy as np
from numpy.typing import NDArray

from fastgrok.statistics.proportion import NO_ESTIMATE, Estimate, normal_quantile

_DRAWS = 4_000  # the ends of an interval then vary by 2 % of its width


def ranks_of_medians(n: tuple[int, int], alike: float) -> NDArray[np.int64]:
    """Return ranks, from 1, at which the true medians of a and of b may lie among n seeds each: (2, n_draws).

    How many seeds lie below a true median is binomial(n, 1/2), and it lies between the last of these and the next:
    below all (0), or above all (n + 1), too. `alike` is the correlation of being below with a and with b, 0 on seeds
    of their own, and that of whether it is the last or the next one that is taken, too.
    The generator has a fixed seed, and to swap a and b changes the order of the draws alone.
    """
    from scipy.special import ndtr

    rng = np.random.default_rng(0)
    common, apart = rng.standard_normal((2, _DRAWS // 2))
    common, apart = common * np.sqrt((1 + alike) / 2), apart * np.sqrt((1 - alike) / 2)
    one, other = common + apart, common - apart
    next_one, agrees = rng.integers(0, 2, _DRAWS // 2), rng.random(_DRAWS // 2) < (1 + alike) / 2
    next_other = np.where(agrees, next_one, 1 - next_one)
    with_a = _binomial(ndtr(np.concatenate([one, other])), n[0]) + np.concatenate([next_one, next_other])
    with_b = _binomial(ndtr(np.concatenate([other, one])), n[1]) + np.concatenate([next_other, next_one])
    return np.stack([with_a, with_b])


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


def difference_of_medians(
    a: NDArray[np.float64], b: NDArray[np.float64], alike: float, confidence: float
) -> Estimate:
    """Return the median of a less that of b, one of them at least; a, b: ascending; alike: see `ranks_of_medians`."""
    ranks = ranks_of_medians((len(a), len(b)), alike)
    with np.errstate(invalid="ignore"):
        value = float(a[(len(a) - 1) // 2] - b[(len(b) - 1) // 2])
        first, second = (
            np.concatenate([[-np.inf], x, [np.inf]])[each] for x, each in zip((a, b), ranks, strict=True)
        )
        ends = ends_of_draws(first - second, confidence)
    if not np.isfinite(value):
        return NO_ESTIMATE
    return Estimate(value, *(end if np.isfinite(end) else None for end in ends))
