"""`compare(..., of=)`: a continuous outcome, such as validation accuracy, with the values of one axis of a sweep."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.errors import InvalidExperiment, one_line
from fastgrok.spec.variables import LARGER_IS_BETTER
from fastgrok.spec.words import outcome_named, outcome_word, word_of_path
from fastgrok.statistics import paired_values as values
from fastgrok.statistics.comparison_rows import Asked, adjusted, record, strata
from fastgrok.statistics.comparison_text import alike, table_cells
from fastgrok.statistics.differences import mcnemar
from fastgrok.statistics.equivalence import Equivalence
from fastgrok.statistics.joined import Joined
from fastgrok.statistics.proportion import NO_ESTIMATE, Estimate
from fastgrok.statistics.scope import scope
from fastgrok.statistics.skewness import NOTE as DOUBTFUL
from fastgrok.statistics.skewness import mean_doubtful
from fastgrok.statistics.spread import Spread, spread
from fastgrok.statistics.sweep import Sweep
from fastgrok.statistics.tables import Cells, Printed, record_frame
from fastgrok.statistics.text import axis_value, difference, percent, plural, probability, quantity
from fastgrok.statistics.two_sample_values import (
    independent_mean_difference,
    independent_median_difference,
    independent_probability_better,
)

if TYPE_CHECKING:
    import pandas as pd

_WHOSE = {True: "the same seeds", False: "seeds of their own"}
_MAX_PAIRS = 60  # pairs and verdicts at most, where a comparison is printed


class Scatter(NamedTuple):
    """How an outcome scatters over the seeds of one configuration."""

    labels: Mapping[str, Any]  # the label on each axis
    spread: Spread
    interquartile_mean: Estimate  # as rliable has it


class Pair(NamedTuple):
    """By how much an outcome differs between two values, in one stratum or in the mean over all."""

    stratum: Mapping[str, Any]  # the label on each of the other axes; none in the mean over them
    a: Any  # the label of one value
    b: Any  # the label of the other
    strata: int  # combinations of the other axes in which there are seeds with both
    n: int  # seeds that were finished with both
    probability_better: Estimate  # that a seed does better with a, ties half
    mean_difference: Estimate  # mean of a - b
    median_difference: Estimate  # median of a - median of b; none over strata
    p: float  # of the sign test; of seeds of their own Brunner and Munzel's
    p_holm: float  # the same, adjusted over all pairs
    paired: bool = True  # on the same seeds; False: each has seeds of its own, and n counts both
    equivalence: Equivalence | None = None  # whether the means differ by less than a margin, where there is one
    equivalence_p_holm: float | None = None
    mean_doubtful: bool = False  # whether the interval of the means need not cover: few seeds, or skewed outcomes


@dataclass(frozen=True, eq=False, repr=False)
class ValueComparison(Printed):
    """A continuous outcome with the values of one axis of a sweep, on the same seeds; made by `compare(..., of=)`.

    Parameters
    ----------
    axis
        The axis that was compared.
    of
        The result variable.
    confidence
        That of every interval.
    rows
        How the outcome scatters over the seeds of each configuration.
    pair_rows
        By how much it differs between each two values, in each stratum: each combination of other axes.
    pooled_rows
        The same in the mean over strata; None without other axes.
    missing
        Runs that an interrupted sweep did not finish, or that a store lacks.
    notes
        What the intervals hold for, where that is not any seed: a sentence each.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> result = fg.sweep(exp, seeds=64, axes={"init": [fg.XavierNormal(), fg.HeNormal()]}, progress=False)
    >>> fg.compare(result, "init", of="loss_final").pairs["n"].tolist()
    [64]
    """

    axis: str
    of: str
    confidence: float
    rows: tuple[Scatter, ...]
    pair_rows: tuple[Pair, ...]
    pooled_rows: tuple[Pair, ...] | None
    missing: int = 0
    notes: tuple[str, ...] = ()

    @property
    def table(self) -> pd.DataFrame:
        """How the outcome scatters: n, best, q05, median, q95, worst, interquartile_mean, with intervals."""
        return record_frame(list(map(_scatter_record, self.rows)))

    @property
    def pairs(self) -> pd.DataFrame:
        """By how much it differs, one row for each two values and stratum; `p_holm` is adjusted over all rows."""
        return record_frame(list(map(_pair_record, self.pair_rows)))

    @property
    def pooled(self) -> pd.DataFrame | None:
        """The same in the mean over the strata, each seed one observation; None where there are no other axes."""
        return None if self.pooled_rows is None else record_frame(list(map(_pair_record, self.pooled_rows)))

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it: the rows of the tables, and the verdicts.

        Examples
        --------
        >>> ValueComparison("init", "loss_final", 0.95, (), (), None).to_dict()["of"]
        'loss_final'
        """
        pooled = None if self.pooled_rows is None else list(map(_pair_record, self.pooled_rows))
        return {
            "axis": self.axis,
            "of": self.of,
            "confidence": self.confidence,
            "missing": self.missing,
            "table": list(map(_scatter_record, self.rows)),
            "pairs": list(map(_pair_record, self.pair_rows)),
            "pooled": pooled,
            "verdicts": self.verdicts,
            "notes": list(self.notes),
        }

    @property
    def verdicts(self) -> list[str]:
        """The answer in words, one sentence for each two values, in the mean over the strata where there are some."""
        rows = self.pair_rows if self.pooled_rows is None else self.pooled_rows
        return [_verdict(row, self.axis, len(rows), 1 - self.confidence) for row in rows]

    def _title(self) -> str:
        interrupted = f", interrupted: {self.missing:,} runs are missing" if self.missing else ""
        return f"fastgrok.Comparison of {word_of_path(self.axis)} by {outcome_word(self.of)}{interrupted}"

    def _sections(self) -> list[tuple[str, Cells]]:
        better = "larger" if LARGER_IS_BETTER[self.of] else "smaller"
        sections = [(f"How it scatters over seeds ({better} is better):", _scatter_cells(self.rows, self.confidence))]
        if self.pooled_rows:
            cells = _pair_cells(self.pooled_rows, self.confidence)
            sections.append(("By how much it differs, in the mean over the other axes (p by Holm):", cells))
        if 0 < len(self.pair_rows) <= _MAX_PAIRS:
            cells = _pair_cells(self.pair_rows, self.confidence)
            whose = " or ".join(dict.fromkeys(_WHOSE[row.paired] for row in self.pair_rows))
            sections.append((f"By how much it differs, on {whose} (p by Holm):", cells))
        return sections

    def _notes(self) -> list[str]:
        if not self.pair_rows:
            return ["no seed was finished with two values: nothing to compare"]
        share = f"{100 * self.confidence:g} %"
        tests = " and ".join(dict.fromkeys(map(_test, self.pair_rows)))
        note = f"each interval is of {share} by itself; p are of the {tests}, adjusted by Holm"
        return [note, *self.notes, *self.verdicts[:_MAX_PAIRS]]


def compare_values(sweep: Sweep, axis: str, of: str, asked: Asked) -> ValueComparison:
    """Compare a continuous outcome between the values of one axis."""
    of, confidence = outcome_named("of", of), asked.confidence
    columns, finished = _columns(sweep, of)
    labels = [configuration.labels for configuration in sweep.configurations]
    rows = tuple(
        _scatter(each, column[done], of, confidence)
        for each, column, done in zip(labels, columns, finished, strict=True)
    )
    pair_rows, pooled = _pairs(labels, axis, of, columns, finished, asked)
    pooled_rows = tuple(adjusted(pooled, p_holm="p")) if len(sweep.axes) > 1 and pooled else None
    notes = scope(sweep.configurations, axis, None)
    if isinstance(sweep, Joined):
        independent = any(not row.paired for row in pair_rows)
        notes = (*sweep.notes(independent=independent), *notes)
    if any(row.mean_doubtful for row in (*pair_rows, *(pooled_rows or ()))):
        notes = (*notes, DOUBTFUL)
    made = (rows, tuple(adjusted(pair_rows, p_holm="p")), pooled_rows, sweep.n_missing, notes)
    return ValueComparison(axis, of, confidence, *made)


def _columns(sweep: Sweep, of: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the outcome of each configuration and seed, and which are finished: (n_configurations, n_seeds) each."""
    values_, finished = [], []
    for window in sweep.windows([of]):
        if any(of not in rows.metrics for rows in window):
            raise InvalidExperiment("of", of, "a variable of every configuration: this one needs validation data")
        values_.append(np.stack([np.asarray(rows.metrics[of], np.float64) for rows in window]))
        finished.append(np.stack([rows.finished for rows in window]))
    column, done = np.concatenate(values_, axis=1), np.concatenate(finished, axis=1)
    worst = -np.inf if LARGER_IS_BETTER[of] else np.inf
    return np.where(np.isfinite(column), column, worst), done


def _scatter(labels: Mapping[str, Any], column: NDArray[np.float64], of: str, confidence: float) -> Scatter:
    distinct, counts = np.unique(column, return_counts=True)
    found = spread(distinct, counts, larger_is_better=LARGER_IS_BETTER[of], confidence=confidence)
    return Scatter(labels, found, values.interquartile_mean(column, confidence))


def _pairs(
    labels: Sequence[Mapping[str, Any]],
    axis: str,
    of: str,
    columns: NDArray[np.float64],
    finished: NDArray[np.bool_],
    asked: Asked,
) -> tuple[list[Pair], list[Pair]]:
    """Compare every two values in each stratum, and in the mean over the strata."""
    rows: list[Pair] = []
    members: dict[tuple[Any, Any], list[tuple[int, int]]] = {}
    for stratum, places in strata(labels, axis):
        for i, j in itertools.combinations(places, 2):
            both, names = finished[i] & finished[j], (labels[i][axis], labels[j][axis])
            if both.any():
                rows.append(_pair(stratum, names, columns[i][both], columns[j][both], of, asked))
                members.setdefault(names, []).append((i, j))
            elif finished[i].any() and finished[j].any():
                rows.append(_samples(stratum, names, columns[i][finished[i]], columns[j][finished[j]], of, asked))
    pooled = [_pooled(names, places, columns, finished, of, asked) for names, places in members.items()]
    return rows, pooled


def _pair(
    stratum: Mapping[str, Any],
    names: tuple[Any, Any],
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    of: str,
    asked: Asked,
) -> Pair:
    confidence = asked.confidence
    table = values.better_table(a, b, larger_is_better=LARGER_IS_BETTER[of])
    p = mcnemar(table)  # the sign test
    means, medians = (each(a, b, confidence) for each in (values.mean_difference, values.median_difference))
    better = values.probability_better(table, confidence)
    within = asked.equivalence(partial(values.mean_difference, a, b))
    doubtful = mean_doubtful(values.apart(a, b))
    return Pair(stratum, *names, 1, len(a), better, means, medians, p, p, True, within, None, doubtful)


def _samples(
    stratum: Mapping[str, Any],
    names: tuple[Any, Any],
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    of: str,
    asked: Asked,
) -> Pair:
    """Compare two values on seeds of their own."""
    confidence = asked.confidence
    better, p = independent_probability_better(a, b, confidence, larger_is_better=LARGER_IS_BETTER[of])
    means, medians = independent_mean_difference(a, b, confidence), independent_median_difference(a, b, confidence)
    within = asked.equivalence(partial(independent_mean_difference, a, b))
    n = len(a) + len(b)
    return Pair(stratum, *names, 1, n, better, means, medians, p, p, False, within, None, mean_doubtful(a, b))


def _pooled(
    names: tuple[Any, Any],
    places: Sequence[tuple[int, int]],
    columns: NDArray[np.float64],
    finished: NDArray[np.bool_],
    of: str,
    asked: Asked,
) -> Pair:
    """Compare two values over strata, in each of which they have a place: a seed with all of them counts once."""
    confidence = asked.confidence
    first, second = (np.array(each) for each in zip(*places, strict=True))
    both = finished[first] & finished[second]
    n_strata = both.sum(axis=0)
    a, b = columns[first], columns[second]
    with np.errstate(invalid="ignore"):
        apart = np.where(both, a - b, 0.0).sum(axis=0)
    signs = (values.better(a, b, larger_is_better=LARGER_IS_BETTER[of]) * both).sum(axis=0)
    seen = n_strata > 0
    share, p = values.pooled_better(signs[seen], n_strata[seen], confidence)
    apart_by = partial(values.pooled_mean_difference, apart[seen], n_strata[seen].astype(np.float64))
    n, within = int(seen.sum()), asked.equivalence(apart_by)
    doubtful, means = mean_doubtful(apart[seen] / n_strata[seen]), apart_by(confidence)
    return Pair({}, *names, len(places), n, share, means, NO_ESTIMATE, p, p, True, within, None, doubtful)


def _test(row: Pair) -> str:
    """Return the test that a p-value is of."""
    return "sign test" if row.paired else "test of Brunner and Munzel"


def _scatter_record(row: Scatter) -> dict[str, Any]:
    mean = row.interquartile_mean
    ends = {f"interquartile_mean{end}": x for end, x in zip(("", "_low", "_high"), mean, strict=True)}
    return {**row.labels, **row.spread.to_dict(), **ends}


def _pair_record(row: Pair) -> dict[str, Any]:
    columns = record(row)
    if row.paired:
        del columns["paired"]  # as it is said of all of them
    return columns if row.stratum or row.strata > 1 else {k: v for k, v in columns.items() if k != "strata"}


def _scatter_cells(rows: Sequence[Scatter], confidence: float) -> Cells:
    interval = f"[{100 * confidence:g} %]"
    columns = {
        "n": lambda row: f"{row.spread.n:,}",
        f"5 % {interval}": lambda row: quantity(row.spread.low),
        f"median {interval}": lambda row: quantity(row.spread.median),
        f"95 % {interval}": lambda row: quantity(row.spread.high),
        f"interquartile mean {interval}": lambda row: quantity(row.interquartile_mean),
    }
    return table_cells(rows, list(rows[0].labels), columns, _scatter_record)


def _pair_cells(rows: Sequence[Pair], confidence: float) -> Cells:
    interval = f"[{100 * confidence:g} %]"
    columns = {
        "n": lambda row: f"{row.n:,}",
        f"a better {interval}": lambda row: percent(row.probability_better),
        f"mean a - b {interval}": lambda row: difference(row.mean_difference),
        f"median a - median b {interval}": lambda row: difference(row.median_difference),
        "p": lambda row: probability(row.p_holm),
    }
    return table_cells(rows, [*rows[0].stratum, "a", "b"], columns, _pair_record)


def _verdict(row: Pair, axis: str, n_pairs: int, alpha: float) -> str:
    """Say with which of two values a seed does better, and how often."""
    first, second = (one_line(axis_value(axis, label)) for label in (row.a, row.b))
    chance = f"p {probability(row.p_holm, '= ')} ({_test(row)}, Holm over {plural(n_pairs, 'pair')})"
    share = row.probability_better
    apart = f"mean difference ({first} - {second}) {difference(row.mean_difference)}"
    apart += alike(row, f"Holm over {plural(n_pairs, 'pair')}", alpha, difference)
    if row.p_holm > alpha:
        same = f"{first} and {second} are not seen to differ in how often a seed does better"
        return f"{same}: {percent(share)} with the first; {chance}; {apart}"
    if share.value is not None and share.value < 0.5:
        first, second = second, first
        share = Estimate(*(None if x is None else 1 - x for x in (share.value, share.high, share.low)))
    return f"a seed does better with {first} than with {second} in {percent(share)} (ties half); {chance}; {apart}"
