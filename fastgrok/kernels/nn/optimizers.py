"""The update of the parameters from a batch's gradients.

Each takes update(params, state, grads, minus_lr, n_params, terms, hyperparams): params and grads are (n_params, L),
`state` holds what the optimizer remembers and starts at zero, minus_lr is the negative learning rate of each lane.
"""

from typing import Any, NamedTuple

from fastgrok.kernels.jit import device
from fastgrok.kernels.lanes import copysign, fma, for_each, like, select, sqrt
from fastgrok.kernels.nn.fading import are_fading, average, were_fading, without_negligible, without_subnormal

_CLIP_EPS = 1e-6


class Terms(NamedTuple):
    """The terms of the update; what is zero for the whole run is none, and costs nothing."""

    weight_decay: bool
    l1: bool
    clip: bool
    own: Any  # those of one optimizer, such as SGDTerms; None where it has none


class Hyperparams(NamedTuple):
    """The numbers of the update; what is no term of it is 0."""

    lr: float
    weight_decay: float
    l1: float
    clip_norm: float
    own: Any  # those of one optimizer, such as SGDHyperparams; None where it has none


@device
def _clip(grads, n_params, clip_norm):
    """Scale gradients whose norm over all parameters is above clip_norm by clip_norm / (norm + 1e-6)."""
    one = like(grads[0], 1.0)
    squares = like(one, 0.0)
    for p in range(n_params):
        squares = fma(grads[p], grads[p], squares)
    factor = like(one, clip_norm) / (sqrt(squares) + like(one, _CLIP_EPS))
    factor = select(factor < one, factor, one)
    for p in range(n_params):
        grads[p] = grads[p] * factor


@device
def clip_gradients(grads, n_params, terms, hyperparams):
    """Clip the gradients, if that is a term: what every update begins with."""
    if terms.clip:
        _clip(grads, n_params, hyperparams.clip_norm)


@device
def with_penalties(g, w, terms, hyperparams):
    """Return g + weight_decay w + l1 sign(w): the gradient that every update works with."""
    if terms.weight_decay:
        g = fma(like(w, hyperparams.weight_decay), w, g)
    if terms.l1:
        sign = select(w == like(w, 0.0), like(w, 0.0), copysign(like(w, 1.0), w))
        g = fma(like(w, hyperparams.l1), sign, g)
    return g


class SGDTerms(NamedTuple):
    """Which terms SGD has."""

    momentum: bool
    nesterov: bool


class SGDHyperparams(NamedTuple):
    """The numbers of SGD."""

    momentum: float


@device
def _sgd_step(p, params, state, grads, minus_lr, terms, hyperparams, fading):
    """Update parameter p."""
    w = params[p]
    g = with_penalties(grads[p], w, terms, hyperparams)
    if terms.own.momentum:
        momentum = like(w, hyperparams.own.momentum)
        v = average(momentum, state[p], g, fading)
        state[p] = v
        g = average(momentum, v, g, fading) if terms.own.nesterov else v
        if fading:
            g = without_negligible(g, like(w, 1.0), minus_lr, w)
    params[p] = fma(minus_lr, g, w)


@device
def sgd_update(params, state, grads, minus_lr, n_params, terms, hyperparams):
    """v = momentum v + g; w -= lr v, or with Nesterov's look ahead w -= lr (g + momentum v).

    State: v (n_params), and what `were_fading` counts."""
    clip_gradients(grads, n_params, terms, hyperparams)
    if terms.own.momentum and were_fading(state, n_params):
        for_each("parameter", _sgd_step, n_params, (params, state, grads, minus_lr, terms, hyperparams, True))
    else:
        for_each("parameter", _sgd_step, n_params, (params, state, grads, minus_lr, terms, hyperparams, False))


class AdamHyperparams(NamedTuple):
    """The numbers of Adam."""

    beta1: float
    beta2: float
    fresh1: float  # 1 - beta1
    fresh2: float  # 1 - beta2
    eps: float


class _AdamStep(NamedTuple):
    """The numbers of one step of Adam, as vectors."""

    beta1: Any
    fresh1: Any
    beta2: Any
    fresh2: Any
    rate: Any  # -lr / c1
    root: Any  # 1 / sqrt(c2)
    eps: Any


@device
def _adam_step(p, params, state, grads, step, n_params, penalties, fading):
    """Update parameter p."""
    w = params[p]
    g = with_penalties(grads[p], w, *penalties)
    m = average(step.beta1, state[p], step.fresh1 * g, fading)
    v = average(step.beta2, state[n_params + p], step.fresh2 * (g * g), fading)
    state[p], state[n_params + p] = m, v
    if fading:
        m, v = without_negligible(m, step.eps, step.rate, w), without_subnormal(v, step.root, step.eps)
    params[p] = fma(step.rate, m / fma(sqrt(v), step.root, step.eps), w)


@device
def adam_update(params, state, grads, minus_lr, n_params, terms, hyperparams):
    """m = beta1 m + (1-beta1) g; v = beta2 v + (1-beta2) g**2; w -= lr/c1 m / (sqrt(v)/sqrt(c2) + eps).

    State: m (n_params), v (n_params), c1, c2. The corrections c = 1 - beta**t are averages like m and v, of ones
    instead of gradients, so that m / c1 is a mean of gradients whatever beta was rounded to.
    """
    clip_gradients(grads, n_params, terms, hyperparams)
    own = hyperparams.own
    beta1, fresh1 = like(minus_lr, own.beta1), like(minus_lr, own.fresh1)
    beta2, fresh2 = like(minus_lr, own.beta2), like(minus_lr, own.fresh2)
    c1 = fma(beta1, state[2 * n_params], fresh1)
    c2 = fma(beta2, state[2 * n_params + 1], fresh2)
    state[2 * n_params], state[2 * n_params + 1] = c1, c2
    root, eps = like(c2, 1.0) / sqrt(c2), like(c2, own.eps)
    step, penalties = _AdamStep(beta1, fresh1, beta2, fresh2, minus_lr / c1, root, eps), (terms, hyperparams)
    if are_fading(state, n_params):
        for_each("parameter", _adam_step, n_params, (params, state, grads, step, n_params, penalties, True))
    else:
        for_each("parameter", _adam_step, n_params, (params, state, grads, step, n_params, penalties, False))
