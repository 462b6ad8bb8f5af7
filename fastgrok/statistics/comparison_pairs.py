"""Every two values of an axis, on the same seeds or on seeds of their own, in each stratum and in the mean."""

import collections
import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

import numpy as np

from fastgrok.spec.axes import Configuration
from fastgrok.statistics.comparison_pooled import Pooled, Sums, cluster_rows, pooled_row
from fastgrok.statistics.comparison_rows import (
    Asked,
    ClusterRow,
    PairRow,
    PooledRow,
    SampleRow,
    Samples,
    ValueRow,
    adjusted,
    strata,
)
from fastgrok.statistics.counts import Counts
from fastgrok.statistics.differences import holm, mcnemar, risk_difference
from fastgrok.statistics.paired import PairedCounts, epoch_bins
from fastgrok.statistics.proportion import NO_ESTIMATE, rate
from fastgrok.statistics.rank_tests import logrank, paired_logrank
from fastgrok.statistics.ratios import ratio_of_expected, ratio_of_medians
from fastgrok.statistics.restarts import BestCutoff, best_cutoff, expected_epochs
from fastgrok.statistics.survival import quantile, survival_curve
from fastgrok.statistics.sweep import Sweep
from fastgrok.statistics.two_samples import (
    independent_difference,
    independent_p,
    independent_ratio_of_expected,
    independent_ratio_of_medians,
)


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
    stratum: Mapping[str, Any], axis: str, pair: tuple[Member, Member], paired: PairedCounts, asked: Asked
) -> PairRow:
    """Return how large the advantage of one configuration over another is; no p-value is adjusted yet."""
    a, b, confidence = *(member.counts for member in pair), asked.confidence
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
        equivalence=asked.equivalence(lambda c: risk_difference(paired.table, c)),
    )


def sample_row(stratum: Mapping[str, Any], axis: str, pair: tuple[Member, Member], asked: Asked) -> SampleRow:
    """Return how large the advantage of one configuration over another is, on seeds of their own."""
    a, b, confidence = *(member.counts for member in pair), asked.confidence
    table = Samples(a.n_converged, a.n, b.n_converged, b.n)
    score, ranks = independent_p(*table), logrank([a, b]).p_value
    given = [each.cutoff if each.configuration.experiment.restart is not None else None for each in pair]
    return SampleRow(
        stratum=stratum,
        a=pair[0].configuration.labels[axis],
        b=pair[1].configuration.labels[axis],
        table=table,
        difference=independent_difference(*table, confidence),
        score_p=score,
        score_p_holm=score,
        logrank_p=ranks,
        logrank_p_holm=ranks,
        median_ratio=independent_ratio_of_medians(a, b, confidence),
        epochs_per_success_ratio=independent_ratio_of_expected(a, b, confidence, (given[0], given[1])),
        equivalence=asked.equivalence(lambda c: independent_difference(*table, c)),
    )


class Pairs(NamedTuple):
    """Every two values of an axis."""

    paired: list[PairRow]  # on the same seeds
    samples: list[SampleRow]  # on seeds of their own
    pooled: list[PooledRow]  # in the mean over the strata
    clustered: list[ClusterRow]  # each value by itself, for other clusters, where there are some


def pairs(members: Sequence[Member], sweep: Sweep, axis: str, asked: Asked) -> Pairs:
    """Compare every two values of an axis in each stratum, and in the mean over the strata.

    Of two configurations the seeds are compared that were finished in both. Where there are none, all seeds of both
    are, as two samples. P-values are adjusted over all pairs, those of each test by themselves. In the mean over
    strata each counts by its seeds: where a sweep was interrupted, those that it came to first count more.
    """
    by_others = strata([member.configuration.labels for member in members], axis)
    paired, pooled = _counted(members, sweep, axis, by_others, asked.clusters)
    common = _common(members, sweep, paired, asked.confidence)
    rows: list[PairRow] = []
    samples: list[SampleRow] = []
    for stratum, places in by_others:
        for i, j in itertools.combinations(places, 2):
            if (i, j) in paired:
                a, b = (common.get((i, j, k), members[k]) for k in (i, j))
                rows.append(pair_row(stratum, axis, (a, b), paired[i, j], asked))
            elif members[i].counts.n and members[j].counts.n:
                samples.append(sample_row(stratum, axis, (members[i], members[j]), asked))
    n_strata = collections.Counter((row.a, row.b) for row in rows)
    mean = [pooled_row(key, n, *pooled[key], asked) for key, n in n_strata.items()]
    clustered = [] if asked.clusters is None else cluster_rows(sweep, axis, asked)
    return Pairs(*_adjusted_together(rows, samples), adjusted(mean, p_holm="p"), clustered)


def _adjusted_together(
    rows: Sequence[PairRow], samples: Sequence[SampleRow]
) -> tuple[list[PairRow], list[SampleRow]]:
    """Return both kinds of pairs, adjusted over all of them."""
    exact = holm([*(row.mcnemar_p for row in rows), *(row.score_p for row in samples)]).tolist()
    both = adjusted([*rows, *samples], logrank_p_holm="logrank_p")
    n = len(rows)
    return (
        [row._replace(mcnemar_p_holm=p) for row, p in zip(both[:n], exact[:n], strict=True)],
        [row._replace(score_p_holm=p) for row, p in zip(both[n:], exact[n:], strict=True)],
    )


def _counted(
    members: Sequence[Member],
    sweep: Sweep,
    axis: str,
    by_others: Sequence[tuple[Mapping[str, Any], list[int]]],
    clusters: str | None,
) -> tuple[dict[tuple[int, int], PairedCounts], dict[tuple[Any, Any], Pooled]]:
    """Count pairs of epochs, by the places of two members, and differences over strata, by their two labels."""
    paired: dict[tuple[int, int], PairedCounts] = {}
    sums = Sums()
    labels = [member.configuration.labels[axis] for member in members]
    for window in sweep.windows():
        for stratum, places in by_others:
            bins = {k: epoch_bins(window[k].metrics["epochs_to_converge"]) for k in places}
            for i, j in itertools.combinations(places, 2):
                finished = window[i].finished & window[j].finished
                if not finished.any():
                    continue
                whole = bool(finished.all())
                new = PairedCounts.of_bins(*(bins[k] if whole else bins[k][finished] for k in (i, j)))
                paired[i, j] = paired.get((i, j), 0) + new
                difference = (bins[i] > 0).astype(np.int32) - (bins[j] > 0)
                sums.add((labels[i], labels[j]), stratum.get(clusters or ""), difference, finished)
        sums.close()
    return paired, sums.pooled


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
