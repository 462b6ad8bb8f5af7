"""What the tests of pictures draw, and how they read a picture."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

import fastgrok as fg

XOR = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=100)

# Goodfellow, Bengio, Courville, "Deep Learning", 6.1: h = relu(x W + c), output h w + b is XOR exactly.
GOODFELLOW = [np.ones((2, 2)), np.array([0.0, -1.0]), np.array([[1.0], [-2.0]]), np.array([0.0])]


def goodfellow(*, bias: float = -1.0) -> xr.Dataset:
    exp = fg.Experiment(fg.mlp(2, 2, 1), fg.datasets.xor(), epochs=1, stop=None)
    params = [np.array(array) for array in GOODFELLOW]
    params[1][1] = bias
    return fg.replay(exp, 0, params=params)


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def legend(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def rendered(ax: Axes) -> Axes:
    """Draw everything, so that what cannot be drawn says so."""
    ax.figure.draw_without_rendering()
    return ax
