"""Pressure: minus the gradient of each example's own loss, and how much of it cancels."""

import numpy as np
import pytest
import xarray as xr

import fastgrok as fg
from fastgrok.explain.pressure import param_pressures

LIGHTS = fg.Experiment(fg.mlp(3, 1, bias=False), fg.datasets.streetlights(), epochs=20, stop=None)
XOR = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=30, stop=None)
Y2 = np.stack([XOR.data.y[:, 0], 1 - XOR.data.y[:, 0]], axis=1)


def from_weights(weights, **kwargs):
    return fg.explain.pressure(fg.replay(LIGHTS, 0, params=[np.reshape(weights, (1, 3, 1))]), **kwargs)


def test_streetlights_push_as_the_source_says():
    # Outputs .5, .5, .4, .6, .5, .5 lie between the targets, so the target alone decides the sign.
    found = from_weights([0.1, 0.1, 0.4])
    signs = np.sign(found.examples["weight_1"].values[:, :, 0])
    assert signs.tolist() == [[-1, 0, -1], [0, 1, 1], [0, 0, -1], [1, 1, 1], [0, 1, 1], [-1, 0, -1]]
    start = found.totals.sel(epoch=0)
    np.testing.assert_allclose(start["up_weight_1"].values.ravel(), [0.4, 1.4, 1.4], rtol=1e-12)
    np.testing.assert_allclose(start["down_weight_1"].values.ravel(), [-1.0, 0.0, -1.4], rtol=1e-12)
    # the middle light alone is pushed one way; of the last one's pressure nothing is left
    np.testing.assert_allclose(start["conflict_weight_1"].values.ravel(), [1 - 0.6 / 1.4, 0, 1], rtol=1e-12)


def test_the_first_step_of_the_book_follows_the_pressure():
    # weights .5, .48, -.7; example 0: output -.2, so w += .1 * .2 where a light is on
    trace = fg.replay(LIGHTS, 0, params=[np.reshape([0.5, 0.48, -0.7], (1, 3, 1))], every="step")
    found = fg.explain.pressure(trace)
    pushed = found.examples["weight_1"].values[0, :, 0]
    np.testing.assert_allclose(pushed, [0.2, 0, 0.2], rtol=1e-12)
    moved = trace["weight_1"].values[1] - trace["weight_1"].values[0]
    np.testing.assert_allclose(moved[:, 0], 0.1 * pushed, atol=1e-15)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("every", ["epoch", "step"])
@pytest.mark.parametrize(
    "network",
    [
        fg.mlp(2, 3, 3, 2),
        fg.mlp(2, 3, 2, hidden="leaky_relu", bias=False),
        fg.Network(fg.Linear(2, 2), fg.ReLU(), fg.Tanh()),
        fg.mlp(2, 3, 2, hidden="tanh", output="sigmoid"),
    ],
    ids=str,
)
@pytest.mark.parametrize("loss", ["half_squared_error", "squared_error"])
def test_the_total_is_minus_the_gradient_for_any_network(network, loss, every, dtype):
    experiment = fg.Experiment(network, fg.Dataset(XOR.data.X - 0.25, Y2), loss=loss, epochs=5, dtype=dtype)
    trace = fg.replay(experiment, 3, every=every)
    found = fg.explain.pressure(trace, at=2)
    tolerance = {"rtol": 1e-4, "atol": 1e-6} if dtype == "float32" else {"rtol": 1e-11, "atol": 1e-14}
    for name in found.examples:
        total = found.totals[f"up_{name}"] + found.totals[f"down_{name}"]
        np.testing.assert_allclose(total, -4 * trace[f"gradient_{name}"], **tolerance)
        by_example = found.examples[name].values
        now = found.totals.sel({every: 2})
        np.testing.assert_allclose(now[f"up_{name}"], np.maximum(by_example, 0).sum(axis=0), rtol=1e-12)
        np.testing.assert_allclose(now[f"down_{name}"], np.minimum(by_example, 0).sum(axis=0), rtol=1e-12)


def test_conflict_is_nan_where_nothing_pushes():
    found = fg.explain.pressure(fg.replay(XOR, 3))
    up, down = found.totals["up_weight_1"].values, found.totals["down_weight_1"].values
    nothing = (up == 0) & (down == 0)
    assert nothing.any()
    np.testing.assert_array_equal(np.isnan(found.totals["conflict_weight_1"].values), nothing)
    inside = found.totals["conflict_weight_1"].values[~nothing]
    assert ((inside >= 0) & (inside <= 1)).all()


def test_the_mean_conflict_is_over_the_times_with_pressure():
    found = fg.explain.pressure(fg.replay(XOR, 3), at=None)
    rows = param_pressures(found, 1)
    assert found.at.epoch == 30
    assert [row.name for row in rows][::4] == ["x0 -> unit 0", "x1 -> unit 0", "bias -> unit 0"]
    whole = found.totals["conflict_weight_1"].values[:, 0, 2]
    assert rows[2].mean_conflict == pytest.approx(np.nanmean(whole), rel=1e-12)
    assert np.isnan(rows[0].mean_conflict)  # of a unit born dead


def test_the_text_shows_signs_and_sums():
    lines = str(from_weights([0.1, 0.1, 0.4])).splitlines()
    assert lines[-3].startswith("light_0 -> unit 0  -  0  0  +  0  -  0.4    -1   -0.6   0.5714")
    assert max(map(len, lines)) <= 100


def test_large_layers_are_cut_to_what_is_pushed_most():
    data = fg.Dataset(np.eye(40), np.arange(40) % 2)
    text = str(fg.explain.pressure(fg.replay(fg.Experiment(fg.mlp(40, 3, 1), data, epochs=1), 0)))
    assert max(map(len, text.splitlines())) <= 100
    assert "Signs of the first 10 of 40 examples. The 24 of 123 weights that are pushed the most." in text


def test_a_trace_from_a_file_gives_the_same(tmp_path):
    trace = fg.replay(XOR, 1, every="step")
    trace.to_netcdf(tmp_path / "trace.nc")
    with xr.open_dataset(tmp_path / "trace.nc") as read:
        assert str(fg.explain.pressure(read, at=5)) == str(fg.explain.pressure(trace, at=5))


def test_a_time_that_was_not_recorded_is_refused():
    with pytest.raises(fg.InvalidExperiment, match="epoch = 31: expected one that was recorded, from 0 to 30"):
        fg.explain.pressure(fg.replay(XOR, 0), at=31)


def test_a_network_that_diverged_has_pressures_without_a_sign():
    trace = fg.replay(XOR.replace(optimizer=fg.SGD(1e3), epochs=60), 0)
    assert np.isnan(trace["weight_2"].values[-1]).any()
    assert "  ?  ?  ?  ?  nan" in str(fg.explain.pressure(trace, at=60))
