"""The weights notebook's manual calculation, and every number of a pass against the kernels that train."""

import numpy as np
import pytest
import registry

import fastgrok as fg
from fastgrok.explain import worked_pass
from fastgrok.results.files import write_netcdf

# Heaton, part 3.5: the weights that are calculated with, rounded, and without biases
MANUAL = fg.Experiment(fg.mlp(2, 2, 1, output="relu", bias=False), fg.datasets.xor())
ROUNDED = [[[0.66, -0.95], [-0.66, 0.95]], [[1.5], [1.0]]]


def trained(name="mixed", seed=3, **fields):
    exp = registry.experiment(name, **fields)
    return exp, fg.replay(exp, seed)


def test_the_printed_forward_pass():
    work = worked_pass(MANUAL, ROUNDED, example=1)
    first, second = work.layers
    assert work.inputs.tolist() == [0, 1]
    assert first.products.tolist() == [[0, 0], [-0.66, 0.95]]
    assert first.pre_activation.tolist() == [-0.66, 0.95]
    assert first.activation.tolist() == [0, 0.95]
    assert second.products.tolist() == [[0], [0.95]]
    assert second.pre_activation.tolist() == work.output.tolist() == [0.95]


def test_the_backward_pass_by_hand():
    work = worked_pass(MANUAL, ROUNDED, example=1)
    error = 0.95 - 1
    first, second = work.layers
    assert work.loss == error**2 / 2
    assert second.delta.tolist() == [error]
    assert second.gradient_weight.tolist() == [[0], [0.95 * error]]
    assert second.new_weight.tolist() == [[1.5], [1.0 - 0.1 * (0.95 * error)]]
    assert second.returned.tolist() == [[1.5 * error], [1.0 * error]]
    assert first.activations[0].slope.tolist() == [0, 1]
    assert first.delta.tolist() == [0, error]
    assert first.gradient_weight.tolist() == [[0, 0], [0, error]]
    assert first.new_weight.tolist() == [[0.66, -0.95], [-0.66, 0.95 - 0.1 * error]]


def test_the_text_says_every_product_and_sum():
    text = str(worked_pass(MANUAL, ROUNDED, example=1))
    for line in (
        "  L1N0: sum = 0 * 0.66 + 1 * (-0.66) = 0 + (-0.66) = -0.66",
        "        relu(-0.66) = 0: what is not above zero becomes 0",
        "  L2N0: sum = 0 * 1.5 + 0.95 * 1 = 0 + 0.95 = 0.95",
        "  loss = 1/2 * (-0.05)^2 = 0.00125",
        "  L1N0: 1.5 * (-0.05) = -0.075, times 0, the slope of relu at -0.66: delta = 0",
        "  L0N1 -> L1N1      1  -0.05     -0.05   0.95  0.955",
    ):
        assert line in text.splitlines()


@pytest.mark.parametrize(("name", "loss", "dtype"), registry.EXPLAINED)
def test_every_number_is_that_of_the_trace(name, loss, dtype):
    exp, trace = trained(name, loss=loss, dtype=dtype, epochs=2)
    close = {"rtol": 1e-10, "atol": 1e-12} if dtype == "float64" else {"rtol": 2e-3, "atol": 2e-5}
    works = [worked_pass(trace, at=1, example=k) for k in range(exp.data.n_examples)]
    then = trace.sel(epoch=1)
    for k, work in enumerate(works):
        assert work.output.dtype == dtype
        for layer in work.layers:
            for field in ("pre_activation", "activation", "delta"):
                expected = then[f"{field}_{layer.number}"].values[k]
                np.testing.assert_array_equal(getattr(layer, field), expected, err_msg=field)
    np.testing.assert_allclose(np.mean([work.loss for work in works]), then["loss"], **close)
    for number in range(1, len(exp.network.linears) + 1):
        mean = np.mean([work.layers[number - 1].gradient_weight for work in works], axis=0)
        np.testing.assert_allclose(mean, then[f"gradient_weight_{number}"], **close)


@pytest.mark.parametrize("name", registry.WITHOUT_MASKS)
def test_a_new_weight_is_that_of_the_next_step_of_training(name):
    exp = registry.experiment(name, epochs=2, batch_size=1)
    trace = fg.replay(exp, 3, every="step")
    work = worked_pass(trace, at=6, example=int(trace["batch_example"].sel(step=7)[0]))
    for layer in work.layers:
        pairs = {f"weight_{layer.number}": layer.new_weight, f"bias_{layer.number}": layer.new_bias}
        for name, array in pairs.items():
            if array is not None:
                np.testing.assert_allclose(array, trace[name].sel(step=7), rtol=1e-12, atol=1e-14)


def test_products_and_what_is_returned_add_up():
    _, trace = trained()
    work = worked_pass(trace)
    for layer in work.layers:
        bias = 0 if layer.bias is None else layer.bias
        np.testing.assert_allclose(layer.products.sum(axis=0) + bias, layer.pre_activation, rtol=1e-12)
    for before, after in zip(work.layers, work.layers[1:], strict=False):
        np.testing.assert_allclose(after.returned.sum(axis=1), before.activations[-1].delta, rtol=1e-12)


@pytest.mark.parametrize(
    "optimizer",
    [fg.Adam(), fg.SGD(momentum=0.9), fg.SGD(weight_decay=0.1), fg.SGD(l1=0.1), fg.SGD(clip_norm=1),
     fg.SGD(schedule=fg.StepLR(2))],
)  # fmt: skip
def test_any_other_optimizer_gives_the_gradient_only(optimizer):
    work = worked_pass(MANUAL.replace_at("optimizer", optimizer), ROUNDED)
    assert work.lr is None
    assert all(layer.new_weight is None and layer.new_bias is None for layer in work.layers)
    assert f"An update of {optimizer!r} takes more" in " ".join(str(work).split())
    assert "new =" not in str(work)


def test_a_batch_is_spoken_of():
    text = " ".join(str(worked_pass(MANUAL.replace_at("batch_size", 3), ROUNDED)).split())
    assert "In training a batch has 3, and an update takes the mean of their gradients." in text


def test_inputs_of_ones_own():
    work = worked_pass(MANUAL, ROUNDED, [0, 2], target=0.5)
    assert work.example is None
    assert work.output.tolist() == [1.9]
    assert work.target.tolist() == [0.5]
    assert str(work).startswith("An input through")


def test_numbers_too_large_are_infinite_and_warn_of_nothing():
    exp = fg.Experiment(fg.mlp(1, 2, 1), fg.Dataset([[1e200]], [1]))
    work = worked_pass(exp, [np.full(shape, 1e200) for shape in exp.network.param_shapes])
    assert work.output.tolist() == [np.inf]
    assert "output = (inf)" in str(work)


def test_a_trace_from_a_file_is_as_good(tmp_path):
    import xarray as xr

    _, trace = trained(dtype="float32")
    write_netcdf(tmp_path / "trace.nc", trace)
    with xr.open_dataset(tmp_path / "trace.nc") as loaded:
        assert str(worked_pass(loaded, at=2)) == str(worked_pass(trace, at=2))


@pytest.mark.parametrize(("name", "loss"), [pair for *pair, dtype in registry.EXPLAINED if dtype == "float64"])
def test_the_text_is_at_most_100_wide(name, loss):
    exp = registry.experiment(name, loss=loss, optimizer=fg.SGD(0.1, momentum=0.9))
    params = [array[0] for array in fg.initial_params(exp, [1])]
    assert max(map(len, str(worked_pass(exp, params)).splitlines())) <= 100


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((MANUAL,), "params = None: expected the parameters of one network"),
        ((3,), "trace = 3: expected what fg.replay returns"),
        ((MANUAL, ROUNDED, 4), "example = 4: expected a number from 0 to 3"),
        ((MANUAL, ROUNDED, True), "target = None: expected the targets"),
        ((MANUAL, ROUNDED, [0, 1]), "target = None: expected the targets"),
        ((MANUAL, [np.zeros((2, 2, 2)), np.zeros((2, 2, 1))]), "params = 'those of 2 networks'"),
    ],
)
def test_what_will_not_do_is_named(arguments, message):
    with pytest.raises(fg.InvalidExperiment, match=message.replace("(", r"\(")):
        worked_pass(*arguments)


def test_times_and_targets_that_do_not_fit_are_named():
    _, trace = trained()
    with pytest.raises(fg.InvalidExperiment, match="at = 1: expected None with an experiment"):
        worked_pass(MANUAL, ROUNDED, at=1)
    with pytest.raises(fg.InvalidExperiment, match="epoch = 99: expected one that was recorded"):
        worked_pass(trace, at=99)
    with pytest.raises(fg.InvalidExperiment, match="None with a trace"):
        worked_pass(trace, ROUNDED)
    with pytest.raises(fg.InvalidExperiment, match=r"target = \[1.0, 2.0\]: expected 1 numbers"):
        worked_pass(MANUAL, ROUNDED, [0, 1], target=[1, 2])
    with pytest.raises(fg.InvalidExperiment, match="target = 1: expected None with the number"):
        worked_pass(MANUAL, ROUNDED, 0, target=1)
