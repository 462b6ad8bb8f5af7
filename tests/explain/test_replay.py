"""Replay: the bits of the sweep, and on the way everything that the naive twin says."""

from __future__ import annotations

import itertools

import naive
import numpy as np
import pytest
import xarray as xr
from registry import BATCHES, DTYPES, ONCE, ORDERS, experiment

import fastgrok as fg
from fastgrok.engine import training
from fastgrok.explain.trace import experiment_of, params_at
from fastgrok.spec.variables import VARIABLES

XOR = fg.Experiment(
    fg.mlp(2, 4, 1, output="sigmoid"), fg.datasets.xor(), init=fg.Uniform(-1, 1), optimizer=fg.SGD(1.0), epochs=60
)
NOISY = fg.Dataset([[0.1, 0], [0, 0.9], [1, 0.2], [0.8, 1]], [0, 1, 1, 0], "noisy")
EARLY = fg.EarlyStopping(patience=5, min_delta=1e-3, restore_best=True)
SWEEPS = {  # every optimizer, order, restart and stopping rule, in as few drivers as can be: each is compiled
    "per_example": XOR.replace(stop=fg.Converged(loss=0.01)),
    "diverging": XOR.replace(network=fg.mlp(2, 4, 1), optimizer=fg.SGD(3.0)),
    "shared": XOR.replace(
        network=fg.mlp(2, 3, 3, 1, hidden="leaky_relu"), order="shared", batch_size=3, dtype="float32",
        stop=fg.Converged(accuracy=1, loss=0.1),
    ),
    "momentum": XOR.replace(
        optimizer=fg.SGD(0.3, momentum=0.9, nesterov=True), order="per_seed", batch_size=2, validation=NOISY,
        stop=fg.Converged(max_error=0.3, keep_training=True),
    ),
    "adam": XOR.replace(optimizer=fg.Adam(0.1, schedule=fg.CosineAnnealingLR(60)), batch_size="full", stop=None),
    "clipped": XOR.replace(
        optimizer=fg.SGD(1.0, weight_decay=1e-3, l1=1e-4, clip_norm=0.3), stream="numpy_legacy", init=fg.Orthogonal(),
        restart=fg.Restart(after=9, at_most=2), check_every=4,
    ),
    "restart": XOR.replace(order="per_seed", restart=fg.Restart(after=13), stop=fg.Converged(loss=0.05)),
    "stagnating": XOR.replace(
        restart=fg.Restart(patience=9, monitor="accuracy", gradient_norm=0.02), stop=fg.Converged(loss=0.05)
    ),
    "training_loss": XOR.replace(stop=fg.EarlyStopping(4, tol=1e-3, monitor="training"), optimizer=fg.SGD(3.0)),
    "early": XOR.replace(validation=NOISY, stop=[fg.Converged(loss=0.02), EARLY]),
}  # fmt: skip


def result_variables(trace):
    return [name for name in VARIABLES if name in trace]


@pytest.mark.parametrize("name", SWEEPS)
def test_a_thousand_seeds_of_a_sweep_of_100_000_come_out_again(name):
    exp = SWEEPS[name]
    sweep = fg.run(exp, seeds=100_000, keep_params=True, track="dead_units", progress=False)
    rng = np.random.default_rng(0)
    for chosen in rng.choice(100_000, size=(10, 100), replace=False):
        trace = fg.replay(exp, chosen)
        rows = sweep.dataset.isel(seed=chosen)
        assert set(result_variables(trace)) == set(rows.data_vars)
        for variable in rows.data_vars:
            np.testing.assert_array_equal(trace[variable], rows[variable], err_msg=variable)
        assert_ends_with(trace, [array[chosen] for array in sweep.params])


def assert_ends_with(trace, params):
    """The last state of every seed has these parameters, or what was restored has."""
    names = [f"{param}_{k}" for k in range(1, len(params) // 2 + 1) for param in ("weight", "bias")]
    time = trace["loss"].dims[-1]
    last = np.isfinite(trace["gradient_norm"]) | trace["loss"].isnull()
    last = (trace[time] <= trace["epochs_run"]) if time == "epoch" else last
    ends = last.sum(time) - 1
    for name, expected in zip(names, params, strict=True):
        found = trace[f"{name}_final"] if f"{name}_final" in trace else trace[name].isel({time: ends})
        np.testing.assert_array_equal(found, expected, err_msg=name)


@pytest.mark.parametrize("name", ["per_example", "momentum", "restart", "early"])
def test_steps_pass_through_the_states_of_the_epochs(name):
    exp, seeds = SWEEPS[name], range(20)
    epochs, steps = fg.replay(exp, seeds), fg.replay(exp, seeds, every="step")
    for variable in result_variables(epochs):
        np.testing.assert_array_equal(epochs[variable], steps[variable], err_msg=variable)
    per_epoch = -(-4 // exp.batch_rows)
    at_epochs = steps.isel(step=slice(0, None, per_epoch)).rename(step="epoch")
    for variable in ("loss", "weight_1", "bias_2", "delta_1", "activation_2", "gradient_weight_1", "dead_1"):
        np.testing.assert_array_equal(epochs[variable], at_epochs[variable], err_msg=variable)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("batch_size", BATCHES)
def test_every_step_is_the_update_on_its_examples(order, batch_size):
    exp = experiment("mixed", order=order, batch_size=batch_size, epochs=4)
    trace = fg.replay(exp, 5, every="step")
    params, n_batches = params_at(trace, 0), -(-5 // exp.batch_rows)
    assert trace.sizes["step"] == 1 + 4 * n_batches
    assert trace["epoch_of"].values.tolist() == [0, *np.repeat(range(1, 5), n_batches)]
    seen = []
    for step in range(1, trace.sizes["step"]):
        rows = trace["batch_example"].sel(step=step).values
        rows = rows[rows >= 0]
        seen.append(rows)
        found = naive.gradients(exp, params, exp.data.X[rows], exp.data.y[rows])
        expected = [p - 0.1 * g / len(rows) for p, g in zip(params, found, strict=True)]
        params = params_at(trace, step)
        for array, twin in zip(params, expected, strict=True):
            np.testing.assert_allclose(array, twin, rtol=1e-12, atol=1e-15)
    orders = np.concatenate(seen).reshape(4, 5)
    generator = naive.order_generator(exp, naive.initial(exp, 5)[1])
    if order == "with_replacement":
        expected = [generator.integers(5, size=5) for _ in range(4)]
    else:
        expected = [np.arange(5) if generator is None else generator.permutation(5) for _ in range(4)]
    np.testing.assert_array_equal(orders, expected)


@pytest.mark.parametrize(("network", "loss"), ONCE)
def test_what_is_recorded_is_what_the_twin_calculates(network, loss):
    exp = experiment(network, loss=loss, epochs=2)
    exp = exp.replace(validation=exp.data)
    trace = fg.replay(exp, 3)
    for epoch in range(3):
        params, now = params_at(trace, epoch), trace.sel(epoch=epoch)
        values = naive.forward(exp.network, params, exp.data.X)
        look = naive.look(exp, params)
        assert now["loss"] == pytest.approx(look.loss, rel=1e-12)
        assert now["loss_validation"] == now["loss"]
        assert now["accuracy"] == now["accuracy_validation"] == look.accuracy
        assert now["gradient_norm"] == pytest.approx(naive.gradient_norm(exp, params), rel=1e-9)
        found = naive.gradients(exp, params, exp.data.X, exp.data.y)
        for name, gradient in zip(names_of(exp.network), found, strict=True):
            np.testing.assert_allclose(now[f"gradient_{name}"], gradient / 5, rtol=1e-9, atol=1e-14)
        linear = [place for place, layer in enumerate(exp.network.layers) if isinstance(layer, fg.Linear)]
        for k, (place, following) in enumerate(zip(linear, [*linear[1:], len(values) - 1], strict=True), start=1):
            skips = itertools.takewhile(lambda each: isinstance(each, fg.Skip), exp.network.layers[place + 1 :])
            z = values[place + 1 + len(list(skips))]
            np.testing.assert_allclose(now[f"pre_activation_{k}"], z, rtol=1e-11, atol=1e-14)
            np.testing.assert_allclose(now[f"activation_{k}"], values[following], rtol=1e-11, atol=1e-14)
            delta, inputs = now[f"delta_{k}"].values, values[place]
            np.testing.assert_allclose(inputs.T @ delta / 5, now[f"gradient_weight_{k}"], rtol=1e-9, atol=1e-14)
        masks = naive.dead_masks(exp.network, params, exp.data.X)
        for k in dict.fromkeys(exp.network.relu_layers):
            mine = [mask for layer, mask in zip(exp.network.relu_layers, masks, strict=True) if layer == k]
            np.testing.assert_array_equal(now[f"dead_{k}"], np.any(mine, axis=0))


def names_of(network):
    return [
        f"{param}_{k}"
        for k, layer in enumerate(network.linears, start=1)
        for param in ["weight", "bias"][: 1 + layer.bias]
    ]


def test_several_seeds_are_each_of_them_alone():
    exp, seeds = SWEEPS["per_example"], [9, 3, 2**63]
    together = fg.replay(exp, seeds)
    assert together["loss"].dims == ("seed", "epoch")
    for seed in seeds:
        alone, mine = fg.replay(exp, seed), together.sel(seed=np.uint64(seed))
        there = slice(0, alone.sizes["epoch"])
        assert alone.sizes["epoch"] == int(alone["epochs_run"]) + 1
        xr.testing.assert_equal(alone, mine.isel(epoch=there).drop_attrs(deep=False).assign_attrs(alone.attrs))
        assert mine["loss"].isel(epoch=slice(there.stop, None)).isnull().all()
        assert not mine["dead_1"].isel(epoch=slice(there.stop, None)).any()


def test_attempts_begin_with_what_the_seed_draws_next():
    exp = SWEEPS["restart"].replace(order="fixed", stop=fg.Converged(loss=1e-9))
    trace, rng = fg.replay(exp, 4, every="step"), naive.generator(exp, 4)
    assert int(trace["restarts"]) == 4
    for attempt in range(5):
        for name, drawn in zip(names_of(exp.network), naive.draw_params(exp, rng), strict=True):
            np.testing.assert_array_equal(trace[f"{name}_start"].sel(attempt=attempt), drawn)
    np.testing.assert_array_equal(trace["attempt_of"], [0, *np.repeat(range(5), 13 * 4)][: trace.sizes["step"]])


def test_chosen_epochs_are_those_of_the_whole_history():
    exp = SWEEPS["adam"]
    whole, some = fg.replay(exp, 8), fg.replay(exp, 8, record_at="log")
    assert some["epoch"].values.tolist() == [0, 1, 2, 5, 10, 20, 50, 60]
    for name in ("loss", "weight_1", "delta_2", "loss_final", "dead_since"):
        expected = whole[name].sel(epoch=some["epoch"]) if "epoch" in whole[name].dims else whole[name]
        np.testing.assert_array_equal(some[name], expected)


def test_the_last_epoch_of_each_seed_is_always_there():
    exp = SWEEPS["per_example"]
    trace = fg.replay(exp, [9, 3], record_at=[2])
    assert trace["epoch"].values.tolist() == sorted({0, 2, *trace["epochs_run"].values.tolist()})
    for k in range(2):
        one = trace.isel(seed=k)
        assert one["loss"].sel(epoch=one["epochs_run"]).item() == one["loss_final"].item()


def test_parameters_of_ones_own_are_where_it_begins():
    params = fg.initial_params(XOR, [17])
    given, drawn = fg.replay(XOR, 17, params=params), fg.replay(XOR, 17)
    xr.testing.assert_equal(given, drawn)
    assert given.attrs["initial_params"] == "given"


def test_a_trace_survives_a_file(tmp_path):
    trace = fg.replay(SWEEPS["restart"], [1, 2], every="step")
    trace.to_netcdf(tmp_path / "trace.nc")
    with xr.open_dataset(tmp_path / "trace.nc") as again:
        xr.testing.assert_equal(trace, again.load())
        assert experiment_of(again) == SWEEPS["restart"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_no_epochs_leave_the_initialisation(dtype):
    trace = fg.replay(XOR.replace(epochs=0, dtype=dtype), 1)
    assert trace.sizes["epoch"] == 1
    assert trace["loss"].item() == trace["loss_final"].item()
    assert trace["weight_1"].dtype == trace["delta_1"].dtype == dtype


def test_a_function_that_draws_is_left_out_of_what_is_read_back():
    def ones(rng, fan_in, fan_out):
        return np.ones((fan_in, fan_out))

    trace = fg.replay(XOR.replace(init=fg.FromFunction(ones)), 0)
    assert experiment_of(trace) == XOR.replace(init=fg.Zeros())


def test_an_interruption_leaves_no_half_history(monkeypatch):
    monkeypatch.setattr(training, "in_threads", lambda *args, **kwargs: True)
    with pytest.raises(KeyboardInterrupt):
        fg.replay(XOR, 1)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"seed": -1}, "seed"),
        ({"seed": [3, -1]}, "seed[1]"),
        ({"seed": 1.5}, "seed"),
        ({"seed": 3.0}, "seed"),
        ({"seed": []}, "seed"),
        ({"seed": 1, "every": "batch"}, "every"),
        ({"seed": 1, "every": "step", "record_at": [1]}, "record_at"),
        ({"seed": 1, "record_at": [61]}, "record_at[0]"),
        ({"seed": [1, 2], "params": fg.initial_params(XOR, [1])}, "params"),
    ],
)
def test_bad_arguments_are_named(arguments, field):
    with pytest.raises(fg.InvalidExperiment) as caught:
        fg.replay(XOR, **arguments)
    assert caught.value.field == field


def test_what_does_not_fit_into_memory_is_refused():
    for exp in (XOR.replace(network=fg.mlp(2, 256, 256, 1), epochs=10_000_000), XOR.replace(epochs=10**9)):
        with pytest.raises(fg.InvalidExperiment, match="do not fit into"):
            fg.replay(exp, 1)
