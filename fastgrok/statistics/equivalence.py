"""Whether two configurations differ by no more than a margin."""

import math
import sys
from collections.abc import Callable
from typing import NamedTuple

from fastgrok.errors import InvalidExperiment
from fastgrok.statistics.arguments import checked
from fastgrok.statistics.proportion import Estimate, normal_quantile

LEAST_P = 1e-12
"""P-values are not told from smaller ones."""

_HALVINGS = 40  # of an interval of log p: more digits than are ever read


class Equivalence(NamedTuple):
    """Whether a difference is shown to be smaller than a margin, up and down.

    Parameters
    ----------
    margin
        What counts as no difference that matters.
    difference
        The difference, with the interval whose confidence is 1 - 2 alpha: 90 % where alpha is 5 %.
    p_value
        The least alpha with which that interval lies between -margin and margin; 1 if the difference itself does not.
    """

    margin: float
    difference: Estimate
    p_value: float


@checked
def equivalence(interval: Callable[[float], Estimate], margin: float, confidence: float = 0.95) -> Equivalence:
    """Test whether a difference is smaller than a margin, by two one-sided tests.

    Parameters
    ----------
    interval
        A function that returns the estimate of a difference with its interval of a given confidence, such as
        `lambda c: risk_difference(table, c)`.
    margin
        The smallest difference that matters, more than 0: 0.02 for two points of a rate.
    confidence
        1 - alpha, the probability of taking configurations for alike that differ by the margin or more.

    Raises
    ------
    InvalidExperiment
        If the margin is not more than 0.

    Notes
    -----
    Schuirmann, "A comparison of the two one-sided tests procedure and the power approach for assessing the
    equivalence of average bioavailability", 1987. Each end of an interval of confidence 1 - 2 alpha is that of a
    one-sided test at level alpha, so that two configurations are alike where it lies within the margin: what is
    printed and what is said agree. The margin is to be chosen before the difference is seen. An interval that is
    open says nothing.

    Examples
    --------
    >>> from fastgrok.statistics import Table, risk_difference
    >>> table = Table(both=800, only_a=51, only_b=49, neither=100)
    >>> found = equivalence(lambda c: risk_difference(table, c), margin=0.03)
    >>> [round(x, 4) for x in found.difference], round(found.p_value, 4)
    ([0.002, -0.0155, 0.0195], 0.0036)
    """
    checked_margin(margin)
    normal_quantile(confidence)
    alpha = 1 - float(confidence)
    difference = interval(max(1 - 2 * alpha, LEAST_P))
    if not isinstance(difference, Estimate):
        raise InvalidExperiment("interval", interval, "a function that returns an Estimate for a confidence")

    def within(p: float) -> bool:
        _, low, high = interval(1 - 2 * p)
        return low is not None and high is not None and -margin < low and high < margin

    least, most = math.log(LEAST_P), math.log(0.5 * (1 - LEAST_P))
    if not within(math.exp(most)):
        return Equivalence(float(margin), difference, 1.0)
    if within(LEAST_P):
        return Equivalence(float(margin), difference, LEAST_P)
    for _ in range(_HALVINGS):
        middle = (least + most) / 2
        least, most = (least, middle) if within(math.exp(middle)) else (middle, most)
    return Equivalence(float(margin), difference, math.exp(most))


def checked_margin(margin: float) -> float:
    """Return a margin, a number more than 0."""
    if isinstance(margin, bool) or not isinstance(margin, int | float) or not 0 < margin <= sys.float_info.max:
        raise InvalidExperiment("margin", margin, "a number more than 0: the smallest difference that matters")
    return float(margin)
