"""What makes a matrix of a scheme out of numbers that were drawn one by one, in place.

Each function here takes a stream and returns form(values, scratch, state, tensors, t), which makes tensor t of
`values`, row by row: its rows are the inputs of a layer and its columns the units. The scheme's own numbers are
`tensors.form_a[t]` and `tensors.form_b[t]`. All sums run in the order of their index, every operation is rounded by
itself, and only square roots are taken: no bit depends on the CPU.
"""

import math
from collections.abc import Callable
from typing import Any

from fastgrok.kernels.jit import device
from fastgrok.kernels.rng.streams import Stream


def free(stream: Stream) -> Callable[..., Any]:
    """Return a form that leaves the numbers as they are."""

    @device
    def form(values, scratch, state, tensors, t):
        pass

    return form


def truncated(stream: Stream) -> Callable[..., Any]:
    """Return a form that draws what lies outside third and fourth again, round by round."""
    standard_normal = stream.standard_normal

    @device
    def form(values, scratch, state, tensors, t):
        mean, std, low, high = tensors.a[t], tensors.b[t], tensors.form_a[t], tensors.form_b[t]
        outside = 1
        while outside > 0:
            outside = 0
            for i in range(values.shape[0]):
                if not low <= values[i] <= high:
                    values[i] = mean + std * standard_normal(state)
                    outside += not low <= values[i] <= high

    return form


def sparse(stream: Stream) -> Callable[..., Any]:
    """Return a form with `third` zeros a row, by a permutation each."""
    permute = stream.permute

    @device
    def form(values, scratch, state, tensors, t):
        rows, columns, zeros = tensors.rows[t], tensors.columns[t], int(tensors.form_a[t])
        order = scratch[:columns]
        for i in range(rows):
            permute(state, order)
            for k in range(zeros):
                values[i * columns + int(order[k])] = 0.0

    return form


def rai(stream: Stream) -> Callable[..., Any]:
    """Return a form that draws one number of each column anew, from Beta(2, 1)."""
    random = stream.random

    @device
    def form(values, scratch, state, tensors, t):
        rows, columns = tensors.rows[t], tensors.columns[t]
        for j in range(columns):
            i = int(random(state) * rows)
            values[i * columns + j] = math.sqrt(random(state))

    return form


def identity(stream: Stream) -> Callable[..., Any]:
    """Return a form with `third` on the diagonal; the rest stays."""

    @device
    def form(values, scratch, state, tensors, t):
        columns = tensors.columns[t]
        for i in range(min(tensors.rows[t], columns)):
            values[i * columns + i] = tensors.form_a[t]

    return form


def nguyen_widrow(stream: Stream) -> Callable[..., Any]:
    """Return a form that stretches each column to the norm `third`: times norm / sqrt(sum of its squares)."""

    @device
    def form(values, scratch, state, tensors, t):
        rows, columns, norm = tensors.rows[t], tensors.columns[t], tensors.form_a[t]
        for j in range(columns):
            squares = 0.0
            for i in range(rows):
                squares += values[i * columns + j] * values[i * columns + j]
            stretch = norm / math.sqrt(squares) if squares > 0.0 else 0.0
            for i in range(rows):
                values[i * columns + j] *= stretch

    return form


@device
def _orthonormalise(values, dots, length, count, along, across):
    """Gram-Schmidt, modified: vector k, of so many, has its element i at i*along + k*across.

    Each vector is divided by its norm, then what all later ones have of it is taken from them: as a QR decomposition
    whose R has a positive diagonal.
    """
    for k in range(count):
        squares = 0.0
        for i in range(length):
            squares += values[i * along + k * across] * values[i * along + k * across]
        norm = math.sqrt(squares)
        for i in range(length):
            values[i * along + k * across] = values[i * along + k * across] / norm if norm > 0.0 else 0.0
        for later in range(k + 1, count):
            dots[later] = 0.0
        for i in range(length):
            for later in range(k + 1, count):
                dots[later] += values[i * along + k * across] * values[i * along + later * across]
        for i in range(length):
            for later in range(k + 1, count):
                values[i * along + later * across] -= values[i * along + k * across] * dots[later]


def orthogonal(stream: Stream) -> Callable[..., Any]:
    """Return a form of orthonormal columns, or rows where they are fewer, times `third`.

    Once leaves them orthogonal but for the condition number of what was drawn, twice but for the rounding.
    """

    @device
    def form(values, scratch, state, tensors, t):
        rows, columns, gain = tensors.rows[t], tensors.columns[t], tensors.form_a[t]
        length, count, along, across = (columns, rows, 1, columns) if rows < columns else (rows, columns, columns, 1)
        for _ in range(2):
            _orthonormalise(values, scratch, length, count, along, across)
        for i in range(rows * columns):
            values[i] *= gain

    return form
