"""What an explanation is given: an experiment and parameters, or a trace and a time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgrok.engine.params import joined, split
from fastgrok.errors import InvalidExperiment
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.network import Network

Params = list[NDArray[Any]]
"""The parameters of one network, one array for each of `network.param_shapes`."""


def one_network(network: Network, params: Any, dtype: str) -> Params:
    """
    Return the parameters of one network, checked and rounded.

    Examples
    --------
    >>> import fastgrok as fg
    >>> one_network(fg.mlp(1, 1), [[[2]], [0.5]], "float64")
    [array([[2.]]), array([0.5])]
    """
    flat = joined(network, params, dtype)
    if len(flat) != 1:
        raise InvalidExperiment("params", f"those of {len(flat)} networks", "those of one network")
    return [array[0] for array in split(network, flat)]


def experiment_and_params(given: Any, params: Any, at: Any) -> tuple[Experiment, Params]:
    """
    Return what is explained: an experiment and the parameters of one network, in the experiment's dtype.

    Examples
    --------
    >>> import fastgrok as fg
    >>> trace = fg.replay(fg.Experiment(fg.mlp(2, 1), fg.datasets.xor(), epochs=3), seed=1)
    >>> [array.shape for array in experiment_and_params(trace, None, 2)[1]]
    [(2, 1), (1,)]
    """
    if isinstance(given, Experiment):
        if at is not None:
            raise InvalidExperiment("at", at, "None with an experiment: a time is that of a trace")
        if params is None:
            raise InvalidExperiment(
                "params", params, "the parameters of one network, or a trace and not an experiment"
            )
        return given, one_network(given.network, params, given.dtype)
    from fastgrok.explain.trace import checked_trace, experiment_of, params_at  # and with it the kernels

    trace = checked_trace(given)
    if params is not None:
        raise InvalidExperiment("params", params, "None with a trace, which has its own: at= says which")
    experiment, found = experiment_of(trace), params_at(trace, at)
    if not all(np.isfinite(array).all() for array in found):
        raise InvalidExperiment("at", at, "a time at which the parameters are finite: the seed diverged")
    return experiment, one_network(experiment.network, found, experiment.dtype)
