"""What there is to test, from the records of the engine: what has a record is tested by being there.

Every network goes from 3 inputs to 2 outputs; the data has 5 examples, so that batches of 2 and 3 leave a short one.
"""

from __future__ import annotations

from typing import get_args

import numpy as np

import fastgrok as fg
from fastgrok.engine import activations, losses, optimizers
from fastgrok.spec.layers import ACTIVATIONS as CLASSES
from fastgrok.spec.losses import LAST_LAYERS, Reduction

NAMES = {cls: name for name, cls in CLASSES.items()}
ACTIVATIONS = {NAMES[cls]: cls() for cls, each in activations.ACTIVATIONS.items() if each.functions.backward}
ACTIVATIONS_WITH_FIELDS = {
    "relu_gradient_one": fg.ReLU(gradient_at_zero=1),
    "relu_gradient_half": fg.ReLU(gradient_at_zero=0.5),
    "leaky_relu_steep": fg.LeakyReLU(slope=0.3),
    "elu_low": fg.ELU(alpha=0.3),
    "gelu_by_tanh": fg.GELU("tanh"),
    "softplus_steep": fg.Softplus(beta=3),
}
ALIKE = {name: fg.mlp(3, 4, 2, hidden=layer) for name, layer in (ACTIVATIONS | ACTIVATIONS_WITH_FIELDS).items()}
NETWORKS = {
    "linear": fg.Network(fg.Linear(3, 2)),
    "mixed": fg.Network(
        fg.Linear(3, 4), fg.ReLU(), fg.Linear(4, 3), fg.Tanh(), fg.Linear(3, 3), fg.LeakyReLU(), fg.Linear(3, 2)
    ),
    "no_bias": fg.mlp(3, 4, 2, hidden="relu", bias=False),
    "some_biases": fg.Network(fg.Linear(3, 4, False), fg.Tanh(), fg.Linear(4, 4), fg.ReLU(), fg.Linear(4, 2, False)),
    "width_1": fg.mlp(3, 1, 1, 2, hidden="leaky_relu"),
    "relu_output": fg.mlp(3, 4, 2, hidden="tanh", output="relu"),
    "sigmoid_output": fg.mlp(3, 4, 2, hidden="relu", output="sigmoid"),
    "two_in_a_row": fg.Network(fg.Linear(3, 4), fg.Tanh(), fg.ReLU(), fg.Linear(4, 2)),
    "two_linear_in_a_row": fg.Network(fg.Linear(3, 2), fg.Linear(2, 4), fg.ReLU(), fg.Linear(4, 2)),
    "depth_5": fg.mlp(3, *[4] * 4, 2, hidden="tanh"),
    "depth_30": fg.mlp(3, *[2] * 29, 2, hidden="leaky_relu"),
    "widths_5_to_9": fg.mlp(3, 5, 6, 7, 8, 9, 2, hidden="leaky_relu"),
    "width_256": fg.mlp(3, 256, 2, hidden="relu"),
    "dropout": fg.Network(
        *(fg.Linear(3, 4), fg.Tanh(), fg.Dropout(0.5), fg.Linear(4, 5), fg.ReLU(), fg.Dropout(0)),
        *(fg.Dropout(0.25), fg.Linear(5, 2)),
    ),
    **ALIKE,
    "skips": fg.Network(
        *(fg.Linear(3, 4), fg.ReLU(), fg.Linear(4, 4), fg.Tanh(), fg.Linear(4, 4), fg.Skip(3), fg.ReLU()),
        *(fg.Linear(4, 4, False), fg.Skip(2), fg.Skip(7), fg.Tanh(), fg.Linear(4, 3), fg.Skip(12), fg.Linear(3, 2)),
    ),
}
WITHOUT_MASKS = [name for name, network in NETWORKS.items() if not network.dropout_rates]
LOSSES = tuple(losses.LOSSES)
ONCE = [
    *((name, LOSSES[place % len(LOSSES)]) for place, name in enumerate(NETWORKS) if name != "mixed"),
    *(("mixed", loss) for loss in LOSSES),
]
"""Each network with one loss, another each time, and "mixed" with all: drivers are compiled for each set of kinds."""

EXPLAINED = [
    *((name, loss, "float64") for name, loss in ONCE if name in WITHOUT_MASKS),
    *(("mixed", loss, "float32") for loss in LOSSES),
]
REDUCTIONS = get_args(Reduction)
BATCHES = (1, 2, 3, "full")
ORDERS = ("fixed", "shared", "per_seed", "with_replacement")
STREAMS = ("numpy", "numpy_legacy")
DTYPES = ("float64", "float32")
OPTIMIZERS = {
    **{cls.__name__: cls(0.1) for cls in optimizers.OPTIMIZERS},
    **{f"{cls.__name__}_penalties": cls(0.1, weight_decay=0.1, l1=0.05) for cls in optimizers.OPTIMIZERS},
    **{f"{cls.__name__}_clipped": cls(0.1, clip_norm=0.5) for cls in optimizers.OPTIMIZERS},
    "momentum": fg.SGD(0.1, momentum=0.9),
    "nesterov": fg.SGD(0.1, momentum=0.9, nesterov=True),
    "weight_decay": fg.SGD(0.1, weight_decay=0.1),
    "l1": fg.SGD(0.1, l1=0.05),
    "all": fg.SGD(0.1, momentum=0.5, weight_decay=0.1, l1=0.05),
    "other_betas": fg.Adam(0.05, beta1=0.5, beta2=0.9, eps=1e-3),
    "rmsprop_momentum": fg.RMSprop(0.05, alpha=0.9, momentum=0.9),
    "rmsprop_centered": fg.RMSprop(0.05, alpha=0.9, eps=1e-3, centered=True),
    "rmsprop_all": fg.RMSprop(0.05, alpha=0.8, eps=1e-3, momentum=0.5, centered=True, weight_decay=0.1, l1=0.05),
    "adagrad_decay": fg.Adagrad(0.1, lr_decay=0.3),
    "adagrad_all": fg.Adagrad(0.1, lr_decay=0.1, initial_accumulator_value=0.5, eps=1e-3, weight_decay=0.1),
    "rprop_limits": fg.Rprop(0.1, eta_minus=0.3, eta_plus=2.0, step_size_min=0.05, step_size_max=0.15),
}
OPTIMIZERS |= {f"{name}_of_weights": OPTIMIZERS[name].replace(decay="weights") for name in ("all", "AdamW_penalties")}
UPDATES = [(name, size) for name, of in OPTIMIZERS.items() for size in (["full"] if of.full_batch_only else BATCHES)]
ORDERED = [
    (name, size, order) for name, size in UPDATES for order in (ORDERS if name in ("SGD", "Adam") else ORDERS[:1])
]
"""Updates with orders of the examples: all with plain SGD and Adam; each order needs a driver for each optimizer."""

# One scheme at least for each kind of distribution, and for each form of what is drawn.
SCHEMES = (
    fg.Constant(0.3),
    fg.Uniform(-1, 1),
    fg.Normal(0.1, 0.5),
    fg.TruncatedNormal(0, 0.5),
    fg.Orthogonal(),
    fg.Sparse(0.5),
    fg.Identity(),
    fg.NguyenWidrow(),
    fg.RAI(),
)

_X = np.array([[0, 0, 1], [0.5, 0.25, -0.5], [-0.5, 0.5, 0.25], [1, -0.5, 0.5], [0.25, 1, 1]])
DATA = fg.Dataset(_X, [[0, 1], [1, 1], [0.25, 0], [1, 0], [0, 0.5]], "mixed")
ONE_HOT = fg.Dataset(_X, [[0, 1], [1, 0], [1, 0], [0, 1], [1, 0]], "one_hot")


SHARES = fg.Dataset(_X, [[0, 1], [0.5, 0.5], [0.25, 0.75], [1, 0], [0.625, 0.375]], "shares")


def ending_as(loss: str, network: fg.Network) -> fg.Network:
    """Return the network with what a loss needs at the end."""
    last = LAST_LAYERS.get(loss)
    return network if last is None or isinstance(network.layers[-1], last) else fg.Network(*network.layers, last())


def experiment(network: str = "mixed", *, loss: str = "half_squared_error", **fields) -> fg.Experiment:
    """An experiment on a network of the registry: Xavier weights and drawn biases, so that nothing is zero."""
    net = ending_as(loss, NETWORKS[network])
    fields = {
        "data": SHARES if loss == "cross_entropy" else DATA,
        "init": fg.XavierUniform(1.2),
        "bias_init": fg.Uniform(-0.5, 0.5),
        "stop": None,
        "epochs": 3,
    } | fields
    return fg.Experiment(net, fields.pop("data"), loss=loss, **fields)
