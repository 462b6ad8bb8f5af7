"""Training and validation loss, and where they part."""

import numpy as np
import pytest
from matplotlib.axes import Axes
from pictures import rendered

import fastgrok as fg
from fastgrok.plots.curves import overfitting, overfitting_curves

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


@pytest.mark.parametrize("every", ["epoch", "step"])
def test_the_picture_shows_both_curves_and_the_parting(every: str, ax: Axes) -> None:
    found = fg.explain.overfitting(fg.replay(EXPERIMENT, 0, every=every))
    curves = overfitting_curves(found)
    assert curves.validation[curves.times == curves.parts] == curves.validation.min()
    assert overfitting(found, ax) is ax
    training, validation, parting = ax.lines
    np.testing.assert_array_equal(training.get_ydata(), curves.training)
    np.testing.assert_array_equal(validation.get_ydata(), curves.validation)
    assert set(parting.get_xdata()) == {curves.parts}
    assert [text.get_text() for text in ax.texts] == ["", f"gap {found.gap:.3g}"]


def test_a_network_that_diverges_is_drawn(ax: Axes) -> None:
    rendered(overfitting(fg.explain.overfitting(fg.replay(EXPERIMENT.replace_at("optimizer.lr", 10.0), 0)), ax))
