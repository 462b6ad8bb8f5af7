"""How far plain SGD cannot have come: where no loss can overflow, so that an evaluation may end early.

Of a network with one hidden layer let B >= 1 bound every parameter of a lane, X >= 1 every input and T every target.
Activations are tame: |f(z)| <= max(|z|, 1) and |f'| <= 1. Then with c = n_in X + 1 a hidden unit is at most c B, an
output at most (n_hidden c + 1) B**2 and a loss, summed, at most n n_out ((n_hidden c + 1) B**2 + T)**2.

A step whose first deltas, the learning rate in them, are at most d changes a weight or bias of the second layer by at
most d c B, of the first by n_out d B X: B becomes at most B (1 + g d), g = max(c, n_out X). After steps with the sum
of squares D, N of them, B has become at most B exp(g sqrt(N D)), by Cauchy and Schwarz.

So where B was at most B0, the loss is finite after each of the epochs that follow, while N and D are small enough.
Rounding changes each sum by less than a part in ten thousand; a quarter is left for that.
"""

import math
from typing import NamedTuple

import numpy as np

from fastgrok.engine.activations import ACTIVATIONS
from fastgrok.engine.kernel_params import driver_features, is_fused
from fastgrok.engine.losses import LOSSES
from fastgrok.kernels.nn.losses import add_squares
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.layers import Activation, Linear

_EPOCHS = 16  # after which the parameters are looked at again
_SPARE = 1.25
_LOST = 0.01  # of the drift, by rounding where it is summed, at most


class DriftLimits(NamedTuple):
    """What the squares of a lane's parameters and of its deltas may sum to."""

    most_squares: float
    most_drift: float  # from 0 where the squares are that small, with `drift_of_epoch` for each epoch
    drift_of_epoch: float


def drift_limits(experiment: Experiment) -> DriftLimits | None:
    """Return those of plain SGD with a criterion on a sum of squares, None where none are known or useful.

    They are of no use where an example that is not learned seldom tells that no criterion is met.
    """
    criteria, loss, linears = experiment.criteria, LOSSES[experiment.loss], experiment.network.linears
    others = [layer for layer in experiment.network.layers if not isinstance(layer, Linear)]
    if criteria is None or criteria.loss is None or experiment.check_every > 1 or not is_fused(experiment):
        return None
    features = driver_features(experiment)
    if features.monitors or features.stagnates or features.rests:  # every loss is needed, or gradient
        return None
    if loss.functions.add is not add_squares or len(linears) != 2:
        return None
    if not all(isinstance(layer, Activation) and ACTIVATIONS[type(layer)].is_tame for layer in others):
        return None
    halfway = (float(np.ptp(experiment.data.y)) / 2) ** 2  # the loss of an example between two targets
    if halfway * loss.factor / experiment.data.n_examples <= criteria.loss:
        return None
    n, n_in, n_hidden, n_out = experiment.data.n_examples, *(each.fan_in for each in linears), linears[-1].fan_out
    x, target = (float(max(each.max(), -each.min())) for each in (experiment.data.X, experiment.data.y))
    x = max(1.0, x)
    c = n_in * x + 1
    largest_sum = float(np.finfo(experiment.dtype).max) / _SPARE / max(1.0, loss.factor)
    largest_output = math.sqrt(largest_sum / (n * n_out)) - target
    if not largest_output > _SPARE * (n_hidden * c + 1):
        return None
    if _EPOCHS * n * n_out * np.finfo(experiment.dtype).eps > _LOST:
        return None
    growth = math.log(largest_output / _SPARE / (n_hidden * c + 1)) / 2  # from 1 to the largest B
    first = growth / 4  # of it to B0
    drift = ((growth - first) / _SPARE / max(c, n_out * x)) ** 2 / (_EPOCHS * n)
    return DriftLimits(math.exp(2 * first) / _SPARE, drift, drift / _EPOCHS)
