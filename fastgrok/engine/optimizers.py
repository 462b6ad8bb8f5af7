"""Everything about each optimizer, by its spec class.

A further one is a class in `spec/optimizers.py`, its update in `kernels/nn/optimizers.py`, and a record here.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from fastgrok.engine.records import Records
from fastgrok.kernels.nn.optimizers import AdamHyperparams, SGDHyperparams, SGDTerms, adam_update, sgd_update
from fastgrok.spec.optimizers import SGD, Adam


class StateSize(NamedTuple):
    """How much an optimizer remembers."""

    per_param: int  # numbers for each parameter
    more: int = 0  # and for all of them


class Optimizer(NamedTuple):
    """What an optimizer is, `o` being its spec. What all have (weight_decay, l1, clip_norm) is not its own."""

    update: Callable[..., Any]  # on lanes
    terms: Callable[[Any], Any]  # terms(o): which terms of its own there are, as a NamedTuple of bools, or None
    hyperparams: Callable[[Any], Any]  # hyperparams(o): numbers of its own, as a NamedTuple of floats, or None
    state: Callable[[Any], StateSize]  # state(o)
    is_plain: Callable[[Any], bool]  # is_plain(o): w -= lr g and nothing else, so that backward can do the update
    operations: int  # of the update of one parameter, about


OPTIMIZERS: Records[type[Any], Optimizer] = Records(
    "optimizer",
    "fastgrok/engine/optimizers.py",
    {
        SGD: Optimizer(
            update=sgd_update,
            terms=lambda o: SGDTerms(o.momentum > 0, o.nesterov),
            hyperparams=lambda o: SGDHyperparams(o.momentum),
            state=lambda o: StateSize(per_param=1, more=1) if o.momentum > 0 else StateSize(0),
            is_plain=lambda o: not o.momentum,
            operations=4,
        ),
        Adam: Optimizer(
            update=adam_update,
            terms=lambda o: None,
            hyperparams=lambda o: AdamHyperparams(o.beta1, o.beta2, 1 - o.beta1, 1 - o.beta2, o.eps),
            state=lambda o: StateSize(per_param=2, more=2),
            is_plain=lambda o: False,
            operations=20,
        ),
    },
)
"""The records."""


def is_plain(optimizer: Any) -> bool:
    """Whether an update subtracts lr times the gradient and nothing else, whatever lr does from epoch to epoch."""
    if optimizer.weight_decay or optimizer.l1 or optimizer.clip_norm:
        return False
    return OPTIMIZERS[type(optimizer)].is_plain(optimizer)
