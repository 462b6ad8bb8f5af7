"""The rows of a comparison: one configuration, one pair in a stratum, one pair in the mean over strata."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from fastgrok.statistics.paired import Table
from fastgrok.statistics.pooled import PooledCounts
from fastgrok.statistics.proportion import Estimate


class ValueRow(NamedTuple):
    """How consistently one configuration converges."""

    labels: Mapping[str, Any]  # the label on each axis
    n: int  # seeds
    converged: int  # seeds that converged
    rate: Estimate  # their share
    median: Estimate  # epochs by which half of all seeds had converged
    expected: Estimate
    cutoff: Estimate


class PairRow(NamedTuple):
    """How large the advantage of one value over another is, where the other axes stand still."""

    stratum: Mapping[str, Any]  # the label on each of the other axes
    a: Any  # the label of one value
    b: Any  # the label of the other
    table: Table  # seeds by whether they converge with a and with b
    difference: Estimate  # by how much more often they converge with a
    mcnemar: float  # p-value of McNemar's exact test
    mcnemar_holm: float  # the same, adjusted over all pairs in all strata
    logrank: float  # p-value of the paired logrank test
    logrank_holm: float  # the same, adjusted over all pairs in all strata
    median_ratio: Estimate  # median epochs with a, divided by those with b
    expected_ratio: Estimate  # `ValueRow.expected` with a, divided by that with b


class PooledRow(NamedTuple):
    """How large the advantage of one value over another is, in the mean over the other axes."""

    a: Any  # the label of one value
    b: Any  # the label of the other
    strata: int  # combinations of the other axes in which there are seeds with both
    counts: PooledCounts  # what the seeds did
    difference: Estimate
    p_value: float  # p-value of the same
    p_holm: float  # the same, adjusted over all pairs
