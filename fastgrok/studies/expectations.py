"""What a source leads to expect of a number, and when an observation agrees with it."""

import math
from typing import NamedTuple

from fastgrok.statistics.proportion import Estimate
from fastgrok.studies.measures import Measure


class Expectation(NamedTuple):
    """The numbers that a source allows."""

    low: float = -math.inf  # the smallest
    high: float = math.inf  # the largest
    shown: bool = False  # whether the observation must show it: its whole interval lies inside, ends excluded
    measured: Measure | None = None
    by: str = "source"  # where it comes from, in a word or two

    def at(self, confidence: float) -> Estimate:
        """Return the numbers allowed; the value is that of a closed form or estimate, and else there is none."""
        if self.measured is not None:
            return self.measured(confidence)
        ends = (None if math.isinf(end) else end for end in (self.low, self.high))
        return Estimate(self.low if self.low == self.high else None, *ends)

    def agrees(self, observed: Estimate, confidence: float) -> bool:
        """
        Say whether an observation agrees.

        Examples
        --------
        >>> equal(0.25).agrees(Estimate(0.24, 0.23, 0.26), 0.95)
        True
        >>> observed = Estimate(0.1, -0.1, 0.3)  # it does not show more than 0, nor does it contradict at least 0
        >>> above(0).agrees(observed, 0.95), at_least(0).agrees(observed, 0.95)
        (False, True)
        """
        (low, high), (least, most) = _ends(self.at(confidence)), _ends(observed)
        if self.shown:
            return low < least and most < high
        return least <= high and low <= most


def _ends(estimate: Estimate) -> tuple[float, float]:
    """Return the ends of an interval, infinite where it is open."""
    low, high = estimate.low, estimate.high
    return -math.inf if low is None else float(low), math.inf if high is None else float(high)


def equal(value: float, by: str = "closed form") -> Expectation:
    """Expect this number."""
    return Expectation(value, value, by=by)


def at_most(value: float, by: str = "bound") -> Expectation:
    """Expect no more than this: contradicted by an interval that lies above."""
    return Expectation(high=value, by=by)


def at_least(value: float, by: str = "bound") -> Expectation:
    """Expect no less than this: contradicted by an interval that lies below."""
    return Expectation(low=value, by=by)


def above(value: float, by: str = "source") -> Expectation:
    """Expect more than this, shown by an interval that lies above."""
    return Expectation(low=value, shown=True, by=by)


def below(value: float, by: str = "source") -> Expectation:
    """Expect less than this, shown by an interval that lies below."""
    return Expectation(high=value, shown=True, by=by)


def estimated(measured: Measure, by: str) -> Expectation:
    """Expect what other seeds led to expect."""
    return Expectation(measured=measured, by=by)


def printed(text: str, digits: int = 8) -> Expectation:
    """
    Expect a number that NumPy printed: any that it would have printed so.

    Examples
    --------
    >>> printed("0.04").agrees(Estimate(*3 * [0.040000004]), 0.95)
    True
    >>> printed("9.22274338e-06").agrees(Estimate(*3 * [9.22274345e-06]), 0.95)
    False
    """
    exponent = int(text.partition("e")[2] or 0)
    half = 0.5001 * 10.0 ** (exponent - digits)
    return Expectation(float(text) - half, float(text) + half)
