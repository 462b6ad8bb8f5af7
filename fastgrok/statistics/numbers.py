"""What each number looks like."""

import math
from typing import Any

from fastgrok.statistics.proportion import Estimate

_LEAST_P = 1e-10

NOT_REACHED = "not reached"
"""Stands for a quantile that more seeds would have had to reach."""


def named(axis: str, label: Any) -> str:
    """
    Return a value in words: one that does not say what it is of has the last word of its axis before it.

    Examples
    --------
    >>> named("optimizer.lr", 0.1), named("init", "HeNormal()")
    ('lr=0.1', 'HeNormal()')
    """
    text = one_line(label)
    return text if isinstance(label, str) and not label.isidentifier() else f"{axis.rpartition('.')[2]}={text}"


def one_line(label: Any) -> str:
    """Return a label on one line, without what a terminal would take for a command."""
    return "".join(c if c.isprintable() else "?" for c in " ".join(str(label).split()))


def percent(share: Estimate, *, unit: str = " %", digits: int = 0) -> str:
    """
    Return a share with its interval, in percent, with the decimals that the interval warrants.

    Examples
    --------
    >>> percent(Estimate(0.0312, 0.0257, 0.0367), digits=1)
    '3.1 % [2.6, 3.7]'
    """
    value, low, high = share
    if value is None or low is None or high is None:
        return "-"
    width = 100 * (high - low)
    decimals = min(max(-math.floor(math.log10(width)), 0) + digits, 6) if width > 0 else digits
    shown = [f"{round(100 * x, decimals) + 0.0:.{decimals}f}" for x in (value, low, high)]
    return f"{shown[0]}{unit} [{shown[1]}, {shown[2]}]"


def duration(seconds: float) -> str:
    """
    Return a time to three digits.

    Examples
    --------
    >>> duration(0.01234), duration(12.34), duration(4000)
    ('0.0123 s', '12.3 s', '1:06:40')
    """
    if seconds >= 600:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
    return f"{seconds:.3g} s"


def speed(per_second: float | None) -> str:
    """
    Return a number of seed-epochs per second to three digits.

    Examples
    --------
    >>> speed(123_456_789), speed(950)
    ('123 M', '950')
    """
    if not per_second:
        return "-"
    for factor, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if per_second >= factor:
            return f"{per_second / factor:.3g}{unit}"
    return f"{per_second:.3g}"


def points(difference: Estimate, unit: str = "") -> str:
    """
    Return a difference of shares in percentage points.

    Examples
    --------
    >>> points(Estimate(0.0312, 0.0257, 0.0367), " points")
    '3.1 points [2.6, 3.7]'
    """
    return percent(difference, unit=unit, digits=1)


def probability(p: float, equals: str = "") -> str:
    """
    Return a p-value to two digits.

    Examples
    --------
    >>> probability(0.01234), probability(1e-300)
    ('0.012', '< 1e-10')
    """
    return f"< {_LEAST_P:g}" if p < _LEAST_P else f"{equals}{p:.2g}"


def epochs(estimate: Estimate, none: str = NOT_REACHED, beyond: str = NOT_REACHED) -> str:
    """
    Return a number of epochs with its interval.

    Examples
    --------
    >>> epochs(Estimate(1234.4, 1200.2, None))
    '1,234 [1,200, not reached]'
    """
    if estimate.value is None:
        return none if estimate.low is None else f"{none} [{estimate.low:,.0f}, {beyond}]"
    low, high = (beyond if x is None else f"{x:,.0f}" for x in estimate[1:])
    return f"{estimate.value:,.0f} [{low}, {high}]"


def inverse(estimate: Estimate) -> Estimate:
    """
    Return the reciprocal of a ratio.

    Examples
    --------
    >>> inverse(Estimate(2.0, 1.0, None))
    Estimate(value=0.5, low=None, high=1.0)
    """
    value, low, high = (None if x is None else 1 / x for x in estimate)
    return Estimate(value, high, low)


def ratio(estimate: Estimate) -> str:
    """
    Return a ratio with its interval, with the decimals that the interval warrants.

    Examples
    --------
    >>> ratio(Estimate(0.8123, 0.8012, 0.8234)), ratio(Estimate(1.5, 1.1, None))
    ('0.812 [0.801, 0.823]', '1.50 [1.10, open]')
    """
    if estimate.value is None:
        return "-"
    value, low, high = estimate
    width = (high - low) if high is not None and low is not None else 0.0
    decimals = min(max(-math.floor(math.log10(width)), 0) + 1, 4) if width > 0 else 2
    first, second = ("open" if x is None else f"{x:.{decimals}f}" for x in (low, high))
    return f"{value:.{decimals}f} [{first}, {second}]"
