"""Forward and backward through one network in plain NumPy, keeping everything on the way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.explain.given import Params
from fastgrok.spec.layers import LeakyReLU, Linear, ReLU, Sigmoid
from fastgrok.spec.losses import Loss
from fastgrok.spec.network import Network

Array = NDArray[Any]

ERROR_FACTOR: dict[Loss, int] = {"half_squared_error": 1, "squared_error": 2, "binary_cross_entropy": 1}
"""What output - target is multiplied by for the delta that a loss begins with."""


class Pass(NamedTuple):
    """What goes through a network forward and what comes back, for some examples."""

    values: list[Array]  # the inputs, then what each layer gives out, (n_examples, width) each
    slopes: list[Array | None]
    deltas: list[Array]  # dL/d(values), place by place, L the loss of an example alone
    losses: Array  # (n_examples,), the loss of each


def passed(network: Network, params: Params, loss: Loss, X: Array, y: Array) -> Pass:
    """
    Send examples through a network and back.

    X: inputs (n_examples, n_in); y: targets (n_examples, n_out).

    Notes
    -----
    The sums run in NumPy's order and without fused operations: they equal those of the kernels but for rounding.

    Examples
    --------
    >>> import fastgrok as fg
    >>> there_and_back = passed(
    ...     fg.mlp(2, 1, output="relu"), [np.array([[1.0], [2.0]]), np.zeros(1)], "half_squared_error",
    ...     np.array([[1.0, 1.0]]), np.array([[4.0]]))
    >>> [delta.tolist() for delta in there_and_back.deltas]
    [[[-1.0, -2.0]], [[-1.0]], [[-1.0]]]
    """
    dtype = params[0].dtype
    weights = weight_and_bias(network, params)
    target = y.astype(dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        values: list[Array] = [X.astype(dtype)]
        slopes: list[Array | None] = []
        for layer, own in zip(network.layers, weights, strict=True):
            z = values[-1]
            if own is None:
                values.append(_activated(layer, z))
                slopes.append(_slope(layer, z, values[-1]))
            else:
                weight, bias = own
                values.append(z @ weight if bias is None else z @ weight + bias)
                slopes.append(None)
        return Pass(values, slopes, _deltas(loss, weights, values, slopes, target), _losses(loss, values, target))


def weight_and_bias(network: Network, params: Sequence[Array]) -> list[tuple[Array, Array | None] | None]:
    """Return for each layer its weight and bias; None for an activation, and for a bias that there is not."""
    rest = iter(params)
    return [
        (next(rest), next(rest) if layer.bias else None) if isinstance(layer, Linear) else None
        for layer in network.layers
    ]


def _activated(layer: Any, z: Array) -> Array:
    """Return f(z)."""
    if isinstance(layer, ReLU):
        return np.maximum(z, 0)
    if isinstance(layer, LeakyReLU):
        return np.where(z > 0, z, z.dtype.type(layer.slope) * z)
    if isinstance(layer, Sigmoid):
        return np.exp(-np.logaddexp(0, -z))
    return np.tanh(z)


def _slope(layer: Any, z: Array, a: Array) -> Array:
    """Return f'(z), with a = f(z)."""
    if isinstance(layer, ReLU):
        return np.where(z == 0, layer.gradient_at_zero, z > 0).astype(z.dtype)
    if isinstance(layer, LeakyReLU):
        return np.where(z > 0, 1, layer.slope).astype(z.dtype)
    return a * (1 - a) if isinstance(layer, Sigmoid) else 1 - a * a


def _deltas(
    loss: Loss, weights: list[Any], values: list[Array], slopes: list[Array | None], target: Array
) -> list[Array]:
    """Return dL/d(values), from the inputs to the outputs."""
    deltas = [(values[-1] - target) * ERROR_FACTOR[loss]]
    for place in reversed(range(len(weights))):
        slope = slopes[place]
        if slope is None:
            deltas.append(deltas[-1] @ weights[place][0].T)
        else:
            together = loss == "binary_cross_entropy" and place == len(weights) - 1
            deltas.append(deltas[-1] if together else deltas[-1] * slope)
    return deltas[::-1]


def _losses(loss: Loss, values: list[Array], target: Array) -> Array:
    """Return the loss of each example, summed over the outputs."""
    if loss == "binary_cross_entropy":  # from z: -log(sigmoid(z)) = log(1 + e**-z)
        z = values[-2]
        each = np.maximum(z, 0) - z * target + np.log1p(np.exp(-np.abs(z)))
    else:
        each = (values[-1] - target) ** 2 / (2 if loss == "half_squared_error" else 1)
    total: Array = each.sum(axis=1)
    return total
