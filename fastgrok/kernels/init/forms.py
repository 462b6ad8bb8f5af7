"""What makes a matrix of a scheme out of numbers that were drawn one by one, in place.

A matrix is `values`, row by row; `rows` are the inputs of a layer and `columns` its units. All sums run in the order
of their index, every operation is rounded by itself, and only square roots are taken: no bit depends on the CPU.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from fastgrok.kernels.jit import device


def truncated(standard_normal: Callable[..., Any]) -> Callable[..., Any]:
    """Return truncate(values, state, mean, std, low, high): draw what lies outside again, round by round."""

    @device
    def truncate(values, state, mean, std, low, high):
        outside = 1
        while outside > 0:
            outside = 0
            for i in range(values.shape[0]):
                if not low <= values[i] <= high:
                    values[i] = mean + std * standard_normal(state)
                    outside += not low <= values[i] <= high

    return truncate


def sparse(permute: Callable[..., Any]) -> Callable[..., Any]:
    """Return thin_out(values, scratch, state, rows, columns, zeros): so many zeros a row, by a permutation each."""

    @device
    def thin_out(values, scratch, state, rows, columns, zeros):
        order = scratch[:columns]
        for i in range(rows):
            permute(state, order)
            for k in range(zeros):
                values[i * columns + int(order[k])] = 0.0

    return thin_out


def asymmetric(random: Callable[..., Any]) -> Callable[..., Any]:
    """Return favour(values, state, rows, columns): in each column one number anew, from Beta(2, 1)."""

    @device
    def favour(values, state, rows, columns):
        for j in range(columns):
            i = int(random(state) * rows)
            values[i * columns + j] = math.sqrt(random(state))

    return favour


@device
def identity(values, rows, columns, gain):
    """The gain on the diagonal; the rest stays."""
    for i in range(min(rows, columns)):
        values[i * columns + i] = gain


@device
def nguyen_widrow(values, rows, columns, norm):
    """Stretch each column to a norm: times norm / sqrt(sum of its squares)."""
    for j in range(columns):
        squares = 0.0
        for i in range(rows):
            squares += values[i * columns + j] * values[i * columns + j]
        stretch = norm / math.sqrt(squares) if squares > 0.0 else 0.0
        for i in range(rows):
            values[i * columns + j] *= stretch


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


@device
def orthogonal(values, scratch, rows, columns, gain):
    """Orthonormal columns, or rows where they are fewer, times the gain.

    Once leaves them orthogonal but for the condition number of what was drawn, twice but for the rounding.
    """
    length, count, along, across = (columns, rows, 1, columns) if rows < columns else (rows, columns, columns, 1)
    for _ in range(2):
        _orthonormalise(values, scratch, length, count, along, across)
    for i in range(rows * columns):
        values[i] *= gain
