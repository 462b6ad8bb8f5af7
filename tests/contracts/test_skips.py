"""Skip connections: the sum, its deltas, and the same bits whichever driver adds them up."""

from __future__ import annotations

import pickle

import naive
import numpy as np
import pytest
from fingerprint import bits
from matplotlib.figure import Figure
from registry import DATA, DTYPES, NETWORKS, experiment
from test_gradients import flat
from test_twin import LANES, SEEDS, XOR, assert_like_the_twin, assert_like_the_twin_every_epoch, library

import fastgrok as fg
from fastgrok.engine import driver, kernel_params, program
from fastgrok.engine.drift import drift_limits
from fastgrok.engine.kernel_params import is_batched, is_deferred, tile_sizes
from fastgrok.engine.layout import make_layout
from fastgrok.engine.params import split
from fastgrok.errors import InvalidExperiment
from fastgrok.plots.graph import skip_columns
from fastgrok.spec.words import reshaped

RESIDUAL = fg.mlp(2, 4, 4, 4, 1, skip=True)
GATED = fg.Network(
    *(fg.Linear(2, 4), fg.ReLU(), fg.Linear(4, 4), fg.ReLU(), fg.Linear(4, 4), fg.Skip(3), fg.ReLU()),
    *(fg.Linear(4, 1), fg.Sigmoid()),
)
WIDE = fg.Network(
    *(fg.Linear(3, 33), fg.ReLU(), fg.Linear(33, 33), fg.ReLU(), fg.Linear(33, 33), fg.Skip(3), fg.ReLU()),
    *(fg.Linear(33, 33), fg.Skip(2), fg.Skip(7), fg.Tanh(), fg.Linear(33, 33), fg.Skip(2), fg.Linear(33, 2)),
)
BATCHES = ({}, {"batch_size": 2, "optimizer": fg.Adam(0.01)}, {"batch_size": "full"})
REGIMES = {
    "criteria": XOR.replace(network=RESIDUAL, stop=fg.Converged(loss=0.02), epochs=60),
    "restarts": XOR.replace(network=GATED, stop=fg.Converged(loss=0.02), restart=fg.Restart(20), order="per_seed"),
    "validated": XOR.replace(
        network=RESIDUAL, validation=fg.datasets.xor(), stop=fg.EarlyStopping(9), batch_size=3, optimizer="adam"
    ),
    "dropped": XOR.replace(network=fg.mlp(2, 4, 4, 1, dropout=0.3, skip=True), optimizer=fg.SGD(0.05, momentum=0.5)),
}


def wide(**fields):
    defaults = {"init": fg.XavierUniform(0.7), "bias_init": fg.Uniform(-0.1, 0.1), "stop": None, "epochs": 2}
    return fg.Experiment(WIDE, DATA, optimizer=fields.pop("optimizer", fg.SGD(0.02)), **defaults | fields)


def test_one_update_by_hand():
    # x = 3, h = 2 x = 6; z = -0.5 h = -3, a = h + z = 3; output = 4 a = 12, target 11: delta 1
    # da = 4, dz = 4, dh = -0.5 * 4 + 4 = 2; the weights: 4 - lr 3, -0.5 - lr 6 * 4, 2 - lr 3 * 2
    net = fg.Network(fg.Linear(1, 1, False), fg.Linear(1, 1, False), fg.Skip(1), fg.Linear(1, 1, False))
    exp = fg.Experiment(net, fg.Dataset([[3.0]], [11.0]), optimizer=fg.SGD(0.125), epochs=1, stop=None)
    for specialize in (False, True):
        result = library(exp, params=[[[[2.0]]], [[[-0.5]]], [[[4.0]]]], specialize=specialize)
        assert [p.item() for p in result.params] == [2 - 0.125 * 6, -0.5 - 0.125 * 24, 4 - 0.125 * 3]
        assert result.dataset.loss_initial.item() == 0.5


def test_a_block_that_gives_out_nothing_passes_on_what_it_takes_in():
    plain = fg.mlp(3, 4, 2, hidden="tanh")
    block = fg.Linear(4, 4), fg.ReLU(), fg.Linear(4, 4), fg.Skip(3)
    params = [p[0] for p in fg.initial_params(experiment("tanh"), [1])]
    zeros = [np.zeros(shape) for shape in ((4, 4), (4,), (4, 4), (4,))]
    deep = fg.Network(*plain.layers[:2], *block, plain.layers[2])
    outputs = fg.predict(deep, [*params[:2], *zeros, *params[2:]], DATA.X)
    np.testing.assert_array_equal(outputs, fg.predict(plain, params, DATA.X))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("fields", BATCHES, ids=str)
@pytest.mark.parametrize("specialize", [False, True])
def test_every_epoch_is_the_twins(specialize, fields, dtype):
    exp = experiment("skips", dtype=dtype, **fields)
    if dtype == "float64":
        assert_like_the_twin_every_epoch(exp, specialize=specialize)
        return
    exp = exp.replace(epochs=1)
    result = library(exp, SEEDS, specialize=specialize)
    for row, seed in enumerate(SEEDS):
        for ours, twins in zip(result.params, naive.run(exp, seed)[0], strict=True):
            np.testing.assert_allclose(ours[row], twins, rtol=2e-4, atol=1e-5)


@pytest.mark.parametrize("fields", [{}, {"batch_size": 3}, {"batch_size": 4, "optimizer": fg.Adam(0.01)}], ids=str)
def test_tiles_and_deferred_updates_add_up_as_the_twin(fields):
    exp = wide(**fields)
    assert is_batched(exp)
    assert is_deferred(exp) == (exp.batch_rows == 1)
    assert_like_the_twin(exp, SEEDS, rtol=1e-11, specialize=False)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("fields", [{"epochs": 5}, {"batch_size": 3}], ids=str)
def test_tiles_and_deferred_updates_have_the_bits_of_one_example_after_the_other(fields, dtype, monkeypatch):
    exp = wide(dtype=dtype, **fields)
    expected = bits(library(exp, seeds=20, specialize=False))
    for module in (driver, kernel_params, program):
        monkeypatch.setattr(module, "is_batched", lambda experiment: False)
    same = exp.replace()  # another object: programs are kept for an experiment
    assert tile_sizes(same).n_examples == 1
    assert bits(library(same, seeds=20, specialize=False)) == expected


@pytest.mark.parametrize("regime", REGIMES)
def test_seeds_end_as_the_twins(regime):
    exp = REGIMES[regime]
    assert_like_the_twin(exp.replace(epochs=min(exp.epochs, 60)), list(range(12)), rtol=1e-8, specialize=False)


@pytest.mark.parametrize(("regime", "dtype"), [(name, DTYPES[place % 2]) for place, name in enumerate(REGIMES)])
def test_bits_depend_on_the_seed_alone(regime, dtype):
    exp = REGIMES[regime].replace(dtype=dtype, epochs=40)
    expected = bits(library(exp, seeds=90, specialize=False))
    for options in (
        {"lanes": 32, "specialize": True},
        {"lanes": 64, "specialize": False},
        {"lanes": LANES, "specialize": False, "threads": 2, "chunk_size": 7},
    ):
        assert bits(library(exp, seeds=90, **options)) == expected
    alone = bits(library(exp, seeds=[89], specialize=False))
    assert alone == {name: value[-len(alone[name]) :] for name, value in expected.items()}


@pytest.mark.parametrize("every", ["epoch", "step"])
def test_a_replay_has_the_bits_of_a_run(every):
    exp = REGIMES["restarts"].replace(epochs=30)
    result = library(exp, seeds=50)
    for seed in (0, 7, 49):
        trace = fg.replay(exp, seed, every=every)
        assert float(trace["loss"][-1]) == float(result.dataset.loss_final[seed])
        np.testing.assert_array_equal(trace["weight_2"][-1], result.params[2][seed])


@pytest.mark.parametrize("network", ["skips", "wide"])
def test_predictions_and_gradients_are_the_twins(network):
    exp = experiment("skips") if network == "skips" else wide()
    params = fg.initial_params(exp, [1, 2, 3])
    trainer = fg.compile(exp, specialize=False)
    grads = trainer.gradients(trainer.flatten(params))
    predicted = fg.predict(exp.network, params, exp.data.X)
    for row in range(3):
        own = [p[row] for p in params]
        np.testing.assert_allclose(predicted[row], naive.forward(exp.network, own, exp.data.X)[-1], rtol=1e-12)
        twins = naive.gradients(exp, own, *naive.examples(exp))
        mean = np.concatenate([g.ravel() for g in twins]) / exp.data.n_examples
        np.testing.assert_allclose(np.asarray(grads)[row], mean, rtol=1e-10, atol=1e-14)


def test_initial_parameters_are_those_of_the_network_without():
    plain = fg.Network(*(layer for layer in RESIDUAL.layers if not isinstance(layer, fg.Skip)))
    for ours, others in zip(
        *(fg.initial_params(XOR.replace(network=net), [3]) for net in (RESIDUAL, plain)), strict=True
    ):
        np.testing.assert_array_equal(ours, others)


def test_networks_without_have_the_table_that_they_had():
    for name, network in NETWORKS.items():
        layout = make_layout(network)
        assert (layout.rows == layout.layers) == (name != "skips")


def test_a_network_with_skips_has_no_bound_on_its_loss():
    exp = XOR.replace(stop=fg.Converged(loss=0.01))
    assert drift_limits(exp.replace(network=fg.mlp(2, 4, 1))) is not None
    over_hidden = fg.Network(fg.Linear(2, 4), fg.ReLU(), fg.Linear(4, 2), fg.Skip(3))
    data = fg.Dataset(exp.data.X, np.hstack([exp.data.y, 1 - exp.data.y]))
    assert drift_limits(exp.replace(network=over_hidden, data=data)) is None
    assert drift_limits(exp.replace(network=fg.mlp(2, 4, 2), data=data)) is not None


def test_a_dead_layer_that_a_skip_leads_around_leaves_the_network_alive():
    biases = {"init": fg.Uniform(0, 1), "bias_init": fg.FromArrays([0.5] * 4, [-9.0] * 4, [0.5] * 4, [0.1])}
    around = XOR.replace(network=GATED, epochs=0, **biases)
    within = around.replace(bias_init=fg.FromArrays([0.5] * 4, [0.5] * 4, [-90.0] * 4, [0.1]))
    for exp, born in ((around, False), (within, True)):
        row = library(exp, seeds=1).dataset
        assert bool(row.born_dead[0]) == born == bool(naive.run(exp, 0)[1]["born_dead"])
        trace = fg.replay(exp.replace(epochs=3), 0)
        assert (fg.explain.failure(trace).cause in ("dead", "born_dead")) == born
    assert library(around, seeds=1).dataset.dead_units_final.values.tolist() == [[0, 4, 0]]
    assert GATED.relu_gates == (True, False, True)


LAYERS = fg.Linear(2, 4), fg.ReLU(), fg.Linear(4, 4)


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        ([fg.Skip(1), fg.Linear(2, 1)], r"layers\[0\] = Skip\(1\): expected a Linear layer"),
        ([*LAYERS, fg.Skip(4)], r"layers\[3\] = Skip\(4\): expected a Skip over 1 to 3 layers"),
        ([*LAYERS, fg.Skip(3)], r"layers\[3\] = Skip\(3\): .*give out as many units as they take in.* 2 .* 4"),
        ([*LAYERS, fg.Tanh(), fg.Skip(1)], r"layers\[4\] = Skip\(1\): expected a Skip over a Linear layer"),
    ],
)
def test_what_does_not_fit_is_one_line(layers, said):
    with pytest.raises(InvalidExperiment, match=said) as caught:
        fg.Network(*layers)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("over", [0, -1, 1.5, True, "two", None])
def test_what_is_no_number_of_layers_is_refused(over):
    with pytest.raises(InvalidExperiment, match=r"over = .*expected an integer"):
        fg.Skip(over)


def test_mlp_says_why_it_has_no_skips():
    for sizes in ((2, 1), (2, 4, 1), (2, 4, 8, 1), (4, 4, 1)):
        with pytest.raises(InvalidExperiment, match="skip = True: expected False, or two hidden layers of one width"):
            fg.mlp(*sizes, skip=True)
    with pytest.raises(InvalidExperiment, match="skip = 1: expected True or False"):
        fg.mlp(2, 4, 4, 1, skip=1)


def test_a_network_says_its_skips_and_comes_back():
    assert str(RESIDUAL) == "2-4-4-4-1 relu/relu+skip(2)/relu+skip(2)/linear"
    exp = REGIMES["restarts"]
    for again in (fg.Experiment.from_json(exp.to_json()), fg.Experiment.from_dict(exp.to_dict()), exp.replace()):
        assert again == exp
    assert pickle.loads(pickle.dumps(GATED)) == GATED == eval(repr(GATED), vars(fg) | {"Network": fg.Network})
    with pytest.raises(InvalidExperiment, match="did you mean 'over'"):
        fg.Skip(ovr=2)


def test_without_dropout_a_skip_leads_around_the_same():
    dropped = fg.mlp(2, 4, 4, 1, dropout=0.5, skip=True)
    assert dropped.layers[-2] == fg.Skip(3)
    assert dropped.without_dropout() == fg.mlp(2, 4, 4, 1, skip=True)


def test_skip_is_a_word_of_a_network():
    assert reshaped(fg.mlp(2, 4, 4, 1), "skip", True) == fg.mlp(2, 4, 4, 1, skip=True)
    assert reshaped(RESIDUAL, "skip", False) == fg.mlp(2, 4, 4, 4, 1)
    assert reshaped(RESIDUAL, "hidden", (3, 3)) == fg.mlp(2, 3, 3, 1, skip=True)
    with pytest.raises(InvalidExperiment, match=r"the skip connections of mlp\(\.\.\., skip=True\)"):
        reshaped(fg.Network(*LAYERS, fg.Skip(1), fg.ReLU(), fg.Linear(4, 1)), "hidden", 3)


def test_a_sweep_over_skip_is_two_networks(tmp_path):
    exp = XOR.replace(network=fg.mlp(2, 4, 4, 1), epochs=2)
    swept = fg.sweep(exp, 20, {"skip": [False, True]}, progress=False)
    alone = [exp.replace(network=fg.mlp(2, 4, 4, 1, skip=skip)) for skip in (False, True)]
    losses = [library(each, 20).dataset.loss_final for each in alone]
    np.testing.assert_array_equal(swept.dataset.loss_final.values, losses)
    fg.sweep(exp, 20, {"skip": [False, True]}, store=tmp_path / "runs", progress=False)
    stored = fg.open_store(tmp_path / "runs")
    for skip, loss in zip((False, True), losses, strict=True):
        np.testing.assert_array_equal(stored.dataset({"skip": skip}).loss_final, loss)


def test_a_worked_pass_says_what_is_added_and_what_comes_back():
    net = fg.Network(fg.Linear(1, 1, False), fg.Linear(1, 1, False), fg.Skip(1), fg.Linear(1, 1, False))
    exp = fg.Experiment(net, fg.Dataset([[3.0]], [11.0]))
    work = fg.explain.worked_pass(exp, [[[2.0]], [[-0.5]], [[4.0]]])
    assert [layer.delta.item() for layer in work.layers] == [2, 4, 1]
    assert [layer.activation.item() for layer in work.layers] == [6, 3, 12]
    lines = str(work).splitlines()
    assert "  L2N0: sum = 6 * (-0.5) = -3" in lines
    assert "        -3 + 6 = 3, by a skip around 1 layer" in lines
    assert "  L1N0: -0.5 * 4 = -2, plus 4 by a skip: delta = 2" in lines


def test_skips_are_drawn_from_the_column_that_they_begin_at():
    exp = XOR.replace(network=GATED, epochs=3)
    assert skip_columns(exp) == [(1, 3)]
    trace = fg.replay(exp, 0)
    work = fg.explain.worked_pass(trace)
    for draw in (lambda ax: fg.plots.network(trace, 3, ax), lambda ax: fg.plots.worked_pass(work, ax)):
        figure = Figure()
        ax = draw(figure.add_subplot())
        arrows = [text.arrow_patch for text in ax.texts if getattr(text, "arrow_patch", None) is not None]
        assert len(arrows) == 1
        figure.canvas.draw()


def test_spectra_are_those_of_differences():
    exp = experiment("skips")
    params = fg.initial_params(exp, [4])
    spectrum = fg.hessian_spectrum(exp, params)
    start, step = flat(params)[0], 1e-5

    def gradient(row):
        own = [p[0] for p in split(exp.network, row[None])]
        parts = naive.gradients(exp, own, *naive.examples(exp))
        return np.concatenate([g.ravel() for g in parts]) / exp.data.n_examples

    moves = step * np.eye(len(start))
    hessian = np.array([(gradient(start + h) - gradient(start - h)) / (2 * step) for h in moves])
    np.testing.assert_allclose(np.linalg.eigvalsh((hessian + hessian.T) / 2), spectrum.eigenvalues[0], atol=1e-6)
    assert fg.ntk_spectrum(exp, [4]) is not None


@pytest.mark.parametrize("specialize", [False, True])
def test_of_two_that_begin_at_one_place_the_last_is_added_first(specialize):
    # h = 0, so every unit is 0 and the error is 1. With d the last delta, c = 2**-60: f passes back -1, the last
    # connection d, the first 1. (-1 + d) + 1 is 0, where (-1 + 1) + d is not.
    net = fg.Network(
        *(fg.Linear(1, 1, False), fg.Linear(1, 1, False), fg.Skip(1)),
        *(fg.Linear(1, 1, False), fg.Skip(3), fg.Linear(1, 1, False)),
    )
    exp = fg.Experiment(net, fg.Dataset([[1.0]], [-1.0]), optimizer=fg.SGD(1.0), epochs=1, stop=None)
    weights = [0.0, -1.0, 2.0**60, 2.0**-60]
    result = library(exp, params=[np.array([[[w]]]) for w in weights], specialize=specialize)
    assert [p.item() for p in result.params] == weights


def test_the_deltas_of_the_inputs_have_what_a_skip_brings_back():
    exp = experiment("skips")
    params = [p[0] for p in fg.initial_params(exp, [2])]
    flow = fg.explain.sign_flow(exp, params)
    step = 1e-6

    def losses(X):
        return naive.example_losses(exp.loss, naive.forward(exp.network, params, X), exp.data.y)

    for i in range(3):
        move = step * np.eye(3)[i]
        slope = (losses(exp.data.X + move) - losses(exp.data.X - move)) / (2 * step)
        np.testing.assert_allclose(flow.layers[-1].delta[:, i], slope, atol=1e-8)


def test_a_relu_blocks_what_arrives_though_a_skip_brings_delta_to_its_input():
    # z = -1 at the ReLU, which blocks; the Skip around it and the Linear layer passes delta on to z
    net = fg.Network(fg.Linear(1, 1, False), fg.ReLU(), fg.Linear(1, 1, False), fg.Skip(2))
    exp = fg.Experiment(net, fg.Dataset([[1.0]], [0.0]))
    flow = fg.explain.sign_flow(exp, [[[-1.0]], [[2.0]]])
    assert flow.output.tolist() == [[-1.0]]
    assert [(unit.layer, unit.arriving.tolist()) for unit in flow.blocked] == [(3, [-2.0])]
    assert [layer.delta.item() for layer in flow.layers] == [-1, -1, -2, -1, 1, 1]
    rules = [rule[1:] for rule in flow.rules.flow if rule.layer == 3]
    assert rules[0] == ("relu", "delta^4 = 0", "own^3 = 0")
    assert rules[-1] == ("relu", "a skip begins here", "delta^3 = own^3 + delta^6")
