"""The sign-flow article's example, and the signs of every network against the numbers of the kernels that train."""

import itertools

import numpy as np
import pytest
import registry

import fastgrok as fg
from fastgrok.explain import sign_flow

ARTICLE = fg.Network(fg.Linear(3, 1, bias=False), fg.ReLU(gradient_at_zero=1))
WEIGHTS = [[[1 / 200], [-3000 / 11_600_000], [1 / 5800]]]


def article(inputs, target, **arguments):
    return sign_flow(fg.Experiment(ARTICLE, fg.Dataset([inputs], [target])), WEIGHTS, **arguments)


def initial(exp):
    return [array[0] for array in fg.initial_params(exp, [1])]


@pytest.mark.parametrize(
    ("target", "delta", "back", "update"),
    [(1, -1, [-1, 1, -1], [1, 1, 1]), (-1, 1, [1, -1, 1], [-1, -1, -1])],
    ids=["lower than expected", "higher than expected"],
)
def test_the_articles_model_on_an_example(target, delta, back, update):
    flow = article([2, 3, 1], target)
    assert [(layer.number, layer.name) for layer in flow.layers] == [
        (4, "loss"), (3, "relu"), (2, "linear"), (1, "input"),
    ]  # fmt: skip
    assert [layer.sign[0].tolist() for layer in flow.layers] == [[delta], [delta], back, back]
    assert flow.layers[2].direction_weight[0, :, 0].tolist() == update
    assert flow.blocked == ()


def test_a_negative_input_turns_an_update_and_an_input_of_zero_moves_nothing():
    assert article([2, -3, 0], 1).layers[2].direction_weight[0, :, 0].tolist() == [1, -1, 0]


def test_what_is_as_expected_is_kept():
    flow = article([2, 3, 1], float(2 / 200 - 3 * 3000 / 11_600_000 + 1 / 5800))
    output = float(flow.output[0, 0])
    flow = article([2, 3, 1], output)
    assert [layer.sign[0].tolist() for layer in flow.layers] == [[0], [0], [0, 0, 0], [0, 0, 0]]
    assert not flow.layers[2].direction_weight.any()


def test_a_relu_below_zero_blocks_and_a_leaky_one_passes_a_hundredth():
    flow = article([-2, 3, 1], 1)
    assert flow.layers[1].delta.tolist() == [[0]]
    assert flow.layers[1].leaky.tolist() == [[-0.01]]
    (unit,) = flow.blocked
    assert unit[:3] == (3, 1, 0)
    assert unit.examples.tolist() == [0]
    assert unit.arriving.tolist() == [-1]
    assert unit.leaky.tolist() == [-0.01]
    assert unit.dead
    assert article([-2, 3, 1], 1, leaky_slope=0.2).blocked[0].leaky.tolist() == [-0.2]


def test_where_nothing_arrives_nothing_is_blocked():
    flow = article([-2, 3, 1], 0)
    assert flow.output.tolist() == [[0]]
    assert flow.blocked == ()
    assert not flow.layers[1].blocked.any()


def test_the_gradient_at_zero_decides_at_zero():
    assert article([0, 0, 0], 1).layers[1].sign[0].tolist() == [-1]
    exp = fg.Experiment(fg.mlp(3, 1, output="relu", bias=False), fg.Dataset([[0, 0, 0]], [1]))
    assert sign_flow(exp, WEIGHTS).layers[1].sign[0].tolist() == [0]


def test_a_unit_that_blocks_is_dead_only_if_it_is_so_on_all_of_the_data():
    exp = fg.Experiment(ARTICLE, fg.Dataset([[-2, 3, 1], [2, 3, 1]], [1, 1]))
    (unit,) = sign_flow(exp, WEIGHTS, examples=0).blocked
    assert unit.examples.tolist() == [0]
    assert not unit.dead


@pytest.mark.parametrize(("name", "loss", "dtype"), registry.EXPLAINED)
def test_signs_are_those_of_the_trace(name, loss, dtype):
    exp = registry.experiment(name, loss=loss, dtype=dtype, epochs=1)
    trace = fg.replay(exp, 3)
    flow = sign_flow(trace, at=1)
    then = trace.sel(epoch=1)
    linears = [layer for layer in flow.layers if layer.name == "linear"][::-1]
    for k, layer in enumerate(linears, start=1):
        behind = flow.layers[flow.layers.index(layer) - 1]
        delta = then[f"delta_{k}"].values
        assert (behind.sign == np.sign(delta)).all()
        before = then["input"].values if k == 1 else then[f"activation_{k - 1}"].values
        assert (layer.direction_weight == -np.sign(before)[:, :, None] * np.sign(delta)[:, None, :]).all()
        if f"bias_{k}" in trace:
            assert (layer.direction_bias == -np.sign(delta)).all()


@pytest.mark.parametrize("name", ["mixed", "relu_output", "no_bias", "two_in_a_row"])
def test_every_update_obeys_its_rule(name):
    exp = registry.experiment(name)
    flow = sign_flow(exp, initial(exp))
    rules = {(rule.layer, rule.situation): rule.direction for rule in flow.rules.updates}
    for behind, layer in itertools.pairwise(flow.layers):
        if layer.direction_weight is None:
            continue
        k = layer.number
        for (row, i, j), direction in np.ndenumerate(layer.direction_weight):
            delta, given = behind.delta[row, j], layer.taken[row, i]
            situation = f"delta^{k + 1} {'<' if delta < 0 else '>'} 0 and o^{k - 1} {'>=' if given >= 0 else '<'} 0"
            expected = rules[k, situation if delta else f"delta^{k + 1} = 0"]
            assert direction == (expected if given else 0)


def test_blocked_units_are_those_whose_relu_passes_nothing_of_what_arrives():
    exp = registry.experiment("mixed")
    flow = sign_flow(exp, initial(exp))
    trace = fg.replay(exp, 1).sel(epoch=0)
    closed = trace["pre_activation_1"].values <= 0
    found = {(unit.linear, unit.unit): unit.examples.tolist() for unit in flow.blocked}
    assert found == {(1, k): np.flatnonzero(closed[:, k]).tolist() for k in np.flatnonzero(closed.any(axis=0))}
    assert [unit.dead for unit in flow.blocked] == trace["dead_1"].values[
        [unit.unit for unit in flow.blocked]
    ].tolist()


def test_cross_entropy_passes_a_saturated_sigmoid():
    network = fg.mlp(1, 1, output="sigmoid", bias=False)
    data = fg.Dataset([[1.0]], [0])
    flow = sign_flow(fg.Experiment(network, data, loss="binary_cross_entropy"), [[[800.0]]])
    assert flow.blocked == ()
    assert [layer.sign[0].tolist() for layer in flow.layers] == [[1], [1], [1], [1]]
    stopped = sign_flow(fg.Experiment(network, data), [[[800.0]]])
    assert [(unit.layer, unit.dead) for unit in stopped.blocked] == [(3, False)]


def test_numbers_too_large_have_signs_and_warn_of_nothing():
    exp = fg.Experiment(fg.mlp(1, 2, 1), fg.Dataset([[1e200]], [1]))
    flow = sign_flow(exp, [np.full(shape, 1e200) for shape in exp.network.param_shapes])
    assert [layer.sign[0].tolist() for layer in flow.layers] == [[1], [1, 1], [1, 1], [1], [1]]
    assert "output (inf), target (1): higher than expected" in str(flow)


def test_only_the_examples_asked_for_are_there():
    exp = registry.experiment("mixed")
    whole, some = sign_flow(exp, initial(exp)), sign_flow(exp, initial(exp), examples=[3, 1])
    assert some.examples.tolist() == [3, 1]
    for all_of_it, part in zip(whole.layers, some.layers, strict=True):
        assert (all_of_it.sign[[3, 1]] == part.sign).all()


def test_the_text_has_the_tables():
    text = str(article([-2, 3, 1], 1)).splitlines()
    for line in (
        "L2     delta^3 < 0 and o^1 < 0   lower than expected   decrease w^2",
        "Example 0: input (-2, 3, 1), output (0), target (1): lower than expected",
        "  L3 relu    delta^3      x",
        "  w^2_2   -0.000258621    3        0    keep",
        "  L3 unit 1, dead, z <= 0 on all of the data: example 0 (arrives -1, leaky -0.01)",
    ):
        assert line in text
    assert "No unit blocks the flow." in str(article([2, 3, 1], 1))


@pytest.mark.parametrize(("name", "loss"), [pair for *pair, dtype in registry.EXPLAINED if dtype == "float64"])
def test_the_text_is_at_most_100_wide(name, loss):
    exp = registry.experiment(name, loss=loss)
    flow = sign_flow(exp, initial(exp))
    assert max(map(len, str(flow).splitlines())) <= 100
    assert "In the data, and not in this text: 1 more." in str(flow)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"examples": [4]}, r"examples = \[4\]: expected None, or numbers of examples from 0 to 0"),
        ({"examples": "a"}, "examples = 'a'"),
        ({"examples": []}, r"examples = \[\]"),
        ({"leaky_slope": 0}, "leaky_slope = 0: expected a number greater than 0"),
    ],
)
def test_what_will_not_do_is_named(arguments, message):
    with pytest.raises(fg.InvalidExperiment, match=message):
        article([1, 1, 1], 1, **arguments)
