"""One network and its pass through examples: every activation and delta, as the kernels compute them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.datasets import Dataset
from fastgrok.engine.driver import lane_count
from fastgrok.engine.layout import make_layout
from fastgrok.engine.losses import LOSSES
from fastgrok.engine.notices import shown
from fastgrok.engine.params import joined, split
from fastgrok.engine.program import Program
from fastgrok.errors import InvalidExperiment
from fastgrok.explain.trace import checked_trace, experiment_of, params_at
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.network import Network

Array = NDArray[Any]

Params = list[Array]
"""The parameters of one network, one array for each of `network.param_shapes`."""


def params_of_one(network: Network, params: Any, dtype: str) -> Params:
    """Return the parameters of one network, checked and rounded."""
    flat = joined(network, params, dtype)
    if len(flat) != 1:
        raise InvalidExperiment("params", f"those of {len(flat)} networks", "those of one network")
    return [array[0] for array in split(network, flat)]


def check_without_dropout(field: str, network: Network) -> None:
    """Raise where updates are made with masks, if what is explained is an update without."""
    if network.dropout_rates:
        expected = "a network without Dropout, such as network.without_dropout(): updates here are made with masks"
        raise InvalidExperiment(field, network, expected)


def experiment_and_params(source: Any, params: Any, at: Any) -> tuple[Experiment, Params]:
    """Return an experiment and the parameters of one network: those given, or those of a trace at a time."""
    if isinstance(source, Experiment):
        if at is not None:
            raise InvalidExperiment("at", at, "None with an experiment: a time is that of a trace")
        if params is None:
            raise InvalidExperiment(
                "params", params, "the parameters of one network, or a trace and not an experiment"
            )
        return source, params_of_one(source.network, params, source.dtype)
    trace = checked_trace(source)
    if params is not None:
        raise InvalidExperiment("params", params, "None with a trace, which has its own: at= says which")
    experiment, recorded = experiment_of(trace), params_at(trace, at)
    if not all(np.isfinite(array).all() for array in recorded):
        raise InvalidExperiment("at", at, "a time at which the parameters are finite: the seed diverged")
    return experiment, params_of_one(experiment.network, recorded, experiment.dtype)


def linear_params(network: Network, params: Sequence[Array]) -> list[tuple[Array, Array | None]]:
    """Return the weight of each Linear layer, and its bias or None."""
    rest = iter(params)
    return [(next(rest), next(rest) if layer.bias else None) for layer in network.linears]


class Pass(NamedTuple):
    """A forward and a backward pass of some examples."""

    acts: list[Array]  # the inputs, then the outputs of each layer, (n_examples, width) each
    deltas: list[Array]  # dL/d(acts), L the loss of an example alone
    grads: Params  # of the mean loss
    loss: float  # the mean loss


def network_pass(experiment: Experiment, params: Params, X: Array, y: Array) -> Pass:
    """Send examples through a network and back, with the kernels that train.

    X: inputs (n_examples, n_in); y: targets (n_examples, n_out).

    Notes
    -----
    Where a loss is differentiated together with the last activation, there is no delta between the two: it is
    that of the activation's input on both sides.
    """
    network = experiment.network
    on_examples = Experiment(network, Dataset(X, y), loss=experiment.loss, dtype=experiment.dtype)
    lanes = lane_count(on_examples, specialize=False, n_seeds=1)
    program = Program(on_examples, specialize=False, lanes=lanes, n_seeds=1)
    flat = np.concatenate([array.ravel() for array in params])[None]
    with shown(None):
        examined = program.examine(flat, program.memory())
    units = make_layout(network).units
    acts, deltas = ([whole[0][:, place] for place in units] for whole in (examined.acts, examined.deltas))
    if LOSSES[experiment.loss].together_with is not None:
        deltas[-1] = deltas[-2]
    for start, end in reversed(network.skips):
        if start == 0:  # whose delta no kernel needs
            deltas[0] = deltas[0] + deltas[end + 1]
    grads = [array[0] for array in split(network, examined.grads)]
    return Pass(acts, deltas, grads, float(examined.training.loss[0]))
