"""Epochs by which a share of all seeds has converged, and the mean of epochs to convergence."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgrok.errors import InvalidExperiment
from fastgrok.statistics.arguments import checked
from fastgrok.statistics.proportion import Estimate, normal_quantile
from fastgrok.statistics.survival import Survival, band

_ROUNDING = 1e-12  # of a share: more than rounding makes, less than one seed of any sweep


class RestrictedMean(NamedTuple):
    """
    The mean of the epochs to convergence, those after some epoch counted as that epoch.

    Parameters
    ----------
    value
        The mean.
    standard_error
        Its standard error.
    low
        Lower end of its interval.
    high
        Upper end.
    """

    value: float
    standard_error: float
    low: float
    high: float


@checked
def quantiles(survival: Survival, shares: ArrayLike) -> list[int | None]:
    """
    Return the epochs by which these shares of all seeds have converged.

    The first epoch t with S(t) <= 1 - share.

    Parameters
    ----------
    survival
        What `kaplan_meier` returns.
    shares
        Shares of all seeds, 0 to 1; the median is that of 0.5.

    Raises
    ------
    InvalidExperiment
        If a share is not a number from 0 to 1.

    Notes
    -----
    None stands for a share that was not reached: no epoch that was run is an answer then, and an average
    over those that did converge would be another question's.

    Examples
    --------
    >>> from fastgrok.statistics import kaplan_meier
    >>> quantiles(kaplan_meier([2, 5, -1, -1], [2, 5, 9, 9]), [0.25, 0.5, 0.75])
    [2, 5, None]
    """
    wanted = _check_shares("shares", shares, "numbers from 0 to 1")
    places = np.searchsorted(-survival.share, -(1 - wanted) - _ROUNDING, side="left")
    return [int(survival.time[place]) if place < len(survival.time) else None for place in places]


@checked
def quantile(curve: Survival, share: float, confidence: float = 0.95) -> Estimate:
    """
    Return the epoch by which this share of all seeds has converged, with its interval.

    The first epochs t with S(t) <= 1 - share, with the lower end of S(t) <= 1 - share, and with the upper end.

    Parameters
    ----------
    curve
        What `survival_curve` or `kaplan_meier` returns.
    share
        A share of all seeds, 0 to 1; the median is that of 0.5.
    confidence
        The probability that the interval covers the epoch, between 0 and 1.

    Raises
    ------
    InvalidExperiment
        If the share is not a number from 0 to 1.

    Notes
    -----
    Brookmeyer, Crowley, "A confidence interval for the median survival time", 1982, with the "wilson" `band`. None
    stands for an epoch that was not reached: the interval is open above, or there is none.

    Examples
    --------
    >>> from fastgrok.statistics import kaplan_meier
    >>> quantile(kaplan_meier([2, 5, -1, -1], [2, 5, 9, 9]), 0.5)
    Estimate(value=5, low=2, high=None)
    """
    _check_shares("share", share, "a number from 0 to 1", scalar=True)
    value = quantiles(curve, share)[0]
    ends = band(curve, confidence)
    low, high = (quantiles(curve._replace(share=np.minimum.accumulate(end)), share)[0] for end in ends)
    return Estimate(value, low, high)


@checked
def restricted_mean(curve: Survival, until: int | None = None, confidence: float = 0.95) -> RestrictedMean:
    """
    Return the mean over seeds of the smaller of the epochs to convergence and an epoch.

    The sum of S(t) over t = 0 to until - 1.

    Parameters
    ----------
    curve
        What `survival_curve` or `kaplan_meier` returns.
    until
        The epoch, 1 or more; at most that up to which the estimate holds. None: that epoch.
    confidence
        The probability that the interval covers the mean, between 0 and 1.

    Raises
    ------
    InvalidExperiment
        If the estimate does not reach so far, or no seed says how far it does.

    Notes
    -----
    Its variance is the sum over events, up to that epoch, of events / (at_risk (at_risk - events)), times the square
    of the sum of S from there to that epoch; the interval is the normal one.

    Examples
    --------
    >>> from fastgrok.statistics import kaplan_meier
    >>> restricted_mean(kaplan_meier([2, 4, -1, -1], [2, 4, 9, 9]), 8).value
    5.5
    """
    z = normal_quantile(confidence)
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
    return RestrictedMean(value, error, value - z * error, value + z * error)


def _check_shares(field: str, shares: ArrayLike, expected: str, *, scalar: bool = False) -> NDArray[np.float64]:
    """Return shares as a row of numbers."""
    try:
        wanted = np.asarray(shares, dtype=np.float64)
    except (TypeError, ValueError):
        wanted = np.array(np.nan)
    if not np.all((wanted >= 0) & (wanted <= 1)) or (scalar and wanted.ndim):
        raise InvalidExperiment(field, shares, expected)
    return np.atleast_1d(wanted)
