"""What the specialised driver is bound to: the structure of an experiment, and its examples if they are few."""

from typing import Any

import numpy as np

from fastgrok.engine.drift import drift_limits
from fastgrok.engine.kernel_params import driver_features, is_fused, is_long, layer_table, n_state, structure
from fastgrok.engine.layout import make_layout
from fastgrok.engine.workspace import training_data
from fastgrok.kernels.lanes.binding import Binding, bind_to
from fastgrok.spec.experiment import Experiment
from fastgrok.spec.layers import Linear
from fastgrok.spec.recording import NOTHING, Recording

_WRITTEN_OUT = 256  # parameters times examples of an epoch that is compiled as one piece

_STACK_VECTORS = 512  # beyond, the stack is no place for a block's parameters


def knows_examples(experiment: Experiment, recording: Recording = NOTHING) -> bool:
    """Whether the specialised driver has the examples as constants: they are few, and come in one order."""
    if experiment.order != "fixed" or is_long(experiment) or driver_features(experiment, recording).tracks:
        return False
    return experiment.data.n_examples * experiment.n_params <= _WRITTEN_OUT


def make_binding(experiment: Experiment, recording: Recording = NOTHING) -> Binding:
    """Return what the specialised driver is bound to: see kernels/lanes/constants.py."""
    layout = make_layout(experiment.network)
    s, (sizes, arguments) = structure(experiment, layout), layer_table(layout)
    values: dict[str, Any] = {
        "structure": s,
        "n_layers": s.n_layers,
        "n_backward": s.n_backward,
        "loss_kind": s.loss.kind,
        "n_examples": experiment.data.n_examples,
        "batch_size": experiment.batch_rows,
        "sizes": sizes,
        "arguments": arguments,
    }
    if knows_examples(experiment, recording):
        data = training_data(experiment)
        values |= {"inputs": data.inputs, "targets": data.targets}
        if _is_binary(experiment) and not driver_features(experiment, recording).holds:
            first = layout.layers[0]
            end = first.weight + first.n_in * first.n_out
            values |= {"binary": True, "first": first.weight, "bias": end, "end": end}
            if first.bias >= 0:
                values |= {"bias": first.bias, "end": first.bias + first.n_out}
    if (limits := drift_limits(experiment)) is not None and not driver_features(experiment, recording).tracks:
        values |= limits._asdict() | {"drift_vectors": 1}
    return bind_to(values | _registers(experiment, recording))


def _registers(experiment: Experiment, recording: Recording) -> dict[str, int]:
    """Return how many vectors of what are worked on in registers: none where they are many."""
    n, acts = experiment.n_params, make_layout(experiment.network).n_acts
    found = {
        "params_vectors": n,
        "state_vectors": n_state(experiment),
        "grads_vectors": n * (not is_fused(experiment)),
        "acts_vectors": acts,
    }
    if sum(found.values()) + acts > _STACK_VECTORS or driver_features(experiment, recording).tracks:
        return {}  # what is tracked is looked up by an index
    return {name: n for name, n in found.items() if n}


def _is_binary(experiment: Experiment) -> bool:
    """Whether the first layer needs no products: see kernels/train/known.py."""
    layer = experiment.network.layers[0]
    data = [each.X for each in (experiment.data, experiment.validation) if each is not None]
    if not isinstance(layer, Linear) or not all(np.isin(X, (0, 1)).all() and not np.signbit(X).any() for X in data):
        return False
    return layer.bias or (is_fused(experiment) and bool(experiment.data.X.any(axis=1).all()))
