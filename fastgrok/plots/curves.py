"""Loss and accuracy over time: of one seed, or the median and the spread of many; and where overfitting begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.explain.overfitting import Overfitting
from fastgrok.explain.trace import checked_trace, time_dim, trimmed
from fastgrok.plots.labels import check_explanation, time_label, trace_title
from fastgrok.plots.style import axes_or_new, line_styles
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
    """Return the mean loss over time: of "training", and of "validation" where there is such data.

    Parameters
    ----------
    trace
        See `fastgrok.plots`; of one seed or of many.

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
    """Return the accuracy over time, as `loss_bands` does the loss.

    Parameters
    ----------
    trace
        See `fastgrok.plots`; of one seed or of many.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> float(accuracy_bands(fg.replay(exp, 42))["training"].median[-1])
    1.0
    """
    return _bands(trace, "accuracy")


def _bands(trace: xr.Dataset, name: str) -> dict[str, Bands]:
    """Return the quantiles of a variable on the training data, and on the validation data where it has them."""
    trace = checked_trace(trace, several=True)
    if SEED not in trace.dims:
        trace = trimmed(trace)
    time, last = trace[time_dim(trace)].values, _last_known(trace)
    bands = {}
    for data, variable in (("training", name), ("validation", f"{name}_validation")):
        if variable in trace:
            values = np.atleast_2d(trace[variable].values)
            values = np.where(np.isnan(values), np.inf, values)[np.arange(len(values))[:, None], last]
            bands[data] = Bands(time, *np.quantile(values, _QUANTILES, axis=0, method="inverted_cdf"))
    return bands


def _last_known(trace: xr.Dataset) -> NDArray[np.int64]:
    """Return the index of the time whose value counts, (n_seeds, n_times): itself, or the seed's last."""
    dim = time_dim(trace)
    epochs = trace[EPOCH].values if dim == EPOCH else trace["epoch_of"].values
    trained = np.atleast_2d((epochs >= 0) & (epochs <= trace["epochs_run"].values[..., None]))
    last: NDArray[np.int64] = np.minimum(np.arange(trained.shape[1]), trained.sum(axis=1, keepdims=True) - 1)
    return last


def loss(trace: xr.Dataset, ax: Axes | None = None) -> Axes:
    """Draw the loss of a seed over time; of many the median, and what half and 90 % of the seeds are between.

    Parameters
    ----------
    trace, ax
        See `fastgrok.plots`; of one seed or of many. `ax.set_yscale("log")` shows how small a loss gets.

    Examples
    --------
    >>> import fastgrok as fg, matplotlib.figure
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> fg.plots.loss(fg.replay(exp, 42), matplotlib.figure.Figure().add_subplot()).get_ylabel()
    'mean loss'
    """
    ax = _draw_bands(trace, loss_bands(trace), "mean loss", axes_or_new(ax))
    ax.set_ylim(bottom=0)
    return ax


def accuracy(trace: xr.Dataset, ax: Axes | None = None) -> Axes:
    """Draw the accuracy over time, as `loss` does the loss.

    Parameters
    ----------
    trace, ax
        See `fastgrok.plots`; of one seed or of many.

    Examples
    --------
    >>> import fastgrok as fg, matplotlib.figure
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> ax = matplotlib.figure.Figure().add_subplot()
    >>> fg.plots.accuracy(fg.replay(exp, 42), ax).get_ylabel()
    'accuracy (share of examples)'
    """
    ax = _draw_bands(trace, accuracy_bands(trace), "accuracy (share of examples)", axes_or_new(ax))
    ax.set_ylim(-0.03, 1.03)
    return ax


def _draw_bands(trace: xr.Dataset, bands: dict[str, Bands], label: str, ax: Axes) -> Axes:
    """Draw the bands of each kind of data."""
    many = SEED in trace.dims
    for (data, band), style in zip(bands.items(), line_styles(), strict=False):
        ax.plot(band.time, band.median, label=f"{data}, median" if many else data, **style._asdict())
        if many:
            edge: dict[str, Any] = {"facecolor": style.color, "linewidth": 0}
            ax.fill_between(band.time, band.low_90, band.high_90, alpha=0.18, label="90 % of the seeds", **edge)
            ax.fill_between(band.time, band.low_50, band.high_50, alpha=0.35, label="50 % of the seeds", **edge)
    ax.set(xlabel=time_label(trace), ylabel=label, title=trace_title(trace))
    if many or len(bands) > 1:
        ax.legend()
    ax.margins(x=0.01)
    return ax


class Curves(NamedTuple):
    """Training and validation loss."""

    times: NDArray[np.int64]  # (n_times,), epochs or steps
    training: NDArray[np.float64]  # (n_times,)
    validation: NDArray[np.float64]  # (n_times,)
    parts: int  # the time at which the validation loss is smallest


def overfitting_curves(found: Overfitting) -> Curves:
    """Return training and validation loss over time, and where they part.

    Parameters
    ----------
    found
        See `fastgrok.plots`.

    Examples
    --------
    >>> import fastgrok as fg
    >>> training, validation = fg.datasets.accidental()
    >>> exp = fg.Experiment(fg.mlp(training.n_in, 4, 1), training, validation=validation, epochs=100)
    >>> fg.plots.overfitting_curves(fg.explain.overfitting(fg.replay(exp, 42))).times.shape
    (24,)
    """
    check_explanation("found", found, Overfitting)
    curves = found.curves
    dim = time_dim(curves)
    return Curves(curves[dim].values, curves["loss"].values, curves["loss_validation"].values, found.since.time)


def overfitting(found: Overfitting, ax: Axes | None = None) -> Axes:
    """Draw training against validation loss, the time at which they part, and the gap at the end.

    Parameters
    ----------
    found, ax
        See `fastgrok.plots`.

    Examples
    --------
    >>> import fastgrok as fg, matplotlib.figure
    >>> training, validation = fg.datasets.accidental()
    >>> exp = fg.Experiment(fg.mlp(training.n_in, 4, 1), training, validation=validation, epochs=100)
    >>> ax = matplotlib.figure.Figure().add_subplot()
    >>> fg.plots.overfitting(fg.explain.overfitting(fg.replay(exp, 42)), ax).get_ylabel()
    'mean loss (half squared error)'
    """
    curves, ax = overfitting_curves(found), axes_or_new(ax)
    lines = {"training": curves.training, "validation": curves.validation}
    for (name, values), style in zip(lines.items(), line_styles(), strict=False):
        ax.plot(curves.times, values, label=name, **style._asdict())
    name = "the curves part" if found.overfitted else "smallest validation loss"
    ax.axvline(curves.parts, color="k", linestyle=":", label=f"{name}: {found.since}")
    if np.isfinite(found.gap):
        _draw_gap(ax, curves, found.gap)
    ax.set(xlabel=time_dim(found.curves), ylabel=f"mean loss ({found.experiment.loss.replace('_', ' ')})")
    ax.set_ylim(bottom=0)
    ax.legend()
    return ax


def _draw_gap(ax: Axes, curves: Curves, gap: float) -> None:
    """Draw how far the curves are apart at the end."""
    end, low, high = float(curves.times[-1]), float(curves.training[-1]), float(curves.validation[-1])
    ax.annotate("", (end, low), (end, high), arrowprops={"arrowstyle": "<->", "shrinkA": 0, "shrinkB": 0})
    middle = (end, (low + high) / 2)
    ax.annotate(f"gap {gap:.3g}", middle, (-6, 0), textcoords="offset points", ha="right", va="center")
