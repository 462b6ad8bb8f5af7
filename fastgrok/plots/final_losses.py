"""Where the losses of seeds end, and the plateaus there."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.errors import InvalidExperiment
from fastgrok.plots.configurations import counted
from fastgrok.plots.style import COLOURS, axes_or_new, legend_below
from fastgrok.results.result import Result
from fastgrok.spec.axes import index_of
from fastgrok.spec.variables import MAX_PLATEAU_EXAMPLES
from fastgrok.statistics.loss_bins import loss_centers
from fastgrok.statistics.plateaus import plateaus
from fastgrok.statistics.trapped import PlateauShare, plateau_shares
from fastgrok.store import Store

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BINS, _LOG_BINS = 40, 80
_WIDE = 100  # how many times the smallest the largest loss is, where the axis is logarithmic
_LEAST = 1e-6  # of the variance of the targets; on a logarithmic axis a smaller loss is in the first bin
_DASHES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (1, 4)), (0, (6, 4)), (0, (3, 1, 1, 1, 1, 1)))


class LossHistogram(NamedTuple):
    """How many seeds end with which loss."""

    edges: NDArray[np.float64]  # (n_bins + 1,), mean losses, ascending
    converged: NDArray[np.int64]  # (n_bins,), seeds that converged
    rest: NDArray[np.int64]  # (n_bins,), the other seeds
    not_finite: int  # seeds whose loss is no number; they are in no bin
    logarithmic: bool  # whether bins are equally wide on a logarithmic axis
    plateaus: list[PlateauShare]


def loss_histogram(result: Result | Store, config: int | Mapping[str, Any] | None = None) -> LossHistogram:
    """
    Return how many seeds of a configuration end with which loss.

    Parameters
    ----------
    result
        What `run`, `sweep` or `open_store` returns.
    config
        Its place in `summary()`, or labels that it has alone; None: the only one.

    Raises
    ------
    InvalidExperiment
        If there is no such configuration, or no seed of it with a finite loss.

    Notes
    -----
    40 bins, from 0; or, where the largest loss is more than 100 times the smallest that is not 0, 80 that are equally
    wide on a logarithmic axis. The first of these begins at 1e-6 times the variance of the targets, if losses are so
    small, and holds what is less. Losses are known from what was counted to 0.8 %. There are plateaus of at most 8
    examples.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> found = loss_histogram(fg.run(exp, seeds=100))
    >>> int((found.converged + found.rest).sum()), found.logarithmic
    (100, False)
    """
    one = counted(result)[index_of(result.configurations, config)]
    losses = one.counts.losses
    n = losses.all.n
    if not n:
        raise InvalidExperiment("result", result, "one with a seed whose final loss is finite")
    values = loss_centers(losses.all.values)
    data = one.configuration.experiment.data
    edges, logarithmic = _edges(values, _LEAST * float(data.y.var(axis=0).sum()))
    converged, rest = (
        np.histogram(np.maximum(loss_centers(h.values), edges[0]), edges, weights=h.counts)[0].astype(np.int64)
        for h in losses
    )
    known = plateaus(data, one.configuration.experiment.loss) if data.n_examples <= MAX_PLATEAU_EXAMPLES else ()
    shares = plateau_shares(one.counts, known) if known else []
    return LossHistogram(edges, converged, rest, one.counts.n - n, logarithmic, shares)


def _edges(losses: NDArray[np.float64], least: float) -> tuple[NDArray[np.float64], bool]:
    """Return the edges of bins that hold losses, and whether they are logarithmic."""
    high = float(losses.max()) or 1.0
    low = min(max(float(losses[losses > 0].min(initial=high)), least), high)
    if high > _WIDE * low:
        edges = np.geomspace(low, high, _LOG_BINS + 1)
        edges[0], edges[-1] = low, high
        return edges, True
    return np.linspace(0, high, _BINS + 1), False


def losses(result: Result | Store, config: int | Mapping[str, Any] | None = None, ax: Axes | None = None) -> Axes:
    """
    Draw how many seeds of a configuration end with which loss, and the plateaus of its data.

    Parameters
    ----------
    result
        What `run`, `sweep` or `open_store` returns.
    config
        Its place in `summary()`, or labels that it has alone; None: the only one.
    ax
        Where to draw; None: in a new figure.

    Raises
    ------
    InvalidExperiment
        As for `loss_histogram`.

    Notes
    -----
    The axis is logarithmic where the largest loss is more than 100 times the smallest. The legend says how many seeds
    that did not converge sit on each plateau: a loss at which a network does not tell some examples apart.
    """
    found, ax = loss_histogram(result, config), axes_or_new(ax)
    one = counted(result)[index_of(result.configurations, config)]
    widths, starts = np.diff(found.edges), found.edges[:-1]
    bars: dict[str, Any] = {"align": "edge", "edgecolor": "black", "linewidth": 0.4}
    if one.counts.has_criterion:
        label = f"converged: {found.converged.sum():,}"
        ax.bar(starts, found.converged, widths, color=COLOURS[0], label=label, **bars)
    label = f"{'not converged' if one.counts.has_criterion else 'seeds'}: {found.rest.sum():,}"
    ax.bar(starts, found.rest, widths, found.converged, color=COLOURS[1], hatch="//", label=label, **bars)
    if found.not_finite:
        ax.plot([], [], linestyle="", label=f"no finite loss: {found.not_finite:,}")
    _draw_plateaus(found, ax)
    ax.set_xscale("log" if found.logarithmic else "linear")
    below = " (first bar: and below)" if found.logarithmic else ""
    ax.set(xlabel=f"mean loss after the last update{below}", ylabel="seeds")
    ax.set_title(f"{one.name}: {one.counts.n:,} seeds")
    legend_below(ax)
    return ax


def _draw_plateaus(found: LossHistogram, ax: Axes) -> None:
    """Draw a line at each plateau; on a logarithmic axis there is no place for that at 0."""
    dashes = itertools.cycle(_DASHES)
    for plateau, n, _ in found.plateaus:
        if plateau is not None and not (found.logarithmic and plateau.loss < found.edges[0]):
            label = f"{plateau.loss:.4g}, {plateau.name}: {n:,}"
            ax.axvline(plateau.loss, color="black", linewidth=1.2, linestyle=next(dashes), label=label)
