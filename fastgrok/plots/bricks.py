"""A network as strips and blocks, with its formula and its line of NumPy below."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from fastgrok.errors import InvalidExperiment
from fastgrok.explain.algebra import Algebra, algebra
from fastgrok.explain.bricks import Brick, cells
from fastgrok.plots.style import COLOURS, axes_or_new
from fastgrok.spec.network import Network

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROW = 40.0  # width of a row of bricks at most, in cells
_LETTER = 0.55  # room for a character, in cells
_HEAD = 2.4  # room for label and shape above a brick, in cells
_LINE = 1.5  # room for a line of text below the bricks, in cells
_CHARACTERS = 88  # of a line of text below the bricks
_FILLS = {"layer": COLOURS[1], "weights": COLOURS[4], "bias": "#FFFFFF"}


class Box(NamedTuple):
    """The place of a brick; a cell is 1 wide and 1 high."""

    brick: Brick
    x: float  # its left side
    y: float  # its upper side: the first row of bricks is at 0, those below are negative
    joint: float  # the middle of the operation on its left

    @property
    def rows(self) -> list[bool]:
        """Whether each of its rows is one of numbers, or a gap."""
        return cells(self.brick.rows_and_columns[0])

    @property
    def columns(self) -> list[bool]:
        """Whether each of its columns is one of numbers, or a gap."""
        return cells(self.brick.rows_and_columns[1])


def brick_boxes(bricks: Sequence[Brick]) -> list[Box]:
    """Return the places of bricks: side by side, and below each other where a row is full.

    Parameters
    ----------
    bricks
        A list of them, from left to right.

    Examples
    --------
    >>> import fastgrok as fg
    >>> boxes = brick_boxes(fg.explain.algebra(fg.mlp(2, 1, bias=False)).bricks)
    >>> [(box.brick.label, box.x, box.y) for box in boxes][:2]
    [('l_0', 0.0, 0.0), ('W_0', 5.05, 0.0)]
    """
    if not isinstance(bricks, list | tuple) or not all(isinstance(brick, Brick) for brick in bricks):
        raise InvalidExperiment("bricks", bricks, "a list of bricks, such as fg.explain.algebra(network).bricks")
    boxes: list[Box] = []
    x = y = 0.0
    height = 0
    for brick in bricks:
        joint = 2.5 + _LETTER * len(brick.operation) if brick.operation else 0.0
        rows, columns = (len(cells(n)) for n in brick.rows_and_columns)
        width = max(float(columns), _LETTER * len(brick.size))
        if x + joint + width > _ROW and x > 0:
            x, y, height = 0.0, y - height - _HEAD - 1, 0
        boxes.append(Box(brick, x + joint, y, x + joint / 2))
        x += joint + width
        height = max(height, rows)
    return boxes


def bricks(network: Algebra | Network, ax: Axes | None = None) -> Axes:
    """Draw a network as bricks: a strip for each vector, a block for each matrix, with labels and shapes.

    Parameters
    ----------
    network
        A network, or what `fg.explain.algebra` returns of it.
    ax
        See `fastgrok.plots`.

    Returns
    -------
    The axes. Of more than six rows or columns the first and the last are drawn.

    Notes
    -----
    After chapter 7 of *Grokking Deep Learning*, from left to right in the order of the formula.

    Examples
    --------
    >>> import fastgrok as fg
    >>> [text.get_text() for text in bricks(fg.mlp(3, 4, 1)).texts[:2]]
    ['$l_{0}$', '3']
    """
    notation = network if isinstance(network, Algebra) else algebra(network)
    ax = axes_or_new(ax)
    boxes = brick_boxes(notation.bricks)
    for box in boxes:
        _draw(box, ax)
    lowest = min(box.y - len(box.rows) for box in boxes)
    y = lowest - 1.5
    for line, family in _lines(notation):
        ax.text(0, y, line, family=family, fontsize=8, va="top")
        y -= _LINE
    right = max(box.x + len(box.columns) for box in boxes)
    ax.set_xlim(-0.5, max(right + 1, _CHARACTERS * _LETTER * 0.6))
    ax.set_ylim(y, _HEAD + 0.5)
    ax.set_aspect("equal")
    ax.set_axis_off()
    return ax


def _draw(box: Box, ax: Axes) -> None:
    """Draw a brick, cell by cell, with its label and its shape above."""
    from matplotlib.patches import Rectangle

    brick = box.brick
    letter, _, index = brick.label.partition("_")
    ax.text(box.x, box.y + 1.4, f"${letter}_{{{index}}}$", fontsize=11, va="bottom")
    ax.text(box.x, box.y + 0.3, brick.size.replace("x", "×"), fontsize=8, va="bottom")
    if brick.operation:
        sign = {"x": "×", "+": "+", "=": "="}.get(brick.operation, f"{brick.operation} →")
        ax.text(box.joint, box.y - 0.5, sign, fontsize=9, ha="center", va="center")
    fill = _FILLS[brick.name.partition("_")[0]]
    for i, row in enumerate(box.rows):
        for j, column in enumerate(box.columns):
            if row and column:
                ax.add_patch(Rectangle((box.x + j, box.y - i - 1), 1, 1, facecolor=fill, edgecolor="black", lw=0.8))
            else:
                ax.text(box.x + j + 0.5, box.y - i - 0.5, "·", ha="center", va="center")


def _lines(notation: Algebra) -> list[tuple[str, str]]:
    """Return the lines below the bricks with their fonts: the formula, then NumPy."""
    short = len(notation.formula) <= _CHARACTERS
    formula = [f"${notation.latex}$"] if short else textwrap.wrap(notation.formula, _CHARACTERS)
    python = [notation.numpy] if len(notation.numpy) <= _CHARACTERS else notation.steps
    broken = [part for line in python for part in textwrap.wrap(line, _CHARACTERS, subsequent_indent="    ")]
    return [*((line, "sans-serif") for line in formula), *((line, "monospace") for line in broken)]
