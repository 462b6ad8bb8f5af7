"""How often intervals of epochs to convergence cover, and how often the paired logrank test rejects what is true."""

from collections.abc import Callable

import numpy as np

from benchmarks.coverage.cases import holds
from benchmarks.coverage.populations import Epochs, Population, population
from fastgrok.statistics import (
    Counts,
    PairedCounts,
    Table,
    best_cutoff,
    expected_epochs,
    paired_logrank,
    quantile,
    rate,
    ratio_of_expected,
    ratio_of_medians,
    restricted_mean,
    risk_difference,
    survival_curve,
)

Check = Callable[[Epochs], bool]
LEVELS = (0.05, 0.01, 0.001)
"""Of the paired logrank test."""


def checks(name: str) -> dict[str, Check]:
    """Return, for each statistic, whether its interval from a sample of this population covers."""
    whole = population(name)
    limit, medians = whole.limit, whole.quantile(0.5)
    costs = [whole.costs(k) for k in (0, 1)]
    cutoff, least, all_epochs = int(np.argmin(costs[0])) + 1, [x.min() for x in costs], [x[-1] for x in costs]
    met = (whole.epochs > 0).mean(axis=1)

    def counts(sample: Epochs) -> Counts:
        return Counts.of_epochs(sample[0], limit)

    def both(sample: Epochs) -> tuple[Counts, Counts, PairedCounts]:
        return counts(sample), Counts.of_epochs(sample[1], limit), PairedCounts.of(*sample)

    def of_quantile(share: float) -> Check:
        wanted = whole.quantile(share)[0]
        if wanted > limit:  # of which nothing is known but that it is later
            return lambda x: quantile(survival_curve(counts(x)), share).high is None
        return lambda x: holds(quantile(survival_curve(counts(x)), share), wanted)

    def of_best(x: Epochs) -> bool:
        found = best_cutoff(counts(x))  # without a choice it is of no cut-off
        return holds(found.expected, all_epochs[0] if found.cutoff.value is None else least[0])

    def of_best_ratio(x: Epochs) -> bool:
        a, b, paired = both(x)
        chosen = [best_cutoff(each).cutoff.value is not None for each in (a, b)]
        wanted = [least[k] if chosen[k] else all_epochs[k] for k in (0, 1)]
        return holds(ratio_of_expected(a, b, paired), wanted[0] / wanted[1])

    return {
        "rate": lambda x: holds(rate(int((x[0] > 0).sum()), x.shape[1]), met[0]),
        "risk_difference": lambda x: holds(risk_difference(Table.of(*(x > 0))), met[0] - met[1]),
        "quantile(0.1)": of_quantile(0.1),
        "quantile(0.5)": of_quantile(0.5),
        "quantile(0.9)": of_quantile(0.9),
        "ratio_of_medians": lambda x: holds(ratio_of_medians(*both(x)), medians[0] / medians[1]),
        "restricted_mean": lambda x: holds(restricted_mean(survival_curve(counts(x)), limit), whole.mean(limit)),
        "restricted_mean, two limits": lambda x: _two_limits(x, whole),
        "expected_epochs": lambda x: holds(expected_epochs(counts(x), limit), all_epochs[0]),
        "ratio_of_expected": lambda x: holds(
            ratio_of_expected(*both(x), cutoffs=(limit, limit)), all_epochs[0] / all_epochs[1]
        ),
        "best_cutoff.expected": of_best,
        "best_cutoff.cutoff": lambda x: holds(best_cutoff(counts(x)).cutoff, cutoff),
        "ratio_of_expected, best cut-offs": of_best_ratio,
    }


def _two_limits(sample: Epochs, whole: Population) -> bool:
    """Whether the restricted mean covers where half of the seeds were trained for a quarter of the epochs."""
    short, half = whole.limit // 4, sample.shape[1] // 2
    first = np.where(sample[0, :half] <= short, sample[0, :half], -1)
    curve = survival_curve(Counts.of_epochs(first, short) + Counts.of_epochs(sample[0, half:], whole.limit))
    until = whole.limit if curve.last is None else curve.last
    return holds(restricted_mean(curve, until), whole.mean(until))


def coverage(name: str, n: int, repeats: int, statistics: list[str] | None = None) -> dict[str, float]:
    """Return how often the interval of each statistic, from n seeds of a population, covers."""
    rng, whole, all_checks = np.random.default_rng(13), population(name), checks(name)
    wanted = {each: all_checks[each] for each in statistics or all_checks}
    inside = dict.fromkeys(wanted, 0)
    for _ in range(repeats):
        sample = whole.sample(n, rng)
        for each, check in wanted.items():
            inside[each] += check(sample)
    return {each: count / repeats for each, count in inside.items()}


def rejected(name: str, n: int, repeats: int) -> dict[str, float]:
    """Return how often the paired logrank test comes to each level where nothing depends on which of two is a."""
    rng, whole = np.random.default_rng(14), population(name)
    p = np.empty(repeats)
    for k in range(repeats):
        sample = whole.sample(n, rng)
        a, b = np.where(rng.random(n) < 0.5, sample, sample[::-1])
        counts = (Counts.of_epochs(x, whole.limit) for x in (a, b))
        p[k] = paired_logrank(*counts, PairedCounts.of(a, b)).p_value
    return {f"p <= {level:g}": float(np.mean(p <= level)) for level in LEVELS}
