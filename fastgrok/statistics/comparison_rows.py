"""The rows of a comparison: one configuration, one pair in a stratum, one pair in the mean over strata."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from fastgrok.statistics.paired import Table
from fastgrok.statistics.pooled import PooledCounts
from fastgrok.statistics.proportion import Estimate


class ValueRow(NamedTuple):
    """
    How consistently one configuration converges.

    Parameters
    ----------
    labels
        The label on each axis.
    n
        Seeds.
    converged
        Seeds that converged.
    rate
        Their share.
    median
        Epochs by which half of all seeds had converged.
    expected
        Epochs that a success costs if every attempt is given up after `cutoff` of them; with `restart`, which gives
        up by itself: all epochs run, divided by the seeds that converged.
    cutoff
        After how many epochs giving up costs the least; with `restart`, or where too few converge for a choice, none.
    """

    labels: Mapping[str, Any]
    n: int
    converged: int
    rate: Estimate
    median: Estimate
    expected: Estimate
    cutoff: Estimate


class PairRow(NamedTuple):
    """
    How large the advantage of one value over another is, where the other axes stand still.

    Parameters
    ----------
    stratum
        The label on each of the other axes.
    a
        The label of one value.
    b
        The label of the other.
    table
        Seeds by whether they converge with a and with b.
    difference
        By how much more often they converge with a.
    mcnemar
        P-value of McNemar's exact test.
    mcnemar_holm
        The same, adjusted over all pairs in all strata.
    logrank
        P-value of the paired logrank test.
    logrank_holm
        The same, adjusted over all pairs in all strata.
    median_ratio
        Median epochs with a, divided by those with b.
    expected_ratio
        `ValueRow.expected` with a, divided by that with b.
    """

    stratum: Mapping[str, Any]
    a: Any
    b: Any
    table: Table
    difference: Estimate
    mcnemar: float
    mcnemar_holm: float
    logrank: float
    logrank_holm: float
    median_ratio: Estimate
    expected_ratio: Estimate


class PooledRow(NamedTuple):
    """
    How large the advantage of one value over another is, in the mean over the other axes.

    Parameters
    ----------
    a
        The label of one value.
    b
        The label of the other.
    strata
        Combinations of the other axes in which there are seeds with both.
    counts
        What the seeds did.
    difference
        By how much more often they converge with a, each seed with all of its strata being one observation. Each
        stratum counts by its seeds that were finished with both.
    p_value
        P-value of the same.
    p_holm
        The same, adjusted over all pairs.
    """

    a: Any
    b: Any
    strata: int
    counts: PooledCounts
    difference: Estimate
    p_value: float
    p_holm: float
