"""The loops of products with a matrix that is behind by some updates: see outer.py."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from llvmlite import ir

from fastgrok.kernels.lanes.tiles import Matrix, emit_loop
from fastgrok.kernels.lanes.types import BITS, LaneView, llvm_function, vector_type

_INDEX = ir.IntType(64)


class Pass(NamedTuple):
    """A loop that is emitted: with so many updates, for so many rows, or columns, that are held."""

    n_updates: int
    is_written: bool
    n_held: int

    @property
    def place(self) -> int:
        return (2 * self.n_updates + self.is_written) * 16 + self.n_held


class Emitter:
    """What the loops have in common."""

    def __init__(self, builder: Any, view: LaneView, each: Pass, matrices: Sequence[Matrix]) -> None:
        self.builder, self.each, self.view = builder, each, view
        self._align, self._fma = BITS[view.dtype] // 8, llvm_function(builder, "fma", view, 3)
        self.places = [_INDEX(k) for k in range(each.n_held)]
        self.w, x, d = matrices
        self.x, self.d = (
            [builder.gep(m.origin, [builder.mul(m.row, _INDEX(p))]) for p in range(each.n_updates)] for m in (x, d)
        )
        self._rows = [builder.mul(self.w.row, place) for place in self.places]

    def load(self, pointer: Any, offset: Any) -> Any:
        return self.builder.load(self.builder.gep(pointer, [offset]), align=self._align)

    def store(self, value: Any, pointer: Any, offset: Any) -> None:
        self.builder.store(value, self.builder.gep(pointer, [offset]), align=self._align)

    def fma(self, *operands: Any) -> Any:
        return self.builder.call(self._fma, operands)

    def hold(self, pointer: Any) -> list[Any]:
        """Return the vectors of what is held."""
        return [self.load(pointer, place) for place in self.places]

    def column(self, t: Any) -> list[Any]:
        """Return column t of the rows; all are read before one is written, which might lie 4 KiB from the next."""
        here = self.builder.gep(self.w.origin, [t])
        return [self.load(here, row) for row in self._rows]

    def updated(self, column: list[Any], held: list[Any], d: Any, t: Any) -> list[Any]:
        """Return the column after an update whose x are held."""
        factor = self.load(d, t)
        return [self.fma(x, factor, w) for x, w in zip(held, column, strict=True)]

    def write(self, column: list[Any], t: Any) -> None:
        here = self.builder.gep(self.w.origin, [t])
        for value, row in zip(column, self._rows, strict=True):
            self.store(value, here, row)


def emit_forward(emitter: Emitter, z: Any, y: Any, n_columns: Any) -> None:
    """Rows are held, their updates are written, and every column adds to its sum in memory."""
    factors, updates = emitter.hold(y), [(emitter.hold(x), d) for x, d in zip(emitter.x, emitter.d, strict=True)]

    def add_column(offsets: list[Any], _: list[Any]) -> list[Any]:
        (t,) = offsets
        column = emitter.column(t)
        for update in updates:
            column = emitter.updated(column, *update, t)
        emitter.write(column, t)
        total = emitter.load(z, t)
        for factor, value in zip(factors, column, strict=True):
            total = emitter.fma(factor, value, total)
        emitter.store(total, z, t)
        return []

    emit_loop(emitter.builder, n_columns, [_INDEX(1)], [], add_column)


def emit_columns(emitter: Emitter, z: Any, y: Any, n_rows: Any) -> None:
    """Columns are held with their sums, which do not wait for each other, and nothing is written."""
    updates = [(x, emitter.hold(d)) for x, d in zip(emitter.x, emitter.d, strict=True)]

    def add_row(offsets: list[Any], sums: list[Any]) -> list[Any]:
        i, first = offsets
        row = emitter.hold(emitter.builder.gep(emitter.w.origin, [first]))
        for x, held in updates:
            factor = emitter.load(x, i)
            row = [emitter.fma(factor, d, w) for d, w in zip(held, row, strict=True)]
        factor = emitter.load(y, i)
        return [emitter.fma(factor, w, total) for w, total in zip(row, sums, strict=True)]

    sums = emit_loop(emitter.builder, n_rows, [_INDEX(1), emitter.w.row], emitter.hold(z), add_row)
    for total, place in zip(sums, emitter.places, strict=True):
        emitter.store(total, z, place)


def emit_backward(emitter: Emitter, z: Any, y: Any, n_columns: Any) -> None:
    """Rows are held with their sums."""
    updates = [(emitter.hold(x), d) for x, d in zip(emitter.x, emitter.d, strict=True)]

    def add_column(offsets: list[Any], sums: list[Any]) -> list[Any]:
        (t,) = offsets
        column = emitter.column(t)
        for update in updates[:-1]:
            column = emitter.updated(column, *update, t)
        factor = emitter.load(y, t)
        ends = [emitter.fma(w, factor, total) for w, total in zip(column, sums, strict=True)]
        if emitter.each.is_written:
            emitter.write(emitter.updated(column, *updates[-1], t), t)
        return ends

    zeros = [ir.Constant(vector_type(emitter.view), [0.0] * emitter.view.count)] * emitter.each.n_held
    for total, place in zip(
        emit_loop(emitter.builder, n_columns, [_INDEX(1)], zeros, add_column), emitter.places, strict=True
    ):
        emitter.store(total, z, place)
