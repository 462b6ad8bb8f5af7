"""An activation and an optimizer that the package does not have: a spec class, functions and a record each."""

from __future__ import annotations

import importlib.util
from typing import Any, NamedTuple

import naive
import numpy as np
import pytest
import test_gradients
from registry import experiment
from test_twin import SEEDS, assert_like_the_twin, assert_like_the_twin_every_epoch

import fastgrok as fg
from fastgrok.engine.activations import ACTIVATIONS
from fastgrok.engine.layout import functions
from fastgrok.engine.optimizers import OPTIMIZERS, Optimizer, StateSize
from fastgrok.kernels.cache import identity
from fastgrok.kernels.jit import device
from fastgrok.kernels.lanes import absolute, fma, like, sqrt
from fastgrok.kernels.nn.optimizers import clip_gradients, with_penalties
from fastgrok.kernels.nn.passes import ActivationFunctions
from fastgrok.spec import base, layers, network
from fastgrok.spec import optimizers as specs
from fastgrok.spec.fields import Positive


def known_to_no_other_test(cls: Any) -> Any:
    """Make a spec of a class; the fixture `added` registers it."""
    cls = base.spec(cls)
    del base._REGISTRY[cls.__name__]
    return cls


# Elliott: z / (softness + |z|) ------------------------------------------------------------------------------


@known_to_no_other_test
class Elliott(layers.Activation):
    softness: Positive = 1.0


@device
def elliott_forward(z, softness):
    return z / (like(z, softness) + absolute(z))


@device
def elliott_backward(da, z, a, softness):
    denominator = like(z, softness) + absolute(z)
    return da * like(z, softness) / (denominator * denominator)


# RMSprop, as Keras has it: eps within the root ---------------------------------------------------------------


@known_to_no_other_test
class KerasRMSprop(specs.Optimizer):
    lr: specs.Positive = 0.01
    alpha: specs.Decay = 0.99
    eps: specs.Positive = 1e-8
    momentum: specs.Decay = 0.0
    weight_decay: specs.NotNegative = 0.0
    l1: specs.NotNegative = 0.0
    clip_norm: specs.ClipNorm = None
    schedule: specs.LearningRates = None
    decay: specs.Decayed = "all"


class KerasTerms(NamedTuple):
    momentum: bool


class KerasHyperparams(NamedTuple):
    alpha: float
    fresh: float  # 1 - alpha
    eps: float
    momentum: float


@device
def keras_rmsprop_update(params, state, grads, minus_lr, n_params, terms, hyperparams):
    clip_gradients(grads, n_params, terms, hyperparams)
    alpha, fresh = like(minus_lr, hyperparams.own.alpha), like(minus_lr, hyperparams.own.fresh)
    for p in range(n_params):
        w = params[p]
        g = with_penalties(p, grads[p], w, terms, hyperparams)
        v = fma(alpha, state[p], fresh * (g * g))
        state[p] = v
        step = g / sqrt(v + like(w, hyperparams.own.eps))
        if terms.own.momentum:
            step = fma(like(w, hyperparams.own.momentum), state[n_params + p], step)
            state[n_params + p] = step
        params[p] = fma(minus_lr, step, w)


def keras_rmsprop_direction(o, g, state, steps):
    state["v"] = o.alpha * state.get("v", 0) + (1 - o.alpha) * g**2
    state["b"] = o.momentum * state.get("b", 0) + g / np.sqrt(state["v"] + o.eps)
    return state["b"]


@pytest.fixture
def added(monkeypatch):
    """Both, with their records and twins, for one test."""
    monkeypatch.setitem(base._REGISTRY, "Elliott", Elliott)
    monkeypatch.setitem(base._REGISTRY, "KerasRMSprop", KerasRMSprop)
    monkeypatch.setitem(network._LABELS, Elliott, "elliott")
    like_tanh = ACTIVATIONS[fg.Tanh]._replace(
        functions=ActivationFunctions(elliott_forward, elliott_backward), argument=lambda layer: layer.softness
    )
    monkeypatch.setitem(ACTIVATIONS, Elliott, like_tanh)
    record = Optimizer(
        update=keras_rmsprop_update,
        terms=lambda o: KerasTerms(o.momentum > 0),
        hyperparams=lambda o: KerasHyperparams(o.alpha, 1 - o.alpha, o.eps, o.momentum),
        state=lambda o: StateSize(per_param=1 + (o.momentum > 0)),
        is_plain=lambda o: False,
        operations=15,
    )
    monkeypatch.setitem(OPTIMIZERS, KerasRMSprop, record)
    twin = (
        lambda layer, z: z / (layer.softness + np.abs(z)),
        lambda layer, z: layer.softness / (layer.softness + np.abs(z)) ** 2,
    )
    monkeypatch.setitem(naive.ACTIVATIONS, Elliott, twin)
    monkeypatch.setitem(naive.OPTIMIZERS, KerasRMSprop, keras_rmsprop_direction)


@pytest.fixture
def exp(added):
    """An experiment with both activations that it knows and the one that it does not."""
    net = fg.Network(fg.Linear(3, 4), Elliott(), fg.Linear(4, 3), fg.ReLU(), fg.Linear(3, 2), Elliott(0.5))
    return experiment("mixed").replace(network=net)


def test_an_added_activation_is_explained(exp):
    params = [array[0] for array in fg.initial_params(exp, [1])]
    assert "elliott(" in str(fg.explain.worked_pass(exp, params))
    assert "elliott" in {layer.name for layer in fg.explain.sign_flow(exp, params).layers}
    assert "elliott(" in fg.explain.algebra(exp.network).formula


@pytest.mark.parametrize("specialize", [False, True])
@pytest.mark.parametrize("batch_size", [1, 2])
def test_an_added_activation_trains_as_the_twin(exp, batch_size, specialize):
    assert_like_the_twin_every_epoch(exp.replace(batch_size=batch_size), specialize=specialize)


def test_the_gradients_of_an_added_activation_are_central_differences(exp, monkeypatch):
    monkeypatch.setattr(test_gradients, "experiment", lambda name, loss: exp.replace(loss=loss))
    test_gradients.test_gradients_are_central_differences("elliott", "squared_error")


@pytest.mark.parametrize("specialize", [False, True])
@pytest.mark.parametrize("momentum", [0, 0.9])
def test_an_added_optimizer_updates_as_the_twin(added, exp, momentum, specialize):
    optimizer = KerasRMSprop(0.05, alpha=0.9, momentum=momentum, weight_decay=0.01, clip_norm=0.5)
    assert_like_the_twin_every_epoch(exp.replace(optimizer=optimizer, batch_size=2), specialize=specialize)


@pytest.mark.parametrize("specialize", [False, True])
def test_a_float32_step_with_both_is_the_twins(added, exp, specialize):
    exp = exp.replace(optimizer=KerasRMSprop(0.05, eps=1e-3), batch_size="full", epochs=1, dtype="float32")
    assert_like_the_twin(exp, SEEDS, rtol=5e-6, specialize=specialize)


def test_what_was_there_trains_to_the_same_bits(added):
    exp = experiment("mixed", epochs=20)
    after = fg.run(exp, seeds=20, specialize=False, keep_params=True, progress=False)
    del ACTIVATIONS[Elliott]
    before = fg.run(exp, seeds=20, specialize=False, keep_params=True, progress=False)
    for one, other in zip(before.params, after.params, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_spec_without_a_record_says_where_to_add_one(added, exp):
    del ACTIVATIONS[Elliott]
    with pytest.raises(LookupError, match=r"no record of the activation Elliott: add one to fastgrok/engine/act"):
        fg.run(exp, seeds=1, progress=False)
    del OPTIMIZERS[KerasRMSprop]
    with pytest.raises(LookupError, match=r"no record of the optimizer KerasRMSprop: add one to fastgrok/engine/opt"):
        fg.run(experiment("mixed", optimizer=KerasRMSprop()), seeds=1, progress=False)


def test_the_key_of_a_kernel_says_which_functions_it_was_compiled_with(added, tmp_path):
    """By name for those of the package, whose sources are all in the key; by their file for others."""
    *known, forward, backward = functions().identity[: 2 * len(ACTIVATIONS)]
    assert known[:2] == [f"fastgrok.kernels.nn.activations.relu_{way}" for way in ("forward", "backward")]
    assert forward.startswith(f"{__name__}.elliott_forward:")
    assert backward.startswith(f"{__name__}.elliott_backward:")
    file, found = tmp_path / "own.py", set()
    for slope in (2, 3):
        file.write_text(f"def forward(z, argument):\n    return z * {slope}\n")
        loader = importlib.util.spec_from_file_location("own", file)
        module = importlib.util.module_from_spec(loader)
        loader.loader.exec_module(module)
        found.add(identity(module.forward))
    assert len(found) == 2
