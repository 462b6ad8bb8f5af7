"""The records of activations, losses, optimizers and distributions."""

import numpy as np
import pytest

import fastgrok as fg
from fastgrok.engine.activations import ACTIVATIONS
from fastgrok.engine.draws import FORMS, KINDS
from fastgrok.engine.layout import functions, loss_kind
from fastgrok.engine.losses import LOSSES
from fastgrok.engine.optimizers import OPTIMIZERS, is_plain
from fastgrok.spec import layers, losses
from fastgrok.spec.base import registered
from fastgrok.spec.optimizers import Optimizer

Z = np.linspace(-3, 3, 25)


def test_every_specification_has_a_record_and_every_record_a_specification():
    assert set(ACTIVATIONS) == set(registered(layers.Activation).values())
    assert set(ACTIVATIONS) == set(layers.ACTIVATIONS.values()) - {None}
    assert set(OPTIMIZERS) == set(registered(Optimizer).values())
    assert set(LOSSES) == set(losses.LOSSES)


@pytest.mark.parametrize(
    ("records", "message"),
    [
        (ACTIVATIONS, "no record of the activation Uniform: add one to fastgrok/engine/activations.py"),
        (OPTIMIZERS, "no record of the optimizer Uniform: add one to fastgrok/engine/optimizers.py"),
        (LOSSES, "no record of the loss Uniform: add one to fastgrok/engine/losses.py"),
        (KINDS, "no record of the kind of distribution Uniform: add one to fastgrok/engine/draws.py"),
        (FORMS, "no record of the form of initial parameters Uniform: add one to fastgrok/engine/draws.py"),
    ],
)
def test_what_has_no_record_is_said_where_to_add(records, message):
    for look_up in (records.__getitem__, records.place):
        with pytest.raises(LookupError, match=message):
            look_up(fg.Uniform)


@pytest.mark.parametrize("activation", [cls for cls, each in ACTIVATIONS.items() if each.functions.backward])
def test_slope_and_curvature_in_numpy_are_those_of_the_definition_in_text(activation):
    record, namespace = ACTIVATIONS[activation], {"np": np}
    exec(record.definition, namespace)
    name = next(name for name, cls in layers.ACTIVATIONS.items() if cls is activation)
    layer, h = activation(), 1e-6
    a = namespace[name](Z)
    kinks = np.array([0.0, -1.0, 1.0, -3.0, 3.0])
    away = (np.abs(Z[:, None] - kinks) > h).all(axis=1)
    central = (namespace[name](Z + h) - namespace[name](Z - h)) / (2 * h)
    slopes = record.slope(layer, Z, a)
    np.testing.assert_allclose(slopes[away], central[away], rtol=1e-6)
    assert record.slope(layer, np.float32(Z), np.float32(a)).dtype == np.float32
    bent = (
        record.slope(layer, Z + h, namespace[name](Z + h)) - record.slope(layer, Z - h, namespace[name](Z - h))
    ) / (2 * h)
    np.testing.assert_allclose(record.curvature(layer, Z, a)[away], bent[away], rtol=1e-6, atol=1e-9)
    assert record.curvature(layer, np.float32(Z), np.float32(a)).dtype == np.float32
    signs = {"keeps": slopes > 0, "blocks": slopes[Z < 0] == 0, "varies": np.array([True])}
    assert signs[record.sign(layer)].all()


def test_losses_that_differ_by_a_factor_are_one_kind_to_kernels():
    assert [loss_kind(loss) for loss in losses.LOSSES] == [0, 0, 1, 2, 3, 4]
    assert len(functions().losses) == 5


@pytest.mark.parametrize(
    ("optimizer", "plain"),
    [
        (fg.SGD(), True),
        (fg.SGD(schedule=fg.StepLR(3)), True),
        (fg.SGD(momentum=0.5), False),
        (fg.SGD(l1=0.1), False),
        (fg.SGD(weight_decay=0.1), False),
        (fg.SGD(clip_norm=1), False),
        (fg.Adam(), False),
    ],
)
def test_plain_updates_subtract_lr_times_the_gradient_and_nothing_else(optimizer, plain):
    assert is_plain(optimizer) == plain
