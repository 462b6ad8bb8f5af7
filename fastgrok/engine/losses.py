"""Everything about each loss, by its name.

A further one is a name in `spec/losses.py`, its functions in `kernels/nn/losses.py`, and a record here.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from fastgrok.engine.records import Records
from fastgrok.kernels.nn.losses import add_cross_entropy, add_squares, error_backward
from fastgrok.kernels.nn.passes import LossFunctions
from fastgrok.spec.layers import Activation, Sigmoid

Write = Callable[[Any], str]


class Loss(NamedTuple):
    """What a loss is. e = output - target."""

    functions: LossFunctions  # add and backward on lanes
    factor: float  # the loss is this times what `add` sums
    slope: float  # the first delta is this times e
    together_with: type[Activation] | None  # the last layer, whose input the first delta is at; None: at the outputs
    formula: Callable[[Sequence[Any], Sequence[Any], Write, Write], str]
    """formula(outputs, targets, write, write_behind): the loss of an example with its numbers; the second way of
    writing a number puts a negative one in brackets."""


def _written_cross_entropy(outputs: Sequence[Any], targets: Sequence[Any], write: Write, behind: Write) -> str:
    terms = (
        f"{write(t)} * log {write(o)} + {write(1 - t)} * log {write(1 - o)}"
        for o, t in zip(outputs, targets, strict=True)
    )
    return f"-({' + '.join(terms)})"


def _written_squares(outputs: Sequence[Any], targets: Sequence[Any], write: Write, behind: Write) -> str:
    return " + ".join(f"{behind(o - t)}^2" for o, t in zip(outputs, targets, strict=True))


def _written_half_squares(outputs: Sequence[Any], targets: Sequence[Any], write: Write, behind: Write) -> str:
    squares = _written_squares(outputs, targets, write, behind)
    return f"1/2 * ({squares})" if len(outputs) > 1 else f"1/2 * {squares}"


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
            formula=_written_half_squares,
        ),
        "squared_error": Loss(
            functions=_SQUARES,
            factor=1.0,
            slope=2.0,
            together_with=None,
            formula=_written_squares,
        ),
        "binary_cross_entropy": Loss(
            functions=LossFunctions(add_cross_entropy, error_backward),
            factor=1.0,
            slope=1.0,
            together_with=Sigmoid,
            formula=_written_cross_entropy,
        ),
    },
)
"""The records."""
