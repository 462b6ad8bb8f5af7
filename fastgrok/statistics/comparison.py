"""`compare`: the values of one axis of a sweep, on the same seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

from fastgrok.errors import InvalidExperiment, hint, one_of
from fastgrok.spec.words import axis_named, word_of_path
from fastgrok.statistics import comparison_text as words
from fastgrok.statistics.clusters import LEAST_CLUSTERS
from fastgrok.statistics.comparison_pairs import Member, pairs, value_row
from fastgrok.statistics.comparison_rows import Asked, ClusterRow, PairRow, PooledRow, SampleRow, ValueRow, record
from fastgrok.statistics.equivalence import checked_margin
from fastgrok.statistics.joined import RESULT, Joined, joined
from fastgrok.statistics.proportion import Estimate, normal_quantile
from fastgrok.statistics.scope import scope
from fastgrok.statistics.sweep import Sweep
from fastgrok.statistics.tables import Cells, Printed
from fastgrok.statistics.value_comparison import ValueComparison, compare_values

if TYPE_CHECKING:
    import pandas as pd

_MAX_PAIRS = 60  # pairs and verdicts at most, where a comparison is printed


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Printed):
    """The values of one axis of a sweep, or two results, compared; made by `compare`.

    Parameters
    ----------
    axis
        The axis that was compared.
    confidence
        That of every interval.
    rows
        How consistently each configuration converges.
    pair_rows
        How large the advantage of each value over each other is, in each stratum: each combination of other axes.
    pooled_rows
        The same in the mean over strata; None without other axes.
    missing
        Runs that an interrupted sweep did not finish, or that a store lacks.
    sample_rows
        As `pair_rows`, of two values that have no seed in common: each is a sample of its own.
    cluster_rows
        How often seeds converge with each value for other clusters, where `compare` was given an axis of these.
    notes
        What the intervals hold for, where that is not any seed: a sentence each.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> result = fg.sweep(exp, seeds=64, axes={"init": [fg.XavierNormal(), fg.HeNormal()]}, progress=False)
    >>> fg.compare(result, "init").pairs["n"].tolist()
    [64]
    """

    axis: str
    confidence: float
    rows: tuple[ValueRow, ...]
    pair_rows: tuple[PairRow, ...]
    pooled_rows: tuple[PooledRow, ...] | None
    missing: int = 0
    sample_rows: tuple[SampleRow, ...] = ()
    cluster_rows: tuple[ClusterRow, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def table(self) -> pd.DataFrame:
        """How consistently each configuration converges, one row each.

        Columns are the axes, n, converged, and rate, epochs_median, epochs_per_success, cutoff, each with its
        interval as `_low` and `_high`. `epochs_per_success` is what a success costs if every attempt is given up
        after `cutoff` epochs, the best of them; with `restart`, which gives up by itself, all epochs run divided by
        the seeds that converged, and there is no cut-off, as where fewer than 10 seeds converge. What was not reached
        is missing.
        """
        return _frame(self.rows)

    @property
    def pairs(self) -> pd.DataFrame:
        """How large the advantage of each value over each other is, one row for each two and stratum.

        Columns are the other axes, a and b, the table of seeds (n, both, only_a, only_b, neither), `difference`
        of the rates with its interval, `mcnemar_p` and `logrank_p`, both also adjusted by Holm over all rows, and
        the ratios a / b of the median epochs and of the epochs per success with their intervals. n counts the seeds
        that were finished with both. With a margin there are `within_low` and `within_high`, the interval that is to
        lie within it, and `equivalence_p`, also adjusted.
        """
        return _frame(self.pair_rows)

    @property
    def samples(self) -> pd.DataFrame:
        """As `pairs`, of values that have no seed in common, with `score_p` in place of `mcnemar_p`.

        n_a, n_b, converged_a and converged_b are in place of the table of seeds.
        """
        return _frame(self.sample_rows)

    @property
    def pooled(self) -> pd.DataFrame | None:
        """The differences in the mean over the strata, a row for each two values; None where there are no other axes.

        A seed with all of its strata is one observation, and `seeds` counts those that were finished with both in
        one stratum or more. A stratum counts by its seeds that were. `p_holm` is adjusted over all rows.
        """
        return None if self.pooled_rows is None else _frame(self.pooled_rows)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it: the rows of the tables, and the verdicts.

        Examples
        --------
        >>> Comparison("init", 0.95, (), (), None).to_dict()["axis"]
        'init'
        """
        return {
            "axis": self.axis,
            "confidence": self.confidence,
            "missing": self.missing,
            "table": list(map(record, self.rows)),
            "pairs": list(map(record, self.pair_rows)),
            "pooled": None if self.pooled_rows is None else list(map(record, self.pooled_rows)),
            "samples": list(map(record, self.sample_rows)),
            "clustered": list(map(record, self.cluster_rows)),
            "verdicts": self.verdicts,
            "notes": list(self.notes),
        }

    @property
    def verdicts(self) -> list[str]:
        """The answer in words, in the mean over the strata where there are some.

        One sentence for each two values; before them, of more than two values, which is the best.
        """
        rows: list[PairRow | SampleRow] = [*self.pair_rows, *self.sample_rows]
        pooled = None if self.sample_rows else self.pooled_rows
        return words.verdicts(rows, pooled, self.axis, 1 - self.confidence)

    def _sections(self) -> list[tuple[str, Cells]]:
        """Return the tables, each with what it is."""
        sections = [("How consistently each converges:", words.value_cells(self.rows, self.confidence))]
        if self.cluster_rows:
            over = "How consistently each converges, for other seeds and other clusters:"
            sections.append((over, words.cluster_cells(self.cluster_rows, self.confidence)))
        if self.pooled_rows:
            mean = "How large the advantage is, in the mean over the other axes (p by Holm):"
            sections.append((mean, words.pooled_cells(self.pooled_rows, self.confidence)))
        if 0 < len(self.pair_rows) <= _MAX_PAIRS:
            each = "How large the advantage is, on the same seeds (p by Holm):"
            sections.append((each, words.pair_cells(self.pair_rows, self.confidence)))
        if 0 < len(self.sample_rows) <= _MAX_PAIRS:
            each = "How large the advantage is, on seeds of their own (p by Holm):"
            sections.append((each, words.pair_cells(self.sample_rows, self.confidence)))
        return sections

    def _notes(self) -> list[str]:
        """Return the sentences below the tables."""
        n_pairs = len(self.pair_rows) + len(self.sample_rows)
        if not n_pairs:
            return ["no seed was finished with two values: nothing to compare"]
        verdicts, pooled = self.verdicts, self.pooled_rows or ()
        footnotes = [words.footnote(n_pairs, len(pooled), self.confidence), *self.notes]
        lines = [*footnotes, *verdicts[:_MAX_PAIRS]]
        if len(verdicts) > _MAX_PAIRS:
            lines.append(f"{len(verdicts) - _MAX_PAIRS:,} more of these sentences are in `verdicts`")
        if len(self.pair_rows) > _MAX_PAIRS:
            where = "" if self.pooled_rows is None else " within the other axes"
            lines.append(f"the table of {len(self.pair_rows):,} pairs{where} is in `pairs`")
        return lines

    def _title(self) -> str:
        """Return the first line."""
        interrupted = f", interrupted: {self.missing:,} runs are missing" if self.missing else ""
        return f"fastgrok.Comparison of {word_of_path(self.axis)}{interrupted}"


@overload
def compare(
    result: Sweep,
    axis: str | Sweep,
    *,
    of: None = None,
    confidence: float = 0.95,
    margin: float | None = None,
    clusters: str | None = None,
    names: tuple[str, str] = ("a", "b"),
) -> Comparison: ...


@overload
def compare(
    result: Sweep,
    axis: str | Sweep,
    *,
    of: str,
    confidence: float = 0.95,
    margin: float | None = None,
    clusters: str | None = None,
    names: tuple[str, str] = ("a", "b"),
) -> ValueComparison: ...


def compare(
    result: Sweep,
    axis: str | Sweep,
    *,
    of: str | None = None,
    confidence: float = 0.95,
    margin: float | None = None,
    clusters: str | None = None,
    names: tuple[str, str] = ("a", "b"),
) -> Comparison | ValueComparison:
    """Compare the values of one axis of a sweep, or two results: how consistently each converges, and what it gains.

    Parameters
    ----------
    result
        What `run` or `sweep` returned, or a `Store`, with a criterion `Converged` in every configuration unless `of`
        is given. Of a store the rows of all seeds are read, some after others.
    axis
        One of its axes by its path or its word, such as "init", "optimizer.lr" or "lr". Or another result or store,
        with the same axes if it has any: they are compared on the seeds that both have, and where these have none in
        common as two samples.
    of
        A continuous outcome to compare instead: "loss", "accuracy", "validation_loss" or "validation_accuracy", or
        its variable, such as "loss_final". Then a `ValueComparison` is returned: how the outcome scatters with each
        value, the paired differences of means and of medians, and the probability that a seed does better with one
        value than with another, ties half. It holds 8 bytes for each seed and configuration in memory.
    confidence
        That of every interval, between 0 and 1.
    margin
        The smallest difference that matters, more than 0, chosen beforehand: 0.02 for two points of a rate, or with
        `of` a difference of means. It is said whether two values differ by less: see `equivalence` of
        `fastgrok.statistics`.
    clusters
        Another axis, of three values or more, that are a sample as the seeds are, such as "order_seed" with
        `order="shared"`: differences in the mean over it hold for other values of it, too.
    names
        What the two results are called.

    Raises
    ------
    InvalidExperiment
        If there is no such axis, or no criterion; if two results have other axes, or few seeds in common.

    Notes
    -----
    All comparisons on the same seeds are paired. Where the sweep has other axes, values are compared within each
    combination of these, a stratum, and in the mean over them, where each counts by its seeds. Of a sweep that is not
    complete those seeds are compared that were finished with both, and where there are none, those of either as a
    sample of its own.
    The questions are those of Heaton, "Applications of Deep Neural Networks", 3.5: how consistently does an
    initialisation provide good weights, and how much of an advantage do they provide?

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=2000)
    >>> axes = {"init": [fg.XavierNormal(), fg.HeNormal()]}
    >>> print(fg.compare(fg.sweep(exp, seeds=1000, axes=axes, progress=False), "init").verdicts[0])
    HeNormal() converges more often than XavierNormal(gain=1.0) by ...; p = ... (McNemar, Holm over 1 pair)...
    """
    if not callable(getattr(result, "windows", None)):
        raise InvalidExperiment("result", result, "what fg.sweep or fg.open_store returns")
    normal_quantile(confidence)
    asked = Asked(float(confidence), None if margin is None else checked_margin(margin))
    if of is None and margin is not None and margin >= 1:
        raise InvalidExperiment("margin", margin, "a share of seeds, less than 1: 0.02 for two points")
    sweep: Sweep
    if callable(getattr(axis, "windows", None)):
        sweep, path = joined(result.snapshot(), axis.snapshot(), _checked_names(names)), RESULT  # type: ignore[union-attr]
    else:
        sweep = result.snapshot()
        path = _checked_axis(sweep, axis)
    if clusters is not None:
        asked = asked._replace(clusters=_checked_clusters(sweep, clusters, path))
    if of is not None:
        if clusters is not None:
            raise InvalidExperiment("clusters", clusters, "None with `of`: it is for who converges")
        return compare_values(sweep, path, of, asked)
    return _compared(sweep, path, asked)


def _compared(sweep: Sweep, path: str, asked: Asked) -> Comparison:
    """Compare who converges."""
    for configuration in sweep.configurations:
        if (experiment := configuration.experiment).criteria is None:
            raise InvalidExperiment(
                "stop", experiment.stop, "a criterion Converged(...), to compare who meets it, or of="
            )
    both = zip(sweep.configurations, sweep.counts, strict=True)
    members = [Member.of(configuration, counts, asked.confidence) for configuration, counts in both]
    rows = tuple(value_row(member, asked.confidence) for member in members)
    found = pairs(members, sweep, path, asked)
    pooled = tuple(found.pooled) if len(sweep.axes) > 1 else None
    notes = scope(sweep.configurations, path, asked.clusters)
    if isinstance(sweep, Joined):
        notes = (*sweep.notes(independent=bool(found.samples)), *notes)
    made = (rows, tuple(found.paired), pooled, sweep.n_missing, tuple(found.samples), tuple(found.clustered), notes)
    return Comparison(path, asked.confidence, *made)


def _checked_axis(sweep: Sweep, axis: Any) -> str:
    """Return the path of the axis that is compared."""
    paths = [field.path for field in sweep.axes]
    axis = axis_named(axis, paths)
    if not isinstance(axis, str) or axis not in paths:
        expected = "an axis of a sweep, and this is a run: it has none; or another result"
        if paths:
            words_ = [word_of_path(path) for path in paths]
            expected = one_of(words_) + hint(axis, words_)
        raise InvalidExperiment("axis", axis, expected)
    if len(sweep.axes[paths.index(axis)].values) < 2:
        raise InvalidExperiment("axis", axis, "an axis of two values or more, to compare one with another")
    return str(axis)


def _checked_clusters(sweep: Sweep, clusters: Any, axis: str) -> str:
    """Return the path of the axis of clusters."""
    sizes = {field.path: len(field.values) for field in sweep.axes if field.path != axis}
    path = axis_named(clusters, list(sizes))
    if not isinstance(path, str) or path not in sizes or sizes[path] < LEAST_CLUSTERS:
        words_ = [word_of_path(each) for each, size in sizes.items() if size >= LEAST_CLUSTERS]
        expected = f"another axis of {LEAST_CLUSTERS} values or more"
        raise InvalidExperiment("clusters", clusters, f"{expected}: {one_of(words_)}" if words_ else expected)
    return path


def _checked_names(names: Any) -> tuple[str, str]:
    """Return the names of two results."""
    if not isinstance(names, tuple | list) or len(names) != 2 or not all(isinstance(each, str) for each in names):
        raise InvalidExperiment("names", names, "two names, such as ('a', 'b')")
    if names[0] == names[1]:
        raise InvalidExperiment("names", names, "two names that differ")
    return names[0], names[1]


def _frame(rows: Sequence[ValueRow | PairRow | SampleRow | PooledRow]) -> pd.DataFrame:
    """Return a table whose estimates are numbers, missing where there is none."""
    import pandas as pd

    estimates = [name for row in rows[:1] for name, value in row._asdict().items() if isinstance(value, Estimate)]
    numeric = {f"{name}{end}": "float64" for name in estimates for end in ("", "_low", "_high")}
    return pd.DataFrame(map(record, rows)).astype(numeric)
