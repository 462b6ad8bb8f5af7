"""Everything about each activation, by its spec class.

A further one is a class in `spec/layers.py`, two functions in `kernels/nn/activations.py`, and a record here.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np

from fastgrok.engine.records import Records
from fastgrok.kernels.nn import activations as kernels
from fastgrok.kernels.nn.passes import ActivationFunctions
from fastgrok.spec.layers import LeakyReLU, ReLU, Sigmoid, Tanh

_FLAT, _CURVE = 4, 40  # operations


class Activation(NamedTuple):
    """What an activation is. `layer` is its spec, z and a = f(z) are arrays."""

    functions: ActivationFunctions  # forward and backward on lanes
    argument: str | None  # the field of the spec that these take as their argument
    operations: int  # of the forward of one unit, about; as many again of its backward
    is_curve: bool  # whether these form one long chain, so that more lanes hide their latency
    slope: Callable[[Any, Any, Any], Any]  # slope(layer, z, a) = f'(z) in NumPy, in the dtype of z
    sign: Callable[[Any], Literal["keeps", "blocks", "varies"]]  # of f': > 0, 0 below zero, or either
    definition: str  # NumPy source that defines f under the name that the command line has for it
    keyword: str | None  # the field of the spec that f takes there, besides x
    reason: Callable[[Any, Any, Callable[[Any], str]], str]  # reason(layer, z, write): how f makes a number of z
    is_tame: bool = False  # whether |f(z)| <= max(|z|, 1) and |f'| <= 1 everywhere


ACTIVATIONS: Records[type[Any], Activation] = Records(
    "activation",
    "fastgrok/engine/activations.py",
    {
        ReLU: Activation(
            functions=ActivationFunctions(kernels.relu_forward, kernels.relu_backward),
            argument="gradient_at_zero",
            operations=_FLAT,
            is_curve=False,
            slope=lambda layer, z, a: np.where(z == 0, layer.gradient_at_zero, z > 0).astype(z.dtype),
            sign=lambda layer: "blocks",
            definition="def relu(x):\n    return np.maximum(x, 0)",
            keyword=None,
            reason=lambda layer, z, write: _above_zero(z) or "what is not above zero becomes 0",
            is_tame=True,
        ),
        LeakyReLU: Activation(
            functions=ActivationFunctions(kernels.leaky_relu_forward, kernels.leaky_relu_backward),
            argument="slope",
            operations=_FLAT,
            is_curve=False,
            slope=lambda layer, z, a: np.where(z > 0, 1, layer.slope).astype(z.dtype),
            sign=lambda layer: "keeps" if layer.slope else "blocks",
            definition="def leaky_relu(x, slope=0.01):\n    return np.where(x > 0, x, slope * x)",
            keyword="slope",
            reason=lambda layer, z, write: (
                _above_zero(z) or f"what is not above zero is multiplied by {write(layer.slope)}"
            ),
            is_tame=True,
        ),
        Sigmoid: Activation(
            functions=ActivationFunctions(kernels.sigmoid_forward, kernels.sigmoid_backward),
            argument=None,
            operations=_CURVE,
            is_curve=True,
            slope=lambda layer, z, a: a * (1 - a),
            sign=lambda layer: "keeps",
            definition="def sigmoid(x):  # 1 / (1 + exp(-x)), and no x is too large\n"
            "    return np.exp(-np.logaddexp(0, -x))",
            keyword=None,
            reason=lambda layer, z, write: f"1 / (1 + exp({write(-z)}))",
            is_tame=True,
        ),
        Tanh: Activation(
            functions=ActivationFunctions(kernels.tanh_forward, kernels.tanh_backward),
            argument=None,
            operations=_CURVE,
            is_curve=True,
            slope=lambda layer, z, a: 1 - a * a,
            sign=lambda layer: "keeps",
            definition="tanh = np.tanh",
            keyword=None,
            reason=lambda layer, z, write: "the hyperbolic tangent",
            is_tame=True,
        ),
    },
)
"""The records; a kernel knows an activation by its place here."""


def _above_zero(z: Any) -> str:
    return "what is above zero passes as it is" if z > 0 else ""
