"""Which examples a specialised driver is compiled for."""

from typing import NamedTuple

import numpy as np

from fastgrok.engine.kernel_params import driver_features, is_fused, is_long
from fastgrok.engine.layout import make_layout
from fastgrok.kernels.train.parameters import Data, KnownExamples
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.layers import Linear
from fastgrok.spec.recording import NOTHING, Recording

_WRITTEN_OUT = 256  # parameters times examples of an epoch that is compiled as one piece


class Known(NamedTuple):
    """The examples that a driver is compiled for, in numbers of Python: a part of its key."""

    inputs: tuple[tuple[float, ...], ...]
    targets: tuple[tuple[float, ...], ...]
    batch_size: int
    binary: bool
    guarded: tuple[int, int]
    bias: int

    def examples(self, dtype: str) -> KnownExamples:
        """Return them as constants of a driver."""
        data = Data(np.array(self.inputs, dtype), np.array(self.targets, dtype))
        return KnownExamples(data, *self[2:])


def known_examples(experiment: Experiment, recording: Recording = NOTHING) -> Known | None:
    """Return the examples that the specialised driver is compiled for, or None where they are too many."""
    n = experiment.data.n_examples
    if experiment.order != "fixed" or is_long(experiment) or driver_features(experiment, recording).tracks:
        return None
    if n * experiment.n_params > _WRITTEN_OUT:
        return None
    first = make_layout(experiment.network).layers[0]
    end = first.bias + first.n_out if first.bias >= 0 else first.weight + first.n_in * first.n_out
    return Known(
        tuple(map(tuple, experiment.data.X.tolist())),
        tuple(map(tuple, experiment.data.y.tolist())),
        experiment.batch_rows,
        _is_binary(experiment),
        (first.weight, end),
        first.bias if first.bias >= 0 else end,
    )


def _is_binary(experiment: Experiment) -> bool:
    """Whether the first layer needs no products: see kernels/train/known.py."""
    layer = experiment.network.layers[0]
    data = [each.X for each in (experiment.data, experiment.validation) if each is not None]
    if not isinstance(layer, Linear) or not all(np.isin(X, (0, 1)).all() and not np.signbit(X).any() for X in data):
        return False
    return layer.bias or (is_fused(experiment) and bool(experiment.data.X.any(axis=1).all()))
