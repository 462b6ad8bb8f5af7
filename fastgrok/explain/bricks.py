"""Vectors as strips and matrices as blocks, in characters."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from fastgrok.explain.text import WIDTH

MOST_CELLS = 6
"""Numbers drawn of a row or column at most; of more there are the first and the last, with a gap between."""

_INDENT = 2
_APART = 2


class Brick(NamedTuple):
    """A vector or a matrix of a network.

    Parameters
    ----------
    label
        As in the formula, such as "W_0".
    name
        As in the line of NumPy, such as "weights_0_1".
    shape
        Of one number for a vector, which is drawn as a strip; of two for a matrix, drawn as a block.
    operation
        What leads to it from the brick on its left: "x" (times), "+", "=", the names of activations; or nothing.
    """

    label: str
    name: str
    shape: tuple[int, ...]
    operation: str

    @property
    def size(self) -> str:
        """The shape in characters, such as "3 x 4"."""
        return " x ".join(map(str, self.shape))

    @property
    def rows_and_columns(self) -> tuple[int, int]:
        """The shape of what is drawn: a vector is a row."""
        return (1, self.shape[0]) if len(self.shape) == 1 else (self.shape[0], self.shape[1])


def cells(n: int) -> list[bool]:
    """Return what is drawn of so many numbers in a row: True for a number, False for a gap."""
    if n <= MOST_CELLS:
        return [True] * n
    gap = MOST_CELLS // 2
    return [k != gap for k in range(MOST_CELLS)]


def brick_lines(bricks: Iterable[Brick]) -> list[str]:
    """Return bricks side by side, below each other where a line is full.

    Examples
    --------
    >>> for line in brick_lines([Brick("l_0", "layer_0", (2,), ""), Brick("W_0", "weights_0_1", (2, 1), "x")]):
    ...     print(line)
      l_0      W_0
      2        2 x 1
      [][]  x  []
               []
    """
    lines: list[str] = []
    row: list[list[str]] = []
    for brick in bricks:
        columns = [_operation(brick), _brick(brick)] if brick.operation else [_brick(brick)]
        if _width([*row, *columns]) > WIDTH:
            lines += [*_beside(row), ""]
            row = []
        row += columns
    return lines + _beside(row)


def _operation(brick: Brick) -> list[str]:
    """Return the column between two bricks."""
    return ["", "", brick.operation if len(brick.operation) == 1 else f"-> {brick.operation} ->"]


def _brick(brick: Brick) -> list[str]:
    """Return the column of a brick: its label, its shape, its cells."""
    rows, columns = map(cells, brick.rows_and_columns)
    return [
        brick.label,
        brick.size,
        *("".join("[]" if row and column else ".." for column in columns) for row in rows),
    ]


def _width(row: Sequence[Sequence[str]]) -> int:
    """Return how wide columns are side by side."""
    return _INDENT + sum(max(map(len, column)) + _APART for column in row) - _APART


def _beside(row: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of columns side by side."""
    height = max(map(len, row))
    widths = [max(map(len, column)) for column in row]
    padded = [[*column, *[""] * (height - len(column))] for column in row]
    return [
        (" " * _INDENT + (" " * _APART).join(c.ljust(w) for c, w in zip(line, widths, strict=True))).rstrip()
        for line in zip(*padded, strict=True)
    ]
