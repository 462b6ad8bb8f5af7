"""A trace, a sweep in memory and on disk, and axes to draw on."""

from collections.abc import Iterator
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import pytest
import xarray as xr
from matplotlib.axes import Axes
from pictures import XOR

import fastgrok as fg

matplotlib.use("Agg")

SWEPT = {"init": [fg.XavierNormal(), fg.HeNormal()], "optimizer.lr": [0.02, 0.1]}


@pytest.fixture(autouse=True)
def _no_figure_is_left_open() -> Iterator[None]:
    assert plt.get_fignums() == []
    yield
    plt.close("all")


@pytest.fixture
def ax() -> Axes:
    return matplotlib.figure.Figure(layout="constrained").add_subplot()


@pytest.fixture(scope="session")
def trace() -> xr.Dataset:
    return fg.replay(XOR, 42)


@pytest.fixture(scope="session")
def result() -> fg.Result:
    return fg.sweep(XOR, 200, SWEPT, keep_params=True, progress=False)


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> fg.Store:
    path = tmp_path_factory.mktemp("plots") / "store"
    return fg.sweep(XOR, 200, SWEPT, store=path, keep_params=True, progress=False)


@pytest.fixture(params=["result", "store"])
def either(request: pytest.FixtureRequest) -> Any:
    """A sweep in memory, and the same sweep on disk."""
    return request.getfixturevalue(request.param)
