"""Measures of a user's own: what they are called with, what comes of what they return, what is refused."""

import numpy as np
import pytest

import fastgrok as fg
from fastgrok.statistics import Counts, rate

XOR = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), epochs=300)


def spread(outputs):
    return np.ptp(outputs, axis=(1, 2))


def test_a_measure_without_epochs_is_of_the_end():
    result = fg.run(XOR, 70, measures={"spread": spread}, keep_params=True, progress=False)
    expected = np.ptp(result.predict(XOR.data.X), axis=(1, 2))
    assert result.dataset["spread"].dims == ("seed",)
    np.testing.assert_array_equal(result.dataset["spread"], expected)


def test_at_recorded_epochs_it_is_of_what_a_replay_has():
    """Everything that there is to ask for, at each epoch; a seed that stopped before keeps what it had in the end."""
    seen = {}

    def everything(params, outputs, activations, pre_activations, seeds, epoch, X, y):
        seen.setdefault(epoch, []).append([each.shape for each in params])
        assert (X.shape, y.shape) == ((4, 2), (4, 1))
        np.testing.assert_array_equal(outputs, activations[-1])
        np.testing.assert_array_equal(np.maximum(pre_activations[0], 0), activations[0])
        z = np.einsum("ei,sij->sej", X, params[0]) + params[1][:, None]
        np.testing.assert_allclose(pre_activations[0], z, atol=1e-12)
        return np.concatenate([activations[0][:, 1], seeds[:, None]], axis=1)

    result = fg.run(XOR, [5, 42, 7], measures={"all": everything}, record_at=[0, 3, 200], progress=False).dataset
    assert result["all"].dims == ("seed", "epoch", "all_0")
    assert sorted(seen) == [0, 3, 200]
    trace = fg.replay(XOR, [5, 42, 7])
    for row, seed in enumerate([5, 42, 7]):
        for k, epoch in enumerate([0, 3, 200]):
            of_seed = trace["activation_1"].isel(seed=row).sel(epoch=min(epoch, int(trace["epochs_run"][row])))
            np.testing.assert_array_equal(result["all"][row, k], [*of_seed[1].values, seed])


def test_a_criterion_of_ones_own_is_counted_like_any_other():
    def told_apart(outputs, y):
        return (np.abs(outputs - y) < 0.5).all(axis=(1, 2))

    epochs = list(range(0, 301, 10))
    data = fg.run(XOR, 500, measures={"apart": told_apart}, record_at=epochs, progress=False).dataset
    assert (data["apart"].dtype, data["apart_epoch"].dims) == (bool, ("seed",))
    held = data["apart"].values
    first = np.where(held.any(axis=1), np.array(epochs)[held.argmax(axis=1)], -1)
    np.testing.assert_array_equal(data["apart_epoch"], first)
    np.testing.assert_array_equal(data["apart"], data["accuracy_recorded"] == 1)
    until = Counts.of_epochs(first[first != 0].tolist(), until=300)
    assert rate(until.n_converged, until.n).value == np.mean(first[first != 0] > 0)


def test_no_bit_depends_on_chunks_threads_or_lanes():
    options = ({}, {"chunk_size": 7, "threads": 2}, {"lanes": 4})
    runs = [fg.run(XOR, 50, measures={"spread": spread}, record_at=[0, 50], **each) for each in options]
    for other in runs[1:]:
        np.testing.assert_array_equal(runs[0].dataset["spread"], other.dataset["spread"])


def test_own_parameters_restarts_and_float32():
    exp = XOR.replace(restart=fg.Restart(after=50), dtype="float32")
    data = fg.run(exp, 20, measures={"norm": lambda params: np.abs(params[0]).sum((1, 2))}, record_at=[0]).dataset
    np.testing.assert_allclose(data["norm"][:, 0], np.abs(fg.initial_params(exp, 20)[0]).sum((1, 2)), rtol=1e-6)
    params = [np.ones(shape) for shape in XOR.network.param_shapes]
    data = fg.run(XOR, params=params, measures={"norm": lambda params: params[0].sum((1, 2))}, record_at=[0]).dataset
    assert data["norm"].values.tolist() == [[8.0]]


def test_what_is_cut_out_is_0_from_the_initialisation_on():
    """Measures see the network that is trained: with masks of each seed's own, or of all, and from given starts."""
    own = np.random.default_rng(0).random((20, 2, 4)) < 0.5
    starts = fg.initial_params(XOR, 20)
    for cut, options in ((own, {}), (own[0], {}), (own, {"params": starts})):
        measures = {"weights": lambda params: params[0]}
        data = fg.run(XOR, 20, masks=[cut, None, None, None], measures=measures, record_at=[0, 5], **options).dataset
        np.testing.assert_array_equal(data["weights"][:, 0], np.where(cut, starts[0], 0))
        assert not data["weights"].values[:, 1][np.broadcast_to(~cut, (20, 2, 4))].any()


def test_a_sweep_has_them_by_its_axes():
    axes = {"lr": [0.01, 0.1], "hidden": [2, 4]}
    swept = fg.sweep(XOR, 5, axes, measures={"spread": spread}, record_at=[0, 20], progress=False).dataset
    assert swept["spread"].dims == ("optimizer.lr", "hidden", "seed", "epoch")
    alone = fg.run(XOR, 5, measures={"spread": spread}, record_at=[0, 20], progress=False).dataset
    np.testing.assert_array_equal(swept["spread"][1, 1], alone["spread"])


def test_a_measure_that_has_another_shape_elsewhere_is_refused_before_anything_is_trained():
    units = {"units": lambda activations: activations[0].max(axis=1)}
    with pytest.raises(fg.InvalidExperiment, match=r"measures\['units'\] = \(5, 3\): expected one shape .* \(5, 2\)"):
        fg.sweep(XOR, 5, {"hidden": [2, 3]}, measures=units, progress=False)


@pytest.mark.parametrize(
    ("measures", "message"),
    [
        (
            {"m": lambda outputs: outputs.mean()},
            r"measures\['m'\] = .*shape \(\).*shape \(n_seeds, ...\), here \(2, ...\)",
        ),
        ({"m": lambda outputs: outputs[:1]}, r"here \(2, ...\)"),
        ({"m": lambda outputs: np.array(["a"] * len(outputs))}, "numbers or bools"),
        ({"m": lambda output: output}, r"a function of \(output\)'?: expected parameters .* did you mean 'outputs'"),
        ({"m": lambda: 1}, "expected parameters named"),
        ({"m": lambda outputs: outputs.nope}, "2 networks at once .AttributeError"),
        ({"m": 3}, r"measures\['m'\] = 3: expected a function of some of params"),
        ({"loss_final": spread}, "measures = 'loss_final'"),
        ({"two words": spread}, "measures = 'two words'"),
        ({}, "measures = {}: expected None, or a dict"),
        (spread, "expected None, or a dict of names and functions"),
    ],
)
def test_what_will_not_do_is_named(measures, message):
    with pytest.raises(fg.InvalidExperiment, match=message):
        fg.run(XOR, 5, measures=measures, progress=False)


def test_a_file_and_a_store_refuse_them(tmp_path):
    result = fg.run(XOR, 5, measures={"spread": spread}, progress=False)
    with pytest.raises(fg.InvalidExperiment, match=r"^measures = \['spread'\]: expected None for a result"):
        result.save(tmp_path / "x.parquet")
    with pytest.raises(fg.InvalidExperiment, match=r"measures = .*: expected None with a store"):
        fg.sweep(XOR, 5, store=tmp_path / "store", measures={"spread": spread})
