"""One Linear layer and its activations in a worked pass: the numbers, and their text."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from fastgrok.engine.activations import ACTIVATIONS
from fastgrok.explain.passes import Array
from fastgrok.explain.text import precise, wrapped
from fastgrok.spec.layers import Layer
from fastgrok.spec.network import layer_label
from fastgrok.statistics.tables import table


class ActivationPass(NamedTuple):
    """One activation.

    Parameters
    ----------
    layer
        Which.
    before, after, slope, delta
        (width,) each: what it takes in, f(before), f'(before), and dL/d(after).
    """

    layer: Layer
    before: Array
    after: Array
    slope: Array
    delta: Array


class LayerPass(NamedTuple):
    """One Linear layer with its activations.

    Parameters
    ----------
    number
        Its number among the Linear layers, from 1.
    inputs
        (fan_in,), x.
    weight, bias
        (fan_in, fan_out); (fan_out,) or None.
    products
        (fan_in, fan_out), x_i w_ij.
    pre_activation
        (fan_out,), z: the sums of the products, and the bias.
    activations
        What follows, in order.
    activation
        (fan_out,), what comes out after them.
    delta
        (fan_out,), dL/dz.
    returned
        (fan_in, fan_out), w_ij delta_j: summed over j they are dL/dx.
    gradient_weight, gradient_bias
        (fan_in, fan_out), x_i delta_j; (fan_out,), delta, or None.
    new_weight, new_bias
        weight - lr gradient_weight, and likewise; None where an update depends on more than this example.
    """

    number: int
    inputs: Array
    weight: Array
    bias: Array | None
    products: Array
    pre_activation: Array
    activations: tuple[ActivationPass, ...]
    activation: Array
    delta: Array
    returned: Array
    gradient_weight: Array
    gradient_bias: Array | None
    new_weight: Array | None
    new_bias: Array | None


def factor(value: Any) -> str:
    """Write a number that stands behind another: a negative one in brackets."""
    text = precise(value)
    return f"({text})" if text.startswith("-") else text


def _products(first: Any, second: Any) -> list[str]:
    """Write the products of a sum."""
    pairs = enumerate(zip(first, second, strict=True))
    return [f"{factor(x) if i else precise(x)} * {factor(w)}" for i, (x, w) in pairs]


def _sum(products: list[str], values: list[Any], total: Any) -> str:
    """Write products, their values, and the sum of these; what says nothing new is left out."""
    written = [precise(values[0]), *map(factor, values[1:])]
    stages = [" + ".join(products), " + ".join(written), precise(total)]
    return " = ".join(dict.fromkeys(stages))


def forward_text(layer: LayerPass) -> Iterator[str]:
    """Write the sums of a layer, and what its activations make of them."""
    for j, z in enumerate(layer.pre_activation):
        terms = _products(layer.inputs, layer.weight[:, j])
        values = list(layer.products[:, j])
        if layer.bias is not None:
            terms.append(f"bias {factor(layer.bias[j])}")
            values.append(layer.bias[j])
        yield from wrapped(f"L{layer.number}N{j}: sum = {_sum(terms, values, z)}", indent=2, hanging=6)
        for activation in layer.activations:
            before, after = activation.before[j], activation.after[j]
            value = f"{layer_label(activation.layer)}({precise(before)}) = {precise(after)}"
            reason = ACTIVATIONS[type(activation.layer)].reason(activation.layer, before, precise)
            yield from wrapped(f"{value}: {reason}", indent=8)


def returned_text(after: LayerPass, i: int) -> str:
    """Write the sum that a layer returns to unit i of the layer before it: how the loss grows with that output."""
    return _sum(_products(after.weight[i], after.delta), list(after.returned[i]), np.sum(after.returned[i]))


def backward_text(layer: LayerPass, arriving: Callable[[int], str], loss_includes_last: bool) -> Iterator[str]:
    """Write the deltas of a layer.

    arriving: how the loss grows with an output of the layer, by unit; loss_includes_last: whether the loss is
    differentiated together with the last activation.
    """
    for j, delta in enumerate(layer.delta):
        text = f"L{layer.number}N{j}: {arriving(j)}"
        for k, activation in enumerate(reversed(layer.activations)):
            name = layer_label(activation.layer)
            if loss_includes_last and k == 0:
                text += f", the slopes of cross-entropy and {name} together"
            else:
                text += (
                    f", times {precise(activation.slope[j])}, the slope of {name} at {precise(activation.before[j])}"
                )
        yield from wrapped(f"{text}: delta = {precise(delta)}", indent=2, hanging=6)


def gradient_table(layer: LayerPass) -> str:
    """Return a table with a row for each bias and each weight of a layer."""
    k = layer.number
    rows: list[tuple[Any, ...]] = []  # name, input, delta, gradient, old, new
    if layer.bias is not None:
        new_bias = [None] * len(layer.bias) if layer.new_bias is None else layer.new_bias
        for j, (old, new) in enumerate(zip(layer.bias, new_bias, strict=True)):
            rows.append((f"{k - 1}B -> L{k}N{j}", 1, layer.delta[j], layer.delta[j], old, new))
    for (i, j), old in np.ndenumerate(layer.weight):
        new = None if layer.new_weight is None else layer.new_weight[i, j]
        name = f"L{k - 1}N{i} -> L{k}N{j}"
        rows.append((name, layer.inputs[i], layer.delta[j], layer.gradient_weight[i, j], old, new))
    header = ["weight", "input", "delta", "gradient", "old", *["new"] * (layer.new_weight is not None)]
    body = [[name, *(precise(value) for value in values if value is not None)] for name, *values in rows]
    return table(header, body)
