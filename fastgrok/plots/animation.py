"""One seed learning, as a film."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgrok.errors import InvalidExperiment
from fastgrok.explain.trace import experiment_of, time_dim, trimmed
from fastgrok.plots.curves import loss
from fastgrok.plots.networks import network
from fastgrok.plots.outputs import activations, decision_boundary
from fastgrok.plots.style import COLOURS

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.animation import AbstractMovieWriter
    from matplotlib.figure import Figure

_HOLD = 10  # times that the last frame is repeated


def frame_times(trace: xr.Dataset, frames: int = 100) -> list[int]:
    """Return the epochs or steps that a film shows: the first, the last, and others evenly between them.

    Parameters
    ----------
    trace
        See `fastgrok.plots`.
    frames
        How many at most, 2 or more.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> frame_times(fg.replay(exp, 42), frames=4)
    [0, 29, 57, 86]
    """
    if isinstance(frames, bool) or not isinstance(frames, int) or frames < 2:
        raise InvalidExperiment("frames", frames, "an integer, 2 or more")
    trace = trimmed(trace)
    times = trace[time_dim(trace)].values
    places = np.rint(np.linspace(0, len(times) - 1, min(frames, len(times)))).astype(int)
    return [int(time) for time in times[places]]


def animate(
    trace: xr.Dataset, path: str | os.PathLike[str], *, frames: int = 100, frames_per_second: int = 10
) -> Path:
    """Write a film of one seed learning: its network, its loss, and its decision boundary, or its hidden activations.

    Parameters
    ----------
    trace
        See `fastgrok.plots`.
    path
        Ends in .gif, or in .mp4 where ffmpeg is installed.
    frames
        How many at most, 2 or more; the last one stands still for a while.
    frames_per_second
        From 1 to 100.

    Returns
    -------
    The path.

    Raises
    ------
    InvalidExperiment
        If an argument is not as described, ffmpeg is not there, or the file cannot be written.

    Notes
    -----
    Networks with two inputs have a decision boundary; of others the activations of the first layer are shown.

    Examples
    --------
    >>> import fastgrok as fg, tempfile
    >>> exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     film = fg.plots.animate(fg.replay(exp, 42), f"{folder}/film.gif", frames=2)
    >>> film.name
    'film.gif'
    """
    from matplotlib.figure import Figure

    if not isinstance(path, str | os.PathLike) or "\0" in os.fsdecode(path):
        raise InvalidExperiment("path", path, "a name that ends in .gif or .mp4")
    target = Path(path)
    writer = _writer(target, frames_per_second)
    times = frame_times(trace, frames)
    figure = Figure(figsize=(12, 4.2), layout="constrained")
    try:
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:  # the file is there whole or not at all
            draft = Path(folder, f"film{target.suffix}")
            with writer.saving(figure, str(draft), dpi=90):
                for time in times:
                    _draw(trace, time, figure)
                    for _ in range(_HOLD if time == times[-1] else 1):
                        writer.grab_frame()
            os.replace(draft, target)
    except OSError as error:
        raise InvalidExperiment("path", str(target), f"a file that can be written ({error})") from error
    return target


def _writer(target: Path, frames_per_second: int) -> AbstractMovieWriter:
    """Return the writer of films of this kind."""
    from matplotlib.animation import FFMpegWriter, PillowWriter

    number = isinstance(frames_per_second, int | np.integer) and not isinstance(frames_per_second, bool)
    if not number or not 1 <= frames_per_second <= 100:
        raise InvalidExperiment("frames_per_second", frames_per_second, "an integer from 1 to 100")
    suffix = target.suffix.lower()
    if suffix == ".gif":
        return PillowWriter(fps=frames_per_second)
    if suffix != ".mp4":
        raise InvalidExperiment("path", str(target), "a name that ends in .gif or .mp4")
    if not FFMpegWriter.isAvailable():
        raise InvalidExperiment(
            "path", str(target), "a name that ends in .gif: .mp4 needs ffmpeg, which is not there"
        )
    return FFMpegWriter(fps=frames_per_second)


def _draw(trace: xr.Dataset, time: int, figure: Figure) -> None:
    """Draw one frame; its axes are where the first frame had them."""
    places = [ax.get_position(original=True) for ax in figure.axes]
    figure.clear()
    left, middle, right = figure.subplots(1, 3, width_ratios=(1.5, 1, 1.1))
    network(trace, time, left)
    now = float(trimmed(trace)["loss"].sel({time_dim(trace): time}))
    mark: dict[str, Any] = {"color": COLOURS[5], "zorder": 4}
    loss(trace, middle).axvline(time, linewidth=1, **mark)
    middle.plot([time], [now], marker="o", **mark)
    middle.set_title(f"loss {now:.3g}")
    if experiment_of(trace).network.n_in == 2:
        decision_boundary(trace, time, right).set_title("decision boundary")
    else:
        activations(trace, 1, time, right)
    if not places:
        figure.draw_without_rendering()
        figure.set_layout_engine(None)
    for ax, place in zip(figure.axes, places, strict=False):
        ax.set_position(place)
