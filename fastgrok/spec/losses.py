"""Names and meanings of the losses and of how they are reduced over a batch.

With e = output - target, per example and summed over the outputs:

==================== ============================== ===========================================
name                 loss of one example            delta, the gradient before the reduction
==================== ============================== ===========================================
half_squared_error   1/2 sum e**2                   e, at the output
squared_error        sum e**2                       2 e, at the output
binary_cross_entropy sum log(1 + exp(z)) - target z e, at z, the input of the Sigmoid at the end
==================== ============================== ===========================================

`half_squared_error` is that of *Grokking Deep Learning*; `squared_error` has the 2 of its derivation.

`reduction` says what an update does with the gradients of a batch's examples: their mean or their sum. The
loss that is *reported* is the mean over examples in either case.
"""

from typing import Literal, get_args

Loss = Literal["half_squared_error", "squared_error", "binary_cross_entropy"]
"""Name of a loss."""

Reduction = Literal["mean", "sum"]
"""Name of a reduction."""

LOSSES: tuple[Loss, ...] = get_args(Loss)
