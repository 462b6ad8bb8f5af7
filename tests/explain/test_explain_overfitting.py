"""Where training and validation part, and which weights grow meanwhile, on data with accidental correlation."""

import numpy as np
import pytest
import xarray as xr

import fastgrok as fg
from fastgrok.explain.trace import Moment

TRAINING, VALIDATION = fg.datasets.accidental()
EXPERIMENT = fg.Experiment(
    fg.mlp(11, 1),
    TRAINING,
    validation=VALIDATION,
    epochs=100,
    stop=None,
    optimizer=fg.SGD(lr=0.05),
    init=fg.Uniform(-0.3, 0.3),
)


def by_hand(training, validation):
    """Return a trace whose losses are these."""
    trace = fg.replay(EXPERIMENT.replace_at("epochs", len(training) - 1), 0)
    losses = {"loss": ("epoch", np.array(training, float)), "loss_validation": ("epoch", np.array(validation, float))}
    return trace.assign(losses)


@pytest.mark.parametrize(
    ("training", "validation", "overfitted", "since"),
    [
        ([4, 3, 2, 1], [4, 2, 3, 4], True, 1),  # the curves part
        ([4, 3, 2, 1], [4, 3, 2, 1], False, 3),  # both fall
        ([4, 3, 3.5, 4], [4, 2, 3, 4], False, 1),  # both rise
        ([4, 3, 2, 1], [4, 2, 2.05, 2.1], False, 1),  # a rise of 5 % and no more
        ([4, 3, 2, 1], [4, 2, 2.05, 2.11], True, 1),
        ([4, 3, 2, 1], [4, 2, 5, 2], False, 1),  # it comes back; of equals the first
    ],
)
def test_parting_is_as_defined(training, validation, overfitted, since):
    found = fg.explain.overfitting(by_hand(training, validation))
    assert (found.overfitted, found.since) == (overfitted, Moment(since, None))
    assert found.gap == validation[-1] - training[-1]
    assert found.rise == pytest.approx(validation[-1] / min(validation) - 1)
    assert found.grown_from.epoch == (since if overfitted else 0)


def test_noise_that_correlates_by_accident_grows_after_the_parting():
    trace = fg.replay(EXPERIMENT, 0)
    found = fg.explain.overfitting(trace)
    validation = trace["loss_validation"].values
    assert (found.overfitted, found.since.epoch) == (True, int(validation.argmin()))
    assert 0 < found.since.epoch < 100
    first = found.inputs[0]
    assert first.name.startswith("noise")
    assert abs(first.r_training) > 0.4 > 0.2 > abs(first.r_validation)
    at, end = (trace["weight_1"].values[k, :, 0] for k in (found.since.epoch, -1))
    index = TRAINING.feature_names.index(first.name)
    assert first.growth == abs(end[index]) - abs(at[index]) == max(np.abs(end) - np.abs(at))
    assert [one.growth for one in found.weights] == sorted((one.growth for one in found.weights), reverse=True)
    assert {one.name for one in found.weights} == {f"{name} -> unit 0" for name in (*TRAINING.feature_names, "bias")}


def test_many_examples_leave_nothing_to_learn_by_heart():
    training, validation = fg.datasets.accidental(400)
    experiment = fg.Experiment(
        fg.mlp(11, 1),
        training,
        validation=validation,
        epochs=100,
        stop=None,
        optimizer=fg.SGD(lr=0.1),
        batch_size="full",
        init=fg.Zeros(),
    )
    found = fg.explain.overfitting(fg.replay(experiment, 0))
    assert not found.overfitted
    assert found.inputs[0].name == "signal"


@pytest.mark.parametrize("every", ["epoch", "step"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_any_network_is_explained_also_from_a_file(every, dtype, tmp_path):
    for network in (fg.mlp(11, 4, 3, 1, hidden="leaky_relu"), fg.mlp(11, 1, output="sigmoid", bias=False)):
        experiment = fg.Experiment(network, TRAINING, validation=VALIDATION, epochs=15, dtype=dtype, stop=None)
        trace = fg.replay(experiment, 1, every=every)
        text = str(fg.explain.overfitting(trace))
        assert max(map(len, text.splitlines())) <= 100
        trace.to_netcdf(tmp_path / f"{network.n_params}.nc")
        with xr.open_dataset(tmp_path / f"{network.n_params}.nc") as read:
            assert str(fg.explain.overfitting(read)) == text


def test_the_text_says_whether_and_when():
    text = str(fg.explain.overfitting(fg.replay(EXPERIMENT, 0)))
    assert text.startswith("Overfitted: the curves part at epoch 10: validation loss 0.1122 then, 0.2443 at the end")
    few = str(fg.explain.overfitting(fg.replay(EXPERIMENT.replace_at("epochs", 5), 0)))
    assert few.startswith("Not overfitted; the validation loss is smallest at epoch 5")


def test_without_validation_data_it_is_refused():
    trace = fg.replay(fg.Experiment(fg.mlp(2, 1), fg.datasets.xor(), epochs=2), 0)
    with pytest.raises(fg.InvalidExperiment, match=r"trace = 'without loss_validation': .*Experiment\(validation="):
        fg.explain.overfitting(trace)


@pytest.mark.parametrize("least", [-0.1, np.nan, np.inf, True, "5 %"])
def test_a_rise_that_is_no_share_is_refused(least):
    with pytest.raises(fg.InvalidExperiment, match=r"least = .*: expected a finite number of 0 or more"):
        fg.explain.overfitting(fg.replay(EXPERIMENT, 0), least=least)


def test_a_network_that_diverges_has_not_overfitted():
    assert not fg.explain.overfitting(fg.replay(EXPERIMENT.replace_at("optimizer.lr", 10.0), 0)).overfitted
