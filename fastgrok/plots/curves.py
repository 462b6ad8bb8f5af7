"""Loss and accuracy of one seed, or the middle and the spread of many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.explain.trace import checked_trace, time_dim
from fastgrok.plots.recorded import recorded, time_label, title_of
from fastgrok.plots.style import axes_or_new, looks
from fastgrok.spec.variables import EPOCH, SEED

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

_QUANTILES = (0.5, 0.25, 0.75, 0.05, 0.95)


class Bands(NamedTuple):
    """A quantity over time: its median over seeds, and between what half and nine tenths of the seeds are."""

    time: NDArray[np.int64]  # (n_times,), epochs or steps
    median: NDArray[np.float64]  # (n_times,), as all that follow; of one seed its value
    low_50: NDArray[np.float64]  # a quarter of the seeds is at or below
    high_50: NDArray[np.float64]  # three quarters are
    low_90: NDArray[np.float64]  # 5 % are
    high_90: NDArray[np.float64]  # 95 % are


def loss_bands(trace: xr.Dataset) -> dict[str, Bands]:
    """
    Return the mean loss over time: of "training", and of "validation" where there is such data.

    Parameters
    ----------
    trace
        What `replay` returns, of one seed or of many.

    Raises
    ------
    InvalidExperiment
        If it is none.

    Notes
    -----
    A quantile is the least value that at least this share of the seeds does not exceed: always the value of a seed.
    A seed that has ended keeps its last value, so that every time is of all seeds and not of those that are slow. A
    loss that is no number counts as larger than all others.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> trace = fg.replay(exp, range(20))
    >>> float(loss_bands(trace)["training"].median[0]) == float(trace["loss"][:, 0].quantile(0.5, method="lower"))
    True
    """
    return _bands(trace, "loss")


def accuracy_bands(trace: xr.Dataset) -> dict[str, Bands]:
    """
    Return the accuracy over time, as `loss_bands` does the loss.

    Parameters
    ----------
    trace
        What `replay` returns, of one seed or of many.

    Raises
    ------
    InvalidExperiment
        If it is none.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> float(accuracy_bands(fg.replay(exp, 42))["training"].median[-1])
    1.0
    """
    return _bands(trace, "accuracy")


def _bands(trace: xr.Dataset, name: str) -> dict[str, Bands]:
    """Return the quantiles of a variable on the training data, and on the validation data if it is there."""
    trace = checked_trace(trace, several=True)
    if SEED not in trace.dims:
        trace = recorded(trace)
    time = trace[time_dim(trace)].values
    found = {}
    for data, variable in (("training", name), ("validation", f"{name}_validation")):
        if variable in trace:
            values = np.atleast_2d(trace[variable].values)
            values = np.where(np.isnan(values), np.inf, values)[np.arange(len(values))[:, None], _kept(trace)]
            found[data] = Bands(time, *np.quantile(values, _QUANTILES, axis=0, method="inverted_cdf"))
    return found


def _kept(trace: xr.Dataset) -> NDArray[np.int64]:
    """Return, for each seed and time, the place of the time whose value counts: itself, or the seed's last."""
    dim = time_dim(trace)
    epochs = trace[EPOCH].values if dim == EPOCH else trace["epoch_of"].values
    there = np.atleast_2d((epochs >= 0) & (epochs <= trace["epochs_run"].values[..., None]))
    last = there.sum(axis=1, keepdims=True) - 1
    kept: NDArray[np.int64] = np.minimum(np.arange(there.shape[1]), last)
    return kept


def loss(trace: xr.Dataset, ax: Axes | None = None) -> Axes:
    """
    Draw the loss of a seed over time; of many the median, and what half and 90 % of the seeds are between.

    Parameters
    ----------
    trace
        What `replay` returns, of one seed or of many. Seeds that have ended keep their last value.
    ax
        Where to draw; None: in a new figure. `ax.set_yscale("log")` shows how small a loss gets.

    Raises
    ------
    InvalidExperiment
        If it is no trace.

    Examples
    --------
    >>> import fastgrok as fg, matplotlib.figure
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> fg.plots.loss(fg.replay(exp, 42), matplotlib.figure.Figure().add_subplot()).get_ylabel()
    'mean loss'
    """
    ax = _drawn(trace, loss_bands(trace), "mean loss", axes_or_new(ax))
    ax.set_ylim(bottom=0)
    return ax


def accuracy(trace: xr.Dataset, ax: Axes | None = None) -> Axes:
    """
    Draw the accuracy of a seed over time; of many the median, and what half and 90 % of the seeds are between.

    Parameters
    ----------
    trace
        What `replay` returns, of one seed or of many. Seeds that have ended keep their last value.
    ax
        Where to draw; None: in a new figure.

    Raises
    ------
    InvalidExperiment
        If it is no trace.
    """
    ax = _drawn(trace, accuracy_bands(trace), "accuracy (share of examples)", axes_or_new(ax))
    ax.set_ylim(-0.03, 1.03)
    return ax


def _drawn(trace: xr.Dataset, bands: dict[str, Bands], label: str, ax: Axes) -> Axes:
    """Draw the bands of each kind of data."""
    many = SEED in trace.dims
    for (data, band), look in zip(bands.items(), looks(), strict=False):
        style: dict[str, Any] = look._asdict()
        ax.plot(band.time, band.median, label=f"{data}, median" if many else data, **style)
        if many:
            edge: dict[str, Any] = {"facecolor": look.color, "linewidth": 0}
            ax.fill_between(band.time, band.low_90, band.high_90, alpha=0.18, label="90 % of the seeds", **edge)
            ax.fill_between(band.time, band.low_50, band.high_50, alpha=0.35, label="50 % of the seeds", **edge)
    ax.set(xlabel=time_label(trace), ylabel=label, title=title_of(trace))
    if many or len(bands) > 1:
        ax.legend()
    ax.margins(x=0.01)
    return ax
