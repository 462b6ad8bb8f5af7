"""The weights notebook's manual calculation, and every number of a pass against the kernels that train."""

import numpy as np
import pytest
import registry

import fastgrok as fg
from fastgrok.explain import listing, read_listing, worked_pass
from fastgrok.results.files import write_netcdf

# Heaton, part 3.5: the weights that are calculated with, rounded, and without biases
MANUAL = fg.Experiment(fg.mlp(2, 2, 1, output="relu", bias=False), fg.datasets.xor())
ROUNDED = [[[0.66, -0.95], [-0.66, 0.95]], [[1.5], [1.0]]]

PRINTED = """
0B -> L1N0: 1.3025760914331386e-08
0B -> L1N1: -1.4192625741316078e-08
L0N0                   -> L1N0 = 0.659289538860321
L0N0                   -> L1N1 = -0.9533336758613586
L0N1                   -> L1N0 = -0.659289538860321
L0N1                   -> L1N1 = 0.9533336758613586
1B -> L2N0: -1.9757269598130733e-08
L1N0                   -> L2N0 = 1.5167843103408813
L1N1                   -> L2N0 = 1.0489506721496582
"""

OF_PYTORCH = """
1B -> L2N0: -0.34139105677604675
L0N0               -> L1N0 = -2.822441339492798
L0N0               -> L1N1 = 2.410576105117798
L0N1               -> L1N0 = 4.310168266296387
L0N1               -> L1N1 = -4.205879211425781
L1N0               -> L2N0 = 1.5188194513320923
L1N0               -> L2N1 = 1.6310256719589233
"""


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


@pytest.mark.parametrize("dtype", registry.DTYPES)
@pytest.mark.parametrize("loss", registry.LOSSES)
@pytest.mark.parametrize("name", registry.NETWORKS)
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
                np.testing.assert_allclose(getattr(layer, field), expected, **close, err_msg=field)
    np.testing.assert_allclose(np.mean([work.loss for work in works]), then["loss"], **close)
    for number in range(1, len(exp.network.linears) + 1):
        mean = np.mean([work.layers[number - 1].gradient_weight for work in works], axis=0)
        np.testing.assert_allclose(mean, then[f"gradient_weight_{number}"], **close)


@pytest.mark.parametrize("name", registry.NETWORKS)
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


@pytest.mark.parametrize("loss", registry.LOSSES)
@pytest.mark.parametrize("name", registry.NETWORKS)
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


# Listing -------------------------------------------------------------------------------------------------------


def test_the_printed_listing_is_read_and_written_again():
    network, params = read_listing(PRINTED)
    assert network is None
    assert params[0].tolist() == [[0.659289538860321, -0.9533336758613586], [-0.659289538860321, 0.9533336758613586]]
    assert params[1].tolist() == [1.3025760914331386e-08, -1.4192625741316078e-08]
    assert params[2].tolist() == [[1.5167843103408813], [1.0489506721496582]]
    assert params[3].tolist() == [-1.9757269598130733e-08]
    lines = [" ".join(line.split()) for line in PRINTED.strip().splitlines()]
    assert listing(fg.mlp(2, 2, 1, output="relu"), params).splitlines() == lines


def test_the_printed_network_computes_xor():
    network, params = read_listing(PRINTED, fg.mlp(2, 2, 1))
    assert np.round(fg.predict(network, params, fg.datasets.xor().X)[0, :, 0], 4).tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize("dtype", registry.DTYPES)
@pytest.mark.parametrize("name", registry.NETWORKS)
def test_a_listing_reads_back_bit_for_bit(name, dtype):
    network = registry.NETWORKS[name]
    rng = np.random.default_rng(5)
    sizes = [(shape, 10.0 ** rng.integers(-30, 30)) for shape in network.param_shapes]
    params = [(rng.standard_normal(shape) * size).astype(dtype) for shape, size in sizes]
    text = "\n".join(reversed(listing(network, params).splitlines()))
    for read in (read_listing(text, network)[1], read_listing(text)[1]):
        for array, expected in zip(read, params, strict=True):
            assert array.astype(dtype).tobytes() == expected.tobytes()


def test_without_bias_lines_there_is_no_bias_or_it_is_zero():
    text = "\n".join(line for line in PRINTED.splitlines() if "B" not in line)
    assert [array.shape for array in read_listing(f"```\n{text}\n```")[1]] == [(2, 2), (2, 1)]
    assert [array.shape for array in read_listing(text, MANUAL.network)[1]] == [(2, 2), (2, 1)]
    assert read_listing(text, fg.mlp(2, 2, 1))[1][1].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "text = '': expected a line such as"),
        ("L0N0 -> L1N0 = 1\nwhat", "text line 2 = 'what': expected a line such as"),
        ("L0N0 -> L1N0: 1", "text line 1 = 'L0N0 -> L1N0: 1': expected a line such as"),
        ("0B -> L1N0 = 1", "text line 1 = '0B -> L1N0 = 1': expected a line such as"),
        ("L0N0 -> L1N0 = x", "text line 1 = .*expected a finite number, and not 'x'"),
        ("L0N0 -> L1N0 = nan", "text line 1 = .*expected a finite number"),
        ("L0N0 -> L2N0 = 1", "text line 1 = .*expected a weight or bias from layer 0 to layer 1"),
        ("L0N9999 -> L1N0 = 1", "text line 1 = .*expected at most 256 layers"),
        ("\nL0N0 -> L1N0 = 1\nL0N0 -> L1N0 = 2", "text line 3 = .*line 2 has it already"),
        ("L1N0 -> L2N0 = 1", "nothing of layer 0"),
        ("0B -> L1N1: 1\nL0N0 -> L1N0 = 1\nL0N0 -> L1N1 = 1", "expected a line '0B -> L1N0: ...'"),
        ("L0N0 -> L1N0 = 1\nL0N1 -> L1N1 = 1", "expected a line 'L0N0 -> L1N1 = ...'"),
        (OF_PYTORCH, "expected a line 'L1N1 -> L2N0 = ...'; PyTorch's layer.weight"),
    ],
)
def test_the_line_that_will_not_do_is_named(text, message):
    with pytest.raises(fg.InvalidExperiment, match=message):
        read_listing(text)


def test_a_line_that_the_network_has_not_is_named():
    with pytest.raises(fg.InvalidExperiment, match=r"text line 2 = .*expected units of a network 2-1, counted"):
        read_listing("L0N0 -> L1N0 = 1\nL0N2 -> L1N0 = 1", fg.mlp(2, 1))
    with pytest.raises(fg.InvalidExperiment, match=r"text line 3 = .*expected no bias: Linear layer 1"):
        read_listing("L0N0 -> L1N0 = 1\nL0N1 -> L1N0 = 1\n0B -> L1N0: 1", fg.mlp(2, 1, bias=False))
    with pytest.raises(fg.InvalidExperiment, match="network = 3"):
        read_listing("L0N0 -> L1N0 = 1", 3)
    with pytest.raises(fg.InvalidExperiment, match="text = 3"):
        read_listing(3)
