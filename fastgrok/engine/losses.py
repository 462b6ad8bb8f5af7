"""Everything about each loss, by its name.

A further one is a name in `spec/losses.py`, its functions in `kernels/nn/losses.py`, and a record here.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from fastgrok.engine.records import Records
from fastgrok.kernels.nn.losses import (
    add_absolute,
    add_cross_entropy,
    add_huber,
    add_softmax_cross_entropy,
    add_squares,
    error_backward,
    huber_backward,
    sign_backward,
)
from fastgrok.kernels.nn.passes import LossFunctions
from fastgrok.spec.layers import Activation
from fastgrok.spec.losses import LAST_LAYERS

Write = Callable[[Any], str]


class Loss(NamedTuple):
    """What a loss is. e = output - target."""

    functions: LossFunctions  # add and backward on lanes
    factor: float  # the loss is this times what `add` sums
    slope: float  # what the first delta of `backward` is multiplied by
    together_with: type[Activation] | None  # the last layer, whose input the first delta is at; None: at the outputs
    curvature: Callable[[Any, Any, Any], Any]
    """curvature(outputs, targets, change): how the first delta changes with a change of what it is at, in NumPy."""
    formula: Callable[[Sequence[Any], Sequence[Any], Write, Write], str]
    """formula(outputs, targets, write, write_behind): the loss of an example with its numbers; the second way of
    writing a number puts a negative one in brackets."""
    growth: Callable[[Any, Write, Write], str]
    """growth(e, write, write_behind): the first delta, how the loss grows with an output."""


def _written_cross_entropy(outputs: Sequence[Any], targets: Sequence[Any], write: Write, behind: Write) -> str:
    terms = (
        f"{write(t)} * log {write(o)} + {write(1 - t)} * log {write(1 - o)}"
        for o, t in zip(outputs, targets, strict=True)
    )
    return f"-({' + '.join(terms)})"


def _written_softmax_cross_entropy(
    outputs: Sequence[Any], targets: Sequence[Any], write: Write, behind: Write
) -> str:
    terms = [f"{write(t)} * log {write(o)}" for o, t in zip(outputs, targets, strict=True) if t]
    return f"-({' + '.join(terms)})"


def _written_squares(outputs: Sequence[Any], targets: Sequence[Any], write: Write, behind: Write) -> str:
    return " + ".join(f"{behind(o - t)}^2" for o, t in zip(outputs, targets, strict=True))


def _written_half_squares(outputs: Sequence[Any], targets: Sequence[Any], write: Write, behind: Write) -> str:
    squares = _written_squares(outputs, targets, write, behind)
    return f"1/2 * ({squares})" if len(outputs) > 1 else f"1/2 * {squares}"


def _written_absolute(outputs: Sequence[Any], targets: Sequence[Any], write: Write, behind: Write) -> str:
    return " + ".join(f"|{write(o - t)}|" for o, t in zip(outputs, targets, strict=True))


def _written_huber(outputs: Sequence[Any], targets: Sequence[Any], write: Write, behind: Write) -> str:
    errors = [o - t for o, t in zip(outputs, targets, strict=True)]
    return " + ".join(f"|{write(e)}| - 1/2" if abs(e) > 1 else f"1/2 * {behind(e)}^2" for e in errors)


def _is_error(error: Any, write: Write, behind: Write) -> str:
    return f"error {write(error)}"


def _is_difference(error: Any, write: Write, behind: Write) -> str:
    return f"output - target = {write(error)}"


def _softmax_change(outputs: Any, targets: Any, change: Any) -> Any:
    """Return how the outputs of a Softmax change with its inputs, over the last axis."""
    return outputs * (change - np.sum(outputs * change, axis=-1, keepdims=True))


_SQUARES = LossFunctions(add_squares, error_backward)

LOSSES: Records[str, Loss] = Records(
    "loss",
    "fastgrok/engine/losses.py",
    {
        "half_squared_error": Loss(
            functions=_SQUARES,
            factor=0.5,
            slope=1.0,
            together_with=None,
            curvature=lambda outputs, targets, change: change,
            formula=_written_half_squares,
            growth=_is_error,
        ),
        "squared_error": Loss(
            functions=_SQUARES,
            factor=1.0,
            slope=2.0,
            together_with=None,
            curvature=lambda outputs, targets, change: 2 * change,
            formula=_written_squares,
            growth=lambda e, write, behind: f"2 * error = 2 * {behind(e)} = {write(2.0 * e)}",
        ),
        "absolute_error": Loss(
            functions=LossFunctions(add_absolute, sign_backward),
            factor=1.0,
            slope=1.0,
            together_with=None,
            curvature=lambda outputs, targets, change: 0 * change,
            formula=_written_absolute,
            growth=lambda e, write, behind: f"sign of the error {write(e)} = {write(e * 0 + (e > 0) - (e < 0))}",
        ),
        "huber": Loss(
            functions=LossFunctions(add_huber, huber_backward),
            factor=1.0,
            slope=1.0,
            together_with=None,
            curvature=lambda outputs, targets, change: np.where(np.abs(outputs - targets) <= 1, change, 0),
            formula=_written_huber,
            growth=lambda e, write, behind: (
                f"error {write(e)}, at most 1: {write(e / abs(e))}" if abs(e) > 1 else f"error {write(e)}"
            ),
        ),
        "binary_cross_entropy": Loss(
            functions=LossFunctions(add_cross_entropy, error_backward),
            factor=1.0,
            slope=1.0,
            together_with=LAST_LAYERS["binary_cross_entropy"],
            curvature=lambda outputs, targets, change: outputs * (1 - outputs) * change,
            formula=_written_cross_entropy,
            growth=_is_difference,
        ),
        "cross_entropy": Loss(
            functions=LossFunctions(add_softmax_cross_entropy, error_backward),
            factor=1.0,
            slope=1.0,
            together_with=LAST_LAYERS["cross_entropy"],
            curvature=_softmax_change,
            formula=_written_softmax_cross_entropy,
            growth=_is_difference,
        ),
    },
)
"""The records."""
