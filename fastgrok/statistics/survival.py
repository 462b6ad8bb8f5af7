"""Epochs to convergence, when some seeds are never seen to converge."""

import itertools
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgrok.errors import InvalidExperiment


class Survival(NamedTuple):
    """
    The share of seeds that have not converged, after each epoch at which one does.

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
    """

    time: NDArray[np.int64]
    at_risk: NDArray[np.int64]
    events: NDArray[np.int64]
    share: NDArray[np.float64]


def kaplan_meier(epochs_to_converge: ArrayLike, epochs_run: ArrayLike, never: ArrayLike = False) -> Survival:
    """
    Estimate how many seeds have not converged by each epoch, from all of them.

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
        If there are no seeds, or the lengths differ.

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
    converged_at, last = np.asarray(epochs_to_converge), np.asarray(epochs_run)
    if converged_at.ndim != 1 or not converged_at.size:
        raise InvalidExperiment("epochs_to_converge", epochs_to_converge, "an epoch for each of some seeds")
    if last.shape != converged_at.shape:
        raise InvalidExperiment("epochs_run", epochs_run, f"{converged_at.size} epochs, one for each seed")
    converged = converged_at >= 0
    time, counts = np.unique(converged_at[converged].astype(np.int64), return_counts=True)
    events = counts.astype(np.int64)
    gone = np.sort(last[~converged & ~np.broadcast_to(np.asarray(never, dtype=bool), converged.shape)])
    censored = np.searchsorted(gone, time, side="left")
    at_risk = converged_at.size - censored - (np.cumsum(events) - events)
    return Survival(time, at_risk, events, _product(at_risk, events, censored))


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
    >>> quantiles(kaplan_meier([2, 5, -1, -1], [2, 5, 9, 9]), [0.25, 0.5, 0.75])
    [2, 5, None]
    """
    wanted = np.atleast_1d(np.asarray(shares, dtype=np.float64))
    if not np.all((wanted >= 0) & (wanted <= 1)):
        raise InvalidExperiment("shares", shares, "numbers from 0 to 1")
    places = np.searchsorted(-survival.share, -(1 - wanted), side="left")
    return [int(survival.time[place]) if place < len(survival.time) else None for place in places]
