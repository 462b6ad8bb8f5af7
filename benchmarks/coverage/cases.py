"""Pairs of outcomes with a known truth, and how often intervals cover it."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import trim_mean

from fastgrok.statistics import Estimate, order_quantile
from fastgrok.statistics.paired_values import (
    better_table,
    interquartile_mean,
    mean_difference,
    median_difference,
    probability_better,
)

Pair = tuple[NDArray[np.float64], NDArray[np.float64]]
_ALIKE = 0.7  # correlation of what a seed does with a and with b, before it becomes an outcome
_TRUTH = 1_000_000


def _steps(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return accuracies on 30 examples."""
    return np.clip(np.round(26 + 2.5 * x), 0, 30) / 30


def _plateaus(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return losses of which 62 % are small, and the rest lie at 1/8 and 1/4."""
    return np.where(x < 0.3, 0.01 * np.exp(x), np.where(x < 1.2, 0.125 + 0.001 * x, 0.25))


OUTCOMES: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "normal": lambda x: x,
    "skewed losses": np.exp,
    "accuracies on 30 examples": _steps,
    "losses on plateaus": _plateaus,
}
"""What a standard normal number of a seed becomes."""


def sample(outcome: str, n: int, rng: np.random.Generator) -> Pair:
    """Return the outcomes of n seeds with a and with b."""
    z = rng.standard_normal((2, n))
    z[1] = _ALIKE * z[0] + np.sqrt(1 - _ALIKE**2) * z[1]
    made = OUTCOMES[outcome]
    return made(z[0] + 0.2), made(z[1])


class Coverage(NamedTuple):
    """How often each interval covers."""

    low: float  # of the 5 % quantile
    median: float
    mean_difference: float
    median_difference: float
    probability_better: float
    interquartile_mean: float


def estimates(a: NDArray[np.float64], b: NDArray[np.float64]) -> list[Estimate]:
    """Return every estimate of `Coverage` of one sample; the smaller outcome is the better one."""
    distinct, counts = np.unique(a, return_counts=True)
    return [
        order_quantile(distinct, counts, 0.05),
        order_quantile(distinct, counts, 0.5),
        mean_difference(a, b),
        median_difference(a, b),
        probability_better(better_table(a, b, larger_is_better=False)),
        interquartile_mean(a),
    ]


def truth(outcome: str) -> list[float]:
    """Return what they estimate, from a million seeds."""
    a, b = sample(outcome, _TRUTH, np.random.default_rng(10))
    low, median = (float(x) for x in np.quantile(a, [0.05, 0.5], method="inverted_cdf"))
    median_b = float(np.quantile(b, 0.5, method="inverted_cdf"))
    share = float((a < b).mean() + (a == b).mean() / 2)
    return [low, median, float((a - b).mean()), median - median_b, share, float(trim_mean(a, 0.25))]


def coverage(outcome: str, n: int, repeats: int) -> Coverage:
    """Return how often the intervals of n seeds cover."""
    rng, wanted, inside = np.random.default_rng(11), truth(outcome), np.zeros(6)
    for _ in range(repeats):
        found = estimates(*sample(outcome, n, rng))
        inside += [_holds(estimate, value) for estimate, value in zip(found, wanted, strict=True)]
    return Coverage(*(inside / repeats).tolist())


def _holds(estimate: Estimate, value: float) -> bool:
    """Whether an interval, None being open, covers."""
    above = estimate.low is None or estimate.low <= value + 1e-9
    return above and (estimate.high is None or value - 1e-9 <= estimate.high)
