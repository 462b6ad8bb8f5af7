"""Statistics of seeds: rates with their intervals, epochs under censoring, one row for each configuration.

Everything is computed from `Counts` and `PairedCounts`, which hold whole numbers: those of parts of a sweep add up to
those of the whole, exactly and in any order.
"""

from fastgrok.statistics.counts import Counts
from fastgrok.statistics.dead import by_live_units, dead_risk, dead_units, relative_risk
from fastgrok.statistics.differences import holm, mcnemar, risk_difference
from fastgrok.statistics.histogram import Histogram
from fastgrok.statistics.outcomes import outcome_shares
from fastgrok.statistics.paired import PairedCounts, Table
from fastgrok.statistics.plateaus import Plateau, nearest_plateau, plateaus
from fastgrok.statistics.pooled import PooledCounts
from fastgrok.statistics.power import seeds_needed
from fastgrok.statistics.proportion import Estimate, Interval, clopper_pearson, rate, wilson
from fastgrok.statistics.ranks import ChiSquared, logrank, paired_logrank
from fastgrok.statistics.ratios import ratio_of_expected, ratio_of_medians
from fastgrok.statistics.restarts import BestCutoff, best_cutoff, expected_epochs
from fastgrok.statistics.summary import Summary, summarise
from fastgrok.statistics.survival import Survival, band, kaplan_meier, survival_curve
from fastgrok.statistics.times import RestrictedMean, quantile, quantiles, restricted_mean
from fastgrok.statistics.trapped import Cluster, PlateauShare, loss_clusters, plateau_shares

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
