"""Epochs to convergence, when some seeds are never seen to converge: curve, quantiles, restricted mean."""

import itertools
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgrok.errors import InvalidExperiment
from fastgrok.spec.variables import NEVER
from fastgrok.statistics.arguments import checked, integers
from fastgrok.statistics.bounded import of_stretches
from fastgrok.statistics.counts import Counts
from fastgrok.statistics.histogram import Histogram
from fastgrok.statistics.proportion import (
    Estimate,
    Interval,
    clopper_pearson_of_shares,
    normal_quantile,
    wilson_of_shares,
)

ROUNDING = 1e-12
"""Of a share: more than rounding makes, less than one seed of any sweep."""


class Survival(NamedTuple):
    """The share of seeds that have not converged, after each epoch at which one does.

    Parameters
    ----------
    time
        The distinct epochs at which seeds converge, ascending.
    at_risk
        Seeds that had neither converged nor been censored before each.
    events
        Seeds that converge at each.
    share
        Kaplan and Meier's estimate of the share that has not converged after each.
    last
        The last epoch up to which the estimate holds: that at which the last seed is censored. None: for ever,
        since every seed has converged or is known never to.
    left
        Seeds seen up to there that have not converged.
    """

    time: NDArray[np.int64]
    at_risk: NDArray[np.int64]
    events: NDArray[np.int64]
    share: NDArray[np.float64]
    last: int | None
    left: int


Band = Literal["wilson", "log-log", "clopper_pearson"]
"""Name of an interval of the share that has not converged."""


@checked
def survival_curve(counts: Counts) -> Survival:
    """Estimate how many seeds have not converged by each epoch, from what was counted; see `kaplan_meier`.

    Parameters
    ----------
    counts
        As in `fastgrok.statistics`, with one seed or more.

    Raises
    ------
    InvalidExperiment
        If there are no seeds, or there is no criterion.

    Examples
    --------
    >>> survival_curve(Counts.of_epochs([3, -1, 5, 3], until=10)).share.tolist()
    [0.5, 0.25]
    """
    counts.check_criterion()
    if not counts.n:
        raise InvalidExperiment("counts", counts, "counts of one seed or more")
    return _estimate(counts.converged, counts.censored, counts.n)


def kaplan_meier(epochs_to_converge: ArrayLike, epochs_run: ArrayLike, never: ArrayLike = False) -> Survival:
    """Estimate how many seeds have not converged by each epoch, from the epochs of each seed.

    S(t) is the product over the epochs up to t of (at_risk - events) / at_risk.

    Parameters
    ----------
    epochs_to_converge
        For each seed the epoch at which it converged; -1 if it did not.
    epochs_run
        For each seed the last epoch at which it was seen: it is censored there if it had not converged. A
        seed that is censored at an epoch is still at risk at that epoch.
    never
        For each seed whether it can no longer converge, however long it trains: one that has diverged. It
        stays at risk for ever, since it is known not to converge; were it censored where it diverged, the
        estimate would promise it the luck of the others.

    Raises
    ------
    InvalidExperiment
        If there are no seeds, the lengths differ, an epoch is no integer, or a seed converged after it was last seen.

    Notes
    -----
    Kaplan, Meier, "Nonparametric estimation from incomplete observations", 1958. As long as nobody has been
    censored S(t) is one quotient of two counts. In a run of fastgrok every seed that is censored is censored
    at the last epoch, so this is so for the whole curve, and the estimate is the plain share of all seeds.

    Examples
    --------
    >>> kaplan_meier([2, 5, -1, -1], [2, 5, 9, 9]).share.tolist()
    [0.75, 0.5]
    """
    converged_at = integers("epochs_to_converge", epochs_to_converge)
    last = integers("epochs_run", epochs_run)
    if converged_at.ndim != 1 or not converged_at.size:
        raise InvalidExperiment("epochs_to_converge", epochs_to_converge, "an epoch for each of some seeds")
    if last.shape != converged_at.shape:
        raise InvalidExperiment("epochs_run", epochs_run, f"{converged_at.size} epochs, one for each seed")
    converged = converged_at != NEVER
    if np.any(converged & ((converged_at < 1) | (converged_at > last))):
        raise InvalidExperiment("epochs_to_converge", epochs_to_converge, "-1, or an epoch from 1 to epochs_run")
    try:
        without = np.broadcast_to(np.asarray(never, dtype=bool), converged.shape)
    except ValueError as error:
        raise InvalidExperiment("never", never, f"True or False, or {converged.size} of them") from error
    gone = ~converged & ~without
    return _estimate(Histogram.of(converged_at[converged]), Histogram.of(last[gone]), converged_at.size)


def _estimate(converged: Histogram, censored: Histogram, n: int) -> Survival:
    """Return the estimate from histograms of epochs; those of n that are in neither never converge."""
    time, events = converged.values, converged.counts
    gone = censored.n_below(time)
    at_risk = n - gone - (np.cumsum(events) - events)
    last = int(censored.values[-1]) if len(censored.values) else None
    if last is not None and len(time) and time[-1] > last:
        last = None  # every seed that was still at risk has converged since
    left = n - converged.n - censored.n + (0 if last is None else int(censored.counts[-1]))
    return Survival(time, at_risk, events, _product(at_risk, events, gone), last, left)


def _product(
    at_risk: NDArray[np.int64], events: NDArray[np.int64], censored: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Multiply (at_risk - events) / at_risk up; the counts cancel from one censored seed to the next."""
    starts = np.flatnonzero(np.diff(censored, prepend=-1)).tolist()
    share = np.empty(len(at_risk))
    before = 1.0
    for start, end in itertools.pairwise([*starts, len(at_risk)]):
        share[start:end] = before * ((at_risk[start:end] - events[start:end]) / at_risk[start])
        before = share[end - 1]
    return share


@checked
def band(curve: Survival, confidence: float = 0.95, method: Band = "wilson") -> Interval:
    """Return, after each epoch at which a seed converges, the interval of the share that has not.

    With V = S(t)**2 x the sum of events / (at_risk (at_risk - events)), which is Greenwood's variance of S(t):

    - "wilson": Wilson's interval of the proportion S(t) among S (1 - S) / V seeds;
    - "log-log": S(t)**exp(-+ z sqrt(V) / (S(t) log S(t)));
    - "clopper_pearson": that interval of the same proportion among as many seeds.

    Parameters
    ----------
    curve
        What `survival_curve` or `kaplan_meier` returns.
    confidence
        As in `fastgrok.statistics`: that of the share at an epoch, not at all epochs at once.
    method
        "wilson", "log-log" or "clopper_pearson".

    Notes
    -----
    Greenwood, "The natural duration of cancer", 1926. Rothman, "Estimation of confidence limits for the cumulative
    probability of survival in life table analysis", 1978, is the default: where nobody has been censored it is
    the interval of the plain share, so that at the last epoch curve and convergence rate say the same, and it has
    a width where S(t) is 0. Kalbfleisch, Prentice, "The statistical analysis of failure time data", 1980, is
    "log-log". "clopper_pearson" covers at least as often as it says where nobody has been censored, and is wider.

    Examples
    --------
    >>> low, high = band(kaplan_meier([2, 5, -1, -1], [2, 5, 9, 9]))
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.301, 0.15], [0.954, 0.85])
    """
    z, share = normal_quantile(confidence), curve.share
    if method == "log-log":
        inside = share > 0
        log = np.log(share, out=np.full(len(share), -1.0), where=inside)
        spread = np.exp(z * np.sqrt(_greenwood(curve)) / -log)  # of log S
        return Interval(np.where(inside, share**spread, 0.0), np.where(inside, share ** (1 / spread), 0.0))
    seeds = seeds_worth(curve)
    of_shares = wilson_of_shares if method == "wilson" else clopper_pearson_of_shares
    return of_shares(np.minimum(share, 1) * seeds, seeds, confidence)


def seeds_worth(curve: Survival) -> NDArray[np.float64]:
    """Return as how many seeds the curve is worth after each epoch: of how many a share has Greenwood's variance."""
    share, variance = curve.share, _greenwood(curve)
    before = np.concatenate([[1.0], share[:-1]])
    seeds: NDArray[np.float64] = np.divide(1 - share, share * variance, out=curve.at_risk / before, where=share > 0)
    return seeds


def _greenwood(curve: Survival) -> NDArray[np.float64]:
    """Return Greenwood's variance of log S; that of S = 0 is left at what it was before."""
    left = curve.at_risk - curve.events
    terms = np.divide(curve.events, curve.at_risk * left.astype(np.float64), out=np.zeros(len(left)), where=left > 0)
    return np.cumsum(terms)


class RestrictedMean(NamedTuple):
    """The mean of the epochs to convergence, those after some epoch counted as that epoch.

    Parameters
    ----------
    value
        The mean.
    standard_error
        Its standard error.
    low, high
        Its interval, which reaches farther to the side where a rare seed may be.
    """

    value: float
    standard_error: float
    low: float
    high: float


@checked
def quantiles(survival: Survival, shares: ArrayLike) -> list[int | None]:
    """Return the epochs by which these shares of all seeds have converged.

    The first epoch t with S(t) <= 1 - share.

    Parameters
    ----------
    survival
        What `kaplan_meier` returns.
    shares
        Shares of all seeds, 0 to 1; the median is that of 0.5.

    Notes
    -----
    None stands for a share that was not reached: no epoch that was run is an answer then, and an average
    over those that did converge would be another question's.

    Examples
    --------
    >>> quantiles(kaplan_meier([2, 5, -1, -1], [2, 5, 9, 9]), [0.25, 0.5, 0.75])
    [2, 5, None]
    """
    wanted = _check_shares("shares", shares, "numbers from 0 to 1")
    places = np.searchsorted(-survival.share, -(1 - wanted) - ROUNDING, side="left")
    return [int(survival.time[place]) if place < len(survival.time) else None for place in places]


@checked
def quantile(curve: Survival, share: float, confidence: float = 0.95) -> Estimate:
    """Return the epoch by which this share of all seeds has converged, with its interval.

    The first epochs t with S(t) <= 1 - share, with the lower end of S(t) <= 1 - share, and with the upper end.

    Parameters
    ----------
    curve
        What `survival_curve` or `kaplan_meier` returns.
    share
        A share of all seeds, 0 to 1; the median is that of 0.5.
    confidence
        As in `fastgrok.statistics`.

    Notes
    -----
    Brookmeyer, Crowley, "A confidence interval for the median survival time", 1982, with the "clopper_pearson" band:
    where nobody has been censored the ends are order statistics, and the interval covers at least as often as it says
    however few the seeds are. The band begins before the first epoch at which a seed converges: where none has, and
    its lower end is low enough all the same, the interval begins at epoch 1. None stands for an epoch
    that was not reached: the interval is open above, or there is none.

    Examples
    --------
    >>> quantile(kaplan_meier([2, 5, 6, 7, 8, -1], [2, 5, 6, 7, 8, 9]), 0.5)
    Estimate(value=6, low=2, high=None)
    """
    _check_shares("share", share, "a number from 0 to 1", scalar=True)
    value = quantiles(curve, share)[0]
    ends = band(curve, confidence, "clopper_pearson")
    low, high = (quantiles(curve._replace(share=np.minimum.accumulate(end)), share)[0] for end in ends)
    if len(curve.time):
        n = float(curve.at_risk[0])
        if clopper_pearson_of_shares(np.array(n), np.array(n), confidence).low <= 1 - share + ROUNDING:
            low = 1
    return Estimate(value, low, high)


@checked
def restricted_mean(curve: Survival, until: int | None = None, confidence: float = 0.95) -> RestrictedMean:
    """Return the mean over seeds of the smaller of the epochs to convergence and an epoch.

    The sum of S(t) over t = 0 to until - 1.

    Parameters
    ----------
    curve
        What `survival_curve` or `kaplan_meier` returns.
    until
        The epoch, 1 or more; at most that up to which the estimate holds. None: that epoch.
    confidence
        As in `fastgrok.statistics`.

    Raises
    ------
    InvalidExperiment
        If the estimate does not reach so far, or no seed says how far it does.

    Notes
    -----
    Its variance is the sum over events, up to that epoch, of events / (at_risk (at_risk - events)), times the square
    of the sum of S from there to that epoch. The interval is not the normal one, which is far too narrow where few
    seeds fail and a sample holds none of them: in it S falls by factors that are beta-distributed, as Fay, Brittain,
    Proschan, "Pointwise confidence intervals for a survival distribution with small samples or heavy censoring",
    2013, have it, with one seed more that is as slow as can be for the upper end, and as quick for the lower one.

    Examples
    --------
    >>> restricted_mean(kaplan_meier([2, 4, -1, -1], [2, 4, 9, 9]), 8).value
    5.5
    """
    normal_quantile(confidence)
    known = curve.last if curve.last is not None else until
    if until is None:
        until = known if known is not None or not len(curve.time) else int(curve.time[-1])
    if until is None:
        raise InvalidExperiment("until", until, "an epoch: no seed converges, and none was seen up to a last one")
    if isinstance(until, bool) or not 1 <= until <= (until if known is None else known):
        raise InvalidExperiment("until", until, f"an epoch from 1 to {known}, the last one seen")
    inside = curve.time < until
    time, steps = curve.time[inside], np.concatenate([[1.0], curve.share[inside]])
    areas = steps * np.diff(np.concatenate([[0], time, [until]]))
    value = float(areas.sum())
    after = np.cumsum(areas[::-1])[::-1][1:]
    at_risk, events = curve.at_risk[inside].astype(np.float64), curve.events[inside]
    left = at_risk - events
    terms = np.divide(events * after**2, at_risk * left, out=np.zeros(len(left)), where=left > 0)
    error = float(np.sqrt(terms.sum()))
    low, high = _ends_of_mean(curve, int(inside.sum()), until, (1 - float(confidence)) / 2)
    return RestrictedMean(value, error, min(max(low, 1.0), value), max(min(high, float(until)), value))


def _ends_of_mean(curve: Survival, n_events: int, until: int, tail: float) -> tuple[float, float]:
    """Return the ends of the interval of a restricted mean; the curve falls `n_events` times before that epoch."""
    time, gone = curve.time[:n_events].astype(np.float64), curve.events[:n_events].astype(np.float64)
    left = curve.at_risk[:n_events] - gone
    high = of_stretches(np.diff(time, prepend=0.0, append=until), left + 1, gone)
    # as many seeds as know of the end of the curve
    share = curve.share[n_events - 1] if n_events else 1.0
    n = curve.at_risk[0] if n_events else np.inf
    if share > 0:
        n = min(n, (curve.at_risk[n_events] if n_events < len(curve.time) else curve.left) / share)
    lengths = np.diff(time, prepend=[0.0, 1.0], append=until)
    low = of_stretches(lengths, np.append(n, left), np.append(1.0, gone))
    return low.quantile(tail), high.quantile(1 - tail)


def _check_shares(field: str, shares: ArrayLike, expected: str, *, scalar: bool = False) -> NDArray[np.float64]:
    """Return shares as a row of numbers."""
    try:
        wanted = np.asarray(shares, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        wanted = np.array(np.nan)
    if not np.all((wanted >= 0) & (wanted <= 1)) or wanted.ndim > (0 if scalar else 1):
        raise InvalidExperiment(field, shares, expected)
    return np.atleast_1d(wanted)
