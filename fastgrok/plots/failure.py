"""The loss of one seed, with marks for the deaths, the plateau or the divergence that explain how it ended."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.explain.causes.death import NetworkDeath, UnitDeath
from fastgrok.explain.causes.divergence import Divergence
from fastgrok.explain.causes.plateau import OnPlateau
from fastgrok.explain.failure import Evidence, Success
from fastgrok.explain.failure import failure as explained
from fastgrok.explain.trace import epochs_of, time_dim, trimmed
from fastgrok.plots.labels import time_label, trace_title
from fastgrok.plots.style import COLOURS, DEAD, axes_or_new, legend_below
from fastgrok.statistics.text import listed, number

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

_WIDE = 30  # how many times the smallest loss the largest is, where the axis is logarithmic
_LARGEST = 1e200  # at which a logarithmic axis ends
_MAX_NAMES = 12  # crosses that all have names; of more the first and the last
_MAX_UNITS = 3  # that a name counts up
_MAX_POINTS = 30  # times that have points


class Mark(NamedTuple):
    """An event."""

    time: int  # the epoch or step
    loss: float  # at that time
    name: str  # what happened


class Level(NamedTuple):
    """A plateau that the seed does not leave."""

    since: int  # the epoch or step
    loss: float  # of the plateau
    name: str  # of the plateau


class Story(NamedTuple):
    """The loss of a seed and the events that explain it."""

    cause: str  # one of the words of `fastgrok.explain.failure`
    times: NDArray[np.int64]  # (n_times,), epochs or steps of the last attempt
    losses: NDArray[np.float64]  # (n_times,)
    deaths: tuple[Mark, ...]  # units that are dead in the end, together where they died at the same time
    plateau: Level | None  # on which the seed sits, or None
    end: Mark | None  # when it converged or diverged, or None
    limits: tuple[float, float] | None  # of a logarithmic axis; None: the axis is linear


def failure_story(trace: xr.Dataset) -> Story:
    """Return the loss of a seed, and what `fastgrok.explain.failure` found about it.

    Parameters
    ----------
    trace
        See `fastgrok.plots`; of a seed that began again the last attempt is taken.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> failure_story(fg.replay(exp, 42)).end
    Mark(time=86, loss=0.009..., name='converged at epoch 86')
    """
    evidence = explained(trace).evidence
    attempt = trimmed(trace, last_attempt=True)
    losses = np.asarray(attempt["loss"].values, dtype=np.float64)
    plateau = None
    deaths: tuple[UnitDeath, ...] = ()
    if isinstance(evidence, NetworkDeath):
        deaths = evidence.deaths
    elif isinstance(evidence, OnPlateau):
        deaths = evidence.dead
        plateau = Level(evidence.since.time, evidence.plateau.loss, evidence.plateau.name)
    times, marks = attempt[time_dim(attempt)].values, tuple(_deaths(deaths, attempt))
    return Story(evidence.cause, times, losses, marks, plateau, _end(evidence, attempt), _limits(losses))


def _limits(losses: NDArray[np.float64]) -> tuple[float, float] | None:
    """Return the limits of a logarithmic axis, where losses are far apart."""
    known = losses[np.isfinite(losses) & (losses > 0)]
    low, high = known.min(initial=np.inf), known.max(initial=0.0)
    return (float(low) / 2, 2 * min(float(high), _LARGEST)) if high / _WIDE > low else None


def _end(evidence: Evidence, trace: xr.Dataset) -> Mark | None:
    """Return when a seed converged or diverged."""
    if isinstance(evidence, Success):
        place = max(int(np.searchsorted(epochs_of(trace), evidence.epoch, side="right")) - 1, 0)
        return _mark(trace, int(trace[time_dim(trace)].values[place]), f"converged at epoch {evidence.epoch}")
    if isinstance(evidence, Divergence):
        variables = f": {listed(evidence.first)} not finite" if evidence.first else ""
        return _mark(trace, evidence.at.time, f"diverged at {evidence.at}{variables}")
    return None


def _deaths(deaths: Iterable[UnitDeath], trace: xr.Dataset) -> Iterable[Mark]:
    """Yield a mark for each time at which units died."""
    at: dict[int, list[UnitDeath]] = {}
    for death in sorted(deaths, key=lambda death: death.since.time):
        at.setdefault(death.since.time, []).append(death)
    for time, together in at.items():
        layers = itertools.groupby(sorted(together), key=lambda death: death.layer)
        units = "; ".join(_units(layer, [death.unit for death in dead]) for layer, dead in layers)
        yield _mark(trace, time, f"{units}, {time_dim(trace)} {time:,}")


def _units(layer: int, units: list[int]) -> str:
    """Return the units of a layer by number, or their count where they are many."""
    few = f"unit{'s' * (len(units) > 1)} {listed(units)}"
    return f"{few if len(units) <= _MAX_UNITS else f'{len(units)} units'} of layer {layer}"


def _mark(trace: xr.Dataset, time: int, name: str) -> Mark:
    return Mark(time, float(trace["loss"].sel({time_dim(trace): time})), name)


def failure(trace: xr.Dataset, ax: Axes | None = None) -> Axes:
    """Draw the loss of one seed, with what explains how it ended; the cause is in the title.

    Parameters
    ----------
    trace, ax
        See `fastgrok.plots`; of a seed that began again the last attempt is taken.

    Returns
    -------
    The axes. A cross with a name stands where units died, a horizontal line is the plateau on which the loss sits,
    and a vertical one the time since which it does, or at which the seed diverged; a ring is where it converged. Of
    more than 12 crosses the first and the last have names.

    Examples
    --------
    >>> import fastgrok as fg, matplotlib.figure
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> fg.plots.failure(fg.replay(exp, 42), matplotlib.figure.Figure().add_subplot()).get_title()
    'Seed 42: converged'
    """
    story, ax = failure_story(trace), axes_or_new(ax)
    points = "." if len(story.times) <= _MAX_POINTS else None
    ax.plot(story.times, story.losses, color=COLOURS[0], marker=points, label="mean loss")
    if story.limits is not None:
        ax.set_ylim(*story.limits)
        ax.set_yscale("log")
    if story.plateau is not None:
        since, level, name = story.plateau
        ax.axhline(level, color=COLOURS[5], linestyle="--", label=f"plateau at {number(level)}: {name}")
        ax.axvline(since, color=DEAD, linestyle=":", label=f"on it since {time_dim(trace)} {since:,}")
    if story.end is not None:
        _draw_end(story.end, story.cause, ax)
    if story.deaths:
        _draw_deaths(story.deaths, ax)
    ax.set(xlabel=time_label(trace), ylabel="mean loss")
    ax.set_title(f"{trace_title(trace)}: {story.cause.replace('_', ' ')}")
    legend_below(ax)
    return ax


def _draw_end(end: Mark, cause: str, ax: Axes) -> None:
    """Draw a ring where a seed converged, a vertical line where it diverged and there may be no loss."""
    if cause == "converged":
        ring: dict[str, Any] = {"markersize": 10, "markerfacecolor": "none", "markeredgewidth": 1.8}
        ax.plot(end.time, end.loss, "o", color=COLOURS[2], label=end.name, **ring)
    else:
        ax.axvline(end.time, color=COLOURS[5], linestyle="-.", label=end.name)


def _draw_deaths(deaths: tuple[Mark, ...], ax: Axes) -> None:
    """Draw a cross at each death, and a line from each name to its cross; names stand below each other."""
    cross: dict[str, Any] = {"markersize": 9, "markeredgewidth": 2, "zorder": 3}
    times, losses = [death.time for death in deaths], [death.loss for death in deaths]
    ax.plot(times, losses, "x", color="black", label="dead from there on", **cross)
    named = deaths if len(deaths) <= _MAX_NAMES else (deaths[0], deaths[-1])
    named = tuple(sorted(named, key=lambda death: -death.loss))  # so that the lines do not cross
    low, high = ax.get_xlim()
    left = min((times[-1] - low) / (high - low) + 0.06, 0.6)
    line = {"arrowstyle": "-", "color": DEAD, "linewidth": 0.8, "shrinkA": 1, "shrinkB": 5, "relpos": (0, 0.5)}
    style: dict[str, Any] = {"textcoords": "axes fraction", "va": "center", "fontsize": "small", "arrowprops": line}
    for k, death in enumerate(named):
        ax.annotate(death.name, (death.time, death.loss), (left, 0.94 - 0.07 * k), **style)
