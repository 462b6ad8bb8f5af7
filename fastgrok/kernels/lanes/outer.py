"""Products with a matrix in memory, seen with updates that are not written to it yet.

An update of weights adds an outer product: w_it += x_i d_t. To write a vector takes longer than to read it two or
three times where no first-level cache holds them. So the products of the next examples work out the updates of the
last few anew, in registers, and only now and then one writes what it has worked out.

A function for up to eight rows at once, i: what belongs to a row is held in registers, and the columns stream past.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from llvmlite import ir
from numba.core import types
from numba.core.extending import intrinsic
from numba.core.typing import signature

from fastgrok.kernels.lanes.tiles import Matrix, address, emit_loop, registers_taken
from fastgrok.kernels.lanes.types import BITS, LaneView, llvm_function, vector_type
from fastgrok.kernels.target import DEFERRED, register_count

_INDEX = ir.IntType(64)
_HELD = {32: 8, 16: 4}  # registers of the CPU -> vectors of one register that leave enough for the others


def _row_counts(view: LaneView) -> list[int]:
    """Return how many rows of such vectors can be gone through at once, from the most to 1, by halves."""
    most = max(1, _HELD[register_count()] // registers_taken(view))
    return [most >> k for k in range(most.bit_length())]


class Updates(NamedTuple):
    """Updates of a matrix, w_it += x_pi d_pt for p = 0, 1, ... in turn, each one fma: a row of x and d each."""

    x: Matrix  # of column 1
    d: Matrix  # of column 1
    n_updates: int
    is_written: bool  # the updated w replaces w


class _Pass(NamedTuple):
    """A loop that is emitted: with so many updates, for so many rows."""

    n_updates: int
    is_written: bool
    n_rows: int

    @property
    def place(self) -> int:
        return (2 * self.n_updates + self.is_written) * 16 + self.n_rows


@intrinsic
def most_rows(typingctx: Any, view: Any, n: Any) -> Any:
    """most_rows(view, n): how many of n rows of such vectors are to be gone through next."""
    if not isinstance(view, LaneView):
        return None

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        *more, result = (_INDEX(rows) for rows in _row_counts(view))
        for rows in reversed(more):
            result = builder.select(builder.icmp_signed(">=", args[1], rows), rows, result)
        return result

    return signature(types.intp, view, types.intp), codegen


def _product(kind: Callable[..., Any], typingctx: Any, n: Any, w: Any, updates: Any, vectors: Any) -> Any:
    """Return signature and code of an intrinsic that calls the function of a kind."""
    if not all(isinstance(view, LaneView) for view in (w.types[0], *vectors)):
        return None

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        (rows, terms), (x, d, count, is_written) = (
            [builder.extract_value(args[k], place) for place in range(size)] for k, size in ((0, 2), (2, 4))
        )
        parts = [builder.extract_value(matrix, k) for matrix in (args[1], x, d) for k in range(2)]
        parts += [builder.extract_value(args[3], k) for k in range(2)]
        place = builder.add(builder.mul(count, _INDEX(2)), builder.zext(is_written, _INDEX))
        place = builder.add(builder.mul(place, _INDEX(16)), rows)
        builder.call(kind(builder.module, w.types[0]), [place, *parts, terms])
        return context.get_dummy_value()

    return signature(types.none, n, w, updates, vectors), codegen


@intrinsic
def add_product(typingctx: Any, n: Any, w: Any, updates: Any, vectors: Any) -> Any:
    """add_product((n_rows, n_columns), w, updates, (z, y)): z_t += sum_i y_i w_it, over i in order."""
    return _product(_forward_function, typingctx, n, w, updates, vectors)


@intrinsic
def product_before(typingctx: Any, n: Any, w: Any, updates: Any, vectors: Any) -> Any:
    """product_before((n_rows, n_columns), w, updates, (z, y)): z_i = sum_t y_t w_it, over t in order.

    The product sees all updates but the last; unless they are written, the last does nothing.
    """
    return _product(_backward_function, typingctx, n, w, updates, vectors)


def _function(module: Any, name: str, view: LaneView, passes: Sequence[_Pass], emit: Callable[..., None]) -> Any:
    """Return the LLVM function of all passes: a module has it once, and each call is a jump to one."""
    name = f"{name}_{view.dtype}_{view.count}"
    if name in module.globals:
        return module.globals[name]
    pointer = vector_type(view).as_pointer()
    arguments = [_INDEX, *[pointer, _INDEX] * 3, pointer, pointer, _INDEX]
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), arguments), name)
    function.linkage = "linkonce_odr"
    function.attributes.add("noinline")
    function.attributes.add("optsize")  # the loops are long enough as they are
    builder = ir.IRBuilder(function.append_basic_block())
    place, *parts = function.args
    unreachable = function.append_basic_block()
    choice = builder.switch(place, unreachable)
    builder.position_at_end(unreachable)
    builder.unreachable()
    w, x, d = (Matrix(parts[k], parts[k + 1], _INDEX(1)) for k in (0, 2, 4))
    for each in passes:
        block = function.append_basic_block()
        choice.add_case(_INDEX(each.place), block)
        builder.position_at_end(block)
        emit(_Emitter(builder, view, each, (w, x, d)), *parts[6:])
        builder.ret_void()
    return function


def _forward_function(module: Any, view: LaneView) -> Any:
    kinds = [(n, False) for n in range(DEFERRED)] + [(n, True) for n in range(1, DEFERRED + 1)]
    passes = [_Pass(*kind, rows) for kind in kinds for rows in _row_counts(view)]
    return _function(module, "add_product", view, passes, _emit_forward)


def _backward_function(module: Any, view: LaneView) -> Any:
    kinds = [(n, False) for n in range(1, DEFERRED)] + [(n, True) for n in range(1, DEFERRED + 1)]
    passes = [_Pass(*kind, rows) for kind in kinds for rows in _row_counts(view)]
    return _function(module, "product_before", view, passes, _emit_backward)


class _Emitter:
    """What the loops of both functions have in common."""

    def __init__(self, builder: Any, view: LaneView, each: _Pass, matrices: Sequence[Matrix]) -> None:
        self.builder, self.each, self.view = builder, each, view
        self._align, self._fma = BITS[view.dtype] // 8, llvm_function(builder, "fma", view, 3)
        self._w, x, d = matrices
        rows = range(each.n_rows)
        self.held = [
            [self.load(address(builder, x, _INDEX(p), _INDEX(i))) for i in rows] for p in range(each.n_updates)
        ]
        self._d = [address(builder, d, _INDEX(p), _INDEX(0)) for p in range(each.n_updates)]
        self._rows = [builder.mul(self._w.row, _INDEX(i)) for i in rows]

    def load(self, pointer: Any, offset: Any = None) -> Any:
        place = pointer if offset is None else self.builder.gep(pointer, [offset])
        return self.builder.load(place, align=self._align)

    def store(self, value: Any, pointer: Any, offset: Any) -> None:
        self.builder.store(value, self.builder.gep(pointer, [offset]), align=self._align)

    def fma(self, *operands: Any) -> Any:
        return self.builder.call(self._fma, operands)

    def column(self, t: Any) -> list[Any]:
        """Return column t of the rows; all are read before one is written, which might lie 4 KiB from the next."""
        here = self.builder.gep(self._w.origin, [t])
        return [self.load(here, row) for row in self._rows]

    def updated(self, column: list[Any], p: int, t: Any) -> list[Any]:
        """Return the column after update p."""
        d = self.load(self._d[p], t)
        return [self.fma(x, d, w) for x, w in zip(self.held[p], column, strict=True)]

    def write(self, column: list[Any], t: Any) -> None:
        here = self.builder.gep(self._w.origin, [t])
        for value, row in zip(column, self._rows, strict=True):
            self.store(value, here, row)


def _emit_forward(emitter: _Emitter, z: Any, y: Any, n_columns: Any) -> None:
    factors = [emitter.load(y, _INDEX(i)) for i in range(emitter.each.n_rows)]

    def add_column(offsets: list[Any], _: list[Any]) -> list[Any]:
        (t,) = offsets
        column = emitter.column(t)
        for p in range(emitter.each.n_updates):
            column = emitter.updated(column, p, t)
        if emitter.each.is_written:
            emitter.write(column, t)
        total = emitter.load(z, t)
        for factor, value in zip(factors, column, strict=True):
            total = emitter.fma(factor, value, total)
        emitter.store(total, z, t)
        return []

    emit_loop(emitter.builder, n_columns, [_INDEX(1)], [], add_column)


def _emit_backward(emitter: _Emitter, z: Any, y: Any, n_columns: Any) -> None:
    count, vector = emitter.each.n_updates, vector_type(emitter.view)

    def add_column(offsets: list[Any], sums: list[Any]) -> list[Any]:
        (t,) = offsets
        column = emitter.column(t)
        for p in range(count - 1):
            column = emitter.updated(column, p, t)
        factor = emitter.load(y, t)
        ends = [emitter.fma(w, factor, total) for w, total in zip(column, sums, strict=True)]
        if emitter.each.is_written:
            emitter.write(emitter.updated(column, count - 1, t), t)
        return ends

    zeros = [ir.Constant(vector, [0.0] * emitter.view.count)] * emitter.each.n_rows
    for i, total in enumerate(emit_loop(emitter.builder, n_columns, [_INDEX(1)], zeros, add_column)):
        emitter.store(total, z, _INDEX(i))
