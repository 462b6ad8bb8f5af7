"""Convergence rates of two configurations: by how much they differ, whether they do, and how many seeds show it."""

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgrok.errors import InvalidExperiment
from fastgrok.statistics.arguments import checked
from fastgrok.statistics.paired import Table
from fastgrok.statistics.proportion import Estimate, normal_quantile
from fastgrok.statistics.stratified import PooledCounts

_EXACT = 1_000_000  # discordant seeds up to which the power of the exact test is summed


@checked
def risk_difference(table: Table, confidence: float = 0.95) -> Estimate:
    """Return by how much more often seeds converge with a than with b.

    (only_a - only_b) / n, the mean over seeds of 1, -1 and 0.

    Parameters
    ----------
    table
        Seeds by whether they converge with a and with b. Of none: None, from -1 to 1.
    confidence
        As in `fastgrok.statistics`.

    Notes
    -----
    Gaffke, "Three test statistics for a nonparametric one-sided hypothesis on the mean of a nonnegative variable",
    2005, of a mean between -1 and 1: the seeds have random weights, and one seed more is for a at the upper end and
    for b at the lower. Where no seed does the same with both it is nearly the interval of Clopper and Pearson, which
    leaves 0 out where the exact test of `mcnemar` rejects. It covers at least as often as it says, whatever the
    rates: one of 95 % in 95.3 % of samples or more of 3 to 100 seeds, by all tables; in 97 to 100 % where seeds, or
    those that are discordant, are few. Of 300 seeds that all differ it is 4 % wider than one by a variance.

    Examples
    --------
    >>> [round(x, 3) for x in risk_difference(Table(both=80, only_a=12, only_b=3, neither=5))]
    [0.09, 0.006, 0.177]
    """
    return PooledCounts.of_table(table).difference(confidence)


@checked
def mcnemar(table: Table) -> float:
    """Return the probability of seeds as uneven as these if a and b converge equally often.

    With k = min(only_a, only_b) and m = only_a + only_b, min(1, 2 P(X <= k)), where X is binomial(m, 1/2).

    Parameters
    ----------
    table
        Seeds by whether they converge with a and with b.

    Notes
    -----
    McNemar, "Note on the sampling error of the difference between correlated proportions", 1947. The exact test, at
    every number of seeds: it rejects at most as often as it says. Seeds that do the same with both say nothing.

    Examples
    --------
    >>> round(mcnemar(Table(both=80, only_a=12, only_b=3, neither=5)), 4)
    0.0352
    """
    return PooledCounts.of_table(table).p_value()


@checked
def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Return the p-values of several tests, each made larger so that all of them together can be read.

    In ascending order, the k-th of n becomes the largest of (n - j + 1) p_j over j <= k, at most 1.

    Parameters
    ----------
    p_values
        One of each test, 0 to 1; any order, which is kept.

    Notes
    -----
    Holm, "A simple sequentially rejective multiple test procedure", 1979. If those at or below alpha are called
    different, the probability that one of them is not is at most alpha, whatever ties the tests together.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1 or not np.all((p >= 0) & (p <= 1)):
        raise InvalidExperiment("p_values", p_values, "a list of probabilities")
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1.0)
    return adjusted


@checked
def seeds_needed(
    rate_a: float,
    rate_b: float,
    *,
    discordant: float | None = None,
    power: float = 0.9,
    confidence: float = 0.95,
) -> int:
    """Return how many seeds show that two convergence rates differ.

    With d = rate_a - rate_b, z the quantile of the confidence (two-sided) and y that of the power (one-sided):

    - on the same seeds: a number with which `mcnemar` comes to 1 - confidence so often, and with one seed fewer does
      not, the discordant seeds being a share q of all; from a million of these on ((s + sqrt(s**2 + 4 abs(d))) /
      (2 abs(d)))**2, with s = z sqrt(q) + y sqrt(q - d**2);
    - on seeds of their own: (z sqrt(2 p (1 - p)) + y sqrt(rate_a (1 - rate_a) + rate_b (1 - rate_b)))**2 / d**2, p
      being the mean of both rates, for each of the two configurations.

    Parameters
    ----------
    rate_a
        Share of seeds that converge with a, 0 to 1.
    rate_b
        Share with b, another one.
    discordant
        Share of seeds that converge with one of the two alone, on the same seeds; at least the difference of the
        rates and at most what they allow. rate_a (1 - rate_b) + rate_b (1 - rate_a) if a seed's luck with one
        says nothing about the other. None: seeds of their own.
    power
        The probability of seeing the difference, between 0 and 1.
    confidence
        1 - the probability of seeing one where there is none, between 0 and 1.

    Notes
    -----
    On the same seeds the power is summed over what may be seen: how many seeds are discordant is binomial, and so is
    how many of these are for one side. That of more seeds may be a little less, where nearly all are discordant and
    one more does not help the exact test. The formula is that of Connett, Smith, McHugh, "Sample size and power for
    pair-matched case-control studies", 1987, with a correction for continuity, without which the exact test has a
    power of 0.765 for 0.8 with a hundred seeds. On seeds of their own it is that of Fleiss, "Statistical methods for
    rates and proportions", 1981, for the pooled z-test. Where Holm adjusts over k pairs, as `compare` does, the first
    of them is held to a p-value of (1 - confidence) / k: ask for the confidence 1 - 0.05 / k.

    Examples
    --------
    >>> seeds_needed(0.75, 0.70), seeds_needed(0.75, 0.70, discordant=0.2)
    (1674, 867)
    """
    for field, value in (("rate_a", rate_a), ("rate_b", rate_b)):
        if not 0 <= value <= 1:
            raise InvalidExperiment(field, value, "a number from 0 to 1")
    difference = abs(rate_a - rate_b)
    if not difference:
        raise InvalidExperiment("rate_b", rate_b, f"another rate than rate_a, {rate_a}")
    z = normal_quantile(confidence)
    if not 0 < power < 1:
        raise InvalidExperiment("power", power, "a number greater than 0 and less than 1")
    y = math.copysign(normal_quantile(abs(2 * power - 1)), power - 0.5) if power != 0.5 else 0.0
    if discordant is None:
        mean = (rate_a + rate_b) / 2
        spread = z * math.sqrt(2 * mean * (1 - mean))
        spread += y * math.sqrt(rate_a * (1 - rate_a) + rate_b * (1 - rate_b))
    else:
        most = min(rate_a + rate_b, 2 - rate_a - rate_b)
        if not difference * (1 - 1e-12) <= discordant <= most * (1 + 1e-12):
            raise InvalidExperiment("discordant", discordant, f"a share from {difference:.6g} to {most:.6g}")
        return _seeds_of_mcnemar(difference, float(discordant), float(power), confidence)
    return math.ceil((max(spread, 0.0) / difference) ** 2 - 1e-9)


def _seeds_of_mcnemar(difference: float, discordant: float, power: float, confidence: float) -> int:
    """Return how many seeds give the exact test this power."""
    z, y = (-NormalDist().inv_cdf(tail) for tail in ((1 - float(confidence)) / 2, 1 - power))
    spread = max(z * math.sqrt(discordant) + y * math.sqrt(max(discordant - difference**2, 0.0)), 0.0)
    most = math.ceil(((spread + math.sqrt(spread**2 + 4 * difference)) / (2 * difference)) ** 2)
    if most * discordant > _EXACT:
        return most
    while _power_of_mcnemar(most, difference, discordant, confidence) < power:
        most += 1 + most // 8
    least = 0  # too few
    while most - least > 1:
        middle = (least + most) // 2
        if _power_of_mcnemar(middle, difference, discordant, confidence) < power:
            least = middle
        else:
            most = middle
    return most


def _power_of_mcnemar(n: int, difference: float, discordant: float, confidence: float) -> float:
    """Return how often the exact test of n seeds comes to 1 - confidence."""
    from scipy.stats import binom

    q = min(discordant, 1.0)
    reach = 7 * math.sqrt(n * q * (1 - q)) + 1
    m = np.arange(max(math.floor(n * q - reach), 0), min(math.ceil(n * q + reach), n) + 1)  # discordant seeds
    tail = (1 - confidence) / 2
    fewest = binom.ppf(tail, m, 0.5)  # for one side, up to which the test rejects
    fewest -= binom.cdf(fewest, m, 0.5) > tail * (1 + 1e-12)
    for_a = min((1 + difference / q) / 2, 1.0)
    rejected = binom.cdf(fewest, m, for_a) + binom.cdf(fewest, m, 1 - for_a)
    return float(binom.pmf(m, n, q) @ rejected)
