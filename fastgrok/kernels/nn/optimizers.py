"""The update of the parameters from a batch's gradients.

Each takes update(params, state, grads, minus_lr, n_params, terms, hyperparams): params and grads are (n_params, L),
`state` holds what the optimizer remembers and starts at zero, minus_lr is the negative learning rate of each lane.
"""

from typing import Any, NamedTuple

from fastgrok.kernels.jit import device
from fastgrok.kernels.lanes import copysign, fma, for_each, is_subnormal, like, scalar_view, select, sqrt
from fastgrok.kernels.nn.fading import are_fading, average, were_fading, without_negligible, without_subnormal

_CLIP_EPS = 1e-6


class Terms(NamedTuple):
    """The terms of the update; what is zero for the whole run is none, and costs nothing."""

    weight_decay: bool
    l1: bool
    clip: bool
    weights_only: bool  # of weight_decay and l1: biases have none
    own: Any  # those of one optimizer, such as SGDTerms; None where it has none


class Hyperparams(NamedTuple):
    """The numbers of the update; what is no term of it is 0."""

    lr: float
    weight_decay: float
    l1: float
    clip_norm: float
    weights: Any  # int64 (n_params,): 1 for a weight, 0 for a bias; (0,) unless terms.weights_only
    factors: Any  # float64 (n_params,): what the learning rate of each is multiplied by; None: it is the same for all
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
def is_penalized(p, terms, hyperparams):
    """Whether weight_decay and l1 touch parameter p."""
    return not terms.weights_only or scalar_view(hyperparams.weights)[p] != 0


@device
def with_penalties(p, g, w, terms, hyperparams):
    """Return g + weight_decay w + l1 sign(w): the gradient of parameter p, w, that every update works with."""
    if (terms.weight_decay or terms.l1) and is_penalized(p, terms, hyperparams):
        if terms.weight_decay:
            g = fma(like(w, hyperparams.weight_decay), w, g)
        if terms.l1:
            sign = select(w == like(w, 0.0), like(w, 0.0), copysign(like(w, 1.0), w))
            g = fma(like(w, hyperparams.l1), sign, g)
    return g


@device
def rate_of(p, rate, factors):
    """Return the rate of parameter p: a vector times its factor, where there are factors."""
    if factors is None:
        return rate
    return rate * like(rate, scalar_view(factors)[p])


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
    w, rate = params[p], rate_of(p, minus_lr, hyperparams.factors)
    g = with_penalties(p, grads[p], w, terms, hyperparams)
    if terms.own.momentum:
        momentum = like(w, hyperparams.own.momentum)
        v = average(momentum, state[p], g, fading)
        state[p] = v
        g = average(momentum, v, g, fading) if terms.own.nesterov else v
        if fading:
            g = without_negligible(g, like(w, 1.0), rate, w)
    params[p] = fma(rate, g, w)


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
    """Update parameter p; penalties: terms, hyperparams."""
    w, rate = params[p], rate_of(p, step.rate, penalties[1].factors)
    g = with_penalties(p, grads[p], w, *penalties)
    m = average(step.beta1, state[p], step.fresh1 * g, fading)
    v = average(step.beta2, state[n_params + p], step.fresh2 * (g * g), fading)
    state[p], state[n_params + p] = m, v
    if fading:
        m, v = without_negligible(m, step.eps, rate, w), without_subnormal(v, step.root, step.eps)
    params[p] = fma(rate, m / fma(sqrt(v), step.root, step.eps), w)


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


@device
def _shrink(p, params, share, terms, hyperparams):
    """Add a share of parameter p to it."""
    if is_penalized(p, terms, hyperparams):
        params[p] = fma(rate_of(p, share, hyperparams.factors), params[p], params[p])


@device
def adamw_update(params, state, grads, minus_lr, n_params, terms, hyperparams):
    """w -= lr weight_decay w, and the step of Adam without weight decay in the gradient. State: Adam's."""
    if terms.weight_decay:
        share = minus_lr * like(minus_lr, hyperparams.weight_decay)
        for_each("parameter", _shrink, n_params, (params, share, terms, hyperparams))
    without = Terms(False, terms.l1, terms.clip, terms.weights_only, terms.own)
    adam_update(params, state, grads, minus_lr, n_params, without, hyperparams)


class RMSpropTerms(NamedTuple):
    """Which terms RMSprop has."""

    momentum: bool
    centered: bool


class RMSpropHyperparams(NamedTuple):
    """The numbers of RMSprop."""

    alpha: float
    fresh: float  # 1 - alpha
    eps: float
    momentum: float


@device
def _rmsprop_step(p, params, state, grads, minus_lr, n_params, terms, hyperparams, fading):
    """Update parameter p."""
    w, own, rate = params[p], hyperparams.own, rate_of(p, minus_lr, hyperparams.factors)
    zero, one = like(w, 0.0), like(w, 1.0)
    alpha, fresh, eps = like(w, own.alpha), like(w, own.fresh), like(w, own.eps)
    g = with_penalties(p, grads[p], w, terms, hyperparams)
    v = average(alpha, state[p], fresh * (g * g), fading)
    state[p] = v
    if fading:
        v = without_subnormal(v, one, eps)
    if terms.own.centered:
        m = average(alpha, state[n_params + p], fresh * g, fading)
        state[n_params + p] = m
        if fading:
            m = select(is_subnormal(m), zero, m)  # its square is nothing beside a v that is not 0
        v = fma(zero - m, m, v)
        v = select(v < zero, zero, v)
    step = g / (sqrt(v) + eps)
    if terms.own.momentum:
        place = n_params * (2 if terms.own.centered else 1) + p
        step = average(like(w, own.momentum), state[place], step, fading)
        state[place] = step
        if fading:
            step = without_negligible(step, one, rate, w)
    params[p] = fma(rate, step, w)


@device
def rmsprop_update(params, state, grads, minus_lr, n_params, terms, hyperparams):
    """v = alpha v + (1-alpha) g**2; b = momentum b + g / (sqrt(v) + eps); w -= lr b; centered, sqrt(v - m**2).

    State: v (n_params), m (n_params) if centered, b (n_params) with momentum, and what `were_fading` counts.
    """
    clip_gradients(grads, n_params, terms, hyperparams)
    n_averages = n_params * (1 + terms.own.centered + terms.own.momentum)
    arguments = params, state, grads, minus_lr, n_params, terms, hyperparams
    if were_fading(state, n_averages):
        for_each("parameter", _rmsprop_step, n_params, (*arguments, True))
    else:
        for_each("parameter", _rmsprop_step, n_params, (*arguments, False))


class AdagradTerms(NamedTuple):
    """Which terms Adagrad has."""

    lr_decay: bool
    initial: bool  # a sum of squares to begin with


class AdagradHyperparams(NamedTuple):
    """The numbers of Adagrad."""

    lr_decay: float
    initial: float
    eps: float


@device
def _count_step(state, place):
    """Return how many steps there have been before this one, and count it.

    In two vectors, ones and 2**20's: float32 alone counts to 2**24.
    """
    ones, many, most = state[place], state[place + 1], like(state[place], 1048576.0)
    following = ones + like(ones, 1.0)
    is_full = following == most
    state[place] = select(is_full, like(ones, 0.0), following)
    state[place + 1] = select(is_full, many + like(many, 1.0), many)
    return fma(many, most, ones)


@device
def _adagrad_step(p, params, state, grads, rate, initial, terms, hyperparams):
    """Update parameter p."""
    w, rate = params[p], rate_of(p, rate, hyperparams.factors)
    g = with_penalties(p, grads[p], w, terms, hyperparams)
    squares = fma(g, g, state[p] + initial if terms.own.initial else state[p])
    state[p] = squares
    params[p] = fma(rate, g / (sqrt(squares) + like(w, hyperparams.own.eps)), w)


@device
def adagrad_update(params, state, grads, minus_lr, n_params, terms, hyperparams):
    """s += g**2; w -= lr / (1 + t lr_decay) g / (sqrt(s) + eps), after t steps.

    State: s (n_params), and t in two vectors.
    """
    clip_gradients(grads, n_params, terms, hyperparams)
    own, zero = hyperparams.own, like(minus_lr, 0.0)
    rate, initial = minus_lr, zero
    if terms.own.lr_decay or terms.own.initial:
        t = _count_step(state, n_params)
        rate = minus_lr / fma(t, like(t, own.lr_decay), like(t, 1.0))
        initial = select(t == zero, like(t, own.initial), zero)
    for_each("parameter", _adagrad_step, n_params, (params, state, grads, rate, initial, terms, hyperparams))


class RpropHyperparams(NamedTuple):
    """The numbers of Rprop."""

    eta_minus: float
    eta_plus: float
    least: float  # step size
    most: float


@device
def _rprop_step(p, params, state, grads, minus_lr, n_params, terms, hyperparams):
    """Update parameter p."""
    w, own = params[p], hyperparams.own
    zero, one = like(w, 0.0), like(w, 1.0)
    g = with_penalties(p, grads[p], w, terms, hyperparams)
    turned, size = g * state[p], state[n_params + p]
    size = select(size == zero, zero - rate_of(p, minus_lr, hyperparams.factors), size)  # the first one
    factor = select(turned == zero, one, turned)  # NaN stays
    factor = select(turned > zero, like(w, own.eta_plus), select(turned < zero, like(w, own.eta_minus), factor))
    size = size * factor
    least, most = like(w, own.least), like(w, own.most)
    size = select(size < least, least, select(size > most, most, size))
    g = select(turned < zero, zero, g)
    state[p], state[n_params + p] = g, size
    params[p] = fma(select(g > zero, zero - one, select(g < zero, one, zero)), size, w)


@device
def rprop_update(params, state, grads, minus_lr, n_params, terms, hyperparams):
    """w -= size sign(g), with a size that grows while g keeps its sign, and shrinks where it has changed.

    State: g of the last step (n_params), sizes (n_params); 0: none yet.
    """
    clip_gradients(grads, n_params, terms, hyperparams)
    arguments = params, state, grads, minus_lr, n_params, terms, hyperparams
    for_each("parameter", _rprop_step, n_params, arguments)
