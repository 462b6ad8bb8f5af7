"""The parameters of one seed, drawn from its stream: when it begins, and again when it restarts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from fastgrok.kernels.jit import device
from fastgrok.kernels.streams import STREAMS

CONSTANT, UNIFORM, NORMAL = range(3)


class Tensors(NamedTuple):
    """What to draw, tensor by tensor in the order of the parameters; each field has one entry a tensor."""

    sizes: Any  # int64
    kinds: Any  # int64: CONSTANT, UNIFORM, NORMAL
    first: Any  # float64: the constant, the low end, the mean
    second: Any  # float64: -, the high end, the standard deviation


def make_draw(stream: str) -> Callable[..., Any]:
    """Return draw(drawn, scratch, state, tensors), which fills drawn, float64 (n_params,)."""
    random, standard_normal = STREAMS[stream].random, STREAMS[stream].standard_normal

    @device
    def draw(drawn, scratch, state, tensors):
        p = 0
        for t in range(tensors.sizes.shape[0]):
            kind, a, b = tensors.kinds[t], tensors.first[t], tensors.second[t]
            for _ in range(tensors.sizes[t]):
                if kind == UNIFORM:
                    value = a + (b - a) * random(state)
                elif kind == NORMAL:
                    value = a + b * standard_normal(state)
                else:
                    value = a
                drawn[p] = value
                p += 1

    return draw
