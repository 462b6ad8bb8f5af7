"""Schemes of initialisation: fan_in, fan_out -> the distribution of a layer's initial parameters.

Every scheme says which distribution the weights of a layer have, and so which NumPy calls draw them from the
seed's stream `rng` (`numpy.random.default_rng(seed)`, or `numpy.random.RandomState(seed)` for
`stream="numpy_legacy"`), in float64 and row by row. For a bias `shape` is (fan_out,) instead of
(fan_in, fan_out); fan_in and fan_out are still the layer's.

A further scheme is one more class here: the command line finds it by its name. The book's `2 * random(shape) - 1`
is `Uniform(-1, 1)`.
"""

from fastgrok.spec.initializers.base import Distribution, Initializer, Scheme
from fastgrok.spec.initializers.basic import Constant, Normal, TruncatedNormal, Uniform, Zeros
from fastgrok.spec.initializers.fans import (
    HeNormal,
    HeUniform,
    KerasDense,
    LeCunNormal,
    LeCunUniform,
    TorchLinear,
    XavierNormal,
    XavierUniform,
)
from fastgrok.spec.initializers.matrices import RAI, Identity, NguyenWidrow, Orthogonal, Sparse
from fastgrok.spec.initializers.names import initializer, initializer_names
from fastgrok.spec.initializers.own import FromArrays, FromFunction
from fastgrok.spec.initializers.tensors import InitialTensor, given, initial_tensors

__all__ = [
    "RAI",
    "Constant",
    "Distribution",
    "FromArrays",
    "FromFunction",
    "HeNormal",
    "HeUniform",
    "Identity",
    "InitialTensor",
    "Initializer",
    "KerasDense",
    "LeCunNormal",
    "LeCunUniform",
    "NguyenWidrow",
    "Normal",
    "Orthogonal",
    "Scheme",
    "Sparse",
    "TorchLinear",
    "TruncatedNormal",
    "Uniform",
    "XavierNormal",
    "XavierUniform",
    "Zeros",
    "given",
    "initial_tensors",
    "initializer",
    "initializer_names",
]
