"""The update of the parameters from a batch's gradients."""

from __future__ import annotations

from typing import NamedTuple

from fastgrok.kernels.jit import device
from fastgrok.kernels.lanes import copysign, fma, like, select


class Terms(NamedTuple):
    """Which terms of the update there are: what is zero for the whole run costs nothing."""

    weight_decay: bool
    l1: bool
    momentum: bool


class Rates(NamedTuple):
    """The numbers of the update."""

    lr: float
    weight_decay: float
    l1: float
    momentum: float


@device
def sgd_update(params, moments, grads, n_params, terms, rates):
    """g += weight_decay w + l1 sign(w); v = momentum v + g; w -= lr v."""
    for p in range(n_params):
        w = params[p]
        g = grads[p]
        if terms.weight_decay:
            g = fma(like(w, rates.weight_decay), w, g)
        if terms.l1:
            sign = select(w == like(w, 0.0), like(w, 0.0), copysign(like(w, 1.0), w))
            g = fma(like(w, rates.l1), sign, g)
        if terms.momentum:
            g = fma(like(w, rates.momentum), moments[p], g)
            moments[p] = g
        params[p] = fma(like(w, -rates.lr), g, w)
