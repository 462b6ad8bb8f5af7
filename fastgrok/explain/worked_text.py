"""A worked pass in words and numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgrok.explain.passes import ERROR_FACTOR
from fastgrok.explain.text import layer_name, numbers, precise, wrapped
from fastgrok.spec.layers import LeakyReLU
from fastgrok.statistics.tables import Cells, aligned

if TYPE_CHECKING:
    from fastgrok.explain.worked_pass import ActivationPass, LayerPass, WorkedPass

_LEGEND = (
    "L0 are the inputs, L1 is what Linear layer 1 gives out; N0 is the first unit of a layer, B the bias. "
    "Numbers are shown to six digits and calculated with all."
)


def written(work: WorkedPass) -> str:
    """Return the text of a worked pass."""
    which = "An input" if work.example is None else f"Example {work.example} of {work.experiment.data.name}"
    given = f"{which} through {work.experiment.network}: inputs {numbers(work.inputs)}, target {numbers(work.target)}"
    lines = [*wrapped(given), *wrapped(_LEGEND, hanging=0), "", "Forward"]
    for layer in work.layers:
        lines += _forward(layer)
    lines += [*wrapped(f"output = {numbers(work.output)}", indent=2), *_loss(work)]
    lines += ["", "Backward: delta is how much the loss grows with a sum"]
    last = len(work.layers) - 1
    for k in reversed(range(len(work.layers))):
        arrived = _from_loss(work) if k == last else _from_units(work.layers[k + 1])
        lines += _backward(work.layers[k], arrived, work.experiment.loss == "binary_cross_entropy" and k == last)
    lines += ["", *wrapped(_update(work), hanging=0)]
    for layer in work.layers:
        lines += ["", *(f"  {line}" for line in aligned(_gradients(layer)))]
    return "\n".join(lines)


def _factor(value: Any) -> str:
    """Write a number that stands behind another: a negative one in brackets."""
    text = precise(value)
    return f"({text})" if text.startswith("-") else text


def _product(first: Any, second: Any, behind: bool) -> str:
    """Write a product, which may stand behind another."""
    return f"{_factor(first) if behind else precise(first)} * {_factor(second)}"


def _sum(products: list[str], values: list[Any], total: Any) -> str:
    """Write products, what they are, and their sum; what says nothing new is left out."""
    known = [precise(values[0]), *map(_factor, values[1:])]
    stages = [" + ".join(products), " + ".join(known), precise(total)]
    return " = ".join(dict.fromkeys(stages))


def _forward(layer: LayerPass) -> Iterator[str]:
    """Write the sums of a layer, and what its activations make of them."""
    for j, z in enumerate(layer.pre_activation):
        pairs = zip(layer.inputs, layer.weight[:, j], strict=True)
        terms = [_product(x, w, behind=i > 0) for i, (x, w) in enumerate(pairs)]
        values = list(layer.products[:, j])
        if layer.bias is not None:
            terms.append(f"bias {_factor(layer.bias[j])}")
            values.append(layer.bias[j])
        yield from wrapped(f"L{layer.number}N{j}: sum = {_sum(terms, values, z)}", indent=2, hanging=6)
        for activation in layer.activations:
            before, after = activation.before[j], activation.after[j]
            shown = f"{layer_name(activation.layer)}({precise(before)}) = {precise(after)}"
            yield from wrapped(f"{shown}: {_why(activation, before)}", indent=8)


def _why(activation: ActivationPass, before: Any) -> str:
    """Say what an activation does to a number."""
    name = layer_name(activation.layer)
    if name == "sigmoid":
        return f"1 / (1 + exp({precise(-before)}))"
    if name == "tanh":
        return "the hyperbolic tangent"
    if before > 0:
        return "what is above zero passes as it is"
    if isinstance(activation.layer, LeakyReLU):
        return f"what is not above zero is multiplied by {precise(activation.layer.slope)}"
    return "what is not above zero becomes 0"


def _loss(work: WorkedPass) -> Iterator[str]:
    """Write the errors and the loss."""
    errors = work.output - work.target
    for j, (output, target, error) in enumerate(zip(work.output, work.target, errors, strict=True)):
        which = f" of L{len(work.layers)}N{j}" if len(errors) > 1 else ""
        yield f"  error{which} = output - target = {precise(output)} - {_factor(target)} = {precise(error)}"
    if work.experiment.loss == "binary_cross_entropy":
        formula = "-(" + " + ".join(
            f"{precise(t)} * log {precise(o)} + {precise(1 - t)} * log {precise(1 - o)}"
            for o, t in zip(work.output, work.target, strict=True)
        ) + ")"  # fmt: skip
    else:
        formula = " + ".join(f"{_factor(error)}^2" for error in errors)
        if work.experiment.loss == "half_squared_error":
            formula = f"1/2 * ({formula})" if len(errors) > 1 else f"1/2 * {formula}"
    yield from wrapped(f"loss = {formula} = {precise(work.loss)}", indent=2)


def _from_loss(work: WorkedPass) -> Callable[[int], str]:
    """Return what says how the loss grows with an output."""
    errors = work.output - work.target
    factor = ERROR_FACTOR[work.experiment.loss]
    if work.experiment.loss == "binary_cross_entropy":
        return lambda j: f"output - target = {precise(errors[j])}"
    if factor == 1:
        return lambda j: f"error {precise(errors[j])}"
    return lambda j: f"{factor} * error = {factor} * {_factor(errors[j])} = {precise(factor * errors[j])}"


def _from_units(after: LayerPass) -> Callable[[int], str]:
    """Return what says how the loss grows with what a unit gives to the layer after it."""

    def arrived(i: int) -> str:
        pairs = zip(after.weight[i], after.delta, strict=True)
        terms = [_product(w, d, behind=j > 0) for j, (w, d) in enumerate(pairs)]
        return _sum(terms, list(after.returned[i]), np.sum(after.returned[i]))

    return arrived


def _backward(layer: LayerPass, arrived: Callable[[int], str], together: bool) -> Iterator[str]:
    """Write the deltas of a layer; `together`: cross-entropy and the last sigmoid are one."""
    for j, delta in enumerate(layer.delta):
        text = f"L{layer.number}N{j}: {arrived(j)}"
        for k, activation in enumerate(reversed(layer.activations)):
            if together and k == 0:
                text += ", the slopes of cross-entropy and sigmoid together"
            else:
                slope = precise(activation.slope[j])
                text += (
                    f", times {slope}, the slope of {layer_name(activation.layer)} at {precise(activation.before[j])}"
                )
        yield from wrapped(f"{text}: delta = {precise(delta)}", indent=2, hanging=6)


def _update(work: WorkedPass) -> str:
    """Say what the tables of gradients show."""
    experiment = work.experiment
    text = "Gradients: gradient = input * delta"
    if work.lr is None:
        return f"{text}. An update of {experiment.optimizer!r} takes more than the gradient: no new weight is given."
    text += f", new = old - {precise(work.lr)} * gradient"
    if experiment.batch_rows > 1:
        rows, reduction = experiment.batch_rows, experiment.reduction
        text += (
            f", as if this example were a batch of its own. In training a batch has {rows}, "
            f"and an update takes the {reduction} of their gradients"
        )
    return text + "."


def _gradients(layer: LayerPass) -> Cells:
    """Return a row for each bias and weight of a layer."""
    k = layer.number
    body: list[list[str]] = []

    def row(name: str, x: Any, j: int, gradient: Any, old: Any, new: Any) -> None:
        shown = [precise(x), precise(layer.delta[j]), precise(gradient), precise(old)]
        body.append([name, *shown, *([] if new is None else [precise(new)])])

    if layer.bias is not None:
        for j, old in enumerate(layer.bias):
            row(
                f"{k - 1}B -> L{k}N{j}",
                1,
                j,
                layer.delta[j],
                old,
                None if layer.new_bias is None else layer.new_bias[j],
            )
    for (i, j), old in np.ndenumerate(layer.weight):
        new = None if layer.new_weight is None else layer.new_weight[i, j]
        row(f"L{k - 1}N{i} -> L{k}N{j}", layer.inputs[i], j, layer.gradient_weight[i, j], old, new)
    header = ["weight", "input", "delta", "gradient", "old"] + ([] if layer.new_weight is None else ["new"])
    return Cells(header, body, 1)
