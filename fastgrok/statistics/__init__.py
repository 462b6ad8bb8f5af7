"""Statistics of seeds: rates with their intervals, epochs under censoring, losses, dead units, comparisons.

Everything is computed from `Counts`, `PairedCounts` and `PooledCounts`, which hold whole numbers: those of parts of a
sweep add up to those of the whole, exactly and in any order. Nothing here knows results or the engine: a Result
counts its seeds and calls this, and the engine names the plateau on which a seed is trapped, and tells whether it is
solved by what outputs can come to on the data at best.

- what is counted: `counts` (one configuration), `paired` (two on the same seeds), `stratified` (two over other axes);
- how many seeds, and when: `proportion`, `summary`, `survival`, `restarts`, `dead`, `plateaus`;
- how far a mean of epochs is known, and two medians: `bounded`, `medians`;
- how far losses and accuracies scatter: `spread`; how good they can be on some data: `attainable`;
- whether two configurations differ: `differences`, `rank_tests`, `ratios`, `paired_values` for losses and accuracies,
  and `comparison` for the axis of a sweep; on seeds of their own: `two_samples`, `two_sample_values`; where clusters,
  such as shuffles, are a sample, too: `clusters`;
- whether they differ by no more than a margin: `equivalence`; bands that hold at all epochs at once: `bands`;
- what seeds start with, and how soon they converge: `effects`, by statsmodels;
- how it is written: `text` and `tables`, for every room of the package.

Parameters that many functions share:

counts
    `Counts` of one configuration, such as `result.counts[0]`. Where who converges matters, it needs a criterion.
a, b, paired
    `Counts` of two configurations on the same seeds, and the `PairedCounts` that say which epochs go together.
confidence
    The probability that an interval covers what it estimates, between 0 and 1.

Counts and epochs of another kind, and numbers outside of the limits stated beside them, raise `InvalidExperiment`,
which names the argument.
"""

from fastgrok.statistics.bands import band_quantile, simultaneous_band
from fastgrok.statistics.clusters import clustered_difference, clustered_rate, pooled_rate
from fastgrok.statistics.counts import Counts
from fastgrok.statistics.dead import by_live_units, dead_risk, dead_units
from fastgrok.statistics.differences import holm, mcnemar, risk_difference, seeds_needed
from fastgrok.statistics.effects import Effect, Effects, starting_effects, starts
from fastgrok.statistics.equivalence import Equivalence, equivalence
from fastgrok.statistics.histogram import Histogram
from fastgrok.statistics.paired import PairedCounts, Table
from fastgrok.statistics.paired_values import (
    interquartile_mean,
    mean_difference,
    median_difference,
    probability_better,
)
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
from fastgrok.statistics.spread import Spread, order_quantile, spread, spreads
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
from fastgrok.statistics.two_sample_values import (
    BetterTest,
    independent_mean_difference,
    independent_median_difference,
    independent_probability_better,
)
from fastgrok.statistics.two_samples import (
    independent_difference,
    independent_p,
    independent_ratio_of_expected,
    independent_ratio_of_medians,
)

__all__ = [
    "BestCutoff",
    "BetterTest",
    "ChiSquared",
    "Cluster",
    "Counts",
    "Effect",
    "Effects",
    "Equivalence",
    "Estimate",
    "Histogram",
    "Interval",
    "PairedCounts",
    "Plateau",
    "PlateauShare",
    "PooledCounts",
    "RestrictedMean",
    "Spread",
    "Summary",
    "Survival",
    "Table",
    "band",
    "band_quantile",
    "best_cutoff",
    "by_live_units",
    "clopper_pearson",
    "clustered_difference",
    "clustered_rate",
    "dead_risk",
    "dead_units",
    "equivalence",
    "expected_epochs",
    "holm",
    "independent_difference",
    "independent_mean_difference",
    "independent_median_difference",
    "independent_p",
    "independent_probability_better",
    "independent_ratio_of_expected",
    "independent_ratio_of_medians",
    "interquartile_mean",
    "kaplan_meier",
    "logrank",
    "loss_clusters",
    "mcnemar",
    "mean_difference",
    "median_difference",
    "nearest_plateau",
    "order_quantile",
    "outcome_shares",
    "paired_logrank",
    "plateau_shares",
    "plateaus",
    "pooled_rate",
    "probability_better",
    "quantile",
    "quantiles",
    "rate",
    "ratio_of_expected",
    "ratio_of_medians",
    "relative_risk",
    "restricted_mean",
    "risk_difference",
    "seeds_needed",
    "simultaneous_band",
    "spread",
    "spreads",
    "starting_effects",
    "starts",
    "summarise",
    "survival_curve",
    "wilson",
]


def __dir__() -> list[str]:
    return __all__
