"""A comparison in words and tables."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from fastgrok.display.rows import NOT_REACHED, Cells, one_line, percent
from fastgrok.statistics.comparison import PairRow, PooledRow, ValueRow
from fastgrok.statistics.proportion import Estimate

_LEAST_P = 1e-10


def value_cells(rows: Sequence[ValueRow], confidence: float) -> Cells:
    """
    Return how consistently each configuration converges.

    Parameters
    ----------
    rows
        One configuration each, with the same axes.
    confidence
        That of the intervals.
    """
    labels = list(rows[0].labels)
    interval = f"[{100 * confidence:g} %]"
    header = [*labels, "n", f"converged {interval}", f"median epochs {interval}", f"epochs per success {interval}"]
    body = [
        [
            *(one_line(row.labels[name]) for name in labels),
            f"{row.n:,}",
            percent(row.rate),
            epochs(row.median),
            epochs(row.expected, none="-"),
            epochs(row.cutoff, none="-"),
        ]
        for row in rows
    ]
    return Cells([*header, f"best cut-off {interval}"], body, len(labels))


def pair_cells(rows: Sequence[PairRow], confidence: float) -> Cells:
    """
    Return how large the advantage of each value over each other is.

    Parameters
    ----------
    rows
        One pair each, of the same sweep.
    confidence
        That of the intervals.
    """
    others = list(rows[0].stratum) if rows else []
    interval = f"[{100 * confidence:g} %]"
    header = [*others, "a", "b", f"a - b, points {interval}", "McNemar p", "logrank p"]
    body = [
        [
            *(one_line(row.stratum[name]) for name in others),
            one_line(row.a),
            one_line(row.b),
            points(row.difference),
            probability(row.mcnemar_holm),
            probability(row.logrank_holm),
            ratio(row.median_ratio),
            ratio(row.expected_ratio),
        ]
        for row in rows
    ]
    return Cells([*header, f"median a/b {interval}", f"epochs per success a/b {interval}"], body, len(others) + 2)


def pooled_cells(rows: Sequence[PooledRow], confidence: float) -> Cells:
    """
    Return how large the advantage of each value over each other is in the mean over the other axes.

    Parameters
    ----------
    rows
        One pair each, of the same sweep.
    confidence
        That of the intervals.
    """
    header = ["a", "b", "strata", f"a - b, points [{100 * confidence:g} %]", "p"]
    body = [
        [one_line(row.a), one_line(row.b), f"{row.strata:,}", points(row.difference), probability(row.p_holm)]
        for row in rows
    ]
    return Cells(header, body, 2)


def pair_verdict(row: PairRow, n_pairs: int, alpha: float) -> str:
    """
    Say in words which of two values converges more often, and what a success costs.

    Parameters
    ----------
    row
        A pair.
    n_pairs
        Over how many its p-value is adjusted.
    alpha
        The p-value up to which a difference counts as seen.
    """
    first, cost = row.a, row.expected_ratio
    if (row.difference.value or 0.0) < 0:
        first, cost = row.b, inverse(cost)
    how = f"McNemar, Holm over {_pairs(n_pairs)}"
    text = _verdict(row.a, row.b, row.difference, row.mcnemar_holm, how, alpha)
    if cost.value is not None:
        text += f"; a success with {one_line(first)} costs {ratio(cost)} times the epochs"
    return text


def best_verdict(wins: Mapping[Any, int], alpha: float) -> str:
    """
    Say in words which of several values converges more often than how many others.

    Parameters
    ----------
    wins
        The label of each value: the values that it is seen to converge more often than.
    alpha
        The p-value up to which a difference counts as seen.

    Examples
    --------
    >>> best_verdict({"a": 2, "b": 0, "c": 0}, 0.05)
    'a converges more often than each of the 2 others (adjusted p <= 0.05)'
    """
    most, others = max(wins.values()), len(wins) - 1
    best = " and ".join(one_line(label) for label, count in wins.items() if count == most)
    each = f"{most} of the {others} others" if most < others else f"each of the {others} others"
    if not most:
        return f"no value is seen to converge more often than another (adjusted p <= {alpha:.2g})"
    verb = "converge" if list(wins.values()).count(most) > 1 else "converges"
    return f"{best} {verb} more often than {each} (adjusted p <= {alpha:.2g})"


def pooled_verdict(row: PooledRow, n_pairs: int, alpha: float) -> str:
    """
    Say in words which of two values converges more often in the mean over the other axes.

    Parameters
    ----------
    row
        A pair.
    n_pairs
        Over how many its p-value is adjusted.
    alpha
        The p-value up to which a difference counts as seen.
    """
    how = f"one observation a seed over {row.strata} strata, Holm over {_pairs(n_pairs)}"
    return _verdict(row.a, row.b, row.difference, row.p_holm, how, alpha)


def _verdict(a: Any, b: Any, difference: Estimate, p: float, how: str, alpha: float) -> str:
    first, second = one_line(a), one_line(b)
    chance = f"{probability(p, '= ')} ({how})"
    if p > alpha:
        return f"no difference seen between {first} and {second}: {points(difference, ' points')}; p {chance}"
    value, low, high = (x or 0.0 for x in difference)
    if value < 0:
        first, second, difference = second, first, Estimate(-value, -high, -low)
    return f"{first} converges more often than {second} by {points(difference, ' points')}; p {chance}"


def _pairs(n: int) -> str:
    return f"{n:,} pair{'s' * (n != 1)}"


def points(difference: Estimate, unit: str = "") -> str:
    """
    Return a difference of shares in percentage points.

    Parameters
    ----------
    difference
        From -1 to 1.
    unit
        What stands after the number.

    Examples
    --------
    >>> points(Estimate(0.0312, 0.0257, 0.0367), " points")
    '3.1 points [2.6, 3.7]'
    """
    return percent(difference, unit=unit, digits=1)


def probability(p: float, equals: str = "") -> str:
    """
    Return a p-value to two digits.

    Parameters
    ----------
    p
        A probability.
    equals
        What stands before one that is told.

    Examples
    --------
    >>> probability(0.01234), probability(1e-300)
    ('0.012', '< 1e-10')
    """
    return f"< {_LEAST_P:g}" if p < _LEAST_P else f"{equals}{p:.2g}"


def epochs(estimate: Estimate, none: str = NOT_REACHED) -> str:
    """
    Return a number of epochs with its interval.

    Parameters
    ----------
    estimate
        Any; an end that is None is not reached.
    none
        What stands for a number that there is not.

    Examples
    --------
    >>> epochs(Estimate(1234.4, 1200.2, None))
    '1,234 [1,200, not reached]'
    """
    if estimate.value is None:
        return none if estimate.low is None else f"{none} [{estimate.low:,.0f}, {NOT_REACHED}]"
    low, high = (NOT_REACHED if x is None else f"{x:,.0f}" for x in estimate[1:])
    return f"{estimate.value:,.0f} [{low}, {high}]"


def inverse(estimate: Estimate) -> Estimate:
    """
    Return the reciprocal of a ratio.

    Parameters
    ----------
    estimate
        Positive; an end that is None is open.

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

    Parameters
    ----------
    estimate
        Any; an end that is None is open.

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
