"""Numbers, lists and estimates as text: how every room of the package writes them."""

import math
from collections.abc import Iterable
from typing import Any

from fastgrok.errors import one_line
from fastgrok.statistics.proportion import Estimate

NOT_REACHED = "not reached"
"""Stands for a quantile that more seeds would have had to reach."""

_LEAST_P = 1e-10
_MOST_DECIMALS = 12  # of a percentage: one of a trillion seeds
_MOST_LISTED = 8  # inputs and examples may be thousands


def axis_value(axis: str, label: Any) -> str:
    """Return the label of a value, after the last word of its axis (lr=0.1) unless it is a call (HeNormal())."""
    text = one_line(label)
    return text if isinstance(label, str) and not label.isidentifier() else f"{axis.rpartition('.')[2]}={text}"


def plural(count: int, noun: str) -> str:
    """Return a number of things: 1 unit, 1,200 units."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


def listed(items: Iterable[Any]) -> str:
    """Return things one after the other (1, 2 and 3), the first seven of them if there are more than eight."""
    words = [str(item) for item in items]
    if len(words) > _MOST_LISTED:
        words = [*words[: _MOST_LISTED - 1], f"{len(words) - _MOST_LISTED + 1:,} more"]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def number(value: Any, digits: int = 4) -> str:
    """Return a number to some significant digits, without a minus before a zero."""
    return f"{float(value) + 0.0:.{digits}g}"


def fixed(value: Any, decimals: int) -> str:
    """Return a number to some decimals, without a minus before a zero."""
    return f"{round(float(value), decimals) + 0.0:,.{decimals}f}"


def short(value: float, decimals: int = 2) -> str:
    """Return a number that fits into a node or a cell, as those of a seed that diverges must: 1e+02 from 100 on."""
    return fixed(value, decimals) if abs(value) < 100 else f"{value:.0e}"


def duration(seconds: float) -> str:
    """Return a time to three digits, or in hours, minutes and seconds from ten minutes on."""
    if seconds >= 600:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
    return f"{number(seconds, 3)} s"


def speed(per_second: float | None) -> str:
    """Return a number of seed-epochs per second to three digits, in thousands, millions or billions."""
    if not per_second:
        return "-"
    for factor, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if per_second >= factor:
            return f"{number(per_second / factor, 3)}{unit}"
    return number(per_second, 3)


def probability(p: float, equals: str = "") -> str:
    """Return a p-value to two digits, or that it is less than 1e-10."""
    return f"< {_LEAST_P:g}" if p < _LEAST_P else f"{equals}{number(p, 2)}"


def with_interval(estimate: Estimate, decimals: int, unit: str = "", open_end: str = "open") -> str:
    """Return an estimate and its interval to some decimals: 1.50 [1.10, open]."""
    value, low, high = (open_end if x is None else fixed(x, decimals) for x in estimate)
    return f"{value}{unit} [{low}, {high}]"


def decimals_of(width: float, more: int = 0, most: int = 6) -> int:
    """Return the decimals of the first digit of an interval's width, and some more."""
    return min(max(-math.floor(math.log10(width)), 0) + more, most)


def percent(share: Estimate, *, unit: str = " %") -> str:
    """Return a share and its interval in percent, with the decimals that the interval warrants: 3.1 % [2.6, 3.7].

    No share but 0 is written as 0 %, and none but 1 as 100 %: 199 of 200 have one more decimal.
    """
    return _percent(share, unit, 0, share.value)


def points(difference: Estimate, unit: str = "") -> str:
    """Return a difference of shares and its interval in percentage points."""
    return _percent(difference, unit, 1, None)


def _percent(share: Estimate, unit: str, digits: int, never_whole: float | None) -> str:
    """Return a share or a difference and its interval; a share that is neither 0 nor 1 is written as neither."""
    value, low, high = share
    if value is None or low is None or high is None:
        return "-"
    width = 100 * (high - low)
    decimals = decimals_of(width, digits) if width > 0 else digits
    decimals = decimals if never_whole is None else decimals_short_of_all(never_whole, decimals)
    return with_interval(Estimate(100 * value, 100 * low, 100 * high), decimals, unit)


def decimals_short_of_all(share: float, least: int) -> int:
    """Return the fewest decimals, so many at least, with which no percentage of some reads 0 or 100."""
    if not 0 < share < 1:
        return least
    return next((k for k in range(least, _MOST_DECIMALS) if 0 < round(100 * share, k) < 100), _MOST_DECIMALS)


def plain_percent(share: float, least: int = 1) -> str:
    """Return a share without an interval: 99.5 % for 199 of 200, and 100 % for all of them alone."""
    text = fixed(100 * share, decimals_short_of_all(share, least))
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} %"


def quantity(estimate: Estimate, digits: int = 3, none: str = "not finite") -> str:
    """Return a loss or an accuracy and its interval to some significant digits: 0.0125 [0.0121, 0.0133]."""
    value, low, high = estimate
    return f"{quantity_of(value, digits, none)} [{quantity_of(low, digits)}, {quantity_of(high, digits)}]"


def quantity_of(value: float | None, digits: int = 3, none: str = "open") -> str:
    """Return a loss or an accuracy to some significant digits, and to more where another one would read 1."""
    if value is None:
        return none
    text = number(value, digits)
    return (
        text if text != "1" or value == 1 else number(value, max(digits, 2 - math.floor(math.log10(abs(1 - value)))))
    )


def epochs(estimate: Estimate, none: str = NOT_REACHED, beyond: str = NOT_REACHED) -> str:
    """Return a number of epochs and its interval: 1,234 [1,200, not reached]."""
    if estimate.value is None:
        return none if estimate.low is None else f"{none} [{fixed(estimate.low, 0)}, {beyond}]"
    return with_interval(estimate, 0, open_end=beyond)


def ratio(estimate: Estimate) -> str:
    """Return a ratio and its interval, with the decimals that the interval warrants: 0.812 [0.801, 0.823]."""
    value, low, high = estimate
    if value is None:
        return "-"
    width = 0.0 if low is None or high is None else high - low
    return with_interval(estimate, decimals_of(width, 1, most=4) if width > 0 else 2)


def difference(estimate: Estimate) -> str:
    """Return a difference and its interval, with the decimals that the interval warrants: -0.012 [-0.018, -0.006]."""
    value, low, high = estimate
    if value is None:
        return "-"
    width = abs(value) if low is None or high is None else high - low
    return with_interval(estimate, decimals_of(width, 1, most=12) if width > 0 else 2)
