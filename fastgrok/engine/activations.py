"""Everything about each activation, by its spec class.

A further one is a class in `spec/layers.py`, two functions in `kernels/nn/activations.py`, and a record here.
"""

import math
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np

from fastgrok.engine.records import Records
from fastgrok.kernels.nn import activations as kernels
from fastgrok.kernels.nn.activations import GELU_CUBE, SELU_ALPHA, SELU_SCALE
from fastgrok.kernels.nn.passes import ActivationFunctions
from fastgrok.spec.layers import (
    ELU,
    GELU,
    SELU,
    Hardsigmoid,
    Hardtanh,
    LeakyReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Softsign,
    Tanh,
)

_FLAT, _CURVE = 4, 40  # operations


class Activation(NamedTuple):
    """What an activation is. `layer` is its spec, z and a = f(z) are arrays."""

    functions: ActivationFunctions  # forward and backward on lanes
    argument: Callable[[Any], float] | None  # argument(layer): the number that these take, None for 0
    operations: int  # of the forward of one unit, about; as many again of its backward
    is_curve: bool  # whether these form one long chain, so that more lanes hide their latency
    slope: Callable[[Any, Any, Any], Any]  # slope(layer, z, a) = f'(z) in NumPy, of a unit by its own z, in its dtype
    curvature: Callable[[Any, Any, Any], Any]  # curvature(layer, z, a) = f''(z) likewise; at a kink that of a side
    sign: Callable[[Any], Literal["keeps", "blocks", "varies"]]  # of f': > 0, 0 below zero, or either
    definition: str  # NumPy source that defines f under the name that the command line has for it
    keyword: str | None  # the field of the spec that f takes there, besides x
    reason: Callable[[Any, Any, Callable[[Any], str]], str]  # reason(layer, z, write): how f makes a number of z
    is_tame: bool = False  # whether |f(z)| <= max(|z|, 1) and |f'| <= 1 everywhere


def no_curvature(layer: Any, z: Any, a: Any) -> Any:
    """Return f'' of what is made of straight pieces."""
    return np.zeros_like(z)


ACTIVATIONS: Records[type[Any], Activation] = Records(
    "activation",
    "fastgrok/engine/activations.py",
    {
        ReLU: Activation(
            functions=ActivationFunctions(kernels.relu_forward, kernels.relu_backward),
            argument=lambda layer: layer.gradient_at_zero,
            operations=_FLAT,
            is_curve=False,
            slope=lambda layer, z, a: np.where(z == 0, layer.gradient_at_zero, z > 0).astype(z.dtype),
            curvature=no_curvature,
            sign=lambda layer: "blocks",
            definition="def relu(x):\n    return np.maximum(x, 0)",
            keyword=None,
            reason=lambda layer, z, write: _above_zero(z) or "what is not above zero becomes 0",
            is_tame=True,
        ),
        LeakyReLU: Activation(
            functions=ActivationFunctions(kernels.leaky_relu_forward, kernels.leaky_relu_backward),
            argument=lambda layer: layer.slope,
            operations=_FLAT,
            is_curve=False,
            slope=lambda layer, z, a: np.where(z > 0, 1, layer.slope).astype(z.dtype),
            curvature=no_curvature,
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
            curvature=lambda layer, z, a: a * (1 - a) * (1 - 2 * a),
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
            curvature=lambda layer, z, a: -2 * a * (1 - a * a),
            sign=lambda layer: "keeps",
            definition="tanh = np.tanh",
            keyword=None,
            reason=lambda layer, z, write: "the hyperbolic tangent",
            is_tame=True,
        ),
        ELU: Activation(
            functions=ActivationFunctions(kernels.elu_forward, kernels.elu_backward),
            argument=lambda layer: layer.alpha,
            operations=_CURVE,
            is_curve=True,
            slope=lambda layer, z, a: np.where(z > 0, 1, a + layer.alpha).astype(z.dtype),
            curvature=lambda layer, z, a: np.where(z > 0, 0, a + layer.alpha).astype(z.dtype),
            sign=lambda layer: "keeps",
            definition="def elu(x, alpha=1.0):\n    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))",
            keyword="alpha",
            reason=lambda layer, z, write: (
                _above_zero(z) or f"what is not above zero becomes {write(layer.alpha)} * (exp({write(z)}) - 1)"
            ),
        ),
        SELU: Activation(
            functions=ActivationFunctions(kernels.selu_forward, kernels.selu_backward),
            argument=None,
            operations=_CURVE,
            is_curve=True,
            slope=lambda layer, z, a: np.where(z > 0, SELU_SCALE, a + SELU_SCALE * SELU_ALPHA).astype(z.dtype),
            curvature=lambda layer, z, a: np.where(z > 0, 0, a + SELU_SCALE * SELU_ALPHA).astype(z.dtype),
            sign=lambda layer: "keeps",
            definition="def selu(x):\n"
            f"    return {SELU_SCALE} * np.where(x > 0, x, {SELU_ALPHA} * np.expm1(np.minimum(x, 0)))",
            keyword=None,
            reason=lambda layer, z, write: (
                f"{SELU_SCALE} * {write(z)}" if z > 0 else f"{SELU_SCALE * SELU_ALPHA} * (exp({write(z)}) - 1)"
            ),
        ),
        GELU: Activation(
            functions=ActivationFunctions(kernels.gelu_forward, kernels.gelu_backward),
            argument=lambda layer: float(layer.approximate == "tanh"),
            operations=3 * _CURVE,
            is_curve=True,
            slope=lambda layer, z, a: _gelu_slope(layer.approximate, z),
            curvature=lambda layer, z, a: _gelu_curvature(layer.approximate, z),
            sign=lambda layer: "varies",
            definition="def gelu(x, approximate='none'):\n"
            "    if approximate == 'tanh':\n"
            f"        return x / 2 * (1 + np.tanh((2 / np.pi) ** 0.5 * (x + {GELU_CUBE} * x**3)))\n"
            "    from scipy.special import erfc\n"
            "    return x / 2 * erfc(-x / 2**0.5)",
            keyword="approximate",
            reason=lambda layer, z, write: f"{write(z)} times the share of a normal distribution below it",
        ),
        SiLU: Activation(
            functions=ActivationFunctions(kernels.silu_forward, kernels.silu_backward),
            argument=None,
            operations=_CURVE,
            is_curve=True,
            slope=lambda layer, z, a: _logistic(z) * (1 + z * (1 - _logistic(z))),
            curvature=lambda layer, z, a: _logistic_slope(z) * (2 + z * (1 - 2 * _logistic(z))),
            sign=lambda layer: "varies",
            definition="def silu(x):  # x / (1 + exp(-x)), and no x is too large\n"
            "    return x * np.exp(-np.logaddexp(0, -x))",
            keyword=None,
            reason=lambda layer, z, write: f"{write(z)} / (1 + exp({write(-z)}))",
        ),
        Softplus: Activation(
            functions=ActivationFunctions(kernels.softplus_forward, kernels.softplus_backward),
            argument=lambda layer: layer.beta,
            operations=2 * _CURVE,
            is_curve=True,
            slope=lambda layer, z, a: _logistic(layer.beta * z).astype(z.dtype),
            curvature=lambda layer, z, a: (layer.beta * _logistic_slope(layer.beta * z)).astype(z.dtype),
            sign=lambda layer: "keeps",
            definition="def softplus(x, beta=1.0):\n    return np.logaddexp(0, beta * x) / beta",
            keyword="beta",
            reason=lambda layer, z, write: f"log(1 + exp({write(layer.beta * z)})) / {write(layer.beta)}",
        ),
        Softsign: Activation(
            functions=ActivationFunctions(kernels.softsign_forward, kernels.softsign_backward),
            argument=None,
            operations=3 * _FLAT,
            is_curve=False,
            slope=lambda layer, z, a: 1 / (1 + np.abs(z)) ** 2,
            curvature=lambda layer, z, a: -2 * np.sign(z) / (1 + np.abs(z)) ** 3,
            sign=lambda layer: "keeps",
            definition="def softsign(x):\n    return x / (1 + np.abs(x))",
            keyword=None,
            reason=lambda layer, z, write: f"{write(z)} / (1 + {write(abs(z))})",
            is_tame=True,
        ),
        Hardtanh: Activation(
            functions=ActivationFunctions(kernels.hardtanh_forward, kernels.hardtanh_backward),
            argument=None,
            operations=_FLAT,
            is_curve=False,
            slope=lambda layer, z, a: (np.abs(z) < 1).astype(z.dtype),
            curvature=no_curvature,
            sign=lambda layer: "varies",
            definition="def hardtanh(x):\n    return np.clip(x, -1, 1)",
            keyword=None,
            reason=lambda layer, z, write: (
                "from -1 to 1 it passes as it is" if abs(z) <= 1 else "the nearer of -1 and 1"
            ),
            is_tame=True,
        ),
        Hardsigmoid: Activation(
            functions=ActivationFunctions(kernels.hardsigmoid_forward, kernels.hardsigmoid_backward),
            argument=None,
            operations=2 * _FLAT,
            is_curve=False,
            slope=lambda layer, z, a: np.where(np.abs(z) < 3, 1 / 6, 0).astype(z.dtype),
            curvature=no_curvature,
            sign=lambda layer: "varies",
            definition="def hardsigmoid(x):\n    return np.clip((x + 3) / 6, 0, 1)",
            keyword=None,
            reason=lambda layer, z, write: (
                f"({write(z)} + 3) / 6" if abs(z) <= 3 else "below -3 it becomes 0, above 3 it becomes 1"
            ),
            is_tame=True,
        ),
        Softmax: Activation(
            functions=ActivationFunctions(kernels.softmax_forward, None),
            argument=None,
            operations=_CURVE,
            is_curve=True,
            slope=lambda layer, z, a: a * (1 - a),
            curvature=lambda layer, z, a: a * (1 - a) * (1 - 2 * a),
            sign=lambda layer: "varies",
            definition="def softmax(x):  # over the last axis, and no x is too large\n"
            "    e = np.exp(x - x.max(axis=-1, keepdims=True))\n"
            "    return e / e.sum(axis=-1, keepdims=True)",
            keyword=None,
            reason=lambda layer, z, write: f"exp({write(z)}) divided by the sum of that over all outputs",
        ),
    },
)
"""The records; a kernel knows an activation by its place here."""


def _above_zero(z: Any) -> str:
    return "what is above zero passes as it is" if z > 0 else ""


def _logistic(z: Any) -> Any:
    """Return 1 / (1 + exp(-z)), no z being too large."""
    return np.exp(-np.logaddexp(0, -z))


def _logistic_slope(z: Any) -> Any:
    """Return the derivative of 1 / (1 + exp(-z)), without the difference of two numbers near 1."""
    return _logistic(z) * _logistic(-z)


def _gelu_slope(approximate: str, z: Any) -> Any:
    if approximate == "tanh":
        root = np.sqrt(2 / np.pi)
        tanh = np.tanh(root * (z + GELU_CUBE * z**3))
        slope = (1 + tanh) / 2 + z / 2 * (1 - tanh * tanh) * root * (1 + 3 * GELU_CUBE * z * z)
    else:
        from scipy.special import erfc

        below = erfc(-np.asarray(z, float) / math.sqrt(2)) / 2
        slope = below + z * np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return np.asarray(slope).astype(z.dtype)


def _gelu_curvature(approximate: str, z: Any) -> Any:
    if approximate == "tanh":
        root = np.sqrt(2 / np.pi)
        tanh, du = np.tanh(root * (z + 0.044715 * z**3)), root * (1 + 3 * 0.044715 * z * z)
        bent = 6 * 0.044715 * root * z - 2 * tanh * du * du
        curvature = (1 - tanh * tanh) * (du + z / 2 * bent)
    else:
        curvature = (2 - z * z) * np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return np.asarray(curvature).astype(z.dtype)
