"""Losses and accuracies with a known truth, risks and powers, and how often intervals cover."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom, trim_mean

from fastgrok.statistics import Estimate, RestrictedMean, order_quantile, relative_risk, seeds_needed
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
    "losses, 2 % on a plateau": lambda x: np.where(x < 2.05, 0.01 * np.exp(0.3 * x), 0.25),
}
"""What a standard normal number of a seed becomes."""


def holds(estimate: Estimate | RestrictedMean, value: float) -> bool:
    """Whether an interval, None being open, covers, but for rounding."""
    rounding = 1e-9 * max(abs(value), 1.0)
    above = estimate.low is None or estimate.low <= value + rounding
    return above and (estimate.high is None or value - rounding <= estimate.high)


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
        inside += [holds(estimate, value) for estimate, value in zip(found, wanted, strict=True)]
    return Coverage(*(inside / repeats).tolist())


def relative_risks(n: int, repeats: int) -> dict[str, float]:
    """Return how often the interval of a relative risk covers: 30 % of n seeds fail at 0.6, the others at 0.3."""
    rng = np.random.default_rng(15)
    exposed = rng.binomial(n, 0.3, repeats)
    drawn = np.column_stack([rng.binomial(exposed, 0.6), exposed, rng.binomial(n - exposed, 0.3), n - exposed])
    distinct, counts = np.unique(drawn, axis=0, return_counts=True)
    inside = [holds(relative_risk(*map(int, table)), 2.0) for table in distinct]
    return {"dead_risk": float(counts @ np.array(inside)) / repeats}


def power(wanted: float) -> dict[str, float]:
    """Return how many seeds are said to give the exact test a power, for rates of 0.6 and 0.5, and what they give."""
    n = seeds_needed(0.6, 0.5, discordant=0.3, power=wanted)
    m = np.repeat(np.arange(n + 1), np.arange(n + 1) + 1)
    only_a = np.concatenate([np.arange(k + 1) for k in range(n + 1)])
    chances = binom.pmf(m, n, 0.3) * binom.pmf(only_a, m, (1 + 0.1 / 0.3) / 2)
    p = 2 * binom.cdf(np.minimum(only_a, m - only_a), m, 0.5)
    return {"seeds": float(n), "power": float(chances @ (p <= 0.05))}
