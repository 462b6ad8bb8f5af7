"""Small data that is fixed, and which seeds a driver that knows its data leaves to another one.

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

import math

from fastgrok.kernels.block import Examples
from fastgrok.kernels.jit import device
from fastgrok.kernels.lanes import fixed, is_negative_zero, like, select


@device
def constants(examples):
    """Return the examples, as constants if they are fixed."""
    return Examples(fixed("inputs", examples.inputs), fixed("targets", examples.targets), examples.order, None)


@device
def is_sound(workspace, lane):
    """Whether this driver may train a lane's parameters, and may have done so.

    "binary" says that the first layer has no products; its parameters go from "first" to "end".
    """
    if fixed("binary", False):
        sound = True
        for p in range(workspace.params.shape[0]):
            value = workspace.params[p, lane]
            sound &= value - value == 0.0
        for p in range(fixed("first", 0), fixed("end", 0)):
            value = workspace.params[p, lane]
            sound &= value != 0.0 or math.copysign(1.0, value) > 0.0
        return sound
    return True


@device
def guard(params, grads):
    """After an update, put NaN for a bias, of those from "bias", whose sign or gradient is none to go on with."""
    for p in range(fixed("bias", 0), fixed("end", 0)):
        bias = params[p] + (grads[p] - grads[p])
        params[p] = select(is_negative_zero(params[p]), like(bias, float("nan")), bias)
