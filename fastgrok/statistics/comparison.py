"""The values of one axis of a sweep, compared on the same seeds."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from fastgrok.results.configuration import Configuration
from fastgrok.statistics.comparison_rows import PairRow, PooledRow, ValueRow
from fastgrok.statistics.counts import Counts
from fastgrok.statistics.differences import holm, mcnemar, risk_difference
from fastgrok.statistics.paired import PairedCounts, epoch_bins
from fastgrok.statistics.pooled import PooledCounts
from fastgrok.statistics.proportion import Estimate, rate
from fastgrok.statistics.ranks import paired_logrank
from fastgrok.statistics.ratios import ratio_of_expected, ratio_of_medians
from fastgrok.statistics.restarts import BestCutoff, best_cutoff, expected_epochs
from fastgrok.statistics.survival import survival_curve
from fastgrok.statistics.times import quantile

_NONE = Estimate(None, None, None)


class Member(NamedTuple):
    """
    A configuration and what was counted of it.

    Parameters
    ----------
    configuration
        One point of a sweep.
    counts
        Of its finished seeds.
    cost
        What a success costs; None: there are no seeds.
    """

    configuration: Configuration
    counts: Counts
    cost: BestCutoff | None

    @classmethod
    def of(cls, configuration: Configuration, counts: Counts, confidence: float) -> Self:
        """
        Find out what a success costs.

        Parameters
        ----------
        configuration
            One point of a sweep.
        counts
            Of its finished seeds.
        confidence
            That of the intervals.
        """
        experiment = configuration.experiment
        if not counts.n:
            return cls(configuration, counts, None)
        if experiment.restart is None or not counts.n_converged:
            return cls(configuration, counts, best_cutoff(counts, confidence))
        return cls(configuration, counts, BestCutoff(_NONE, expected_epochs(counts, experiment.epochs, confidence)))

    @property
    def cutoff(self) -> int | None:
        """The epoch up to which the cost of a success is counted; None: the best one, since nobody converges."""
        if self.configuration.experiment.restart is not None:
            return self.configuration.experiment.epochs
        return None if self.cost is None or self.cost.cutoff.value is None else int(self.cost.cutoff.value)


def value_row(member: Member, confidence: float) -> ValueRow:
    """
    Say how consistently one configuration converges.

    Parameters
    ----------
    member
        The configuration; there may be no seeds of it.
    confidence
        That of the intervals.
    """
    labels, counts = member.configuration.labels, member.counts
    share = rate(counts.n_converged, counts.n, confidence)
    if member.cost is None:
        return ValueRow(labels, 0, 0, share, _NONE, _NONE, _NONE)
    median = quantile(survival_curve(counts), 0.5, confidence)
    return ValueRow(labels, counts.n, counts.n_converged, share, median, member.cost.expected, member.cost.cutoff)


def pair_row(
    stratum: Mapping[str, Any], axis: str, pair: tuple[Member, Member], paired: PairedCounts, confidence: float
) -> PairRow:
    """
    Say how large the advantage of one configuration over another is; nothing is adjusted yet.

    Parameters
    ----------
    stratum
        The label on each of the other axes.
    axis
        The path of the axis on which they differ.
    pair
        Both, with the same seeds.
    paired
        Which epochs go together.
    confidence
        That of the intervals.
    """
    a, b = (member.counts for member in pair)
    exact, ranks = mcnemar(paired.table), paired_logrank(a, b, paired).p_value
    return PairRow(
        stratum=stratum,
        a=pair[0].configuration.labels[axis],
        b=pair[1].configuration.labels[axis],
        table=paired.table,
        difference=risk_difference(paired.table, confidence),
        mcnemar=exact,
        mcnemar_holm=exact,
        logrank=ranks,
        logrank_holm=ranks,
        median_ratio=ratio_of_medians(a, b, paired, confidence),
        expected_ratio=ratio_of_expected(a, b, paired, confidence, (pair[0].cutoff, pair[1].cutoff)),
    )


def pairs(members: Sequence[Member], axis: str, confidence: float) -> tuple[list[PairRow], list[PooledRow]]:
    """
    Compare every two values of an axis in each stratum, and in the mean over the strata.

    Parameters
    ----------
    members
        Every configuration of a sweep, the same seeds in the same order.
    axis
        The path of the axis.
    confidence
        That of the intervals.

    Notes
    -----
    Of two configurations the seeds are compared that were finished in both. Pairs without any are left out. P-values
    are adjusted over all that are left, those of each test by themselves. In the mean over strata each counts by its
    seeds: where a sweep was interrupted, those that it came to first count more.
    """
    rows: list[PairRow] = []
    pooled: dict[tuple[Any, Any], _Pool] = {}
    for stratum, values in _strata(members, axis):
        bins = [epoch_bins(one.configuration.trained.columns["epochs_to_converge"]) for one in values]
        for i, j in itertools.combinations(range(len(values)), 2):
            finished = values[i].configuration.trained.finished & values[j].configuration.trained.finished
            if not finished.any():
                continue
            whole = bool(finished.all())
            paired = PairedCounts.of_bins(*(bins[k] if whole else bins[k][finished] for k in (i, j)))
            a, b = (_of_rows(values[k], finished, confidence) for k in (i, j))
            rows.append(pair_row(stratum, axis, (a, b), paired, confidence))
            pool = pooled.setdefault((rows[-1].a, rows[-1].b), _Pool(len(finished)))
            pool.add(bins[i] > 0, bins[j] > 0, finished)
    exact, ranks = holm([row.mcnemar for row in rows]), holm([row.logrank for row in rows])
    adjusted = [
        row._replace(mcnemar_holm=float(p), logrank_holm=float(q))
        for row, p, q in zip(rows, exact, ranks, strict=True)
    ]
    return adjusted, _pooled_rows(pooled, confidence)


def _strata(members: Sequence[Member], axis: str) -> Iterator[tuple[dict[str, Any], list[Member]]]:
    """Yield each combination of the other axes, and its members in the order of this axis."""
    groups: dict[tuple[Any, ...], tuple[dict[str, Any], list[Member]]] = {}
    for member in members:
        others = {path: label for path, label in member.configuration.labels.items() if path != axis}
        groups.setdefault(tuple(others.values()), (others, []))[1].append(member)
    yield from groups.values()


def _of_rows(member: Member, finished: NDArray[np.bool_], confidence: float) -> Member:
    """Return what was counted of the seeds that were finished in both of two configurations."""
    one = member.configuration
    if np.array_equal(finished, one.trained.finished):
        return member
    columns = {name: column[finished] for name, column in one.trained.columns.items()}
    return Member.of(one, Counts.of(columns, one.experiment), confidence)


class _Pool:
    """What each seed did with a and with b in the strata so far."""

    def __init__(self, n: int) -> None:
        self.strata = 0
        self.difference = np.zeros(n, np.int32)
        self.pairs = np.zeros(n, np.int32)

    def add(self, a: NDArray[np.bool_], b: NDArray[np.bool_], finished: NDArray[np.bool_]) -> None:
        """Count one more stratum."""
        self.strata += 1
        self.difference += finished * (a.astype(np.int32) - b)
        self.pairs += finished


def _pooled_rows(pooled: Mapping[tuple[Any, Any], _Pool], confidence: float) -> list[PooledRow]:
    """Say how large each advantage is in the mean over strata."""
    rows = []
    for (a, b), pool in pooled.items():
        counts = PooledCounts.of_sums(pool.difference, pool.pairs)
        p = counts.p_value()
        rows.append(PooledRow(a, b, pool.strata, counts, counts.difference(confidence), p, p))
    adjusted = holm([row.p_value for row in rows])
    return [row._replace(p_holm=float(p)) for row, p in zip(rows, adjusted, strict=True)]
