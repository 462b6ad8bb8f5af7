"""The initial parameters of a network, tensor by tensor, and which initializer draws each."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgrok.errors import InvalidExperiment
from fastgrok.spec.initializers.base import BiasWord, Distribution, Initializer, Scheme
from fastgrok.spec.initializers.custom import ByLayer, FromArrays, FromFunction
from fastgrok.spec.initializers.matrices import RAI
from fastgrok.spec.layers import Linear


class InitialTensor(NamedTuple):
    """Parameters of a layer that are drawn together."""

    field: str  # "init" or "bias_init"
    scheme: Initializer  # the value of that field
    fans: tuple[int, int]  # fan_in and fan_out of the layer
    shape: tuple[int, ...]  # (fan_in, fan_out) of weights, (fan_out,) of biases, (fan_in + 1, fan_out) of both
    source: Distribution | FromFunction | NDArray[np.float64]

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return int(np.prod(self.shape))


def bias_scheme(init: Initializer, bias_init: Initializer | BiasWord) -> Initializer:
    """Return the scheme that draws the biases."""
    if isinstance(bias_init, str):
        return init if bias_init == "same" else init.default_biases
    return bias_init


def initial_tensors(
    init: Initializer, bias_init: Initializer | BiasWord, linears: Sequence[Linear]
) -> list[InitialTensor]:
    """Return the tensors of a network's parameters that are drawn, in the order of `params`."""
    same = bias_init == "same"
    biases = bias_scheme(init, bias_init)
    weights_of, biases_of = _by_layer("init", init, linears), _by_layer("bias_init", biases, linears)
    if same and isinstance(biases, FromFunction) and any(layer.bias for layer in linears):
        expected = "another scheme, such as Zeros(), or a function of its own: that of init gives weights"
        raise InvalidExperiment("bias_init", "same", expected)
    weight_arrays = _arrays("init", init, linears, weights=True, biases=same)
    bias_arrays = weight_arrays if same else _arrays("bias_init", biases, linears, weights=False, biases=True)
    tensors = []
    for layer, own, of_bias in zip(linears, weights_of, biases_of, strict=True):
        fans, together = (layer.fan_in, layer.fan_out), isinstance(own, RAI) and of_bias == own
        shape = (layer.fan_in + (together and layer.bias), layer.fan_out)
        source = own.distribution(*fans) if isinstance(own, Scheme) else _source(own, weight_arrays)
        tensors.append(InitialTensor("init", init, fans, shape, source))
        if layer.bias and not together:
            source = (
                of_bias.bias_distribution(*fans) if isinstance(of_bias, Scheme) else _source(of_bias, bias_arrays)
            )
            tensors.append(InitialTensor("bias_init", biases, fans, shape[1:], source))
    return tensors


def _by_layer(field: str, scheme: Initializer, linears: Sequence[Linear]) -> Sequence[Initializer]:
    """Return the scheme of each layer."""
    if not isinstance(scheme, ByLayer):
        return [scheme] * len(linears)
    if len(scheme.schemes) != len(linears):
        raise InvalidExperiment(field, scheme, f"one scheme for each of {len(linears)} Linear layers")
    return scheme.schemes


def _arrays(
    field: str, scheme: Initializer, linears: Sequence[Linear], *, weights: bool, biases: bool
) -> Iterator[NDArray[np.float64]]:
    """Iterate over the arrays of `FromArrays`, which must fit the layers; over nothing for other schemes."""
    shapes: list[tuple[int, ...]] = []
    for layer in linears:
        shapes += [(layer.fan_in, layer.fan_out)] * weights + [(layer.fan_out,)] * (biases and layer.bias)
    return iter(scheme.fitting(field, shapes) if isinstance(scheme, FromArrays) and shapes else [])


def _source(scheme: Initializer, arrays: Iterator[NDArray[np.float64]]) -> FromFunction | NDArray[np.float64]:
    """Return the function, or the next of the arrays."""
    if isinstance(scheme, FromFunction):
        return scheme
    if isinstance(scheme, FromArrays):
        return next(arrays)
    raise InvalidExperiment("init", scheme, "a Scheme, FromFunction or FromArrays")
