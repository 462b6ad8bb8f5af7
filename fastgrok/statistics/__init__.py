"""Statistics of seeds: rates with their intervals, epochs under censoring, one row for each configuration."""

from fastgrok.statistics.counts import Counts
