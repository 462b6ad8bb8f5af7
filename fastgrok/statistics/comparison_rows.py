"""The rows of a comparison: one configuration, one pair in a stratum, one pair in the mean over the strata."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from fastgrok.statistics.differences import holm
from fastgrok.statistics.equivalence import Equivalence, equivalence
from fastgrok.statistics.paired import Table
from fastgrok.statistics.proportion import Estimate


class Asked(NamedTuple):
    """What a comparison is asked for, besides its axis."""

    confidence: float  # that of every interval
    margin: float | None = None  # the smallest difference that matters
    clusters: str | None = None  # the axis whose values are a sample, as the seeds are

    def equivalence(self, interval: Callable[[float], Estimate]) -> Equivalence | None:
        """Return whether a difference is less than the margin; None without one."""
        return None if self.margin is None else equivalence(interval, self.margin, self.confidence)


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
    equivalence: Equivalence | None = None  # whether the rates differ by less than a margin, where there is one
    equivalence_p_holm: float | None = None  # its p-value, adjusted over all pairs in all strata

    @property
    def p_holm(self) -> float:
        """The adjusted p-value of the difference in how often seeds converge."""
        return self.mcnemar_p_holm


class Samples(NamedTuple):
    """Seeds of two samples, and how many of them converge."""

    converged_a: int
    n_a: int
    converged_b: int
    n_b: int

    @property
    def n(self) -> int:
        """Seeds of both."""
        return self.n_a + self.n_b


class SampleRow(NamedTuple):
    """How large the advantage of one value over another is on seeds of their own; fields as of a `PairRow`."""

    stratum: Mapping[str, Any]
    a: Any
    b: Any
    table: Samples
    difference: Estimate
    score_p: float  # of the score test of two rates
    score_p_holm: float
    logrank_p: float  # of the log-rank test of two samples
    logrank_p_holm: float
    median_ratio: Estimate
    epochs_per_success_ratio: Estimate
    equivalence: Equivalence | None = None
    equivalence_p_holm: float | None = None

    @property
    def p_holm(self) -> float:
        """The adjusted p-value of the difference in how often seeds converge."""
        return self.score_p_holm


class PooledRow(NamedTuple):
    """How large the advantage of one value over another is, in the mean over the other axes."""

    a: Any  # the label of one value
    b: Any  # the label of the other
    strata: int  # combinations of the other axes in which there are seeds with both
    seeds: int  # seeds that were finished with both in one stratum or more
    difference: Estimate
    p: float
    p_holm: float  # the same, adjusted over all pairs
    equivalence: Equivalence | None = None  # as of a `PairRow`
    equivalence_p_holm: float | None = None
    clusters: str | None = None  # the axis by which the interval is clustered, besides seeds


class ClusterRow(NamedTuple):
    """How often seeds converge with one value, for other seeds and other clusters."""

    value: Any  # its label
    strata: int  # combinations of the other axes in which there are seeds
    seeds: int  # seeds that were finished in one of them or more
    rate: Estimate


def record(row: Any) -> dict[str, Any]:
    """Return the columns of a row: an estimate becomes three, and labels and seeds one each."""
    columns: dict[str, Any] = {}
    for name, value in row._asdict().items():
        if isinstance(value, Estimate):
            columns |= {name: value.value, f"{name}_low": value.low, f"{name}_high": value.high}
        elif isinstance(value, Table | Samples):
            columns |= {"n": value.n, **value._asdict()}
        elif isinstance(value, Equivalence):
            _, low, high = value.difference
            columns |= {"margin": value.margin, "within_low": low, "within_high": high}
            columns["equivalence_p"] = value.p_value
        elif name in ("equivalence", "equivalence_p_holm", "clusters") and value is None:
            continue  # not asked for
        elif name in ("labels", "stratum"):
            columns |= value
        else:
            columns[name] = value
    return columns


def strata(labels: Sequence[Mapping[str, Any]], axis: str) -> list[tuple[dict[str, Any], list[int]]]:
    """Return each combination of the other axes, and the places of its configurations in the order of this axis."""
    groups: dict[tuple[Any, ...], tuple[dict[str, Any], list[int]]] = {}
    for k, each in enumerate(labels):
        others = {path: label for path, label in each.items() if path != axis}
        groups.setdefault(tuple(others.values()), (others, []))[1].append(k)
    return list(groups.values())


def adjusted(rows: Sequence[Any], **fields: str) -> list[Any]:
    """Return rows whose p-values are adjusted over all of them, those of fields and of equivalence."""
    rows = list(rows)
    for to, name in fields.items():
        p = holm([getattr(row, name) for row in rows]).tolist()
        rows = [row._replace(**{to: value}) for row, value in zip(rows, p, strict=True)]
    if rows and rows[0].equivalence is not None:
        p = holm([row.equivalence.p_value for row in rows]).tolist()
        rows = [row._replace(equivalence_p_holm=value) for row, value in zip(rows, p, strict=True)]
    return rows
