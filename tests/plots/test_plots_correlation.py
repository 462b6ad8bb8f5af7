"""The strongest correlations of each unit."""

import numpy as np
from matplotlib.axes import Axes
from pictures import rendered, texts

import fastgrok as fg

XOR = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=300)


def test_a_correlation_is_the_strongest_of_its_unit_in_the_end(ax: Axes) -> None:
    found = fg.explain.correlation(fg.replay(XOR, 1))
    table = fg.plots.correlation_table(found)
    assert table.columns == ["z, target", "a, target", "input, a", "a, target if active", "input, a if active"]
    assert (table.rows, table.starts) == ([(1, 0), (1, 1), (1, 2), (1, 3), (2, 0)], [0, 4])
    assert table.applicable.tolist() == [[True] * 5] * 4 + [[True] * 3 + [False] * 2]
    np.testing.assert_array_equal(table.r[:4, 1], found.r["activation_target_1"].values[-1, :, 0])
    inputs = found.r["input_activation_1"].values[-1]
    np.testing.assert_array_equal(table.r[:4, 2], inputs[np.abs(inputs).argmax(axis=0), range(4)])
    assert table.r[4, 0] == found.r["z_target_2"].values[-1, 0, 0]
    assert np.isnan(table.r[2, 3:]).all()  # unit 2 is active on one example
    rendered(fg.plots.correlation(found, ax))
    assert len(ax.patches) == 2  # hatched; what is not asked is empty
    assert [patch.get_xy() for patch in ax.patches] == [(2.5, 1.5), (3.5, 1.5)]
    *numbers, first, second = texts(ax)
    assert numbers == [f"{r + 0.0:.2f}" for r in np.round(table.r, 2).ravel() if np.isfinite(r)]
    assert first == f"layer 1: conditional\nsince epoch 0\nunit 2, y0: r = {table.r[2, 1]:.2f}"
    assert second.startswith("layer 2: direct\nsince epoch 3\n")


def test_correlations_of_a_dead_network_are_hatched_and_nothing_is_found(ax: Axes) -> None:
    found = fg.explain.correlation(fg.replay(XOR, 65))
    rendered(fg.plots.correlation(found, ax))
    assert len(ax.patches) == 4 * 4 + 3
    assert texts(ax)[-2:] == ["layer 1: none\nsince epoch 12", "layer 2: none\nsince epoch 12"]


def test_of_a_large_layer_the_first_units_have_rows_and_a_network_without_relu_has_no_conditions(ax: Axes) -> None:
    exp = fg.Experiment(fg.mlp(2, 30, 20, 20, 1, hidden="tanh"), fg.datasets.xor(), epochs=2)
    found = fg.explain.correlation(fg.replay(exp, 1, every="step"))
    table = fg.plots.correlation_table(found)
    assert (table.starts, table.r.shape) == ([0, 16, 32, 48], (49, 3))
    assert table.applicable.all()
    rendered(fg.plots.correlation(found, ax))
    assert [label.get_text() for label in ax.get_yticklabels()] == [f"layer {k}" for k in range(1, 5)]
    assert texts(ax)[0].endswith("(the first 16 of 30 units)")
    assert len(ax.texts) == 4
