"""A comparison in words and tables."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastgrok.errors import one_line
from fastgrok.spec.words import word_of_path
from fastgrok.statistics.comparison_rows import ClusterRow, PairRow, PooledRow, SampleRow, Samples, ValueRow, record
from fastgrok.statistics.paired import Table
from fastgrok.statistics.proportion import Estimate
from fastgrok.statistics.tables import Cells
from fastgrok.statistics.text import (
    axis_value,
    epochs,
    number,
    percent,
    plural,
    points,
    probability,
    ratio,
)

_Columns = Mapping[str, Callable[[Any], str]]  # header -> what a column says of a row


def value_cells(rows: Sequence[ValueRow], confidence: float) -> Cells:
    """Return how consistently each configuration converges."""
    interval = _interval(confidence)
    columns: _Columns = {
        "n": lambda row: f"{row.n:,}",
        f"converged {interval}": lambda row: percent(row.rate),
        f"median epochs {interval}": lambda row: epochs(row.epochs_median) if row.n else "-",
        f"epochs per success {interval}": lambda row: epochs(row.epochs_per_success, none="-", beyond="not bounded"),
        f"best cut-off {interval}": lambda row: epochs(row.cutoff, none="-", beyond="not bounded"),
    }
    return table_cells(rows, list(rows[0].labels), columns)


def cluster_cells(rows: Sequence[ClusterRow], confidence: float) -> Cells:
    """Return how consistently each value converges for other clusters."""
    columns: _Columns = {
        "strata": lambda row: f"{row.strata:,}",
        "n": lambda row: f"{row.seeds:,}",
        f"converged {_interval(confidence)}": lambda row: percent(row.rate),
    }
    return table_cells(rows, ["value"], columns)


def pair_cells(rows: Sequence[PairRow] | Sequence[SampleRow], confidence: float) -> Cells:
    """Return how large the advantage of each value over each other is."""
    interval = _interval(confidence)
    test = "score p" if isinstance(rows[0], SampleRow) else "McNemar p"
    columns: _Columns = {
        "n": lambda row: _seeds(row.table),
        f"a - b, points {interval}": lambda row: points(row.difference),
        test: lambda row: probability(row.p_holm),
        "logrank p": lambda row: probability(row.logrank_p_holm),
        f"median a/b {interval}": lambda row: ratio(row.median_ratio),
        f"epochs per success a/b {interval}": lambda row: ratio(row.epochs_per_success_ratio),
    }
    return table_cells(rows, [*rows[0].stratum, "a", "b"], columns)


def _seeds(table: Table | Samples) -> str:
    """Return the number of seeds, or those of two samples."""
    return f"{table.n_a:,} and {table.n_b:,}" if isinstance(table, Samples) else f"{table.n:,}"


def pooled_cells(rows: Sequence[PooledRow], confidence: float) -> Cells:
    """Return how large the advantage of each value over each other is in the mean over the other axes."""
    columns: _Columns = {
        "strata": lambda row: f"{row.strata:,}",
        "n": lambda row: f"{row.seeds:,}",
        f"a - b, points {_interval(confidence)}": lambda row: points(row.difference),
        "p": lambda row: probability(row.p_holm),
    }
    return table_cells(rows, ["a", "b"], columns)


def _interval(confidence: float) -> str:
    """Return what a header says of intervals: [95 %]."""
    return f"[{100 * confidence:g} %]"


def table_cells(
    rows: Sequence[Any], labels: list[str], columns: _Columns, record: Callable[[Any], Mapping[str, Any]] = record
) -> Cells:
    """Return rows as text: labels, which the record of a row has, then what each column says of a row."""
    body = [
        [*(one_line(record(row)[name]) for name in labels), *(text(row) for text in columns.values())] for row in rows
    ]
    return Cells([*map(word_of_path, labels), *columns], body, len(labels))


def verdicts(
    pairs: Sequence[PairRow | SampleRow], pooled: Sequence[PooledRow] | None, axis: str, alpha: float
) -> list[str]:
    """Say of each two values, in the mean over the strata where there are some, which converges more often."""

    def named(row: Any) -> Any:
        """Return a row whose labels say what they are of."""
        return row._replace(a=axis_value(axis, row.a), b=axis_value(axis, row.b))

    rows = [named(row) for row in (pairs if pooled is None else pooled)]
    if pooled is None:
        lines = [pair_verdict(row, len(pairs), alpha) for row in rows]
    else:
        strata = [[pair for pair in pairs if (pair.a, pair.b) == (row.a, row.b)] for row in pooled]
        lines = [pooled_verdict(row, within, alpha) for row, within in zip(rows, strata, strict=True)]
    return lines if len(lines) < 2 else [best_verdict(_wins(rows, alpha), alpha), *lines]


def _wins(rows: Sequence[PairRow | SampleRow | PooledRow], alpha: float) -> dict[Any, int]:
    """Count, for each value, the others than which it converges more often."""
    wins = {label: 0 for row in rows for label in (row.a, row.b)}
    for row in rows:
        if row.p_holm <= alpha and row.difference.value:
            wins[row.a if row.difference.value > 0 else row.b] += 1
    return wins


def pair_verdict(row: PairRow | SampleRow, n_pairs: int, alpha: float) -> str:
    """Say which of two values converges more often, and what a success costs."""
    first, cost = row.a, row.epochs_per_success_ratio
    if (row.difference.value or 0.0) < 0:
        first, cost = row.b, _inverse(cost)
    over = f"Holm over {plural(n_pairs, 'pair')}"
    rates, ranks = ("McNemar", "paired logrank") if isinstance(row, PairRow) else ("score test", "logrank")
    text = _verdict(row.a, row.b, row.difference, row.p_holm, f"{rates}, {over}", alpha)
    if row.p_holm > alpha:
        how_soon = "but they differ" if row.logrank_p_holm <= alpha else "nor do they"
        text += f"; {how_soon} in how soon: p {probability(row.logrank_p_holm, '= ')} ({ranks}, {over})"
        _, low, high = row.median_ratio
        if row.logrank_p_holm > alpha and ((low or 0.0) > 1 or (high is not None and high < 1)):
            text += f", a test of all epochs, though the median is {ratio(row.median_ratio)} times as late with "
            text += f"{one_line(row.a)} by itself"
    text += alike(row, over, alpha, lambda found: points(found, " points"), 100)
    if cost.value is not None:
        text += f"; a success with {one_line(first)} costs {ratio(cost)} times the epochs"
    return text


def alike(row: Any, over: str, alpha: float, said: Callable[[Estimate], str], scale: float = 1) -> str:
    """Say whether two values are shown to differ by less than a margin; nothing where there is none."""
    if row.equivalence is None:
        return ""
    margin, difference, _ = row.equivalence
    how = "is smaller" if row.equivalence_p_holm <= alpha else "is not shown to be smaller"
    limit = f"{number(scale * margin)}{' points' if scale == 100 else ''}"
    interval, chance = f"{100 * (1 - 2 * alpha):g} % interval", probability(row.equivalence_p_holm, "= ")
    chance += f", two one-sided tests, {over}"
    return f"; the difference {how} than {limit}: {said(difference)} ({interval}; p {chance})"


def best_verdict(wins: Mapping[Any, int], alpha: float) -> str:
    """Say which values converge more often than how many others; wins: label -> how many others."""
    most, others = max(wins.values()), len(wins) - 1
    best = " and ".join(one_line(label) for label, count in wins.items() if count == most)
    each = f"{most} of the {others} others" if most < others else f"each of the {others} others"
    if not most:
        return f"no value is seen to converge more often than another (adjusted p <= {alpha:.2g})"
    verb = "converge" if list(wins.values()).count(most) > 1 else "converges"
    return f"{best} {verb} more often than {each} (adjusted p <= {alpha:.2g})"


def pooled_verdict(row: PooledRow, strata: Sequence[PairRow | SampleRow], alpha: float) -> str:
    """Say which of two values converges more often in the mean over the other axes, and in how many strata."""
    differing = [pair for pair in strata if pair.p_holm <= alpha]
    n, n_a = len(differing), sum((pair.difference.value or 0.0) > 0 for pair in differing)
    soon = sum(pair.logrank_p_holm <= alpha for pair in strata)
    sides = f" ({one_line(row.a)} more often in {n_a}, {one_line(row.b)} in {n - n_a})" if n else ""
    over = f"mean over {row.strata} strata"
    if row.clusters is not None:
        over += f", clustered by seed and by {word_of_path(row.clusters)}"
    return (
        f"{_verdict(row.a, row.b, row.difference, row.p_holm, over, alpha)}"
        f"{alike(row, over, alpha, lambda found: points(found, ' points'), 100)}; "
        f"within the strata they differ in {n} of {row.strata}{sides}, and in how soon in {soon}"
    )


def footnote(n_pairs: int, n_pooled: int, confidence: float) -> str:
    """Say what the intervals and the p-values of the tables hold for."""
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


def _verdict(a: Any, b: Any, difference: Estimate, p: float, test: str, alpha: float) -> str:
    """Say which of two values converges more often, by how much, and by which test."""
    first, second = one_line(a), one_line(b)
    chance = f"p {probability(p, '= ')} ({test})"
    if p > alpha:
        apart = points(difference, " points")
        return f"{first} and {second} are not seen to differ in how often they converge: {apart}; {chance}"
    value, low, high = (x or 0.0 for x in difference)
    if value < 0:
        first, second, difference = second, first, Estimate(-value, -high, -low)
    return f"{first} converges more often than {second} by {points(difference, ' points')}; {chance}"
