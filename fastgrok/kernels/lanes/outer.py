"""Products with a matrix in memory, seen with updates that are not written to it yet.

An update of weights adds an outer product: w_it += x_i d_t. To write a vector takes longer than to read it two or
three times where no first-level cache holds them. So the products of the next examples work out the updates of the
last few anew, in registers, and only now and then one writes what it has worked out.

A function goes through up to eight rows at once: what belongs to a row is held in registers, and columns stream past.
Where nothing is written and sums are those of columns, it is up to eight columns, and rows stream past. The loops are
in outer_loops.py.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from llvmlite import ir
from numba.core import types
from numba.core.extending import intrinsic
from numba.core.typing import signature

from fastgrok.kernels.lanes.outer_loops import Emitter, Pass, emit_backward, emit_columns, emit_forward
from fastgrok.kernels.lanes.tiles import Matrix, registers_taken
from fastgrok.kernels.lanes.types import LaneView, vector_type
from fastgrok.kernels.target import DEFERRED, register_count

_INDEX = ir.IntType(64)
_HELD = {32: 8, 16: 4}  # registers of the CPU -> vectors of one register that leave enough for the others


def _most(view: LaneView) -> int:
    return max(1, _HELD[register_count()] // registers_taken(view))


def _row_counts(view: LaneView) -> list[int]:
    """Return how many rows of such vectors can be gone through at once, from the most to 1, by halves."""
    most = _most(view)
    return [most >> k for k in range(most.bit_length())]


class Updates(NamedTuple):
    """Updates of a matrix, w_it += x_pi d_pt for p = 0, 1, ... in turn, each one fma: a row of x and d each."""

    x: Matrix  # of column 1
    d: Matrix  # of column 1
    n_updates: int
    is_written: bool  # the updated w replaces w


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


@intrinsic
def most_columns(typingctx: Any, view: Any) -> Any:
    """most_columns(view): how many columns of such vectors can be gone through at once, a constant."""
    if not isinstance(view, LaneView):
        return None
    return signature(types.intp, view), lambda context, builder, sig, args: _INDEX(_most(view))


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
    """add_product((n_rows, n_columns), w, updates, (z, y)): z_t += sum_i y_i w_it, in order; updates are written."""
    return _product(_forward_function, typingctx, n, w, updates, vectors)


@intrinsic
def add_columns(typingctx: Any, n: Any, w: Any, updates: Any, vectors: Any) -> Any:
    """add_columns((n_columns, n_rows), w, updates, (z, y)): the same for few columns, and nothing is written."""
    return _product(_columns_function, typingctx, n, w, updates, vectors)


@intrinsic
def product_before(typingctx: Any, n: Any, w: Any, updates: Any, vectors: Any) -> Any:
    """product_before((n_rows, n_columns), w, updates, (z, y)): z_i = sum_t y_t w_it, over t in order.

    The product sees all updates but the last; unless they are written, the last does nothing.
    """
    return _product(_backward_function, typingctx, n, w, updates, vectors)


def _function(module: Any, name: str, view: LaneView, passes: Sequence[Pass], emit: Callable[..., None]) -> Any:
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
        emit(Emitter(builder, view, each, (w, x, d)), *parts[6:])
        builder.ret_void()
    return function


def _forward_function(module: Any, view: LaneView) -> Any:
    passes = [Pass(n, True, rows) for n in range(1, DEFERRED + 1) for rows in _row_counts(view)]
    return _function(module, "add_product", view, passes, emit_forward)


def _columns_function(module: Any, view: LaneView) -> Any:
    passes = [Pass(n, False, columns) for n in range(DEFERRED) for columns in range(1, _most(view) + 1)]
    return _function(module, "add_columns", view, passes, emit_columns)


def _backward_function(module: Any, view: LaneView) -> Any:
    kinds = [(n, False) for n in range(1, DEFERRED)] + [(n, True) for n in range(1, DEFERRED + 1)]
    passes = [Pass(*kind, rows) for kind in kinds for rows in _row_counts(view)]
    return _function(module, "product_before", view, passes, emit_backward)
