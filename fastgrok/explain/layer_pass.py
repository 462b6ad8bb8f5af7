"""One Linear layer and its activations in a worked pass: the numbers, and their text."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, cast

import numpy as np

from fastgrok.engine.activations import ACTIVATIONS
from fastgrok.explain.passes import Array
from fastgrok.explain.text import precise, wrapped
from fastgrok.spec.layers import Activation, Layer, Skip
from fastgrok.spec.network import layer_label
from fastgrok.statistics.tables import table
from fastgrok.statistics.text import plural


class ActivationPass(NamedTuple):
    """One activation, or a Skip.

    Parameters
    ----------
    layer
        Which.
    before, after, slope, delta
        (width,) each: what it takes in, f(before), f'(before), and dL/d(after).
    added
        (width,), of a Skip: what it adds to `before`; None of an activation.
    begun
        (width,), what the Skips that begin behind it bring back, which is part of delta; None where none does.
    """

    layer: Layer
    before: Array
    after: Array
    slope: Array
    delta: Array
    added: Array | None
    begun: Array | None


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
        (fan_out,), z: the sums of the products, the bias, and what a Skip right behind adds.
    activations
        What follows, in order: activations and Skips.
    activation
        (fan_out,), what comes out after them.
    delta
        (fan_out,), dL/dz.
    begun
        (fan_out,), what the Skips that begin at z bring back, which is part of delta; None where none does.
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
    begun: Array | None
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
    with_skip = bool(layer.activations) and layer.activations[0].added is not None
    for j, z in enumerate(layer.activations[0].before if with_skip else layer.pre_activation):
        terms = _products(layer.inputs, layer.weight[:, j])
        values = list(layer.products[:, j])
        if layer.bias is not None:
            terms.append(f"bias {factor(layer.bias[j])}")
            values.append(layer.bias[j])
        yield from wrapped(f"L{layer.number}N{j}: sum = {_sum(terms, values, z)}", indent=2, hanging=6)
        for activation in layer.activations:
            yield from wrapped(_through(activation, j), indent=8)


def _through(activation: ActivationPass, j: int) -> str:
    """Write what an activation or a Skip makes of unit j."""
    before, after, layer = activation.before[j], activation.after[j], activation.layer
    if activation.added is not None:
        by = f"by a skip around {plural(cast(Skip, layer).over, 'layer')}"
        return f"{precise(before)} + {factor(activation.added[j])} = {precise(after)}, {by}"
    reason = ACTIVATIONS[type(layer)].reason(layer, before, precise)
    return f"{layer_label(layer)}({precise(before)}) = {precise(after)}: {reason}"


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
            text += _brought_back(activation.begun, j)
            if loss_includes_last and k == 0:
                text += f", the slopes of cross-entropy and {name} together"
            elif isinstance(activation.layer, Activation):
                text += (
                    f", times {precise(activation.slope[j])}, the slope of {name} at {precise(activation.before[j])}"
                )
        text += _brought_back(layer.begun, j)
        yield from wrapped(f"{text}: delta = {precise(delta)}", indent=2, hanging=6)


def _brought_back(begun: Array | None, j: int) -> str:
    """Write what Skips add to the delta of unit j."""
    return "" if begun is None else f", plus {factor(begun[j])} by a skip"


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
