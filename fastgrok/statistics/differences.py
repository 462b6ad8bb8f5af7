"""Convergence rates of two configurations on the same seeds, and whether they differ."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgrok.errors import InvalidExperiment
from fastgrok.statistics.paired import Table
from fastgrok.statistics.proportion import Estimate, normal_quantile


def risk_difference(table: Table, confidence: float = 0.95) -> Estimate:
    """
    Return by how much more often seeds converge with a than with b.

    (only_a - only_b) / n; the interval is d -+ z sqrt((p_a + p_b - d**2) / (n + 2)), with p_a = (only_a + 1) / (n
    + 2), p_b = (only_b + 1) / (n + 2) and d = p_a - p_b.

    Parameters
    ----------
    table
        Seeds by whether they converge with a and with b. Of none: None, from -1 to 1.
    confidence
        The probability that the interval covers the difference, between 0 and 1.

    Raises
    ------
    InvalidExperiment
        If the confidence is not between 0 and 1.

    Notes
    -----
    Bonett, Price, "Adjusted Wald confidence interval for a difference of binomial proportions based on paired
    data", 2012. It covers at small numbers too, where the plain Wald interval does not.

    Examples
    --------
    >>> [round(x, 3) for x in risk_difference(Table(both=80, only_a=12, only_b=3, neither=5))]
    [0.09, 0.011, 0.166]
    """
    return PooledCounts.of_table(table).difference(confidence)


def mcnemar(table: Table) -> float:
    """
    Return the probability of seeds as uneven as these if a and b converge equally often.

    With k = min(only_a, only_b) and m = only_a + only_b, min(1, 2 P(X <= k)), where X is binomial(m, 1/2).

    Parameters
    ----------
    table
        Seeds by whether they converge with a and with b.

    Notes
    -----
    McNemar, "Note on the sampling error of the difference between correlated proportions", 1947. The exact test, at
    every number of seeds: it rejects at most as often as it says. Seeds that do the same with both say nothing.

    Examples
    --------
    >>> round(mcnemar(Table(both=80, only_a=12, only_b=3, neither=5)), 4)
    0.0352
    """
    from scipy.stats import binom

    discordant = table.only_a + table.only_b
    return min(1.0, 2.0 * float(binom.cdf(min(table.only_a, table.only_b), discordant, 0.5)))


@dataclass(frozen=True)
class PooledCounts:
    """
    Two values of an axis, compared over several strata on the same seeds: sums of whole numbers over seeds.

    With, for each seed, m the strata in which it was trained with both a and b, and d those in which it converges
    with a alone less those in which it converges with b alone:

    Parameters
    ----------
    seeds
        Seeds with m > 0.
    pairs
        Sum of m.
    difference_sum
        Sum of d.
    squares
        Sum of d**2.
    products
        Sum of d m.
    pair_squares
        Sum of m**2.

    Notes ----- A seed has the same start in every stratum, or one that is akin: what it does in two strata is not
    independent, and a McNemar test of the summed tables would take it for so many seeds. Here a seed, with all of
    its strata, is one observation. With one stratum difference and interval are those of `risk_difference`. `x +
    y` is the sum over different seeds, exact and in any order.

    Examples
    --------
    >>> PooledCounts.of([[True, True], [True, False]], [[True, False], [False, True]]).difference().value
    0.25
    """

    seeds: int
    pairs: int
    difference_sum: int
    squares: int
    products: int
    pair_squares: int

    @classmethod
    def of(cls, converged_a: ArrayLike, converged_b: ArrayLike, finished: ArrayLike = True) -> Self:
        """
        Count seeds in several strata.

        Parameters
        ----------
        converged_a
            Whether each converges with a, (n_strata, n_seeds).
        converged_b
            Whether each converges with b.
        finished
            Whether each was trained with both.
        """
        a, b = np.asarray(converged_a, dtype=bool), np.asarray(converged_b, dtype=bool)
        trained = np.broadcast_to(np.asarray(finished, dtype=bool), a.shape)
        return cls.of_sums(((a.astype(np.int64) - b) * trained).sum(axis=0), trained.sum(axis=0))

    @classmethod
    def of_sums(cls, difference: ArrayLike, pairs: ArrayLike) -> Self:
        """
        Count seeds of which the sums over strata are known.

        Parameters
        ----------
        difference
            d of each seed.
        pairs
            m of each seed.
        """
        d, m = np.asarray(difference, dtype=np.int64), np.asarray(pairs, dtype=np.int64)
        return cls(*(int(x.sum()) for x in (m > 0, m, d, d * d, d * m, m * m)))

    @classmethod
    def of_table(cls, table: Table) -> Self:
        """
        Count seeds in one stratum.

        Parameters
        ----------
        table
            Seeds by whether they converge with a and with b.
        """
        more, either = table.only_a - table.only_b, table.only_a + table.only_b
        return cls(table.n, table.n, more, either, more, table.n)

    def __add__(self, other: "PooledCounts") -> Self:
        if not isinstance(other, PooledCounts):
            return NotImplemented
        return type(self)(*(x + y for x, y in zip(self._sums(), other._sums(), strict=True)))

    def _sums(self) -> tuple[int, ...]:
        return (self.seeds, self.pairs, self.difference_sum, self.squares, self.products, self.pair_squares)

    def difference(self, confidence: float = 0.95) -> Estimate:
        """
        Return by how much more often seeds converge with a than with b, in the mean over strata.

        Parameters
        ----------
        confidence
            The probability that the interval covers the difference, between 0 and 1.

        Notes
        -----
        The interval is that of a ratio of two sums over seeds, d and m, two seeds added for which d is 1 and -1, as
        Bonett and Price do.
        """
        z = normal_quantile(confidence)
        if not self.pairs:
            return Estimate(None, -1.0, 1.0)
        each = self.pairs / self.seeds
        pairs = self.pairs + 2 * each
        centre = self.difference_sum / pairs
        squares = self.squares + 2 - 2 * centre * self.products + centre**2 * (self.pair_squares + 2 * each**2)
        half = z * float(np.sqrt(max(squares, 0.0))) / pairs
        value = self.difference_sum / self.pairs
        return Estimate(value, max(centre - half, -1.0), min(centre + half, 1.0))

    def p_value(self) -> float:
        """
        Return the probability of a sum of d as far from 0 if a and b converge equally often.

        Notes
        -----
        A normal z = sum d / sqrt(sum d**2): with one stratum McNemar's test without continuity correction.
        """
        from scipy.stats import norm

        if not self.squares:
            return 1.0
        return float(2 * norm.sf(abs(self.difference_sum) / np.sqrt(self.squares)))


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """
    Return the p-values of several tests, each made larger so that all of them together can be read.

    In ascending order, the k-th of n becomes the largest of (n - j + 1) p_j over j <= k, at most 1.

    Parameters
    ----------
    p_values
        One of each test, 0 to 1; any order, which is kept.

    Raises
    ------
    InvalidExperiment
        If one is no probability.

    Notes
    -----
    Holm, "A simple sequentially rejective multiple test procedure", 1979. If those at or below alpha are called
    different, the probability that one of them is not is at most alpha, whatever ties the tests together.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1 or not np.all((p >= 0) & (p <= 1)):
        raise InvalidExperiment("p_values", p_values, "a list of probabilities")
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1.0)
    return adjusted
