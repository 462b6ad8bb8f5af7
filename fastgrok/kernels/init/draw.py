"""One seed's initial parameters, drawn from its stream: what `initialise` and every other drawing kernel call."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

from fastgrok.kernels.cache import identity
from fastgrok.kernels.jit import by_kind, device
from fastgrok.kernels.rng.streams import STREAMS, Stream

Factory = Callable[[Stream], Callable[..., Any]]


class Distributions(NamedTuple):
    """What a kernel draws from, and the forms that it makes: the kind and the form of a tensor are places here."""

    kinds: tuple[Factory, ...]  # each returns number(state, a, b)
    forms: tuple[Factory, ...]  # see forms.py

    @property
    def identity(self) -> tuple[tuple[str, ...], ...]:
        """What stands for them in the key of a kernel."""
        return tuple(tuple(map(identity, factories)) for factories in self)


class Tensors(NamedTuple):
    """What to draw, tensor by tensor in the order of the parameters; each field has one entry a tensor."""

    rows: Any  # int64: fan_in, 1 for biases
    columns: Any  # int64: fan_out
    kinds: Any  # int64
    a: Any  # float64: such as the constant, the low end, the mean
    b: Any  # float64: such as the high end, the standard deviation
    forms: Any  # int64
    form_a: Any  # float64: the first number of the form
    form_b: Any  # float64: its second


def constant(stream: Stream) -> Callable[..., Any]:
    """Return number(state, a, b) = a, which draws nothing."""

    @device
    def number(state, a, b):
        return a

    return number


def uniform(stream: Stream) -> Callable[..., Any]:
    """Return number(state, a, b) from U(a, b)."""
    random = stream.random

    @device
    def number(state, a, b):
        return a + (b - a) * random(state)

    return number


def normal(stream: Stream) -> Callable[..., Any]:
    """Return number(state, a, b) from N(a, b**2)."""
    standard_normal = stream.standard_normal

    @device
    def number(state, a, b):
        return a + b * standard_normal(state)

    return number


@functools.cache
def make_draw(stream: str, distributions: Distributions) -> Any:
    """Return the device function draw(drawn, scratch, state, tensors) of a stream.

    It draws the parameters of one seed in their order: layer by layer the weights, row by row, and then the biases.

    drawn : float64 (n_params,)
    scratch : float64, one number for each unit or input of the largest matrix
        Its contents mean nothing, before or after.
    state : uint64 (words,)
        The seed's stream, which goes on from where it is.
    """
    numbers, forms = ([make(STREAMS[stream]) for make in factories] for factories in distributions)
    number = by_kind("distribution", dict(enumerate(numbers)), returns=1)
    form = by_kind("form", dict(enumerate(forms)))

    @device
    def draw(drawn, scratch, state, tensors):
        start = 0
        for t in range(tensors.kinds.shape[0]):
            kind, a, b = tensors.kinds[t], tensors.a[t], tensors.b[t]
            end = start + tensors.rows[t] * tensors.columns[t]
            for p in range(start, end):
                drawn[p] = number(kind, state, a, b)
            form(tensors.forms[t], drawn[start:end], scratch, state, tensors, t)
            start = end

    return draw
