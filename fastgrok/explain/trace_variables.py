"""Every variable of a trace once: what replaying a seed records beside its result variables."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from fastgrok.spec.experiment import Experiment
from fastgrok.spec.network import Network
from fastgrok.spec.variables import EPOCH

STEP, EXAMPLE, ATTEMPT, PLACE = "step", "example", "attempt", "place"
"""Dimensions of a trace: updates; rows of the data; attempts of a seed that starts again; places in a batch."""


def unit_dim(layer: int) -> str:
    """Return the dimension of the units that Linear layer number `layer` gives out; 0: the inputs."""
    return f"unit_{layer}"


class TraceVariable(NamedTuple):
    """One variable of a trace."""

    dims: tuple[str, ...]  # its dimensions, after `seed` where there are several seeds
    units: str  # its unit, "1" for what has none
    meaning: str  # one sentence


_SCALARS = {
    "loss": "Mean loss over the training examples.",
    "accuracy": "Accuracy on the training data, as accuracy_final.",
    "gradient_norm": "Euclidean norm of the gradient of the mean loss over all training examples.",
}

_VALIDATION = {
    "loss_validation": "Mean loss over the validation examples.",
    "accuracy_validation": "Accuracy on the validation data.",
}

_PARAMS = {
    "{param}_{k}": "The {param} of Linear layer {k}.",
    "gradient_{param}_{k}": "Gradient of the mean loss over the training data by the {param} of Linear layer {k}.",
}

_UNITS = {
    "pre_activation": "z: what Linear layer {} gives out, and what a Skip right after it adds.",
    "activation": "a = f(z): what the activations after Linear layer {} give out; z where there are none.",
    "delta": "dL/dz at Linear layer {}, L the loss of this example alone.",
}


def shared_variables(network: Network) -> Mapping[str, TraceVariable]:
    """Return the variables that are the same for every seed: the data."""
    last = len(network.linears)
    return {
        "input": TraceVariable((EXAMPLE, unit_dim(0)), "1", "Inputs of the training examples."),
        "target": TraceVariable((EXAMPLE, unit_dim(last)), "1", "Targets of the training examples."),
    }


def trace_variables(experiment: Experiment, *, steps: bool) -> Mapping[str, TraceVariable]:
    """Return all variables but the data, recorded after each update (`steps`) or after each epoch."""
    time = STEP if steps else EPOCH
    variables = dict(_after_each(experiment, time))
    early = experiment.early_stopping
    if early is not None and early.restore_best:
        meaning = "The {param} of Linear layer {k} in the end: restored from the best epoch."
        variables |= dict(_params(experiment.network, "{param}_{k}_final", meaning))
    if experiment.restart is not None:
        meaning = "The {param} of Linear layer {k} with which an attempt began."
        variables |= dict(_params(experiment.network, "{param}_{k}_start", meaning, ATTEMPT))
        variables["attempt_of"] = TraceVariable((time,), "1", "The attempt, from 0, in which it was so.")
    if steps:
        variables["batch_example"] = TraceVariable(
            (time, PLACE), "1", "The examples of the update that led here; -1: none, or a shorter batch."
        )
        variables["epoch_of"] = TraceVariable(
            (time,), "epoch", "The epoch, from 1, of the update; 0 before the first."
        )
    return variables


def _after_each(experiment: Experiment, time: str) -> Iterator[tuple[str, TraceVariable]]:
    """Yield what is recorded after each epoch or step, `time` being that dimension."""
    scalars = _SCALARS | (_VALIDATION if experiment.validation is not None else {})
    for name, meaning in scalars.items():
        yield name, TraceVariable((time,), "1", meaning)
    for form, meaning in _PARAMS.items():
        yield from _params(experiment.network, form, meaning, time)
    for k in range(1, len(experiment.network.linears) + 1):
        for name, meaning in _UNITS.items():
            yield f"{name}_{k}", TraceVariable((time, EXAMPLE, unit_dim(k)), "1", meaning.format(k))
    for k in dict.fromkeys(experiment.network.relu_layers):
        meaning = f"Whether a ReLU unit after Linear layer {k} is dead: it takes in nothing above 0."
        yield f"dead_{k}", TraceVariable((time, unit_dim(k)), "1", meaning)


def param_variables(network: Network) -> list[str]:
    """Return the variables that hold the parameters, in the order of `network.param_shapes`."""
    return [name for name, _ in _params(network, "{param}_{k}", "")]


def _params(network: Network, form: str, meaning: str, *dims: str) -> Iterator[tuple[str, TraceVariable]]:
    """Name one array for each of `network.param_shapes`, in that order."""
    for k, layer in enumerate(network.linears, start=1):
        shapes = {"weight": (unit_dim(k - 1), unit_dim(k)), **({"bias": (unit_dim(k),)} if layer.bias else {})}
        for param, units in shapes.items():
            yield form.format(param=param, k=k), TraceVariable((*dims, *units), "1", meaning.format(param=param, k=k))
