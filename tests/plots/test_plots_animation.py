"""A film of one seed learning."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from matplotlib.animation import FFMpegWriter, PillowWriter
from PIL import Image

import fastgrok as fg
from fastgrok.errors import InvalidExperiment


def test_frames_are_spread_over_the_epochs(trace: xr.Dataset) -> None:
    assert fg.plots.frame_times(trace, 3) == [0, 43, 86]
    assert fg.plots.frame_times(trace) == list(range(87))
    with pytest.raises(InvalidExperiment, match="frames = 1"):
        fg.plots.frame_times(trace, 1)


@pytest.mark.parametrize("name", ["xor", "streetlights"])
def test_a_film_has_its_frames_and_leaves_no_figure_open(name: str, tmp_path: Path) -> None:
    data = getattr(fg.datasets, name)()
    trace = fg.replay(fg.Experiment(fg.mlp(data.X.shape[1], 4, 1), data, epochs=20), 1)
    path = fg.plots.animate(trace, tmp_path / "film.gif", frames=3)
    with Image.open(path) as film:
        shown = []
        for k in range(film.n_frames):
            film.seek(k)
            shown.append(np.asarray(film.convert("RGB")).copy())
    assert len(shown) >= 3
    assert not np.array_equal(shown[0], shown[1])
    assert not np.array_equal(shown[1], shown[2])
    assert plt.get_fignums() == []


def test_a_film_that_cannot_be_written_is_refused(
    trace: xr.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InvalidExperiment, match=r"ends in \.gif or \.mp4"):
        fg.plots.animate(trace, tmp_path / "film.avi")
    with pytest.raises(InvalidExperiment, match="a file that can be written"):
        fg.plots.animate(trace, tmp_path / "nowhere" / "film.gif", frames=2)
    with pytest.raises(InvalidExperiment, match="frames_per_second"):
        fg.plots.animate(trace, tmp_path / "film.gif", frames_per_second=0)
    monkeypatch.setattr(FFMpegWriter, "isAvailable", classmethod(lambda cls: False))
    with pytest.raises(InvalidExperiment, match=r"\.mp4 needs ffmpeg"):
        fg.plots.animate(trace, tmp_path / "film.mp4")
    assert list(tmp_path.iterdir()) == []


def test_a_film_that_cannot_be_finished_leaves_no_file(
    trace: xr.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def finish(self: PillowWriter) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(PillowWriter, "finish", finish)
    with pytest.raises(InvalidExperiment, match="No space left"):
        fg.plots.animate(trace, tmp_path / "film.gif", frames=2)
    assert list(tmp_path.iterdir()) == []
