"""The rows of a comparison: one configuration, one pair in a stratum, one pair in the mean over the strata."""

import collections
import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from fastgrok.spec.axes import Configuration
from fastgrok.statistics.counts import Counts
from fastgrok.statistics.differences import holm, mcnemar, risk_difference
from fastgrok.statistics.paired import PairedCounts, Table, epoch_bins
from fastgrok.statistics.proportion import NO_ESTIMATE, Estimate, rate
from fastgrok.statistics.rank_tests import paired_logrank
from fastgrok.statistics.ratios import ratio_of_expected, ratio_of_medians
from fastgrok.statistics.restarts import BestCutoff, best_cutoff, expected_epochs
from fastgrok.statistics.stratified import PooledCounts
from fastgrok.statistics.survival import quantile, survival_curve
from fastgrok.statistics.sweep import Sweep


class ValueRow(NamedTuple):
    """How consistently one configuration converges."""

    labels: Mapping[str, Any]  # the label on each axis
    n: int  # seeds
    converged: int  # seeds that converged
    rate: Estimate  # their share
    epochs_median: Estimate  # epochs by which half of all seeds had converged
    epochs_per_success: Estimate  # with the best cut-off
    cutoff: Estimate  # the epoch at which it is best to give a seed up


class PairRow(NamedTuple):
    """How large the advantage of one value over another is, in one combination of the other axes."""

    stratum: Mapping[str, Any]  # the label on each of the other axes
    a: Any  # the label of one value
    b: Any  # the label of the other
    table: Table  # seeds by whether they converge with a and with b
    difference: Estimate  # by how much more often they converge with a
    mcnemar_p: float  # of McNemar's exact test
    mcnemar_p_holm: float  # the same, adjusted over all pairs in all strata
    logrank_p: float  # of the paired logrank test
    logrank_p_holm: float  # the same, adjusted over all pairs in all strata
    median_ratio: Estimate  # median epochs with a, divided by those with b
    epochs_per_success_ratio: Estimate  # epochs per success with a, divided by those with b

    @property
    def p_holm(self) -> float:
        """The adjusted p-value of the difference in how often seeds converge."""
        return self.mcnemar_p_holm


class PooledRow(NamedTuple):
    """How large the advantage of one value over another is, in the mean over the other axes."""

    a: Any  # the label of one value
    b: Any  # the label of the other
    strata: int  # combinations of the other axes in which there are seeds with both
    seeds: int  # seeds that were finished with both in one stratum or more
    difference: Estimate
    p: float
    p_holm: float  # the same, adjusted over all pairs


def record(row: Any) -> dict[str, Any]:
    """Return the columns of a row: an estimate becomes three, and labels and seeds one each."""
    columns: dict[str, Any] = {}
    for name, value in row._asdict().items():
        if isinstance(value, Estimate):
            columns |= {name: value.value, f"{name}_low": value.low, f"{name}_high": value.high}
        elif isinstance(value, Table):
            columns |= {"n": value.n, **value._asdict()}
        elif name in ("labels", "stratum"):
            columns |= value
        else:
            columns[name] = value
    return columns


class Member(NamedTuple):
    """A configuration and what was counted of it."""

    configuration: Configuration
    counts: Counts  # of its finished seeds
    cost: BestCutoff | None  # what a success costs; None: there are no seeds

    @classmethod
    def of(cls, configuration: Configuration, counts: Counts, confidence: float) -> Self:
        """Return a configuration with what a success costs."""
        experiment = configuration.experiment
        if not counts.n:
            return cls(configuration, counts, None)
        if experiment.restart is None or not counts.n_converged:
            return cls(configuration, counts, best_cutoff(counts, confidence))
        cost = BestCutoff(NO_ESTIMATE, expected_epochs(counts, experiment.epochs, confidence))
        return cls(configuration, counts, cost)

    @property
    def cutoff(self) -> int | None:
        """The epoch up to which the cost of a success is counted; None: the best one, since nobody converges."""
        if self.configuration.experiment.restart is not None:
            return self.configuration.experiment.epochs
        return None if self.cost is None or self.cost.cutoff.value is None else int(self.cost.cutoff.value)


def value_row(member: Member, confidence: float) -> ValueRow:
    """Return how consistently one configuration converges."""
    labels, counts = member.configuration.labels, member.counts
    share = rate(counts.n_converged, counts.n, confidence)
    if member.cost is None:
        return ValueRow(labels, 0, 0, share, NO_ESTIMATE, NO_ESTIMATE, NO_ESTIMATE)
    median = quantile(survival_curve(counts), 0.5, confidence)
    return ValueRow(labels, counts.n, counts.n_converged, share, median, member.cost.expected, member.cost.cutoff)


def pair_row(
    stratum: Mapping[str, Any], axis: str, pair: tuple[Member, Member], paired: PairedCounts, confidence: float
) -> PairRow:
    """Return how large the advantage of one configuration over another is; no p-value is adjusted yet."""
    a, b = (member.counts for member in pair)
    exact, ranks = mcnemar(paired.table), paired_logrank(a, b, paired).p_value
    return PairRow(
        stratum=stratum,
        a=pair[0].configuration.labels[axis],
        b=pair[1].configuration.labels[axis],
        table=paired.table,
        difference=risk_difference(paired.table, confidence),
        mcnemar_p=exact,
        mcnemar_p_holm=exact,
        logrank_p=ranks,
        logrank_p_holm=ranks,
        median_ratio=ratio_of_medians(a, b, paired, confidence),
        epochs_per_success_ratio=ratio_of_expected(a, b, paired, confidence, (pair[0].cutoff, pair[1].cutoff)),
    )


def pairs(
    members: Sequence[Member], sweep: Sweep, axis: str, confidence: float
) -> tuple[list[PairRow], list[PooledRow]]:
    """Compare every two values of an axis in each stratum, and in the mean over the strata.

    Of two configurations the seeds are compared that were finished in both. Pairs without any are left out. P-values
    are adjusted over all that are left, those of each test by themselves. In the mean over strata each counts by its
    seeds: where a sweep was interrupted, those that it came to first count more.
    """
    by_others = strata([member.configuration.labels for member in members], axis)
    paired, pooled = _counted(members, sweep, axis, by_others)
    common = _common(members, sweep, paired, confidence)
    rows: list[PairRow] = []
    for stratum, places in by_others:
        for i, j in itertools.combinations(places, 2):
            if (i, j) in paired:
                a, b = (common.get((i, j, k), members[k]) for k in (i, j))
                rows.append(pair_row(stratum, axis, (a, b), paired[i, j], confidence))
    exact, ranks = holm([row.mcnemar_p for row in rows]), holm([row.logrank_p for row in rows])
    adjusted = [
        row._replace(mcnemar_p_holm=float(p), logrank_p_holm=float(q))
        for row, p, q in zip(rows, exact, ranks, strict=True)
    ]
    n_strata = collections.Counter((row.a, row.b) for row in rows)
    return adjusted, _pooled_rows({key: (n, pooled[key]) for key, n in n_strata.items()}, confidence)


def strata(labels: Sequence[Mapping[str, Any]], axis: str) -> list[tuple[dict[str, Any], list[int]]]:
    """Return each combination of the other axes, and the places of its configurations in the order of this axis."""
    groups: dict[tuple[Any, ...], tuple[dict[str, Any], list[int]]] = {}
    for k, each in enumerate(labels):
        others = {path: label for path, label in each.items() if path != axis}
        groups.setdefault(tuple(others.values()), (others, []))[1].append(k)
    return list(groups.values())


def _counted(
    members: Sequence[Member], sweep: Sweep, axis: str, by_others: Sequence[tuple[Any, list[int]]]
) -> tuple[dict[tuple[int, int], PairedCounts], dict[tuple[Any, Any], PooledCounts]]:
    """Count pairs of epochs, by the places of two members, and differences over all strata, by their two labels."""
    paired: dict[tuple[int, int], PairedCounts] = {}
    pooled: dict[tuple[Any, Any], PooledCounts] = {}
    labels = [member.configuration.labels[axis] for member in members]
    for window in sweep.windows():
        sums: dict[tuple[Any, Any], NDArray[np.int32]] = {}  # of each seed over the strata: (2, n_seeds)
        for _, places in by_others:
            bins = {k: epoch_bins(window[k].metrics["epochs_to_converge"]) for k in places}
            for i, j in itertools.combinations(places, 2):
                finished = window[i].finished & window[j].finished
                if not finished.any():
                    continue
                whole = bool(finished.all())
                new = PairedCounts.of_bins(*(bins[k] if whole else bins[k][finished] for k in (i, j)))
                paired[i, j] = paired.get((i, j), 0) + new
                difference, n_strata = sums.setdefault((labels[i], labels[j]), np.zeros((2, len(finished)), np.int32))
                difference += finished * ((bins[i] > 0).astype(np.int32) - (bins[j] > 0))
                n_strata += finished
        for key, (difference, n_strata) in sums.items():
            pooled[key] = pooled.get(key, 0) + PooledCounts.of_sums(difference, n_strata)
    return paired, pooled


def _common(
    members: Sequence[Member], sweep: Sweep, paired: Mapping[tuple[int, int], PairedCounts], confidence: float
) -> dict[tuple[int, int, int], Member]:
    """Return one of two members, of which only the seeds finished with both are counted, where those are not all."""
    partly = [(i, j, k) for (i, j), both in paired.items() for k in (i, j) if both.n < members[k].counts.n]
    counts = dict.fromkeys(partly, Counts.empty())
    for window in sweep.windows() if partly else ():
        for i, j, k in partly:
            finished = window[i].finished & window[j].finished
            columns = {name: column[finished] for name, column in window[k].metrics.items()}
            counts[i, j, k] += Counts.of(columns, members[k].configuration.experiment)
    return {key: Member.of(members[key[2]].configuration, seeds, confidence) for key, seeds in counts.items()}


def _pooled_rows(pooled: Mapping[tuple[Any, Any], tuple[int, PooledCounts]], confidence: float) -> list[PooledRow]:
    """Return how large each advantage is in the mean over strata."""
    rows = []
    for (a, b), (n_strata, counts) in pooled.items():
        p = counts.p_value()
        rows.append(PooledRow(a, b, n_strata, counts.seeds, counts.difference(confidence), p, p))
    adjusted = holm([row.p for row in rows])
    return [row._replace(p_holm=float(p)) for row, p in zip(rows, adjusted, strict=True)]
