"""Names and meanings of the losses and of how they are reduced over a batch.

With e = output - target, per example and summed over the outputs:

==================== ============================== ===========================================
name                 loss of one example            delta, the gradient before the reduction
==================== ============================== ===========================================
half_squared_error   1/2 sum e**2                   e, at the output
squared_error        sum e**2                       2 e, at the output
absolute_error       sum abs(e)                     sign(e), at the output
huber                sum e**2 / 2 where abs(e) <= 1 e between -1 and 1, at the output
                     and abs(e) - 1/2 beyond
binary_cross_entropy sum log(1 + exp(z)) - target z e, at z, the input of the Sigmoid at the end
cross_entropy        -sum target log output         e, at z, the inputs of the Softmax at the end
==================== ============================== ===========================================

`half_squared_error` is that of *Grokking Deep Learning*; `squared_error` has the 2 of its derivation.

`reduction` says what an update does with the gradients of a batch's examples: their mean or their sum. The
loss that is *reported* is the mean over examples in either case.
"""

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from fastgrok.errors import InvalidExperiment
from fastgrok.spec.layers import Activation, Layer, Sigmoid, Softmax

Loss = Literal[
    "half_squared_error", "squared_error", "absolute_error", "huber", "binary_cross_entropy", "cross_entropy"
]
"""Name of a loss."""

Reduction = Literal["mean", "sum"]
"""Name of a reduction."""

LOSSES: tuple[Loss, ...] = get_args(Loss)

LAST_LAYERS: dict[str, type[Activation]] = {"binary_cross_entropy": Sigmoid, "cross_entropy": Softmax}
"""What a network must end with for a loss that is differentiated together with it."""


def any_loss(last: Layer) -> Loss:
    """Return a loss that goes with the last layer of a network, for what needs no training."""
    return "cross_entropy" if isinstance(last, Softmax) else "half_squared_error"


_SUM_TOLERANCE = 1e-6  # of the targets of an example, which are probabilities


def check_last_layer(field: str, loss: str, last: Layer) -> None:
    """Raise unless a loss and the last layer of a network go together: a Softmax has no other loss."""
    needed = LAST_LAYERS.get(loss)
    if needed is not Softmax and isinstance(last, Softmax):
        raise InvalidExperiment(field, loss, "'cross_entropy' with a Softmax at the end")
    if needed is not None and not isinstance(last, needed):
        raise InvalidExperiment(field, loss, f"another loss, or {needed.__name__}() instead of {last!r} at the end")


def check_targets(field: str, loss: str, targets: NDArray[Any]) -> None:
    """Raise unless targets (n_examples, n_out) are those that a loss takes."""
    if loss not in LAST_LAYERS:
        return
    outside = np.argwhere((targets < 0) | (targets > 1))
    if outside.size:
        row, column = map(int, outside[0])
        value = float(targets[row, column])
        raise InvalidExperiment(f"{field}[{row}, {column}]", value, f"a target from 0 to 1 for loss={loss!r}")
    sums = targets.sum(axis=1)
    apart = np.flatnonzero(np.abs(sums - 1) > _SUM_TOLERANCE)
    if loss == "cross_entropy" and apart.size:
        row = int(apart[0])
        raise InvalidExperiment(f"{field}[{row}]", targets[row].tolist(), f"probabilities that sum to 1 for {loss}")
