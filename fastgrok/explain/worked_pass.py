"""One input through one network, forward and backward, every number on the way."""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fastgrok.datasets.arrays import examples_array, targets_array
from fastgrok.engine.activations import ACTIVATIONS
from fastgrok.engine.layout import activation_places, pre_activation_place
from fastgrok.engine.losses import LOSSES
from fastgrok.errors import InvalidExperiment, one_line
from fastgrok.explain.layer_pass import (
    ActivationPass,
    LayerPass,
    backward_text,
    factor,
    forward_text,
    gradient_table,
    returned_text,
)
from fastgrok.explain.passes import (
    Array,
    Params,
    Pass,
    check_without_dropout,
    experiment_and_params,
    linear_params,
    network_pass,
)
from fastgrok.explain.text import indented, numbers, precise, wrapped
from fastgrok.kernels.environment import in_default_environment
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.layers import Skip
from fastgrok.spec.losses import check_targets
from fastgrok.spec.network import Network
from fastgrok.spec.optimizers import SGD

_LEGEND = (
    "L0 are the inputs, L1 is what Linear layer 1 gives out; N0 is the first unit of a layer, B the bias. "
    "Numbers are shown to six digits and calculated with all."
)


@dataclass(frozen=True)
class WorkedPass:
    """One input, forward and backward.

    Parameters
    ----------
    experiment
        The experiment of the network.
    example
        Its number in the data; None for an input that is not of the data.
    inputs, target, output
        (n_in,), (n_out,), (n_out,).
    layers
        The Linear layers with their activations, from the first.
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
        with np.errstate(over="ignore", invalid="ignore"):  # of a network that diverges
            return "\n".join(_text(self))


@in_default_environment
def worked_pass(
    experiment: Any,
    params: Any = None,
    example: int | ArrayLike = 0,
    *,
    target: ArrayLike | None = None,
    at: int | None = None,
) -> WorkedPass:
    """Work out what a network makes of one input, and what one update makes of the network.

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
        With a trace: the epoch or step after which the network is taken; None: the last.

    Raises
    ------
    InvalidExperiment
        If an argument does not fit the experiment, or the network has Dropout.

    Notes
    -----
    After the manual calculation in Heaton, *Applications of Deep Neural Networks*, part 3.5, and on to the backward
    pass. Activations, deltas, gradients and the loss are those of the kernels that train.

    Examples
    --------
    >>> import fastgrok as fg
    >>> exp = fg.Experiment(fg.mlp(2, 2, 1, output="relu", bias=False), fg.datasets.xor())
    >>> work = worked_pass(exp, [[[.66, -.95], [-.66, .95]], [[1.5], [1.0]]], example=1)
    >>> work.layers[0].pre_activation, work.output
    (array([-0.66,  0.95]), array([0.95]))
    """
    experiment, own_params = experiment_and_params(experiment, params, at)
    check_without_dropout("experiment.network", experiment.network)
    number, inputs, targets = _example(experiment, example, target)
    both = network_pass(experiment, own_params, inputs, targets)
    lr = _plain_lr(experiment)
    with np.errstate(over="ignore", invalid="ignore"):
        layers = tuple(_layers(experiment, own_params, both, lr))
    return WorkedPass(
        experiment,
        number,
        both.acts[0][0],
        targets[0].astype(experiment.dtype),
        layers,
        both.acts[-1][0],
        both.loss,
        lr,
    )


def _plain_lr(experiment: Experiment) -> float | None:
    """Return the learning rate of SGD that subtracts lr times the gradient and nothing else; None of any other."""
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
    check_targets("target", experiment.loss, targets)
    return None, inputs, targets


def _layers(experiment: Experiment, params: Params, both: Pass, lr: float | None) -> Iterator[LayerPass]:
    """Yield the Linear layers of a pass with their activations."""
    network = experiment.network
    linears = zip(linear_params(network, params), linear_params(network, both.grads), strict=True)
    places = zip(activation_places(network), linears, strict=True)
    for number, ((place, last), ((weight, bias), (gradient_weight, gradient_bias))) in enumerate(places, start=1):
        inputs, delta = both.acts[place][0], both.deltas[place + 1][0]
        yield LayerPass(
            number,
            inputs,
            weight,
            bias,
            inputs[:, None] * weight,
            both.acts[pre_activation_place(network, place) + 1][0],
            tuple(_activation(network, both, k) for k in range(place + 1, last + 1)),
            both.acts[last + 1][0],
            delta,
            _begun(network, both, place + 1),
            weight * delta,
            gradient_weight,
            gradient_bias,
            _updated(weight, gradient_weight, lr),
            _updated(bias, gradient_bias, lr),
        )


def _activation(network: Network, both: Pass, place: int) -> ActivationPass:
    """Return what an activation or a Skip does in a pass."""
    layer, before, after = network.layers[place], both.acts[place][0], both.acts[place + 1][0]
    added, slope = None, np.ones_like(before)
    if isinstance(layer, Skip):
        added = both.acts[place - layer.over][0]
    else:
        slope = ACTIVATIONS[type(layer)].slope(layer, before, after)
    begun = _begun(network, both, place + 1)
    return ActivationPass(layer, before, after, slope, both.deltas[place + 1][0], added, begun)


def _begun(network: Network, both: Pass, place: int) -> Array | None:
    """Return the sum of the deltas of the Skips that begin at what the layer at a place takes in, if any."""
    found = [both.deltas[end + 1][0] for start, end in reversed(network.skips) if start == place]
    return functools.reduce(np.add, found) if found else None


def _updated(param: Array | None, gradient: Array | None, lr: float | None) -> Array | None:
    """Return a weight or bias after an update of plain SGD."""
    return None if param is None or gradient is None or lr is None else param - param.dtype.type(lr) * gradient


def _text(work: WorkedPass) -> Iterator[str]:
    """Write a pass: its forward half, its backward half, and the gradients of each layer."""
    which = "An input" if work.example is None else f"Example {work.example} of {one_line(work.experiment.data.name)}"
    yield from wrapped(
        f"{which} through {work.experiment.network}: inputs {numbers(work.inputs)}, target {numbers(work.target)}"
    )
    yield from [*wrapped(_LEGEND, hanging=0), "", "Forward"]
    for layer in work.layers:
        yield from forward_text(layer)
    yield from wrapped(f"output = {numbers(work.output)}", indent=2)
    yield from _loss_text(work)
    yield from ["", "Backward: delta is how much the loss grows with a sum"]
    together = LOSSES[work.experiment.loss].together_with is not None
    *hidden, last = work.layers
    yield from backward_text(last, _from_loss(work), together)
    for layer, after in zip(reversed(hidden), reversed(work.layers), strict=False):
        yield from backward_text(layer, functools.partial(returned_text, after), False)
    yield from ["", *wrapped(_update_text(work), hanging=0)]
    for layer in work.layers:
        yield from ["", indented(gradient_table(layer))]


def _loss_text(work: WorkedPass) -> Iterator[str]:
    """Write the errors and the loss."""
    errors = work.output - work.target
    for j, (output, target, error) in enumerate(zip(work.output, work.target, errors, strict=True)):
        which = f" of L{len(work.layers)}N{j}" if len(errors) > 1 else ""
        yield f"  error{which} = output - target = {precise(output)} - {factor(target)} = {precise(error)}"
    formula = LOSSES[work.experiment.loss].formula(list(work.output), list(work.target), precise, factor)
    yield from wrapped(f"loss = {formula} = {precise(work.loss)}", indent=2)


def _from_loss(work: WorkedPass) -> Callable[[int], str]:
    """Return what says how the loss grows with an output, by unit."""
    errors, loss = work.output - work.target, LOSSES[work.experiment.loss]
    return lambda j: loss.growth(errors[j], precise, factor)


def _update_text(work: WorkedPass) -> str:
    """Say what the tables of gradients show."""
    experiment = work.experiment
    text = "Gradients: gradient = input * delta"
    if work.lr is None:
        return f"{text}. An update of {experiment.optimizer!r} takes more than the gradient: no new weight is given."
    text += f", new = old - {precise(work.lr)} * gradient"
    if experiment.batch_rows > 1:
        rows, reduction = experiment.batch_rows, experiment.reduction
        text += (
            f", as if this example were a batch of its own. In training a batch has {rows}, "
            f"and an update takes the {reduction} of their gradients"
        )
    return text + "."
