"""Small data compiled in, and which seeds a driver that knows its data leaves to another one.

Where every input is 0 or 1, the first layer needs no products: x w + z is z or z + w. The bits are those of the
product, unless the weight is not finite or the sum is a zero whose sign the product decides. Neither can pass unseen:

- What is not finite stays so: w + anything. A delta that is not finite reaches the biases of the first layer, or, if
  there are none, the weight of an input that is 1, as no example has zeros alone then. So a look at the parameters at
  the end of a stretch finds the lanes in which anything was.
- z + w and the updates without a product are exact where they are tiny, so that they are -0 only where both terms
  are: where a bias, or a weight, is -0 to begin with.
- An optimizer may take a bias to -0 by rounding, and may take a gradient that is not finite for a number. A bias that
  this happens to is made NaN, which stays.

So a lane is looked at when a seed, or a restart, gets in and when it gets out. If something is found, the seed is
left: nothing is written for it but that.
"""

from collections.abc import Callable
from typing import Any

from fastgrok.kernels.block import Examples
from fastgrok.kernels.jit import device
from fastgrok.kernels.lanes import is_negative_zero, like, select, splat_view
from fastgrok.kernels.train.parameters import DriverConfig


def make_constants(config: DriverConfig) -> Callable[..., Any]:
    """Return constants(examples): the examples, as constants if they are known."""
    if config.known is None:

        @device
        def constants(examples):
            return examples
    else:
        (inputs, targets), lanes = config.known.data, config.lanes

        @device
        def constants(examples):
            return Examples(splat_view(inputs, lanes), splat_view(targets, lanes), examples.order)

    return constants


def make_is_sound(config: DriverConfig) -> Callable[..., Any]:
    """Return is_sound(workspace, lane): whether this driver may train a lane's parameters, and may have done so."""
    if config.known is None or not config.known.binary:

        @device
        def is_sound(workspace, lane):
            return True
    else:
        start, end = config.known.guarded

        @device
        def is_sound(workspace, lane):
            for p in range(workspace.params.shape[0]):
                value = workspace.params[p, lane]
                if value - value != 0.0:
                    return False
                if start <= p < end and value == 0.0 and 1.0 / value < 0.0:
                    return False
            return True

    return is_sound


def make_guard(config: DriverConfig) -> Callable[..., Any]:
    """Return guard(params, grads): after an update, NaN for a bias whose sign or gradient is none to go on with."""
    if config.known is None or not config.known.binary:

        @device
        def guard(params, grads):
            """Nothing to be seen."""
    else:
        start, end = config.known.bias, config.known.guarded[1]

        @device
        def guard(params, grads):
            for p in range(start, end):
                bias = params[p] + (grads[p] - grads[p])
                params[p] = select(is_negative_zero(params[p]), like(bias, float("nan")), bias)

    return guard
