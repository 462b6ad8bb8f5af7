"""One input through one network, forward and backward, every number on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgrok.datasets.arrays import examples_array, targets_array
from fastgrok.errors import InvalidExperiment
from fastgrok.explain.given import Params, experiment_and_params
from fastgrok.explain.passes import Pass, passed, weight_and_bias
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.layers import Layer
from fastgrok.spec.optimizers import SGD

Array = NDArray[Any]


class ActivationPass(NamedTuple):
    """
    One activation.

    Parameters
    ----------
    layer
        Which.
    before
        (width,), what it takes in.
    after
        (width,), f(before).
    slope
        (width,), f'(before).
    delta
        (width,), dL/d(after).
    """

    layer: Layer
    before: Array
    after: Array
    slope: Array
    delta: Array


class LayerPass(NamedTuple):
    """
    One Linear layer with its activations.

    Parameters
    ----------
    number
        Its number among the Linear layers, from 1.
    inputs
        (fan_in,), x.
    weight
        (fan_in, fan_out).
    bias
        (fan_out,), or None.
    products
        (fan_in, fan_out), x_i w_ij.
    pre_activation
        (fan_out,), z: the sums of the products, and the bias.
    activations
        What follows, in order.
    activation
        (fan_out,), what comes out after them.
    delta
        (fan_out,), dL/dz.
    returned
        (fan_in, fan_out), w_ij delta_j: summed over j they are dL/dx.
    gradient_weight
        (fan_in, fan_out), x_i delta_j.
    gradient_bias
        (fan_out,), delta; or None.
    new_weight
        weight - lr gradient_weight; None where an update depends on more than this example.
    new_bias
        Likewise.
    """

    number: int
    inputs: Array
    weight: Array
    bias: Array | None
    products: Array
    pre_activation: Array
    activations: tuple[ActivationPass, ...]
    activation: Array
    delta: Array
    returned: Array
    gradient_weight: Array
    gradient_bias: Array | None
    new_weight: Array | None
    new_bias: Array | None


@dataclass(frozen=True)
class WorkedPass:
    """
    One input, forward and backward.

    Parameters
    ----------
    experiment
        What it was given to.
    example
        Its number in the data; None for an input that is not of the data.
    inputs
        (n_in,).
    target
        (n_out,).
    layers
        The Linear layers with their activations, from the first.
    output
        (n_out,).
    loss
        Of this example.
    lr
        The learning rate of the update in `new_weight`; None where there is none.

    Notes
    -----
    All in the experiment's dtype. The gradients are those of this example's own loss, and `new_weight` is what plain
    SGD with this example alone makes of the weight: with batch_size=1 that is the update of training.
    """

    experiment: Experiment
    example: int | None
    inputs: Array
    target: Array
    layers: tuple[LayerPass, ...]
    output: Array
    loss: float
    lr: float | None

    def __str__(self) -> str:
        from fastgrok.explain.worked_text import written

        with np.errstate(over="ignore", invalid="ignore"):
            return written(self)


def worked_pass(
    experiment: Any,
    params: Any = None,
    example: int | ArrayLike = 0,
    *,
    target: ArrayLike | None = None,
    at: int | None = None,
) -> WorkedPass:
    """
    Work out what a network makes of one input, and what one update makes of the network.

    Parameters
    ----------
    experiment
        An experiment; or a trace of one seed.
    params
        With an experiment: the parameters of one network, as for `run`.
    example
        The number of an example in the data, from 0; or the inputs themselves, n_in numbers.
    target
        With inputs: their targets, n_out numbers.
    at
        With a trace: the epoch or step after which the network is looked at; None: the last.

    Raises
    ------
    InvalidExperiment
        If an argument will not do.

    Notes
    -----
    After the manual calculation in Heaton, *Applications of Deep Neural Networks*, part 3.5, and on to the backward
    pass. The sums are NumPy's: they equal those of training but for rounding.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 2, 1, output="relu", bias=False), fg.datasets.xor())
    >>> work = worked_pass(exp, [[[.66, -.95], [-.66, .95]], [[1.5], [1.0]]], example=1)
    >>> work.layers[0].pre_activation, work.output
    (array([-0.66,  0.95]), array([0.95]))
    """
    experiment, own = experiment_and_params(experiment, params, at)
    number, inputs, targets = _example(experiment, example, target)
    both = passed(experiment.network, own, experiment.loss, inputs, targets)
    lr = plain_lr(experiment)
    with np.errstate(over="ignore", invalid="ignore"):
        layers = tuple(_layers(experiment, own, both, lr))
    return WorkedPass(
        experiment,
        number,
        both.values[0][0],
        targets[0].astype(experiment.dtype),
        layers,
        both.values[-1][0],
        float(both.losses[0]),
        lr,
    )


def plain_lr(experiment: Experiment) -> float | None:
    """
    Return the learning rate of SGD that subtracts lr times the gradient and nothing else; None of any other.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 1), fg.datasets.xor())
    >>> plain_lr(exp), plain_lr(exp.replace_at("optimizer", fg.Adam()))
    (0.1, None)
    """
    return experiment.optimizer.lr if experiment.optimizer == SGD(experiment.optimizer.lr) else None


def _example(experiment: Experiment, example: Any, target: Any) -> tuple[int | None, Array, Array]:
    """Return the number of the example, if it has one, its inputs (1, n_in) and its targets (1, n_out)."""
    data = experiment.data
    if isinstance(example, int | np.integer) and not isinstance(example, bool):
        if target is not None:
            raise InvalidExperiment("target", target, "None with the number of an example, which has its own")
        if not 0 <= example < data.n_examples:
            raise InvalidExperiment("example", example, f"a number from 0 to {data.n_examples - 1}, or inputs")
        row = int(example)
        return row, data.X[[row]], data.y[[row]]
    if target is None:
        raise InvalidExperiment("target", target, f"the targets of the inputs in example=, {data.n_out} numbers")
    inputs, targets = examples_array("example", [example]), targets_array("target", [np.ravel(target)])
    for field, array, n in (("example", inputs, data.n_in), ("target", targets, data.n_out)):
        if array.shape[1] != n:
            raise InvalidExperiment(field, array[0].tolist(), f"{n} numbers")
    if experiment.loss == "binary_cross_entropy" and not ((targets >= 0) & (targets <= 1)).all():
        raise InvalidExperiment("target", targets[0].tolist(), "from 0 to 1 for loss='binary_cross_entropy'")
    return None, inputs, targets


def _layers(experiment: Experiment, params: Params, both: Pass, lr: float | None) -> list[LayerPass]:
    """Return the Linear layers of a pass with their activations."""
    layers = experiment.network.layers
    weights = weight_and_bias(experiment.network, params)
    places = [place for place, own in enumerate(weights) if own is not None]
    made: list[LayerPass] = []
    for number, (place, end) in enumerate(zip(places, [*places[1:], len(layers)], strict=True), start=1):
        own = weights[place]
        assert own is not None
        weight, bias = own
        inputs, delta = both.values[place][0], both.deltas[place + 1][0]
        gradient = inputs[:, None] * delta
        made.append(
            LayerPass(
                number,
                inputs,
                weight,
                bias,
                inputs[:, None] * weight,
                both.values[place + 1][0],
                tuple(_activation(layers[k], both, k) for k in range(place + 1, end)),
                both.values[end][0],
                delta,
                weight * delta,
                gradient,
                None if bias is None else delta,
                _updated(weight, gradient, lr),
                None if bias is None else _updated(bias, delta, lr),
            )
        )
    return made


def _activation(layer: Layer, both: Pass, place: int) -> ActivationPass:
    """Return what an activation does in a pass."""
    slope = both.slopes[place]
    assert slope is not None
    return ActivationPass(
        layer, both.values[place][0], both.values[place + 1][0], slope[0], both.deltas[place + 1][0]
    )


def _updated(param: Array, gradient: Array, lr: float | None) -> Array | None:
    """Return a weight or bias after an update of plain SGD."""
    return None if lr is None else param - param.dtype.type(lr) * gradient
