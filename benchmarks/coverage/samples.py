"""Two samples, bands, clusters, effects: how often intervals cover, and tests reject where nothing differs.

`python -m benchmarks.coverage.samples [samples]` prints the tables of docs/comparing.md.
"""

import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

import fastgrok as fg
from benchmarks.coverage.cases import OUTCOMES, holds
from fastgrok.statistics import (
    Counts,
    PooledCounts,
    band,
    clustered_difference,
    clustered_rate,
    logrank,
    simultaneous_band,
    starting_effects,
    survival_curve,
)
from fastgrok.statistics.two_sample_values import (
    independent_mean_difference,
    independent_median_difference,
    independent_probability_better,
)
from fastgrok.statistics.two_samples import (
    independent_difference,
    independent_p,
    independent_ratio_of_expected,
    independent_ratio_of_medians,
)

Values = NDArray[np.float64]
UNTIL = 1500
_TRUTH = 1_000_000


RATES = {
    "rates .6 and .6": (0.6, 0.6),
    "rates .75 and .6": (0.75, 0.6),
    "rates .998 and .99": (0.998, 0.99),
    "rates .05 and .02": (0.05, 0.02),
}
SIZES = ((5, 5), (10, 10), (20, 60), (100, 100), (100, 1000), (2000, 2000))


def rates(case: str, sizes: tuple[int, int], samples: int = 5000) -> tuple[float, float]:
    """Return how often the interval of a difference of rates covers, and how often the test of its truth rejects."""
    p = RATES[case]
    drawn = np.random.default_rng(21).binomial(sizes, p, (samples, 2))
    distinct, times = np.unique(drawn, axis=0, return_counts=True)
    cells = [(int(k), sizes[0], int(j), sizes[1]) for k, j in distinct]
    covers = np.array([holds(independent_difference(*each), p[0] - p[1]) for each in cells])
    rejects = np.array([independent_p(*each, difference=p[0] - p[1]) <= 0.05 for each in cells])
    return float(times @ covers) / samples, float(times @ rejects) / samples


def epochs(rng: np.random.Generator, n: int, scale: float, never: float, step: int = 1) -> NDArray[np.int64]:
    """Return epochs to convergence, -1 of seeds that do not converge by 1,500; step: epochs between two checks."""
    time = np.ceil(scale * rng.weibull(1.3, n) / step) * step
    return np.where((rng.random(n) < never) | (time > UNTIL), -1, np.maximum(time, step)).astype(np.int64)


TIMES: dict[str, tuple[tuple[float, float, int], tuple[float, float, int]]] = {
    "a tenth never converges": ((500, 0.1, 1), (600, 0.1, 1)),
    "40 % censored": ((500, 0.35, 1), (500, 0.35, 1)),
    "checked every 25 epochs": ((500, 0.3, 25), (500, 0.3, 25)),
    "done in few epochs": ((6, 0.02, 1), (8, 0.02, 1)),
    "all but a few at once": ((2.5, 0.002, 1), (2.5, 0.002, 1)),
}


class Times(NamedTuple):
    """How often intervals of ratios cover, and how often the log-rank rejects where a is b."""

    ratio_of_medians: float
    ratio_of_expected: float
    logrank: float


def times(case: str, sizes: tuple[int, int], samples: int = 1000) -> Times:
    """Return the shares of samples of two configurations."""
    rng, laws = np.random.default_rng(22), TIMES[case]
    pool = [np.sort(_met(epochs(np.random.default_rng(23 + k), _TRUTH, *law))) for k, law in enumerate(laws)]
    medians = [float(x[(_TRUTH - 1) // 2]) for x in pool]
    cutoffs = (UNTIL, UNTIL)
    costs = [float(np.minimum(x, UNTIL).mean() / (x <= UNTIL).mean()) for x in pool]
    found = np.zeros(3)
    for _ in range(samples):
        a, b, c = (
            Counts.of_epochs(epochs(rng, n, *law), UNTIL)
            for n, law in zip((*sizes, sizes[1]), (*laws, laws[0]), strict=True)
        )
        found[0] += holds(independent_ratio_of_medians(a, b), medians[0] / medians[1])
        expected = independent_ratio_of_expected(a, b, cutoffs=cutoffs)
        found[1] += holds(expected, costs[0] / costs[1])
        found[2] += logrank([a, c]).p_value <= 0.05
    return Times(*(found / samples).tolist())


def _met(x: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.where(x < 0, np.inf, x)


class Finals(NamedTuple):
    """How often intervals of continuous outcomes cover, and how often the test rejects where a is b."""

    mean_difference: float
    median_difference: float
    probability_better: float
    rejected: float


def finals(outcome: str, sizes: tuple[int, int], samples: int = 1000) -> Finals:
    """Return the shares of samples of two outcomes, of which b is larger and scatters more."""
    made, rng = OUTCOMES[outcome], np.random.default_rng(24)

    def drawn(n: int, generator: np.random.Generator, shift: float = 0.0, wide: float = 1.0) -> Values:
        return np.asarray(made(shift + wide * generator.standard_normal(n)), np.float64)

    many = np.random.default_rng(25)
    a, b = drawn(_TRUTH, many), drawn(_TRUTH, many, 0.3, 1.2)
    medians = [float(np.quantile(x, 0.5, method="inverted_cdf")) for x in (a, b)]
    shuffled = many.permutation(b)
    better = float((a < shuffled).mean() + (a == shuffled).mean() / 2)
    truth, found = (float(a.mean() - b.mean()), medians[0] - medians[1], better), np.zeros(4)
    for _ in range(samples):
        x, y, z = drawn(sizes[0], rng), drawn(sizes[1], rng, 0.3, 1.2), drawn(sizes[1], rng)
        estimates = (
            independent_mean_difference(x, y),
            independent_median_difference(x, y),
            independent_probability_better(x, y).probability,
        )
        found[:3] += [holds(each, wanted) for each, wanted in zip(estimates, truth, strict=True)]
        found[3] += independent_probability_better(x, z).p_value <= 0.05
    return Finals(*(found / samples).tolist())


class Bands(NamedTuple):
    """How often bands hold a curve at all epochs at once."""

    simultaneous: float
    at_each_epoch: float


def bands(case: str, n: int, samples: int = 1000) -> Bands:
    """Return the shares of samples of n seeds whose band holds the whole curve, between two epochs, too."""
    law, rng = TIMES[case][0], np.random.default_rng(26)
    pool = np.sort(_met(epochs(np.random.default_rng(23), _TRUTH, *law)))
    found = np.zeros(2)
    for _ in range(samples):
        curve = survival_curve(Counts.of_epochs(epochs(rng, n, *law), UNTIL))
        after = 1 - np.searchsorted(pool, curve.time, side="right") / _TRUTH
        before_next = (
            1 - np.searchsorted(pool, np.append(curve.time[1:] - 1, UNTIL)[: len(after)], side="right") / _TRUTH
        )
        for k, (low, high) in enumerate((simultaneous_band(curve), band(curve))):
            found[k] += bool(np.all((low <= before_next + 1e-9) & (after <= high + 1e-9)))
    return Bands(*(found / samples).tolist())


class Clusters(NamedTuple):
    """How often intervals cover what holds for other seeds and other clusters."""

    difference: float
    rate: float
    seeds_alone: float  # an interval clustered by seed alone, of the difference


def clusters(n: int, k: int, samples: int = 1000, of_clusters: float = 0.3) -> Clusters:
    """Return the shares of samples of n seeds in k clusters; of_clusters: deviation of what a cluster adds.

    A run converges where what its seed adds, what its cluster adds and what is its own are less than a limit, all
    normal: rates follow from the sum of their variances. What a cluster adds is not the same with a and with b.
    """
    rng, limits = np.random.default_rng(27), np.array([[[0.3]], [[0.1]]])
    rate_a, rate_b = (float(x) for x in ndtr(limits / np.sqrt(1.0 + 0.8**2 + of_clusters**2)).ravel())
    found = np.zeros(3)
    for _ in range(samples):
        added = 0.8 * rng.standard_normal((1, 1, n)) + of_clusters * rng.standard_normal((2, k, 1))
        met = (added + rng.standard_normal((2, k, n)) < limits).astype(int)
        ones = np.ones(n, int)
        d = met[0] - met[1]
        both = PooledCounts.of_sums(d.sum(axis=0), ones * k), [PooledCounts.of_sums(row, ones) for row in d]
        a = PooledCounts.of_sums(met[0].sum(axis=0), ones * k), [PooledCounts.of_sums(row, ones) for row in met[0]]
        found += [
            holds(clustered_difference(*both)[0], rate_a - rate_b),
            holds(clustered_rate(*a), rate_a),
            holds(both[0].difference(), rate_a - rate_b),
        ]
    return Clusters(*(found / samples).tolist())


class EffectsCovered(NamedTuple):
    """How often intervals of hazard ratios cover: of a covariate that matters, and of one that does not."""

    matters: float
    does_not: float


def effects(n: int, samples: int = 300) -> EffectsCovered:
    """Return the shares of samples of n seeds whose hazard is multiplied by 1.5 for a step of one covariate."""
    rng, found = np.random.default_rng(28), np.zeros(2)
    experiment = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    for _ in range(samples):
        x = rng.standard_normal((2, n))
        time = np.ceil(80 * rng.exponential(1.5 ** -x[0]))
        met = time <= 100
        columns = {
            "epochs_to_converge": np.where(met, time, -1).astype(int),
            "epochs_run": np.minimum(time, 100).astype(int),
            "outcome": np.where(met, 1, 4),
        }
        fit = starting_effects(columns, experiment, {"matters": x[0], "does not": x[1]})
        steps = [1.5 ** fit.effects[0].deviation, 1.0]
        found += [holds(each.hazard_ratio, step) for each, step in zip(fit.effects, steps, strict=True)]
    return EffectsCovered(*(found / samples).tolist())


def _rows(heading: str, keys: Sequence[Any], made: Callable[[Any], Sequence[float]]) -> None:
    """Print a table: a row for each key, shares in percent."""
    columns = heading.split(" | ")
    print(f"| {heading} |\n|{'---|' * len(columns)}")
    for key in keys:
        labels = [str(label) for label in (key if isinstance(key, tuple) else (key,))]
        print(f"| {' | '.join([*labels, *(f'{100 * share:.1f}' for share in made(key))])} |", flush=True)
    print(flush=True)


def main(samples: int = 500) -> None:
    """Print the tables of docs/comparing.md."""
    few = [f"{m:,} and {n:,}" for m, n in SIZES]
    sizes = dict(zip(few, SIZES, strict=True))
    pairs = [(case, size) for case in RATES for size in few]
    _rows("rates | seeds | difference | rejected", pairs, lambda key: rates(key[0], sizes[key[1]], 10 * samples))
    pairs = [(case, size) for case in TIMES for size in few[:5]]
    heading = "epochs | seeds | ratio of medians | ratio of costs | rejected by the log-rank"
    _rows(heading, pairs, lambda key: times(key[0], sizes[key[1]], samples))
    pairs = [(case, size) for case in OUTCOMES for size in few[1:]]
    heading = "outcome | seeds | mean difference | median difference | probability better | rejected"
    _rows(heading, pairs, lambda key: finals(key[0], sizes[key[1]], samples))
    pairs = [(case, n) for case in TIMES for n in (5, 10, 30, 100, 1000)]
    _rows("epochs | seeds | whole curve | with intervals at each epoch", pairs, lambda key: bands(*key, samples))
    pairs = [(n, k) for n in (50, 200, 1000) for k in (3, 5, 10, 20)]
    heading = "seeds | shuffles | difference | rate | difference, clustered by seed alone"
    _rows(heading, pairs, lambda key: clusters(*key, samples))
    _rows("seeds | ratio of 1.5 | ratio of 1", [50, 200, 1000], lambda n: effects(n, samples))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
