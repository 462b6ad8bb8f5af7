"""How many seeds have converged by each epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.plots.configurations import Counted, trained
from fastgrok.plots.style import axes_or_new, legend_below, looks
from fastgrok.results.result import Result
from fastgrok.statistics.proportion import Estimate, wilson
from fastgrok.statistics.survival import band, survival_curve
from fastgrok.statistics.text import percent
from fastgrok.store import Store

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DIGITS = 12  # one minus a share that was rounded is the plain share again, to the digits of a percentage


class ConvergenceCurve(NamedTuple):
    """The share of the seeds of one configuration that have converged by each epoch."""

    name: str  # the configuration
    n: int  # its seeds
    epochs: NDArray[np.int64]  # (n_steps,), 0, the epochs at which seeds converge, and the last epoch
    share: NDArray[np.float64]
    low: NDArray[np.float64]  # (n_steps,), lower end of its interval at each epoch alone
    high: NDArray[np.float64]  # (n_steps,), upper end


def convergence_curves(result: Result | Store, confidence: float = 0.95) -> list[ConvergenceCurve]:
    """
    Return the convergence curve of each configuration of which a seed is finished.

    Parameters
    ----------
    result
        What `run`, `sweep` or `open_store` returns.
    confidence
        The probability that an interval covers the share at its epoch, between 0 and 1.

    Raises
    ------
    InvalidExperiment
        If it is something else, or there is no criterion by which a seed converges.

    Notes
    -----
    See `fastgrok.statistics.survival_curve` and `band`. Seeds that diverge count as never converging.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> result = fg.run(exp, seeds=100)
    >>> float(convergence_curves(result)[0].share[-1]) == result.summaries[0].rate
    True
    """
    return [_curve(one, confidence) for one in trained(result)]


def _curve(one: Counted, confidence: float) -> ConvergenceCurve:
    """Return the curve of one configuration, with its first and its last epoch."""
    curve = survival_curve(one.counts)
    low, high = band(curve, confidence)
    start, converged = wilson(0, one.counts.n, confidence), np.round(1 - curve.share, _DIGITS)
    steps = ((0, curve.time), (0.0, converged), (start.low, 1 - high), (start.high, 1 - low))
    epochs, shares, lows, highs = (np.concatenate([[first], values]) for first, values in steps)
    end = one.configuration.experiment.epochs if curve.last is None else curve.last
    if end > epochs[-1]:
        epochs = np.append(epochs, end)
        shares, lows, highs = (np.append(values, values[-1]) for values in (shares, lows, highs))
    return ConvergenceCurve(one.name, one.counts.n, epochs, shares, lows, highs)


def convergence(result: Result | Store, ax: Axes | None = None) -> Axes:
    """
    Draw the share of seeds that have converged by each epoch, with its 95 % interval, for each configuration.

    Parameters
    ----------
    result
        What `run`, `sweep` or `open_store` returns.
    ax
        Where to draw; None: in a new figure.

    Raises
    ------
    InvalidExperiment
        If it is something else, or there is no criterion by which a seed converges.

    Notes
    -----
    One minus Kaplan and Meier's estimate. The legend says how many have converged in the end.

    Examples
    --------
    >>> import fastgrok as fg, matplotlib.figure
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> ax = fg.plots.convergence(fg.run(exp, seeds=100), matplotlib.figure.Figure().add_subplot())
    >>> ax.get_xlabel()
    'epoch'
    """
    curves, ax = convergence_curves(result), axes_or_new(ax)
    for curve, look in zip(curves, looks(), strict=False):
        final = percent(Estimate(*(float(values[-1]) for values in (curve.share, curve.low, curve.high))))
        label = f"{curve.name}: {final}"
        ax.step(curve.epochs, curve.share, where="post", label=label, color=look.color, linestyle=look.linestyle)
        style: dict[str, Any] = {"step": "post", "facecolor": look.color, "alpha": 0.2, "linewidth": 0}
        ax.fill_between(curve.epochs, curve.low, curve.high, **style)
    least, most = (f([curve.n for curve in curves]) for f in (min, max))
    each = " each" if len(curves) > 1 else ""
    ax.set(xlabel="epoch", ylabel="converged (share of seeds)")
    ax.set_title(f"{least:,} seeds{each}" if least == most else f"{least:,} to {most:,} seeds{each}")
    ax.set_ylim(0, 1)
    ax.set_xlim(left=0)
    legend_below(ax, "converged in the end [95 %]")
    return ax
