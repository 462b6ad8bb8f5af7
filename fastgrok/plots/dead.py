"""How many units are dead in each layer, before and after training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastgrok.errors import InvalidExperiment
from fastgrok.plots.configurations import trained
from fastgrok.plots.style import axes_or_new, legend_below, looks
from fastgrok.results.result import Result
from fastgrok.statistics.histogram import Histogram
from fastgrok.statistics.proportion import Estimate, wilson_of_shares
from fastgrok.store import Store

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MARKERS = "osD^v"


class DeadShare(NamedTuple):
    """The share of the units of a layer that are dead."""

    name: str  # the configuration
    layer: int  # which of its ReLU layers, from 1
    initial: Estimate  # at initialisation, in the mean over seeds, with its interval
    final: Estimate  # after the last update


def dead_shares(result: Result | Store, confidence: float = 0.95) -> list[DeadShare]:
    """
    Return the share of dead units in each ReLU layer of each configuration, before and after training.

    Parameters
    ----------
    result
        What `run`, `sweep` or `open_store` returns.
    confidence
        The probability that an interval covers a share, between 0 and 1.

    Raises
    ------
    InvalidExperiment
        If it is something else, or no network has a ReLU layer.

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
    found = []
    for one in trained(result):
        widths = one.configuration.experiment.network.relu_widths
        layers = zip(widths, one.counts.dead_initial, one.counts.dead_final, strict=True)
        for layer, (width, initial, final) in enumerate(layers, start=1):
            shares = (_share(split.all, width, confidence) for split in (initial, final))
            found.append(DeadShare(one.name, layer, *shares))
    if not found:
        raise InvalidExperiment("result", result, "one of networks with a ReLU layer")
    return found


def _share(dead: Histogram, width: int, confidence: float) -> Estimate:
    """Return the mean share of dead units, from how many seeds have how many."""
    p = dead.total() / (dead.n * width)
    spread = float((dead.counts * (dead.values / width - p) ** 2).sum())
    n = p * (1 - p) * dead.n**2 / spread if spread > 0 else float(dead.n)
    low, high = wilson_of_shares(np.array(p * n), np.array(n), confidence)
    return Estimate(p, float(low), float(high))


def dead_units(result: Result | Store, ax: Axes | None = None) -> Axes:
    """
    Draw the share of dead units in each ReLU layer, with its 95 % interval, at initialisation and in the end.

    Parameters
    ----------
    result
        What `run`, `sweep` or `open_store` returns.
    ax
        Where to draw; None: in a new figure.

    Raises
    ------
    InvalidExperiment
        If it is something else, or no network has a ReLU layer.

    Notes
    -----
    Hollow markers are at initialisation, filled ones after the last update. See `dead_shares` for the interval.
    """
    rows, ax = dead_shares(result), axes_or_new(ax)
    names = list(dict.fromkeys(row.name for row in rows))
    step = 0.8 / (2 * len(names))
    for k, (name, look) in enumerate(zip(names, looks(), strict=False)):
        mine = [row for row in rows if row.name == name]
        marker = _MARKERS[k % len(_MARKERS)]
        for when, face in enumerate(("white", look.color)):
            places = [row.layer - 0.4 + (2 * k + when + 0.5) * step for row in mine]
            shares = np.array([row.final if when else row.initial for row in mine])
            ends = np.abs(shares[:, 1:] - shares[:, :1]).T
            style: dict[str, Any] = {"fmt": marker, "color": look.color, "markerfacecolor": face, "capsize": 3}
            ax.errorbar(places, shares[:, 0], ends, label=name if when and len(names) > 1 else None, **style)
    for label, face in (("at initialisation", "white"), ("in the end", "black")):
        ax.plot([], [], "o", color="black", markerfacecolor=face, label=label)
    layers = sorted({row.layer for row in rows})
    for layer in layers[1:]:
        ax.axvline(layer - 0.5, color="0.85", linewidth=0.8, zorder=0)
    ax.set_xticks(layers)
    ax.set_xlim(layers[0] - 0.6, layers[-1] + 0.6)
    ax.set_ylim(bottom=0)
    ax.set(xlabel="ReLU layer", ylabel="dead units (share of the layer)")
    ax.set_title(names[0] if len(names) == 1 else f"{len(names)} configurations")
    legend_below(ax)
    return ax
