"""Everything about each optimizer, by its spec class.

A further one is a class in `spec/optimizers.py`, its update in `kernels/nn/optimizers.py`, and a record here.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from fastgrok.engine.records import Records
from fastgrok.kernels.nn.optimizers import (
    AdagradHyperparams,
    AdagradTerms,
    AdamHyperparams,
    RMSpropHyperparams,
    RMSpropTerms,
    RpropHyperparams,
    SGDHyperparams,
    SGDTerms,
    adagrad_update,
    adam_update,
    adamw_update,
    rmsprop_update,
    rprop_update,
    sgd_update,
)
from fastgrok.spec.optimizers import SGD, Adagrad, Adam, AdamW, RMSprop, Rprop


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


def _adam_hyperparams(o: Adam | AdamW) -> AdamHyperparams:
    return AdamHyperparams(o.beta1, o.beta2, 1 - o.beta1, 1 - o.beta2, o.eps)


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
            hyperparams=_adam_hyperparams,
            state=lambda o: StateSize(per_param=2, more=2),
            is_plain=lambda o: False,
            operations=20,
        ),
        AdamW: Optimizer(
            update=adamw_update,
            terms=lambda o: None,
            hyperparams=_adam_hyperparams,
            state=lambda o: StateSize(per_param=2, more=2),
            is_plain=lambda o: False,
            operations=22,
        ),
        RMSprop: Optimizer(
            update=rmsprop_update,
            terms=lambda o: RMSpropTerms(o.momentum > 0, o.centered),
            hyperparams=lambda o: RMSpropHyperparams(o.alpha, 1 - o.alpha, o.eps, o.momentum),
            state=lambda o: StateSize(per_param=1 + o.centered + (o.momentum > 0), more=1),
            is_plain=lambda o: False,
            operations=18,
        ),
        Adagrad: Optimizer(
            update=adagrad_update,
            terms=lambda o: AdagradTerms(o.lr_decay > 0, o.initial_accumulator_value > 0),
            hyperparams=lambda o: AdagradHyperparams(o.lr_decay, o.initial_accumulator_value, o.eps),
            state=lambda o: StateSize(per_param=1, more=2),
            is_plain=lambda o: False,
            operations=16,
        ),
        Rprop: Optimizer(
            update=rprop_update,
            terms=lambda o: None,
            hyperparams=lambda o: RpropHyperparams(o.eta_minus, o.eta_plus, o.step_size_min, o.step_size_max),
            state=lambda o: StateSize(per_param=2),
            is_plain=lambda o: False,
            operations=12,
        ),
    },
)
"""The records."""


def has_rates(optimizer: Any) -> bool:
    """Whether layers have learning rates of their own; those that are frozen need none."""
    return any(factor not in (0, 1) for factor in optimizer.lr_factors or ())


def is_plain(optimizer: Any) -> bool:
    """Whether an update subtracts lr times the gradient and nothing else, whatever lr does from epoch to epoch."""
    if optimizer.weight_decay or optimizer.l1 or optimizer.clip_norm or has_rates(optimizer):
        return False
    return OPTIMIZERS[type(optimizer)].is_plain(optimizer)
