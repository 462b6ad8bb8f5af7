"""Which parameters a penalty touches, and what that does to JSON."""

import json

import numpy as np
import pytest

import fastgrok as fg
from fastgrok.engine.kernel_params import make_kernel_params
from fastgrok.errors import InvalidExperiment

EXP = fg.Experiment(fg.mlp(2, 1), fg.datasets.xor(), optimizer=fg.SGD(0.1, weight_decay=0.5))


def test_the_json_says_decay_where_it_is_not_the_default_and_reads_without_it():
    plain = json.loads(EXP.to_json())
    assert "decay" not in plain["optimizer"]
    weights = EXP.replace_at("optimizer.decay", "weights")
    assert json.loads(weights.to_json())["optimizer"]["decay"] == "weights"
    assert weights.id != EXP.id
    for exp in (EXP, weights):
        assert fg.Experiment.from_json(exp.to_json()) == exp
    plain["optimizer"]["decay"] = "all"
    assert fg.Experiment.from_dict(plain).id == EXP.id


def test_other_words_are_refused():
    with pytest.raises(InvalidExperiment, match="decay = 'biases': expected one of 'all', 'weights'"):
        fg.SGD(decay="biases")


def test_weights_are_told_from_biases():
    net = fg.Network(fg.Linear(2, 3), fg.ReLU(), fg.Linear(3, 2, bias=False), fg.Tanh(), fg.Linear(2, 1))
    exp = EXP.replace(network=net, optimizer=fg.Adam(l1=0.1, decay="weights"))
    weights = make_kernel_params(exp).hyperparams.weights
    np.testing.assert_array_equal(weights, [1] * 6 + [0] * 3 + [1] * 6 + [1] * 2 + [0])


@pytest.mark.parametrize("optimizer", [fg.SGD, fg.Adam, fg.AdamW, fg.RMSprop, fg.Adagrad, fg.Rprop])
@pytest.mark.parametrize("specialize", [False, True])
def test_biases_stay_where_there_is_no_gradient(optimizer, specialize):
    """Inputs and errors of 0: what moves is moved by a penalty."""
    params = [np.array([[[0.5], [-0.5]]]), np.array([[0.25]])]
    nothing = fg.Dataset([[0, 0]], [[0.25]])
    for decay in ("all", "weights"):
        of = optimizer(0.1, weight_decay=0.1, l1=0.01, decay=decay)
        exp = EXP.replace(data=nothing, optimizer=of, batch_size="full", epochs=1, stop=None)
        weight, bias = fg.run(exp, params=params, keep_params=True, specialize=specialize, progress=False).params
        assert (np.abs(weight) < 0.5).all()
        assert (bias == 0.25).all() == (decay == "weights")
