"""What holds of all pictures: their axes, and the arguments that they refuse."""

import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from matplotlib.axes import Axes
from pictures import XOR, rendered

import fastgrok as fg
from fastgrok.errors import InvalidExperiment


def test_importing_the_pictures_loads_no_library_that_draws_or_holds_tables() -> None:
    code = "import sys, fastgrok.plots; print(sorted({'matplotlib', 'pandas', 'xarray'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_picture_without_axes_is_in_a_figure_of_its_own(trace: xr.Dataset) -> None:
    drawn = fg.plots.loss(trace)
    assert [plt.figure(k) for k in plt.get_fignums()] == [drawn.figure]


def test_a_trace_from_a_file_gives_the_same_pictures(trace: xr.Dataset, tmp_path: Path) -> None:
    trace.to_netcdf(tmp_path / "trace.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "trace.nc", engine="h5netcdf") as read:
        assert fg.plots.network_graph(read) == fg.plots.network_graph(trace)
        np.testing.assert_array_equal(fg.plots.output_grid(read).values, fg.plots.output_grid(trace).values)


@pytest.mark.parametrize("draw", ["loss", "accuracy", "weights", "network", "activations", "decision_boundary"])
def test_what_is_no_trace_is_refused(draw: str) -> None:
    with pytest.raises(InvalidExperiment, match=r"trace = 3: expected what fg\.replay returns"):
        getattr(fg.plots, draw)(3)
    assert plt.get_fignums() == []


def test_an_epoch_that_was_not_recorded_is_refused(trace: xr.Dataset) -> None:
    with pytest.raises(InvalidExperiment, match="epoch = 87: expected one that was recorded, from 0 to 86"):
        fg.plots.network(trace, 87)
    assert plt.get_fignums() == []


@pytest.mark.parametrize("draw", ["loss", "accuracy", "weights", "network", "activations"])
def test_a_seed_that_diverges_is_drawn(draw: str, ax: Axes) -> None:
    trace = fg.replay(XOR.replace(optimizer=fg.SGD(lr=6.0)), 3)
    assert not np.isfinite(trace["loss"][-1])
    assert rendered(getattr(fg.plots, draw)(trace, ax=ax)) is ax


@pytest.mark.parametrize("draw", ["convergence", "rates", "dead_units", "losses", "initial_and_final"])
def test_what_is_no_result_is_refused(draw: str) -> None:
    with pytest.raises(InvalidExperiment, match=r"result = 3: expected what fg\.run, fg\.sweep or fg\.open_store"):
        getattr(fg.plots, draw)(3)


@pytest.mark.parametrize("draw", ["correlation", "overfitting", "pressure", "conflict", "worked_pass", "sign_flow"])
def test_what_is_no_explanation_is_refused(draw: str, trace: xr.Dataset) -> None:
    topic = "pressure" if draw == "conflict" else draw
    with pytest.raises(InvalidExperiment, match=rf"^(found|flow) = .*: expected what fg\.explain\.{topic} returns"):
        getattr(fg.plots, draw)(trace)
    assert plt.get_fignums() == []
