"""The naive twin: one network, one seed, plain NumPy, as DESIGN.md §3 says it. No library code uses it.

All arithmetic is in the dtype of the parameters that it is given.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import huber, log_softmax, softmax
from scipy.stats import norm

import fastgrok as fg
from fastgrok.spec.variables import Outcome

Params = list[np.ndarray]


# Activations -------------------------------------------------------------------------------------------------


def sigmoid(z):
    small = np.exp(-np.abs(z))  # of the two forms, the one whose exponential cannot overflow
    return np.where(z < 0, small, 1.0) / (1.0 + small)


SCALE, ALPHA = 1.0507009873554805, 1.6732632423543772  # Klambauer et al.


def gelu(layer, z):
    """Return f(z) and f'(z)."""
    if layer.approximate == "none":
        below, density = norm.cdf(z), norm.pdf(z)
        return (z * below).astype(z.dtype), (below + z * density).astype(z.dtype)
    root = np.sqrt(2 / np.pi)
    tanh, du = np.tanh(root * (z + 0.044715 * z**3)), root * (1 + 3 * 0.044715 * z**2)
    return (z / 2 * (1 + tanh)).astype(z.dtype), ((1 + tanh) / 2 + z / 2 * (1 - tanh**2) * du).astype(z.dtype)


def relu_derivative(layer, z):
    at_zero = z.dtype.type(layer.gradient_at_zero)
    return np.where(z > 0, z.dtype.type(1), np.where(z == 0, at_zero, z.dtype.type(0)))


# f(layer, z) and f'(layer, z)
ACTIVATIONS = {
    fg.ReLU: (lambda layer, z: np.maximum(z, 0), relu_derivative),
    fg.LeakyReLU: (
        lambda layer, z: np.where(z > 0, z, layer.slope * z),
        lambda layer, z: np.where(z > 0, z.dtype.type(1), z.dtype.type(layer.slope)),
    ),
    fg.Sigmoid: (lambda layer, z: sigmoid(z), lambda layer, z: sigmoid(z) * (1 - sigmoid(z))),
    fg.Tanh: (lambda layer, z: np.tanh(z), lambda layer, z: 1 - np.tanh(z) ** 2),
    fg.ELU: (
        lambda layer, z: np.where(z > 0, z, layer.alpha * np.expm1(np.minimum(z, 0))).astype(z.dtype),
        lambda layer, z: np.where(z > 0, 1, layer.alpha * np.exp(np.minimum(z, 0))).astype(z.dtype),
    ),
    fg.SELU: (
        lambda layer, z: (SCALE * np.where(z > 0, z, ALPHA * np.expm1(np.minimum(z, 0)))).astype(z.dtype),
        lambda layer, z: (SCALE * np.where(z > 0, 1, ALPHA * np.exp(np.minimum(z, 0)))).astype(z.dtype),
    ),
    fg.GELU: (lambda layer, z: gelu(layer, z)[0], lambda layer, z: gelu(layer, z)[1]),
    fg.SiLU: (
        lambda layer, z: z * sigmoid(z),
        lambda layer, z: sigmoid(z) * (1 + z * (1 - sigmoid(z))),
    ),
    fg.Softplus: (
        lambda layer, z: (np.logaddexp(0, layer.beta * z) / layer.beta).astype(z.dtype),
        lambda layer, z: sigmoid(layer.beta * z).astype(z.dtype),
    ),
    fg.Softsign: (lambda layer, z: z / (1 + np.abs(z)), lambda layer, z: 1 / (1 + np.abs(z)) ** 2),
    fg.Hardtanh: (lambda layer, z: np.clip(z, -1, 1), lambda layer, z: (np.abs(z) < 1).astype(z.dtype)),
    fg.Hardsigmoid: (
        lambda layer, z: np.clip((z + 3) / 6, 0, 1).astype(z.dtype),
        lambda layer, z: np.where(np.abs(z) < 3, 1 / 6, 0).astype(z.dtype),
    ),
    fg.Softmax: (lambda layer, z: softmax(z, axis=1), None),
}


# Forward and backward ----------------------------------------------------------------------------------------


def forward(
    network: fg.Network, params: Params, X: np.ndarray, masks: list[np.ndarray] | None = None
) -> list[np.ndarray]:
    """Return the inputs and what every layer makes of them, each of shape (n_examples, width).

    masks: of each Dropout layer, (n_examples, width); None where the network is not trained
    """
    values, rest, masks = [X], iter(params), iter(masks or [])
    for layer in network.layers:
        if isinstance(layer, fg.Skip):
            values.append(values[-1] + values[-1 - layer.over])
        elif isinstance(layer, fg.Dropout):
            values.append(values[-1] * next(masks, 1))
        elif isinstance(layer, fg.Linear):
            z = values[-1] @ next(rest)
            values.append(z + next(rest) if layer.bias else z)
        else:
            values.append(ACTIVATIONS[type(layer)][0](layer, values[-1]))
    return values


# loss(output, z, target) of each output, with z what the last layer takes in
LOSSES = {
    "half_squared_error": lambda output, z, target: (output - target) ** 2 / 2,
    "squared_error": lambda output, z, target: (output - target) ** 2,
    "absolute_error": lambda output, z, target: np.abs(output - target),
    "huber": lambda output, z, target: huber(1.0, output - target),
    # -log(sigmoid(z)) = log(1 + e**-z)
    "binary_cross_entropy": lambda output, z, target: np.maximum(z, 0) - z * target + np.log1p(np.exp(-np.abs(z))),
    "cross_entropy": lambda output, z, target: -target * log_softmax(z, axis=1),
}
# the first delta of output - target, and the layer that the loss is differentiated together with
DELTAS = {
    "half_squared_error": (lambda error: error, None),
    "squared_error": (lambda error: 2 * error, None),
    "absolute_error": (np.sign, None),
    "huber": (lambda error: np.clip(error, -1, 1), None),
    "binary_cross_entropy": (lambda error: error, fg.Sigmoid),
    "cross_entropy": (lambda error: error, fg.Softmax),
}


def example_losses(loss: str, values: list[np.ndarray], y: np.ndarray) -> np.ndarray:
    """Return the loss of each example, summed over the outputs."""
    return LOSSES[loss](values[-1], values[-2], y).sum(axis=1)


def gradients(
    experiment: fg.Experiment, params: Params, X: np.ndarray, y: np.ndarray, masks: list[np.ndarray] | None = None
) -> Params:
    """Return the gradient of the sum of the examples' losses; masks: as for `forward`."""
    network, loss = experiment.network, experiment.loss
    values, masks = forward(network, params, X, masks), list(masks or [])
    first_delta, together_with = DELTAS[loss]
    delta = first_delta(values[-1] - y)
    layers = list(zip(network.layers, values, strict=False))  # each layer with its inputs
    skipped = {k: 0 for k in range(-1, len(layers))}  # what Skips bring back to the outputs of layer k
    if together_with is not None:
        assert isinstance(layers.pop()[0], together_with)  # delta is the gradient at its input already
    found: Params = []
    last = len(params)
    for k, (layer, inputs) in reversed(list(enumerate(layers))):
        delta = delta + skipped[k]
        if isinstance(layer, fg.Skip):
            skipped[k - layer.over - 1] = skipped[k - layer.over - 1] + delta
        elif isinstance(layer, fg.Linear):
            last -= 1 + layer.bias
            weight = params[last]
            found = [inputs.T @ delta, *([delta.sum(axis=0)] if layer.bias else []), *found]
            delta = delta @ weight.T
        elif isinstance(layer, fg.Dropout):
            delta = delta * (masks.pop() if masks else 1)
        else:
            delta = delta * ACTIVATIONS[type(layer)][1](layer, inputs)
    return found


# What is reported --------------------------------------------------------------------------------------------


def examples(experiment: fg.Experiment) -> tuple[np.ndarray, np.ndarray]:
    return experiment.data.X.astype(experiment.dtype), experiment.data.y.astype(experiment.dtype)


def is_one_hot(y: np.ndarray) -> bool:
    """Return whether there are several outputs and two values, the larger of which is in each row once."""
    values = np.unique(y)
    return y.shape[1] > 1 and len(values) == 2 and bool(((y == values[-1]).sum(axis=1) == 1).all())


def share_right(outputs: np.ndarray, y: np.ndarray) -> float:
    """Return the accuracy."""
    if is_one_hot(y):
        return float(np.mean(outputs.argmax(axis=1) == y.argmax(axis=1)))
    middle = (y.min() + y.max()) / 2
    return float(np.mean((np.sign(outputs - middle) == np.sign(y - middle)).all(axis=1)))


def dead_masks(network: fg.Network, params: Params, X: np.ndarray) -> list[np.ndarray]:
    """Return for every ReLU layer which units pass no gradient on any example."""
    values = forward(network, params, X)
    relus = [(layer, z) for layer, z in zip(network.layers, values, strict=False) if isinstance(layer, fg.ReLU)]
    return [(z < 0 if layer.gradient_at_zero else z <= 0).all(axis=0) for layer, z in relus]


def dead_units(network: fg.Network, params: Params, X: np.ndarray) -> list[int]:
    """Return for every ReLU layer how many of its units are dead."""
    return [int(mask.sum()) for mask in dead_masks(network, params, X)]


def is_dead(network: fg.Network, params: Params, X: np.ndarray) -> bool:
    """Return whether every unit of some ReLU layer is dead, and no Skip leads around that layer."""
    places = [k for k, layer in enumerate(network.layers) if isinstance(layer, fg.ReLU)]
    skips = [(k - layer.over, k) for k, layer in enumerate(network.layers) if isinstance(layer, fg.Skip)]
    masks = zip(places, dead_masks(network, params, X), strict=True)
    return any(mask.all() and not any(start <= k < end for start, end in skips) for k, mask in masks)


@functools.cache
def plateau_losses(loss: str, targets: tuple[tuple[float, ...], ...], inputs: tuple[tuple[float, ...], ...]) -> Any:
    """Return the mean losses of the best outputs within each group of examples, for all groupings."""
    y, n, found = np.array(targets), len(targets), set()
    for labels in itertools.product(range(n), repeat=n):
        if any(inputs[i] == inputs[j] and labels[i] != labels[j] for i in range(n) for j in range(i)):
            continue
        means = np.array([best_output(loss, y[np.array(labels) == label]) for label in labels])
        with np.errstate(all="ignore"):
            cost = entropy(loss, y, means) if "entropy" in loss else LOSSES[loss](means, None, y)
        found.add(round(float(cost.sum() / n), 12))
    return np.array(sorted(found))


def best_output(loss: str, targets: np.ndarray) -> np.ndarray:
    """Return the output that is best for all of these targets."""
    if loss == "absolute_error":
        return np.median(targets, axis=0)
    if loss != "huber":
        return targets.mean(axis=0)
    best = functools.partial(minimize_scalar, bounds=(-9, 9), options={"xatol": 1e-11})
    return np.array([best(lambda m, y=y: huber(1.0, m - y).sum()).x for y in targets.T])


def entropy(loss: str, y: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """Return the cross-entropy of each target with an output between 0 and 1."""
    of_ones = -np.nan_to_num(y * np.log(outputs))
    return of_ones - np.nan_to_num((1 - y) * np.log(1 - outputs)) * (loss == "binary_cross_entropy")


def plateau(experiment: fg.Experiment, loss: float) -> float:
    """Return the nearest of these losses if it is within 5 % of the largest and not 0; NaN if not."""
    data = experiment.data
    losses = plateau_losses(experiment.loss, tuple(map(tuple, data.y)), tuple(map(tuple, data.X)))
    nearest = losses[np.abs(losses - loss).argmin()]
    return float(nearest) if nearest > 0 and abs(nearest - loss) <= 0.05 * losses[-1] else np.nan


def mean_loss(experiment: fg.Experiment, params: Params) -> float:
    X, y = examples(experiment)
    return float(example_losses(experiment.loss, forward(experiment.network, params, X), y).mean())


def gradient_norm(experiment: fg.Experiment, params: Params, cut: Params | None = None) -> float:
    """Return the norm of the gradient of the mean loss over the training data, by what is trained."""
    X, y = examples(experiment)
    trained = trained_parts(experiment, params, cut)
    parts = zip(gradients(experiment, params, X, y), trained, strict=True)
    flat = np.concatenate([(g * t).ravel() for g, t in parts])
    return float(np.linalg.norm(flat / len(X)))


# Initial parameters and training -----------------------------------------------------------------------------


# numbers(rng, a, b, shape)
KINDS = {
    "constant": lambda rng, a, b, shape: np.full(shape, a),
    "uniform": lambda rng, a, b, shape: rng.uniform(a, b, shape),
    "normal": lambda rng, a, b, shape: a + b * rng.standard_normal(shape),
}


def truncated(drawn, rng, law):
    low, high = law.numbers
    while (outside := (drawn < low) | (drawn > high)).any():
        drawn[outside] = law.a + law.b * rng.standard_normal(outside.sum())
    return drawn


def orthogonal(drawn, rng, law):
    return law.numbers[0] * (orthonormal(drawn.T).T if drawn.shape[0] < drawn.shape[1] else orthonormal(drawn))


def sparse(drawn, rng, law):
    for row in drawn:
        row[rng.permutation(len(row))[: int(law.numbers[0])]] = 0
    return drawn


def nguyen_widrow(drawn, rng, law):
    squares = np.zeros(drawn.shape[1])
    for row in drawn:
        squares += row * row
    return drawn * (law.numbers[0] / np.sqrt(squares))


def rai(drawn, rng, law):
    for unit in range(drawn.shape[1]):
        k = int(rng.random() * len(drawn))
        drawn[k, unit] = np.sqrt(rng.random())
    return drawn


# form(drawn, rng, distribution)
FORMS = {
    "free": lambda drawn, rng, law: drawn,
    "truncated": truncated,
    "orthogonal": orthogonal,
    "sparse": sparse,
    "identity": lambda drawn, rng, law: np.where(np.eye(*drawn.shape), law.numbers[0], 0.0),
    "nguyen_widrow": nguyen_widrow,
    "rai": rai,
}


def draw(scheme: Any, rng: Any, layer: fg.Linear, shape: tuple[int, ...]) -> np.ndarray:
    """Draw a weight or a bias as the scheme's docstring says."""
    if isinstance(scheme, fg.FromFunction):
        return np.array(scheme.function(rng, layer.fan_in, layer.fan_out), dtype=float)
    of = scheme.bias_distribution if len(shape) == 1 else scheme.distribution
    law = of(layer.fan_in, layer.fan_out)
    return FORMS[law.form](KINDS[law.kind](rng, law.a, law.b, shape), rng, law)


def orthonormal(matrix: np.ndarray) -> np.ndarray:
    """Gram-Schmidt on the columns, modified, twice; sums in order, as the kernel has them."""
    q = matrix.copy()
    for _ in range(2):
        for k in range(q.shape[1]):
            squares = 0.0
            for number in q[:, k]:
                squares += number * number
            q[:, k] /= np.sqrt(squares)
            dots = np.zeros(q.shape[1] - k - 1)
            for row in q:
                dots += row[k] * row[k + 1 :]
            for row in q:
                row[k + 1 :] -= row[k] * dots
    return q


def generator(experiment: fg.Experiment, seed: int) -> Any:
    return np.random.default_rng(seed) if experiment.stream == "numpy" else np.random.RandomState(seed)


def draw_params(experiment: fg.Experiment, rng: Any) -> Params:
    """Draw the parameters of one attempt."""
    init, bias_init, params = experiment.init, experiment.bias_initializer, []
    arrays = [iter(map(np.array, getattr(scheme, "arrays", ()))) for scheme in (init, bias_init)]
    layers = len(experiment.network.linears)
    each = [getattr(scheme, "schemes", [scheme] * layers) for scheme in (init, bias_init)]
    if experiment.bias_init == "same":
        arrays[1] = arrays[0]
    for layer, init, bias_init in zip(experiment.network.linears, *each, strict=True):
        if layer.bias and isinstance(init, fg.RAI) and bias_init == init:
            both = draw(init, rng, layer, (layer.fan_in + 1, layer.fan_out))
            params += [both[:-1], both[-1]]
            continue
        shapes = [(layer.fan_in, layer.fan_out), (layer.fan_out,)][: 1 + layer.bias]
        for scheme, shape, own in zip((init, bias_init), shapes, arrays, strict=False):
            params.append(next(own) if isinstance(scheme, fg.FromArrays) else draw(scheme, rng, layer, shape))
    return [p.astype(experiment.dtype) for p in params]


def initial(experiment: fg.Experiment, seed: int) -> tuple[Params, Any]:
    """Return the initial parameters of a seed, and its generator after these draws."""
    rng = generator(experiment, seed)
    return draw_params(experiment, rng), rng


def order_generator(experiment: fg.Experiment, seed_rng: Any) -> Any:
    """Return the generator that shuffles or draws the examples; None where the order is fixed."""
    return {"fixed": None, "shared": generator(experiment, experiment.order_seed)}.get(experiment.order, seed_rng)


def draw_order(experiment: fg.Experiment, rng: Any, n: int) -> np.ndarray:
    """Return the numbers of the examples of an epoch."""
    if experiment.order == "fixed":
        return np.arange(n)
    if experiment.order == "with_replacement":
        return rng.integers(n, size=n) if experiment.stream == "numpy" else rng.randint(n, size=n)
    return rng.permutation(n)


def draw_masks(experiment: fg.Experiment, rng: Any, n: int) -> list[np.ndarray]:
    """Return the masks of each Dropout layer for the examples of an epoch, (n_examples, width)."""
    network, dtype, width, masks = experiment.network, np.dtype(experiment.dtype).type, 0, []
    for layer in network.layers:
        width = layer.fan_out if isinstance(layer, fg.Linear) else width
        if isinstance(layer, fg.Dropout):
            masks.append(np.full((n, width), layer.rate))
    drawn = [rates for rates in masks if rates[0, 0] > 0]
    numbers = rng.random((n, sum(rates.shape[1] for rates in drawn))) if drawn else None
    start = 0
    for k, rates in enumerate(masks):
        kept = np.ones(rates.shape, bool)
        if rates[0, 0] > 0:
            kept = numbers[:, start : start + rates.shape[1]] >= rates
            start += rates.shape[1]
        masks[k] = kept * dtype(1 / (1 - rates[0, 0]))
    return masks


def sgd_direction(o, g, state, steps):
    state["v"] = o.momentum * state.get("v", 0) + g
    return g + o.momentum * state["v"] if o.nesterov else state["v"]


def adam_direction(o, g, state, steps):
    state["m"] = o.beta1 * state.get("m", 0) + (1 - o.beta1) * g
    state["v"] = o.beta2 * state.get("v", 0) + (1 - o.beta2) * g**2
    return state["m"] / (1 - o.beta1**steps) / (np.sqrt(state["v"] / (1 - o.beta2**steps)) + o.eps)


def rmsprop_direction(o, g, state, steps):
    state["v"] = o.alpha * state.get("v", 0) + (1 - o.alpha) * g**2
    state["m"] = o.alpha * state.get("m", 0) + (1 - o.alpha) * g
    square = np.maximum(state["v"] - state["m"] ** 2, 0) if o.centered else state["v"]
    state["b"] = o.momentum * state.get("b", 0) + g / (np.sqrt(square) + o.eps)
    return state["b"]


def adagrad_direction(o, g, state, steps):
    state["s"] = state.get("s", o.initial_accumulator_value) + g**2
    return g / (np.sqrt(state["s"]) + o.eps) / (1 + (steps - 1) * o.lr_decay)


def rprop_direction(o, g, state, steps):
    """In units of lr, which is the first step size and no more."""
    turned = g * state.get("g", 0 * g)
    factor = np.where(turned > 0, o.eta_plus, np.where(turned < 0, o.eta_minus, 1)).astype(g.dtype)
    state["size"] = np.clip(state.get("size", o.lr) * factor, o.step_size_min, o.step_size_max)
    state["g"] = np.where(turned < 0, 0, g)
    return np.sign(state["g"]) * state["size"] / o.lr


# direction(optimizer, gradient, state, steps): what lr is multiplied by; state is a dict of each parameter array
OPTIMIZERS = {
    fg.SGD: sgd_direction,
    fg.Adam: adam_direction,
    fg.AdamW: adam_direction,
    fg.RMSprop: rmsprop_direction,
    fg.Adagrad: adagrad_direction,
    fg.Rprop: rprop_direction,
}
DECOUPLED = {fg.AdamW}  # their weight decay shrinks parameters before the step


def layer_factors(optimizer: Any, params: Params) -> list[float]:
    """Return what the learning rate of each array is multiplied by."""
    layer, found = -1, []
    for p in params:
        layer += p.ndim == 2
        found.append(1.0 if optimizer.lr_factors is None else optimizer.lr_factors[layer])
    return found


def trained_parts(experiment: fg.Experiment, params: Params, cut: Params | None) -> Params:
    """Return which parameters are trained, 1 or 0; cut: 0 for those that are cut out."""
    factors = layer_factors(experiment.optimizer, params)
    ones = [np.ones_like(p) for p in params] if cut is None else cut
    return [(mask != 0) * p.dtype.type(f != 0) for mask, p, f in zip(ones, params, factors, strict=True)]


class Update:
    """What an optimizer does with the gradients of a batch."""

    def __init__(self, optimizer: Any, params: Params) -> None:
        self.optimizer, self.steps = optimizer, 0
        self.factors = layer_factors(optimizer, params)
        self.states: list[dict[str, Any]] = [{} for _ in params]

    def __call__(self, params: Params, grads: Params, lr: float, trained: Params | None = None) -> Params:
        """trained: 1 for each parameter that is trained, 0 for the others; None: all are."""
        optimizer, self.steps = self.optimizer, self.steps + 1
        trained = [np.ones_like(p) for p in params] if trained is None else trained
        grads = [g * t for g, t in zip(grads, trained, strict=True)]
        if optimizer.clip_norm is not None:
            norm = np.sqrt(sum((g**2).sum() for g in grads))
            grads = [g * min(1.0, optimizer.clip_norm / (norm + 1e-6)) for g in grads]
        changed = []
        base = lr
        for p, g, state, t, f in zip(params, grads, self.states, trained, self.factors, strict=True):
            optimizer, lr, before = (
                self.optimizer.replace(lr=self.optimizer.lr * f) if f else self.optimizer,
                base * f,
                p,
            )
            touched = optimizer.decay == "all" or p.ndim == 2
            decay, l1 = (optimizer.weight_decay, optimizer.l1) if touched else (0, 0)
            if type(optimizer) in DECOUPLED:
                p, decay = p - lr * decay * p, 0
            g = g + decay * p + l1 * np.sign(p)
            direction = OPTIMIZERS[type(optimizer)](optimizer, g, state, self.steps)
            changed.append(np.where(t, p - lr * direction, before).astype(p.dtype))
        return changed


def learning_rate(optimizer: Any, epoch: int) -> float:
    """Return the learning rate of an epoch of an attempt, from 0."""
    return rate(optimizer.lr, optimizer.schedule, epoch)


def rate(lr: float, schedule: Any, epoch: int) -> float:
    if isinstance(schedule, fg.SequentialLR):
        which = sum(epoch >= milestone for milestone in schedule.milestones)
        return rate(lr, schedule.schedules[which], epoch - (0, *schedule.milestones)[which])
    if isinstance(schedule, fg.MultiStepLR):
        return lr * schedule.gamma ** sum(epoch >= milestone for milestone in schedule.milestones)
    if isinstance(schedule, fg.LinearLR):
        along = min(epoch, schedule.total_iters) / schedule.total_iters
        return lr * ((1 - along) * schedule.start_factor + along * schedule.end_factor)
    if isinstance(schedule, fg.StepLR):
        return lr * schedule.gamma ** (epoch // schedule.step_size)
    if isinstance(schedule, fg.ExponentialLR):
        return lr * schedule.gamma**epoch
    if isinstance(schedule, fg.CosineAnnealingLR):
        return schedule.eta_min + (lr - schedule.eta_min) * (1 + np.cos(np.pi * epoch / schedule.t_max)) / 2
    return lr


class Epoch(NamedTuple):
    """A network after an epoch."""

    params: Params
    loss: float
    accuracy: float
    max_error: float


def look(experiment: fg.Experiment, params: Params) -> Epoch:
    X, y = examples(experiment)
    values = forward(experiment.network, params, X)
    losses = example_losses(experiment.loss, values, y)
    return Epoch(
        [p.copy() for p in params],
        float(losses.mean()),
        share_right(values[-1], y),
        float(np.abs(values[-1] - y).max()),
    )


def train(
    experiment: fg.Experiment,
    params: Params,
    order_rng: Any = None,
    mask_rng: Any = None,
    cut: Params | None = None,
) -> Iterator[Epoch]:
    """Train for ever, yielding after every epoch."""
    X, y = examples(experiment)
    n, size, trained = len(X), experiment.batch_rows, trained_parts(experiment, params, cut)
    params = [p.copy() for p in params]
    update = Update(experiment.optimizer, params)
    for epoch in itertools.count():
        lr = learning_rate(experiment.optimizer, epoch)
        order = draw_order(experiment, order_rng, n)
        masks = draw_masks(experiment, mask_rng, n)
        for first in range(0, n, size):
            rows = order[first : first + size]
            found = gradients(experiment, params, X[rows], y[rows], [m[first : first + size] for m in masks])
            mean = experiment.reduction == "mean"
            params = update(params, [g / len(rows) if mean else g for g in found], lr, trained)
        yield look(experiment, params)


def met(stop: fg.Converged, epoch: Epoch) -> bool:
    """Return whether every criterion given holds."""
    return (
        (stop.loss is None or epoch.loss <= stop.loss)
        and (stop.max_error is None or epoch.max_error <= stop.max_error)
        and (stop.accuracy is None or epoch.accuracy >= stop.accuracy)
        and bool(np.isfinite(epoch.loss))
    )


NO_BEST = {"loss_best": np.nan, "epoch_best": -1}


class Best:
    """The best epoch so far by a loss, the training or the validation data's."""

    def __init__(self, early: fg.EarlyStopping | None, first_loss: float = np.inf) -> None:
        self.early, self.best, self.epoch, self.improved, self.params = early, first_loss, 0, 0, None

    def watch(self, number: int, loss: float, params: Params) -> str | None:
        """Return why the seed ends after this epoch, if it does."""
        if self.early is not None and self.early.tol is not None:
            if not loss > self.best - self.early.tol:  # as MLPClassifier._update_no_improvement_count has it
                self.improved = number
            is_better = loss < self.best
        else:
            is_better = loss < self.best - (self.early.min_delta if self.early else 0)
            self.improved = number if is_better else self.improved
        if is_better:
            self.best, self.epoch, self.params = loss, number, [p.copy() for p in params]
        if self.early and not np.isfinite(loss):
            return "diverged"
        return "early" if self.early and number - self.improved >= self.early.patience else None


class Watch:
    """What has to improve for an attempt to go on."""

    def __init__(self, experiment: fg.Experiment, begun: int = 0) -> None:
        self.rule, self.n, self.best, self.improved = experiment.restart, experiment.data.n_examples, np.inf, begun

    def is_over(self, number: int, epoch: Epoch) -> bool:
        """Return whether it has not improved for long enough."""
        if self.rule is None or self.rule.patience is None:
            return False
        value, delta = epoch.loss, self.rule.min_delta
        if self.rule.monitor == "accuracy":
            value, delta = -round(epoch.accuracy * self.n), delta * self.n
        if value < self.best - delta:
            self.best, self.improved = value, number
        return number - self.improved >= self.rule.patience


class Validation:
    """The losses on the validation data."""

    def __init__(self, experiment: fg.Experiment) -> None:
        self.experiment = experiment
        self.best = Best(experiment.early_stopping if monitored(experiment) == "validation" else None)

    def loss(self, params: Params) -> float:
        data, dtype = self.experiment.validation, self.experiment.dtype
        values = forward(self.experiment.network, params, data.X.astype(dtype))
        return float(example_losses(self.experiment.loss, values, data.y.astype(dtype)).mean())

    def accuracy(self, params: Params) -> float:
        """By the midpoint of the training targets; the targets of both lie on its sides alike."""
        data, y = self.experiment.validation, self.experiment.data.y
        outputs = forward(self.experiment.network, params, data.X.astype(self.experiment.dtype))[-1]
        if is_one_hot(y):
            return float(np.mean(outputs.argmax(axis=1) == data.y.argmax(axis=1)))
        middle = (y.min() + y.max()) / 2
        return float(np.mean((np.sign(outputs - middle) == np.sign(data.y - middle)).all(axis=1)))

    def watch(self, number: int, epoch: Epoch) -> str | None:
        """Return why the seed ends after this epoch, if it does."""
        return self.best.watch(number, self.loss(epoch.params), epoch.params)


def monitored(experiment: fg.Experiment) -> str | None:
    """Return which loss may end a seed early."""
    return experiment.early_stopping.monitor if experiment.early_stopping else None


def run(
    experiment: fg.Experiment, seed: int, params: Params | None = None, cut: Params | None = None
) -> tuple[Params, dict[str, Any]]:
    """Return the trained parameters of a seed, and its row of the result; cut: 0 for what is cut out."""
    with np.errstate(all="ignore"):
        drawn, rng = initial(experiment, seed)
        return _run(experiment, cut_out(drawn if params is None else params, cut), rng, cut)


def cut_out(params: Params, cut: Params | None) -> Params:
    """Return parameters with 0 for what is cut out."""
    return params if cut is None else [p * (mask != 0) for p, mask in zip(params, cut, strict=True)]


class End(NamedTuple):
    """How training went."""

    start: Params  # of the last attempt
    begun: int  # epochs before it
    last: Epoch
    stationary: bool  # it ended because its gradient was small
    history: list[Epoch]  # after every epoch, the start included
    converged: int
    restarts: int
    validation: Validation | None
    ending: Best | None  # by the loss that may end a seed early
    stopped_early: bool
    diverged: bool


def _train_to_the_end(experiment: fg.Experiment, start: Params, rng: Any, cut: Params | None = None) -> End:
    stop, restart = experiment.criteria, experiment.restart
    order_rng = order_generator(experiment, rng)
    validation = Validation(experiment) if experiment.validation is not None else None
    ending = validation.best if validation is not None else None
    if monitored(experiment) == "training":
        ending = Best(experiment.early_stopping, look(experiment, start).loss)
    history, converged, restarts, stopped_early = [look(experiment, start)], -1, 0, False
    training, clock, begun, why = train(experiment, start, order_rng, rng, cut), 0, 0, None
    diverged, stationary, watch = False, False, Watch(experiment)
    for number in range(1, experiment.epochs + 1):
        epoch, clock = next(training), clock + 1
        history.append(epoch)
        again = restart is not None and converged < 0 and restarts < (restart.at_most or np.inf)
        attempt_over = again and clock == restart.after
        is_looked_at = clock % experiment.check_every == 0 or number == experiment.epochs or attempt_over
        if not is_looked_at:
            continue
        diverged = (stop or experiment.stationary) is not None and not np.isfinite(epoch.loss)
        limit = experiment.gradient_norm
        rests = limit is not None and gradient_norm(experiment, epoch.params, cut) <= limit
        attempt_over = attempt_over or rests or watch.is_over(number, epoch)
        if stop is not None and met(stop, epoch) and converged < 0:
            converged = number
            again = False
        why = validation.watch(number, epoch) if validation is not None else None
        if monitored(experiment) == "training":
            why = ending.watch(number, epoch.loss, epoch.params)
        if again and (attempt_over or diverged) and number < experiment.epochs:
            start = cut_out(draw_params(experiment, rng), cut)
            training, clock, begun = train(experiment, start, order_rng, rng, cut), 0, number
            restarts += 1
            watch = Watch(experiment, number)
            continue
        diverged = diverged or why == "diverged"
        if diverged or (stop is not None and met(stop, epoch) and not stop.keep_training):
            break
        if why == "early" and number < experiment.epochs:
            stopped_early = True
            break
        if rests and restart is None and number < experiment.epochs:
            stationary = True
            break
    last = history[-1]
    if experiment.early_stopping and experiment.early_stopping.restore_best and ending.epoch:
        last = look(experiment, ending.params)
    counts = converged, restarts, validation, ending, stopped_early, diverged
    return End(start, begun, last, stationary, history, *counts)


def is_solved(experiment: fg.Experiment, last: Epoch) -> bool:
    """Return whether a seed without criteria is solved; the inputs of the data are all different."""
    is_right = last.accuracy == 1 or len(np.unique(experiment.data.y)) != 2
    return bool(is_right and last.loss <= solved_losses(experiment)[1])


def solved_losses(experiment: fg.Experiment) -> tuple[float, float]:
    """Return the loss of the best constant output, and that of a solved seed."""
    y = experiment.data.y
    output = np.tile(best_output(experiment.loss, y), (len(y), 1))
    with np.errstate(all="ignore"):
        constant, least = (entropy(experiment.loss, y, p).sum() / len(y) for p in (output, y))
        if "entropy" not in experiment.loss:
            constant, least = LOSSES[experiment.loss](output, None, y).sum() / len(y), 0.0
    if len(np.unique(y)) == 2:
        return constant, (constant + least) / 2
    size = np.abs(y).max() or 1.0
    scale = size if experiment.loss == "absolute_error" else size**2
    return constant, least + ((constant - least) / 100 or 1e-4 * scale)


def has_grown(experiment: fg.Experiment, start: float, end: float) -> bool:
    """Return whether a loss is a million times what it was, and what a constant output has."""
    return bool(end > 1e6 * max(0.0 if np.isnan(start) else start, *solved_losses(experiment)))


def is_at_rest(experiment: fg.Experiment, end: End, cut: Params | None) -> bool:
    """Return whether the loss hardly changed over the last fifth of training."""
    last = end.history[-1]  # not what was restored
    n, epochs = experiment.data.n_examples, experiment.epochs
    updates = -(-n // min(n, n if experiment.batch_size == "full" else experiment.batch_size))
    earlier = epochs - int(np.ceil((0.5 if experiment.order != "fixed" and updates > 1 else 0.2) * epochs))
    has_relu = any(isinstance(layer, fg.ReLU) for layer in experiment.network.layers)
    is_short = epochs < (250 if has_relu else 1000) and epochs * updates < 10_000
    if len(end.history) - 1 < epochs or end.begun >= earlier or is_short:
        return False
    before = end.history[earlier]
    norm = gradient_norm(experiment, last.params, cut)
    rests = bool(abs(last.loss - before.loss) <= 0.01 * before.loss)
    if not has_relu:
        is_level = abs(last.loss - before.loss) <= 0.001 * before.loss
        return bool(is_level) and norm <= 1.1 * gradient_norm(experiment, before.params, cut)
    if experiment.order == "fixed" or updates == 1:
        creeps = abs(last.loss - before.loss) > 0.002 * before.loss
        return rests and (not creeps or norm <= 0.95 * gradient_norm(experiment, before.params, cut))
    if n <= 8:
        return rests or plateau(experiment, before.loss) == plateau(experiment, last.loss)
    return rests


def _run(experiment: fg.Experiment, start: Params, rng: Any, cut: Params | None) -> tuple[Params, dict[str, Any]]:
    X, _ = examples(experiment)
    network = experiment.network
    end = _train_to_the_end(experiment, start, rng, cut)
    last, start = end.last, end.start
    masks = list(zip(dead_masks(network, start, X), dead_masks(network, last.params, X), strict=True))
    norm = gradient_norm(experiment, last.params, cut)
    finite = np.isfinite(last.loss) and all(np.isfinite(p).all() for p in last.params)
    if end.diverged or not finite or has_grown(experiment, mean_loss(experiment, start), last.loss):
        outcome = Outcome.DIVERGED
    elif experiment.criteria is not None and end.converged >= 0:
        outcome = Outcome.CONVERGED
    elif is_dead(network, last.params, X):
        outcome = Outcome.DEAD
    elif experiment.criteria is None and is_solved(experiment, last):
        outcome = Outcome.CONVERGED
    elif (
        end.stationary
        or is_at_rest(experiment, end, cut)
        or (end.stopped_early and monitored(experiment) == "training")
    ):
        outcome = Outcome.TRAPPED
    else:
        outcome = Outcome.UNFINISHED
    row = {
        "outcome": int(outcome),
        "epochs_run": len(end.history) - 1,
        "epochs_to_converge": end.converged,
        "loss_initial": mean_loss(experiment, start),
        "loss_final": last.loss,
        "accuracy_final": last.accuracy,
        "gradient_norm_final": norm,
        "dead_units_initial": dead_units(network, start, X),
        "dead_units_final": dead_units(network, last.params, X),
        "units_died": [int((after & ~before).sum()) for before, after in masks],
        "units_revived": [int((before & ~after).sum()) for before, after in masks],
        "born_dead": is_dead(network, start, X),
        "weight_norm_initial": [float(np.sqrt((w**2).sum())) for w in start if w.ndim == 2],
        "weight_norm_final": [float(np.sqrt((w**2).sum())) for w in last.params if w.ndim == 2],
    }
    if experiment.data.n_examples <= 8:
        trapped = outcome not in (Outcome.CONVERGED, Outcome.DIVERGED)
        row["plateau"] = plateau(experiment, last.loss) if trapped else np.nan
    if experiment.restart is not None:
        row["restarts"] = end.restarts
    if experiment.early_stopping is not None or experiment.stationary is not None:
        row["stopped_early"] = end.stopped_early or end.stationary
    if monitored(experiment) == "training":
        known = np.isfinite(end.ending.best)
        row |= {"loss_best": end.ending.best, "epoch_best": end.ending.epoch} if known else NO_BEST
    if end.validation is not None:
        row |= {
            "loss_validation_final": end.validation.loss(last.params),
            "accuracy_validation_final": end.validation.accuracy(last.params),
            "loss_validation_best": end.validation.best.best if end.validation.best.epoch else np.nan,
            "epoch_validation_best": end.validation.best.epoch or -1,
        }
    return last.params, row


def dead_since(experiment: fg.Experiment, seed: int) -> list[list[int]]:
    """Return for every unit of each ReLU layer the epoch since which it is dead; -1 if it is not."""
    X, _ = examples(experiment)
    with np.errstate(all="ignore"):
        end = _train_to_the_end(experiment, *initial(experiment, seed))
    best = end.ending.epoch if experiment.early_stopping and experiment.early_stopping.restore_best else 0
    attempt = [end.start, *(epoch.params for epoch in end.history[end.begun + 1 : best + 1 if best else None])]
    masks = [dead_masks(experiment.network, params, X) for params in attempt]
    since = []
    for layer in range(len(masks[0])):
        dead = np.array([mask[layer] for mask in masks])  # (n_epochs + 1, width)
        runs = [len(list(itertools.takewhile(bool, column[::-1]))) for column in dead.T]
        since.append([end.begun + len(masks) - run if run else -1 for run in runs])
    return since
