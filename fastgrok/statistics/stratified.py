"""Two values of an axis over several strata on the same seeds, in whole numbers that parts add up to exactly."""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgrok.errors import InvalidExperiment
from fastgrok.statistics.arguments import checked, integers
from fastgrok.statistics.bounded import Moments
from fastgrok.statistics.histogram import Histogram, Tally
from fastgrok.statistics.paired import Table
from fastgrok.statistics.proportion import Estimate, normal_quantile

_EXACT = 2048  # sum of abs(d) up to which signs are counted out; a normal is within 0.1 % of these p-values there


@dataclass(frozen=True)
class PooledCounts(Tally):
    """Two values of an axis, compared over several strata on the same seeds: sums of whole numbers over seeds.

    With, for each seed, m the strata in which it was trained with both a and b, and d those in which it converges
    with a alone less those in which it converges with b alone:

    Parameters
    ----------
    differences
        d -> seeds, of those with m > 0.
    pairs
        Sum of m.
    products
        Sum of d m.
    pair_squares
        Sum of m**2.

    Notes
    -----
    A seed has the same start in every stratum, or one that is akin: what it does in two strata is not independent,
    and a McNemar test of the summed tables would take it for so many seeds. Here a seed, with all of its strata, is
    one observation. With one stratum difference, interval and p-value are those of `risk_difference` and `mcnemar`.
    A stratum counts by its seeds: where all are finished, all strata alike. `x + y` is the sum over different seeds,
    exact and in any order.

    Examples
    --------
    >>> PooledCounts.of_sums([1, 0, 1], pairs=[2, 2, 2]).difference().value
    0.333...
    """

    differences: Histogram
    pairs: int
    products: int
    pair_squares: int

    @classmethod
    def of_sums(cls, difference: ArrayLike, pairs: ArrayLike) -> Self:
        """Count seeds of which the sums over strata are known.

        Parameters
        ----------
        difference
            d of each seed.
        pairs
            m of each seed, its abs(d) or more.

        Raises
        ------
        InvalidExperiment
            If the lengths differ, or a seed differs in more strata than it was trained in.
        """
        d, m = integers("difference", difference), integers("pairs", pairs)
        if d.shape != m.shape or np.any(abs(d) > m):
            raise InvalidExperiment("pairs", pairs, "for each seed a number of strata, at least abs(difference)")
        return cls(Histogram.of(d[m > 0]), *(int(x.sum()) for x in (m, d * m, m * m)))

    @classmethod
    @checked
    def of_table(cls, table: Table) -> Self:
        """Count seeds in one stratum.

        Parameters
        ----------
        table
            Seeds by whether they converge with a and with b.
        """
        cells = {-1: table.only_b, 0: table.both + table.neither, 1: table.only_a}
        counts = {d: seeds for d, seeds in cells.items() if seeds}
        differences = Histogram(np.array(list(counts), np.int64), np.array(list(counts.values()), np.int64))
        return cls(differences, table.n, table.only_a - table.only_b, table.n)

    @property
    def seeds(self) -> int:
        """Seeds that were trained with both in a stratum at least."""
        return self.differences.n

    def difference(self, confidence: float = 0.95) -> Estimate:
        """Return by how much more often seeds converge with a than with b, in the mean over strata.

        Parameters
        ----------
        confidence
            As in `fastgrok.statistics`.

        Notes
        -----
        Of a mean that lies between -1 and 1, with a seed more at the bound: see `risk_difference`. It is that of a
        ratio of two sums over seeds, d and m.
        """
        normal_quantile(confidence)
        if not self.pairs:
            return Estimate(None, -1.0, 1.0)
        value, tail = self.differences.total() / self.pairs, (1 - float(confidence)) / 2
        low, high = self._end(-1, tail), self._end(1, 1 - tail)
        return Estimate(value, max(min(low, value), -1.0), min(max(high, value), 1.0))

    def _end(self, side: int, share: float) -> float:
        """Return a quantile of the mean over random weights of the seeds and one more, for a (1) or for b (-1)."""
        each, n = self.pairs / self.seeds, self.seeds + 1
        centre = (self.differences.total() / each + side) / n
        products, pair_squares = self.products + side * each**2, self.pair_squares + each**2
        square = _squares(self.differences) + each**2 + centre**2 * pair_squares - 2 * centre * products
        apart = np.append(self.differences.values, side * each) / each - centre  # as if m were equal
        cube = float(np.append(self.differences.counts, 1) @ apart**3)
        variance = max(square, 0.0) / each**2 / (n * (n + 1))
        return Moments(centre, variance, 2 * cube / (n * (n + 1) * (n + 2))).quantile(share)

    def p_value(self) -> float:
        """Return the probability of a sum of d as far from 0 if a and b converge equally often.

        P(abs(sum of s d) >= abs(sum of d)), each seed's sign s being 1 or -1 with probability 1/2.

        Notes
        -----
        Fisher, "The design of experiments", 1935. Exact where all d that are not 0 are equally large, as in one
        stratum (McNemar's exact test), and up to a sum of abs(d) of 2,048; beyond, the normal distribution of that
        sum with a correction for continuity.
        """
        from scipy.stats import norm

        sizes = np.unique(abs(self.differences.values))
        sizes = sizes[sizes > 0]
        counts = [int(self.differences.counts[abs(self.differences.values) == size].sum()) for size in sizes]
        total = abs(self.differences.total())
        if not total:
            return 1.0
        if len(sizes) == 1:
            return _both_tails(total // int(sizes[0]), counts[0])
        if int(sizes @ np.array(counts)) <= _EXACT:
            return _signs_counted_out(total, sizes, counts)
        step = math.gcd(*sizes.tolist())  # sums are 2 steps apart
        return float(2 * norm.sf((total - step) / math.sqrt(_squares(self.differences))))


def _squares(differences: Histogram) -> int:
    """Return the sum of d**2."""
    return int(differences.counts @ differences.values**2)


def _both_tails(total: int, n: int) -> float:
    """Return P(abs(sum of n random signs) >= total)."""
    from scipy.stats import binom

    return min(1.0, 2.0 * float(binom.cdf((n - total) // 2, n, 0.5)))


def _signs_counted_out(total: int, sizes: NDArray[np.int64], counts: list[int]) -> float:
    """Return P(abs(sum of numbers of these sizes, with random signs) >= total), by convolution."""
    from scipy.stats import binom

    chances = np.ones(1)  # of the sum of those that get a minus
    for size, n in zip(sizes.tolist(), counts, strict=True):
        steps = np.zeros(size * n + 1)
        steps[::size] = binom.pmf(np.arange(n + 1), n, 0.5)
        chances = np.convolve(chances, steps)
    most = len(chances) - 1
    return min(1.0, 2.0 * float(chances[: (most - total) // 2 + 1].sum()))
