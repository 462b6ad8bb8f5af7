"""Statistics of seeds: rates with their intervals, epochs under censoring, one row for each configuration.

Everything is computed from `Counts` and `PairedCounts`, which hold whole numbers: those of parts of a sweep add up to
those of the whole, exactly and in any order.
"""

from fastgrok.statistics.counts import Counts
from fastgrok.statistics.dead import by_live_units, dead_risk, dead_units
from fastgrok.statistics.differences import holm, mcnemar, risk_difference, seeds_needed
from fastgrok.statistics.histogram import Histogram
from fastgrok.statistics.paired import PairedCounts, Table
from fastgrok.statistics.plateaus import (
    Cluster,
    Plateau,
    PlateauShare,
    loss_clusters,
    nearest_plateau,
    plateau_shares,
    plateaus,
)
from fastgrok.statistics.proportion import Estimate, Interval, clopper_pearson, rate, relative_risk, wilson
from fastgrok.statistics.rank_tests import ChiSquared, logrank, paired_logrank
from fastgrok.statistics.ratios import ratio_of_expected, ratio_of_medians
from fastgrok.statistics.restarts import BestCutoff, best_cutoff, expected_epochs
from fastgrok.statistics.stratified import PooledCounts
from fastgrok.statistics.summary import Summary, outcome_shares, summarise
from fastgrok.statistics.survival import (
    RestrictedMean,
    Survival,
    band,
    kaplan_meier,
    quantile,
    quantiles,
    restricted_mean,
    survival_curve,
)

__all__ = [
    "BestCutoff",
    "ChiSquared",
    "Cluster",
    "Counts",
    "Estimate",
    "Histogram",
    "Interval",
    "PairedCounts",
    "Plateau",
    "PlateauShare",
    "PooledCounts",
    "RestrictedMean",
    "Summary",
    "Survival",
    "Table",
    "band",
    "best_cutoff",
    "by_live_units",
    "clopper_pearson",
    "dead_risk",
    "dead_units",
    "expected_epochs",
    "holm",
    "kaplan_meier",
    "logrank",
    "loss_clusters",
    "mcnemar",
    "nearest_plateau",
    "outcome_shares",
    "paired_logrank",
    "plateau_shares",
    "plateaus",
    "quantile",
    "quantiles",
    "rate",
    "ratio_of_expected",
    "ratio_of_medians",
    "relative_risk",
    "restricted_mean",
    "risk_difference",
    "seeds_needed",
    "summarise",
    "survival_curve",
    "wilson",
]


def __dir__() -> list[str]:
    return __all__
