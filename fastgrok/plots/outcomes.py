"""How seeds end: with which losses, on which plateaus, and with how many dead units."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.errors import InvalidExperiment
from fastgrok.plots.labels import Counted, counted, trained
from fastgrok.plots.style import COLOURS, MARKERS, axes_or_new, legend_below, line_styles
from fastgrok.results.result import Result
from fastgrok.spec.axes import index_of
from fastgrok.spec.known_plateaus import has_known_plateaus
from fastgrok.statistics.histogram import Histogram, loss_centers
from fastgrok.statistics.plateaus import PlateauShare, plateau_shares, plateaus
from fastgrok.statistics.proportion import Estimate, wilson_of_shares
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
    plateaus: list[PlateauShare]  # how many seeds that did not converge are on each plateau


def loss_histogram(result: Result | Store, config: int | Mapping[str, Any] | None = None) -> LossHistogram:
    """Return how many seeds of a configuration end with which loss.

    Parameters
    ----------
    result, config
        See `fastgrok.plots`.

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
    (_, experiment), counts = _chosen(result, config)
    losses = counts.losses
    n = losses.all.n
    if not n:
        raise InvalidExperiment("result", result, "one with a seed whose final loss is finite")
    values = loss_centers(losses.all.values)
    data = experiment.data
    edges, logarithmic = _edges(values, _LEAST * float(data.y.var(axis=0).sum()))
    converged, rest = (
        np.histogram(np.maximum(loss_centers(h.values), edges[0]), edges, weights=h.counts)[0].astype(np.int64)
        for h in (losses.converged, losses.rest)
    )
    known = plateaus(data, experiment.loss) if has_known_plateaus(data) else ()
    shares = plateau_shares(counts, known) if known else []
    return LossHistogram(edges, converged, rest, counts.n - n, logarithmic, shares)


def _chosen(result: Result | Store, config: int | Mapping[str, Any] | None) -> Counted:
    """Return one configuration with its counts."""
    return counted(result)[index_of(result.configurations, config)]


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
    """Draw how many seeds of a configuration end with which loss, and the plateaus of its data.

    Parameters
    ----------
    result, config, ax
        See `fastgrok.plots`.

    Notes
    -----
    The axis is logarithmic where the largest loss is more than 100 times the smallest. The legend says how many seeds
    that did not converge sit on each plateau: a loss at which a network does not tell some examples apart.

    Examples
    --------
    >>> import fastgrok as fg, matplotlib.figure
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> ax = matplotlib.figure.Figure().add_subplot()
    >>> fg.plots.losses(fg.run(exp, seeds=100), ax=ax).get_xlabel()
    'mean loss after the last update'
    """
    table, ax = loss_histogram(result, config), axes_or_new(ax)
    chosen = _chosen(result, config)
    counts, below = chosen.counts, " (first bar: and below)" if table.logarithmic else ""
    widths, starts = np.diff(table.edges), table.edges[:-1]
    bars: dict[str, Any] = {"align": "edge", "edgecolor": "black", "linewidth": 0.4}
    if counts.has_criterion:
        label = f"converged: {table.converged.sum():,}"
        ax.bar(starts, table.converged, widths, color=COLOURS[0], label=label, **bars)
    label = f"{'not converged' if counts.has_criterion else 'seeds'}: {table.rest.sum():,}"
    ax.bar(starts, table.rest, widths, table.converged, color=COLOURS[1], hatch="//", label=label, **bars)
    if table.not_finite:
        ax.plot([], [], linestyle="", label=f"no finite loss: {table.not_finite:,}")
    _draw_plateaus(table, ax)
    ax.set_xscale("log" if table.logarithmic else "linear")
    ax.set(xlabel=f"mean loss after the last update{below}", ylabel="seeds")
    ax.set_title(f"{chosen.name}: {counts.n:,} seeds")
    legend_below(ax)
    return ax


def _draw_plateaus(table: LossHistogram, ax: Axes) -> None:
    """Draw a line at each plateau; a logarithmic axis has no place for that at 0."""
    dashes = itertools.cycle(_DASHES)
    for plateau, n, _ in table.plateaus:
        if plateau is not None and not (table.logarithmic and plateau.loss < table.edges[0]):
            label = f"{plateau.loss:.4g}, {plateau.name}: {n:,}"
            ax.axvline(plateau.loss, color="black", linewidth=1.2, linestyle=next(dashes), label=label)


class DeadShare(NamedTuple):
    """The share of the units of a layer that are dead."""

    name: str  # the configuration
    layer: int  # which of its ReLU layers, from 1
    initial: Estimate  # at initialisation, in the mean over seeds, with its interval
    final: Estimate  # after the last update


def dead_shares(result: Result | Store, confidence: float = 0.95) -> list[DeadShare]:
    """Return the share of dead units in each ReLU layer of each configuration, before and after training.

    Parameters
    ----------
    result, confidence
        See `fastgrok.plots`; with a network that has a ReLU layer.

    Notes
    -----
    The units of a seed die together, so that the seeds are what is independent: with the mean p of the seeds' shares
    and the variance V of that mean, the interval is Wilson's of p among p (1 - p) / V units, or, if all seeds have
    the same share, among as many units as there are seeds. Where a layer has one unit it is Wilson's of the seeds.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> row = dead_shares(fg.run(exp, seeds=1000))[0]
    >>> row.initial.low < 0.25 < row.initial.high
    True
    """
    shares = []
    for config in trained(result):
        widths = config.configuration.experiment.network.relu_widths
        layers = zip(widths, config.counts.dead_initial, config.counts.dead_final, strict=True)
        for layer, (width, initial, final) in enumerate(layers, start=1):
            estimates = (_share(split.all, width, confidence) for split in (initial, final))
            shares.append(DeadShare(config.name, layer, *estimates))
    if not shares:
        raise InvalidExperiment("result", result, "one of networks with a ReLU layer")
    return shares


def _share(dead: Histogram, width: int, confidence: float) -> Estimate:
    """Return the mean share of dead units in a layer of `width`; dead: the number of them over seeds."""
    p = dead.total() / (dead.n * width)
    spread = float((dead.counts * (dead.values / width - p) ** 2).sum())
    n = p * (1 - p) * dead.n**2 / spread if spread > 0 else float(dead.n)
    low, high = wilson_of_shares(np.array(p * n), np.array(n), confidence)
    return Estimate(p, float(low), float(high))


def dead_units(result: Result | Store, ax: Axes | None = None) -> Axes:
    """Draw the share of dead units in each ReLU layer, with its 95 % interval, at initialisation and in the end.

    Parameters
    ----------
    result, ax
        See `fastgrok.plots`; with a network that has a ReLU layer.

    Notes
    -----
    Hollow markers are at initialisation, filled ones after the last update. See `dead_shares` for the interval.

    Examples
    --------
    >>> import fastgrok as fg, matplotlib.figure
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> ax = matplotlib.figure.Figure().add_subplot()
    >>> fg.plots.dead_units(fg.run(exp, seeds=100), ax).get_ylabel()
    'dead units (share of the layer)'
    """
    rows, ax = dead_shares(result), axes_or_new(ax)
    names = list(dict.fromkeys(row.name for row in rows))
    step = 0.8 / (2 * len(names))
    for k, (name, line) in enumerate(zip(names, line_styles(), strict=False)):
        layers = [row for row in rows if row.name == name]
        style: dict[str, Any] = {"fmt": MARKERS[k % len(MARKERS)], "color": line.color, "capsize": 3}
        for when, face in enumerate(("white", line.color)):
            places = [row.layer - 0.4 + (2 * k + when + 0.5) * step for row in layers]
            shares = np.array([row.final if when else row.initial for row in layers])
            ends = np.abs(shares[:, 1:] - shares[:, :1]).T
            label = name if when and len(names) > 1 else None
            ax.errorbar(places, shares[:, 0], ends, label=label, markerfacecolor=face, **style)
    for label, face in (("at initialisation", "white"), ("in the end", "black")):
        ax.plot([], [], "o", color="black", markerfacecolor=face, label=label)
    numbers = sorted({row.layer for row in rows})
    for number in numbers[1:]:
        ax.axvline(number - 0.5, color="0.85", linewidth=0.8, zorder=0)
    ax.set_xticks(numbers)
    ax.set_xlim(numbers[0] - 0.6, numbers[-1] + 0.6)
    ax.set_ylim(bottom=0)
    ax.set(xlabel="ReLU layer", ylabel="dead units (share of the layer)")
    ax.set_title(names[0] if len(names) == 1 else f"{len(names)} configurations")
    legend_below(ax)
    return ax
