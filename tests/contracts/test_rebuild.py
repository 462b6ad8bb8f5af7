"""A row of a result made again in plain NumPy, from its seed alone."""

from __future__ import annotations

import naive
import numpy as np
import pytest

import fastgrok as fg

SCHEMES = {
    "uniform": (fg.Uniform(-0.3, 0.7), "same"),
    "normal": (fg.Normal(0.2, 1.3), fg.Uniform(-1, 0)),
    "xavier_uniform": (fg.XavierUniform(1.7), fg.Zeros()),
    "xavier_normal": (fg.XavierNormal(), fg.Constant(0.1)),
    "he_uniform": (fg.HeUniform(), fg.Normal(0, 0.01)),
    "he_normal": (fg.HeNormal(), "same"),
    "torch": (fg.TorchLinear(), "same"),
    "constant": (fg.Constant(1 / 3), fg.HeNormal()),
}
SEEDS = {"numpy": [0, 1, 2**32, 2**64 - 1, 123456789], "numpy_legacy": [0, 1, 2**31, 2**32 - 1, 123456789]}
NET = fg.Network(fg.Linear(2, 5), fg.ReLU(), fg.Linear(5, 3, bias=False), fg.Tanh(), fg.Linear(3, 1))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("stream", SEEDS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_initial_parameters_are_numpys_in_every_bit(scheme, stream, dtype):
    init, bias_init = SCHEMES[scheme]
    exp = fg.Experiment(NET, fg.datasets.xor(), init=init, bias_init=bias_init, stream=stream, dtype=dtype)
    seeds = np.array(SEEDS[stream], dtype=np.uint64)
    ours = fg.initial_params(exp, seeds=seeds)
    for row, seed in enumerate(SEEDS[stream]):
        drawn, _ = naive.initial(exp, seed)
        for mine, numpys in zip(ours, drawn, strict=True):
            assert mine.dtype == numpys.dtype == dtype
            assert mine[row].tobytes() == numpys.tobytes()


def test_a_row_in_three_lines_of_numpy():
    """What the README promises: no twin, nothing but NumPy."""
    exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), init=fg.Uniform(-1, 1), bias_init="same")
    rng = np.random.default_rng(77)
    weight = rng.uniform(-1, 1, (2, 4))
    bias = rng.uniform(-1, 1, 4)
    ours = fg.initial_params(exp, seeds=[5, 77])
    np.testing.assert_array_equal(ours[0][1], weight)
    np.testing.assert_array_equal(ours[1][1], bias)


@pytest.mark.parametrize("order", ["fixed", "shared", "per_seed"])
@pytest.mark.parametrize("stream", SEEDS)
def test_a_row_among_many_is_the_twins_of_its_seed(stream, order):
    exp = fg.Experiment(
        fg.mlp(2, 4, 1), fg.datasets.xor(), stream=stream, order=order, epochs=300, init=fg.HeNormal(),
    )  # fmt: skip
    result = fg.run(exp, seeds=1000, lanes=8, specialize=False, keep_params=True, progress=False)
    for seed in (0, 17, 500, 999):
        trained, row = naive.run(exp, seed)
        for ours, twins in zip(result.params, trained, strict=True):
            np.testing.assert_allclose(ours[seed], twins, rtol=1e-9, atol=1e-12)
        ours = result.dataset.sel(seed=seed)
        for name in (
            "outcome",
            "epochs_run",
            "epochs_to_converge",
            "dead_units_final",
            "born_dead",
            "accuracy_final",
        ):
            np.testing.assert_array_equal(ours[name].values, row[name], err_msg=name)


def test_a_seed_of_a_result_run_again_alone_is_the_same_row():
    exp = fg.Experiment(fg.mlp(2, 4, 1), fg.datasets.xor(), order="per_seed", epochs=300)
    data = fg.run(exp, seeds=1000, progress=False).dataset
    for seed in (0, 3, 999):
        alone = fg.run(exp, seeds=[seed], progress=False).dataset
        for name in data.data_vars:
            np.testing.assert_array_equal(alone[name].values[0], data[name].sel(seed=seed).values, err_msg=name)
