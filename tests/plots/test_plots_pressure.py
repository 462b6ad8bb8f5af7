"""Pressure and its conflict, weight by weight."""

import numpy as np
from matplotlib.axes import Axes

import fastgrok as fg
from fastgrok.plots.pressure import conflict, conflict_rows, pressure, pressure_rows

XOR = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=30, stop=None)


def test_the_pictures_show_what_was_computed(ax: Axes) -> None:
    found = fg.explain.pressure(fg.replay(XOR, 1), at=4)
    rows = pressure_rows(found)
    assert (rows.values.shape, rows.borders) == ((17, 4), [12])
    pressure(found, ax)
    np.testing.assert_array_equal(ax.images[0].get_array(), rows.values)
    assert [text.get_text() for text in ax.texts] == ["0+−"[int(s)] for s in np.sign(rows.values).ravel()]


def test_conflict_is_drawn_over_the_recorded_times(ax: Axes) -> None:
    found = fg.explain.pressure(fg.replay(XOR, 1, record_at=[2, 10]))
    rows = conflict_rows(found)
    assert rows.columns.tolist() == [0, 2, 10, 30]
    assert conflict(found, ax) is ax
    np.testing.assert_array_equal(np.ma.filled(ax.collections[0].get_array(), np.nan), rows.values)
    assert ax.collections[0].get_coordinates()[0, :, 0].tolist() == [-0.5, 1, 6, 20, 30.5]


def test_a_network_that_diverged_is_drawn(ax: Axes) -> None:
    trace = fg.replay(XOR.replace(optimizer=fg.SGD(1e3), epochs=60), 0)
    pressure(fg.explain.pressure(trace, at=60), ax)
    assert "?" in [text.get_text() for text in ax.texts]
    ax.figure.canvas.draw()
