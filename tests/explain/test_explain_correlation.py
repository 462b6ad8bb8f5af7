"""What correlates with what, what a layer has found, and which weights are learning."""

import numpy as np
import pytest
import xarray as xr

import fastgrok as fg
from fastgrok.explain.correlation import pearson
from fastgrok.explain.trace import Moment

XOR = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=300)
LINEAR = XOR.replace_at("network", fg.mlp(2, 4, 1, hidden="linear"))
TWO_UNITS = fg.Experiment(fg.mlp(2, 2, 1), XOR.data, epochs=0)
GOODFELLOW = [np.ones((1, 2, 2)), np.array([[0.0, -1.0]]), np.array([[[1.0], [-2.0]]]), np.zeros((1, 1))]


def correlation(experiment, seed=0, every="epoch", least=0.5, **kwargs):
    return fg.explain.correlation(fg.replay(experiment, seed, every=every, **kwargs), least=least)


def test_pearson_is_that_of_numpy_among_all_and_among_some():
    rng = np.random.default_rng(0)
    x, y, where = rng.normal(size=(5, 20, 3)), rng.normal(size=(20, 2)), rng.random((5, 20, 2)) < 0.6
    everything, some = pearson(x, y), pearson(x, y, where)
    for t, i, j in np.ndindex(5, 3, 2):
        assert everything[t, i, j] == pytest.approx(np.corrcoef(x[t, :, i], y[:, j])[0, 1], rel=1e-10)
        rows = where[t, :, j]
        assert some[t, i, j] == pytest.approx(np.corrcoef(x[t, rows, i], y[rows, j])[0, 1], rel=1e-10)


def test_what_is_constant_has_no_correlation():
    constant = np.array([[0.1], [0.1 + 1e-12], [0.1], [0.1]])  # but for rounding
    assert np.isnan(pearson(constant, np.arange(4.0)[:, None]))
    alone = np.array([[True], [False], [False], [False]])
    assert np.isnan(pearson(np.arange(4.0)[:, None], np.arange(4.0)[:, None], alone))


def test_streetlights_correlate_as_they_are_made():
    experiment = fg.Experiment(fg.mlp(3, 1, bias=False), fg.datasets.streetlights(), epochs=20, stop=None)
    found = correlation(experiment)
    # light_0: covariance 1/2 * 1/3 - 1/2 * 1/2 = -1/12 over 1/4; light_1 is the target; light_2 is always on
    np.testing.assert_allclose(found.r["input_target"].values.ravel(), [-1 / 3, 1, np.nan], atol=1e-12)
    assert (found.layers[0].found, found.layers[0].unit) == ("direct", 0)


def test_the_inputs_of_xor_have_no_correlation_with_the_target():
    np.testing.assert_allclose(correlation(XOR, 1).r["input_target"].values, 0, atol=1e-15)


def test_a_known_solution_of_xor_has_the_correlations_of_the_hand_calculation():
    found = correlation(TWO_UNITS, params=GOODFELLOW)
    now = found.r.isel(epoch=0)
    # hidden: x0 + x1 = 0, 1, 1, 2 and (0, 0, 0, 1); target 0, 1, 1, 0
    np.testing.assert_allclose(now["z_target_1"].values.ravel(), [0, 0], atol=1e-15)
    np.testing.assert_allclose(now["activation_target_1"].values.ravel(), [0, -1 / np.sqrt(3)], atol=1e-15)
    assert now["active_1"].values.tolist() == [3, 1]
    np.testing.assert_allclose(now["input_activation_1"].values[:, 0], np.sqrt(0.5))
    # active on 01, 10, 11: x0 = 0, 1, 1 and 1, 1, 2; of one example there is no correlation
    np.testing.assert_allclose(now["input_activation_active_1"].values, [[0.5, np.nan], [0.5, np.nan]])
    np.testing.assert_allclose(now["activation_target_active_1"].values.ravel(), [-1, np.nan])
    assert [layer.found for layer in found.layers] == ["conditional", "direct"]
    assert found.layers[0][:5] == (1, "conditional", Moment(0, None), 1, 0)
    assert found.layers[0].r == pytest.approx(-1 / np.sqrt(3))


def test_every_converged_relu_seed_found_conditional_then_direct_correlation():
    traces = fg.replay(XOR, range(40))
    converged = traces["seed"].values[traces["outcome"].values == 1]
    assert len(converged) > 10
    for seed in converged:
        found = fg.explain.correlation(traces.sel(seed=seed))
        assert [layer.found for layer in found.layers] == ["conditional", "direct"]
        size = np.abs(found.r["z_target_2"].values[:, 0, 0])
        place = found.layers[1].since.epoch
        assert (size[place:] >= 0.5).all()
        assert place == 0 or not size[place - 1] >= 0.5


@pytest.mark.parametrize("every", ["epoch", "step"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_linear_network_never_finds_any_on_xor(every, dtype):
    for seed in range(10):
        found = correlation(LINEAR.replace_at("dtype", dtype), seed, every)
        assert [(layer.found, layer.since.epoch) for layer in found.layers] == [("none", 0), ("none", 0)]


def test_least_decides_what_counts():
    trace = fg.replay(TWO_UNITS, 0, params=GOODFELLOW)
    assert fg.explain.correlation(trace, least=0.57).layers[0].found == "conditional"
    assert fg.explain.correlation(trace, least=0.58).layers[0].found == "none"
    for least in (0, 1.1, True, "much", np.nan):
        with pytest.raises(fg.InvalidExperiment, match=r"least = .*greater than 0 and at most 1"):
            fg.explain.correlation(trace, least=least)


def test_a_dead_layer_has_found_nothing_since_it_died():
    found = correlation(XOR, 65)
    assert [(layer.found, layer.unit) for layer in found.layers] == [("none", None), ("none", None)]
    assert found.layers[1].since == Moment(12, None)


def test_units_born_dead_do_not_learn():
    trace = fg.replay(XOR, 3)
    found = fg.explain.correlation(trace)
    dead = trace["dead_1"].values.all(axis=0)
    assert dead.sum() == 2
    assert not found.movements["weight_1"].learned[:, dead].any()
    assert found.movements["weight_2"].learned[~dead].any()


def test_the_text_answers_in_words():
    text = str(correlation(XOR, 1))
    lines = text.splitlines()
    assert max(map(len, lines)) <= 100
    assert "Layer 1 has found, since epoch 0, conditional correlation" in text
    assert "Layer 2 has found, since epoch 3, direct correlation" in text
    assert "Limits:" in text
    assert next(line for line in lines if line.startswith("unit 2 ")).split()[2:5] == ["1", "of", "4"]


@pytest.mark.parametrize("every", ["epoch", "step"])
@pytest.mark.parametrize(
    "network",
    [
        fg.mlp(2, 3, 3, 2),
        fg.mlp(2, 3, 2, hidden="leaky_relu", bias=False),
        fg.Network(fg.Linear(2, 2), fg.ReLU(), fg.Tanh()),
        fg.mlp(2, 20, 2, hidden="tanh", output="sigmoid"),
    ],
    ids=str,
)
def test_any_network_is_explained_also_from_a_file(network, every, tmp_path):
    data = fg.Dataset(XOR.data.X, np.stack([XOR.data.y[:, 0], 1 - XOR.data.y[:, 0]], axis=1))
    trace = fg.replay(fg.Experiment(network, data, epochs=10, dtype="float32"), 2, every=every)
    text = str(fg.explain.correlation(trace))
    assert max(map(len, text.splitlines())) <= 100
    trace.to_netcdf(tmp_path / "trace.nc")
    with xr.open_dataset(tmp_path / "trace.nc") as read:
        assert str(fg.explain.correlation(read)) == text


def test_a_network_that_diverges_gives_nan_and_no_warning():
    found = correlation(XOR.replace_at("optimizer.lr", 50.0), 1)
    assert max(map(len, str(found).splitlines())) <= 100


def test_example_of_pearson():
    x, y = np.array([[0.0], [1], [2], [3]]), np.array([[0.0], [1], [2], [0]])
    assert repr((pearson(x, y).round(3), pearson(x, y, y > 0))) == "(array([[0.135]]), array([[1.]]))"
