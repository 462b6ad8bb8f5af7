"""How many seeds it takes to see a difference."""

import math

from fastgrok.errors import InvalidExperiment
from fastgrok.statistics.proportion import normal_quantile


def seeds_needed(
    rate_a: float,
    rate_b: float,
    *,
    discordant: float | None = None,
    power: float = 0.9,
    confidence: float = 0.95,
) -> int:
    """
    Return how many seeds show that two convergence rates differ.

    With d = rate_a - rate_b, z the quantile of the confidence (two-sided) and y that of the power (one-sided):

    - on the same seeds: (z sqrt(q) + y sqrt(q - d**2))**2 / d**2, q being the share of discordant seeds;
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

    Raises
    ------
    InvalidExperiment
        If a number is outside of its limits.

    Notes
    -----
    Connett, Smith, McHugh, "Sample size and power for pair-matched case-control studies", 1987 (of McNemar's test
    without continuity correction; the exact one takes a few seeds more), and Fleiss, "Statistical methods for rates
    and proportions", 1981 (of the pooled z-test). On the same seeds there are at least so many that enough are
    discordant for the exact test to reach 1 - confidence, if all of them are for one side: 6 at 95 %. Where Holm
    adjusts over k pairs, as `compare` does, the first of them is held to a p-value of (1 - confidence) / k: ask for
    the confidence 1 - 0.05 / k.

    Examples
    --------
    >>> seeds_needed(0.75, 0.70), seeds_needed(0.75, 0.70, discordant=0.2)
    (1674, 837)
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
        spread = z * math.sqrt(discordant) + y * math.sqrt(max(discordant - difference**2, 0.0))
    needed = (max(spread, 0.0) / difference) ** 2
    if discordant is not None:  # 2 / 2**m <= 1 - confidence
        needed = max(needed, math.ceil(1 - math.log2(1 - confidence) - 1e-9) / discordant)
    return math.ceil(needed - 1e-9)
