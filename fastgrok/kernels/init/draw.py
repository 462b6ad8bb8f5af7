"""One seed's initial parameters, drawn from its stream: what `initialise` and every other drawing kernel call."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

from fastgrok.kernels.init import forms
from fastgrok.kernels.jit import device
from fastgrok.kernels.rng.streams import STREAMS

CONSTANT, UNIFORM, NORMAL = range(3)
FREE, TRUNCATED, ORTHOGONAL, SPARSE, IDENTITY, NGUYEN_WIDROW, RAI = range(7)
# By the names of a Distribution.
KINDS = {"constant": CONSTANT, "uniform": UNIFORM, "normal": NORMAL}
FORMS = {
    "free": FREE,
    "truncated": TRUNCATED,
    "orthogonal": ORTHOGONAL,
    "sparse": SPARSE,
    "identity": IDENTITY,
    "nguyen_widrow": NGUYEN_WIDROW,
    "rai": RAI,
}


class Tensors(NamedTuple):
    """What to draw, tensor by tensor in the order of the parameters; each field has one entry a tensor."""

    rows: Any  # int64: fan_in, 1 for biases
    columns: Any  # int64: fan_out
    kinds: Any  # int64: CONSTANT, UNIFORM, NORMAL
    first: Any  # float64: the constant, the low end, the mean
    second: Any  # float64: -, the high end, the standard deviation
    forms: Any  # int64: FREE where the numbers stay as they are drawn, or what is made of them
    third: Any  # float64: TRUNCATED low, ORTHOGONAL gain, SPARSE zeros, IDENTITY gain, NGUYEN_WIDROW norm
    fourth: Any  # float64: TRUNCATED high


@device
def _stay_free(values, scratch, state, tensors, t):
    """Leave the numbers as they are."""


def _make_form(stream: str) -> Any:
    """Return form(values, scratch, state, tensors, t): make of the numbers of a tensor what it asks for."""
    _, random, standard_normal, permute, _ = STREAMS[stream]
    truncate = forms.truncated(standard_normal)
    thin_out = forms.sparse(permute)
    favour = forms.asymmetric(random)

    @device
    def form(values, scratch, state, tensors, t):
        kind, rows, columns = tensors.forms[t], tensors.rows[t], tensors.columns[t]
        number = tensors.third[t]
        if kind == TRUNCATED:
            truncate(values, state, tensors.first[t], tensors.second[t], number, tensors.fourth[t])
        elif kind == ORTHOGONAL:
            forms.orthogonal(values, scratch, rows, columns, number)
        elif kind == SPARSE:
            thin_out(values, scratch, state, rows, columns, int(number))
        elif kind == IDENTITY:
            forms.identity(values, rows, columns, number)
        elif kind == NGUYEN_WIDROW:
            forms.nguyen_widrow(values, rows, columns, number)
        elif kind == RAI:
            favour(values, state, rows, columns)

    return form


@functools.cache
def make_draw(stream: str, with_forms: bool) -> Any:
    """Return the device function draw(drawn, scratch, state, tensors) of a stream.

    It draws the parameters of one seed in their order: layer by layer the weights, row by row, and then the biases.
    Without forms, which take a second to compile, every tensor must be FREE.

    drawn : float64 (n_params,)
    scratch : float64, as long as `builder.scratch_size` says
        Its contents mean nothing, before or after.
    state : uint64 (words,)
        The seed's stream, which goes on from where it is.
    """
    _, random, standard_normal, _, _ = STREAMS[stream]
    form = _make_form(stream) if with_forms else _stay_free

    @device
    def draw(drawn, scratch, state, tensors):
        start = 0
        for t in range(tensors.kinds.shape[0]):
            kind, a, b = tensors.kinds[t], tensors.first[t], tensors.second[t]
            end = start + tensors.rows[t] * tensors.columns[t]
            for p in range(start, end):
                if kind == UNIFORM:
                    drawn[p] = a + (b - a) * random(state)
                elif kind == NORMAL:
                    drawn[p] = a + b * standard_normal(state)
                else:
                    drawn[p] = a
            form(drawn[start:end], scratch, state, tensors, t)
            start = end

    return draw
