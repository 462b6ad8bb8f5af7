"""Training against validation loss, and where they part."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.explain.overfitting import Overfitting
from fastgrok.explain.trace import time_dim
from fastgrok.plots.style import axes_or_new, looks

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Curves(NamedTuple):
    """What is drawn."""

    times: NDArray[np.int64]  # epochs or steps, (n_times,)
    training: NDArray[np.float64]
    validation: NDArray[np.float64]
    parts: int  # the time at which the validation loss is smallest


def overfitting_curves(found: Overfitting) -> Curves:
    """
    Return the curves, and where they part.

    Parameters
    ----------
    found
        What `fastgrok.explain.overfitting` returns.
    """
    curves = found.curves
    dim = time_dim(curves)
    return Curves(curves[dim].values, curves["loss"].values, curves["loss_validation"].values, found.since.time)


def overfitting(found: Overfitting, ax: Axes | None = None) -> Axes:
    """
    Draw training against validation loss, the time at which they part, and the gap at the end.

    Parameters
    ----------
    found
        What `fastgrok.explain.overfitting` returns.
    ax
        Where to draw; None: in a new figure.
    """
    ax = axes_or_new(ax)
    curves = overfitting_curves(found)
    lines = {"training": curves.training, "validation": curves.validation}
    for (name, values), look in zip(lines.items(), looks(), strict=False):
        ax.plot(curves.times, values, label=name, **look._asdict())
    what = "the curves part" if found.overfitted else "smallest validation loss"
    ax.axvline(curves.parts, color="k", linestyle=":", label=f"{what}: {found.since}")
    if np.isfinite(found.gap):
        _draw_gap(ax, curves, found.gap)
    ax.set_xlabel(time_dim(found.curves))
    ax.set_ylabel(f"mean loss ({found.experiment.loss.replace('_', ' ')})")
    ax.set_ylim(bottom=0)
    ax.legend()
    return ax


def _draw_gap(ax: Axes, curves: Curves, gap: float) -> None:
    """Draw how far the curves are apart at the end."""
    end, low, high = float(curves.times[-1]), float(curves.training[-1]), float(curves.validation[-1])
    ax.annotate("", (end, low), (end, high), arrowprops={"arrowstyle": "<->", "shrinkA": 0, "shrinkB": 0})
    middle = (end, (low + high) / 2)
    ax.annotate(f"gap {gap:.3g}", middle, (-6, 0), textcoords="offset points", ha="right", va="center")
