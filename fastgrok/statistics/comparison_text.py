"""A comparison in words and tables."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastgrok.statistics.comparison_rows import PairRow, PooledRow, ValueRow
from fastgrok.statistics.proportion import Estimate
from fastgrok.statistics.tables import Cells
from fastgrok.statistics.text import epochs, one_line, percent, plural, points, probability, ratio


def value_cells(rows: Sequence[ValueRow], confidence: float) -> Cells:
    """Return how consistently each configuration converges."""
    labels = list(rows[0].labels)
    interval = f"[{100 * confidence:g} %]"
    header = [*labels, "n", f"converged {interval}", f"median epochs {interval}", f"epochs per success {interval}"]
    body = [
        [
            *(one_line(row.labels[name]) for name in labels),
            f"{row.n:,}",
            percent(row.rate),
            epochs(row.median) if row.n else "-",
            epochs(row.expected, none="-"),
            epochs(row.cutoff, none="-", beyond="not bounded"),
        ]
        for row in rows
    ]
    return Cells([*header, f"best cut-off {interval}"], body, len(labels))


def pair_cells(rows: Sequence[PairRow], confidence: float) -> Cells:
    """Return how large the advantage of each value over each other is."""
    others = list(rows[0].stratum) if rows else []
    interval = f"[{100 * confidence:g} %]"
    header = [*others, "a", "b", "n", f"a - b, points {interval}", "McNemar p", "logrank p"]
    body = [
        [
            *(one_line(row.stratum[name]) for name in others),
            one_line(row.a),
            one_line(row.b),
            f"{row.table.n:,}",
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
    """Return how large the advantage of each value over each other is in the mean over the other axes."""
    header = ["a", "b", "strata", "n", f"a - b, points [{100 * confidence:g} %]", "p"]
    body = [
        [
            one_line(row.a),
            one_line(row.b),
            f"{row.strata:,}",
            f"{row.counts.seeds:,}",
            points(row.difference),
            probability(row.p_holm),
        ]
        for row in rows
    ]
    return Cells(header, body, 2)


def pair_verdict(row: PairRow, n_pairs: int, alpha: float) -> str:
    """Say in words which of two values converges more often, and what a success costs."""
    first, cost = row.a, row.expected_ratio
    if (row.difference.value or 0.0) < 0:
        first, cost = row.b, _inverse(cost)
    over = f"Holm over {plural(n_pairs, 'pair')}"
    text = _verdict(row.a, row.b, row.difference, row.mcnemar_holm, f"McNemar, {over}", alpha)
    if row.mcnemar_holm > alpha:
        how_soon = "but they differ" if row.logrank_holm <= alpha else "nor do they"
        text += f"; {how_soon} in how soon: p {probability(row.logrank_holm, '= ')} (paired logrank, {over})"
    if cost.value is not None:
        text += f"; a success with {one_line(first)} costs {ratio(cost)} times the epochs"
    return text


def best_verdict(wins: Mapping[Any, int], alpha: float) -> str:
    """
    Say in words which of several values converges more often than how many others.

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


def pooled_verdict(row: PooledRow, strata: Sequence[PairRow], alpha: float) -> str:
    """
    Say in words which of two values converges more often in the mean over the other axes, and in how many strata.
    """
    seen = [one for one in strata if one.mcnemar_holm <= alpha]
    more = sum((one.difference.value or 0.0) > 0 for one in seen)
    soon = sum(one.logrank_holm <= alpha for one in strata)
    sides = f" ({one_line(row.a)} more often in {more}, {one_line(row.b)} in {len(seen) - more})" if seen else ""
    return (
        f"{_verdict(row.a, row.b, row.difference, row.p_holm, f'mean over {row.strata} strata', alpha)}; "
        f"within the strata they differ in {len(seen)} of {row.strata}{sides}, and in how soon in {soon}"
    )


def footnote(n_pairs: int, n_pooled: int, confidence: float) -> str:
    """
    Say what the intervals and the p-values of the tables hold for.

    Examples
    --------
    >>> footnote(3, 0, 0.95)
    'each interval is of 95 % by itself; p are adjusted by Holm over 3 pairs, each test by itself'
    """
    text = (
        f"each interval is of {100 * confidence:g} % by itself; p are adjusted by Holm over {plural(n_pairs, 'pair')}"
    )
    if not n_pooled:
        return f"{text}, each test by itself"
    return (
        f"{text} within the strata (how often: McNemar; how soon: paired logrank; each by itself), and over "
        f"{plural(n_pooled, 'pair')} in the mean over them (one observation a seed)"
    )


def _inverse(ratio: Estimate) -> Estimate:
    """Return the reciprocal of a ratio."""
    value, low, high = (None if x is None else 1 / x for x in ratio)
    return Estimate(value, high, low)


def _verdict(a: Any, b: Any, difference: Estimate, p: float, how: str, alpha: float) -> str:
    """Say how often they converge."""
    first, second = one_line(a), one_line(b)
    chance = f"p {probability(p, '= ')} ({how})"
    if p > alpha:
        apart = points(difference, " points")
        return f"{first} and {second} are not seen to differ in how often they converge: {apart}; {chance}"
    value, low, high = (x or 0.0 for x in difference)
    if value < 0:
        first, second, difference = second, first, Estimate(-value, -high, -low)
    return f"{first} converges more often than {second} by {points(difference, ' points')}; {chance}"
