"""Products of matrices whose elements are vectors: a tile of the product at a time, its sums in registers.

out[i, j] = start[i, j] + sum_k a[i, k] b[k, j], the sum in the order of k, each term one fma. Where such sums
are gradients and a step is taken, out[i, j] += minus_lr times that instead, one fma more.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from llvmlite import ir
from numba.core import types
from numba.core.extending import intrinsic
from numba.core.typing import signature

from fastgrok.kernels.lanes.types import BITS, LaneView, llvm_function, vector_type
from fastgrok.kernels.target import register_count, vector_bytes

_INDEX = ir.IntType(64)


class Matrix(NamedTuple):
    """A matrix in memory: its element (i, j) is at origin[i * row + j * column]."""

    origin: Any  # LaneView
    row: int
    column: int


class Ending(NamedTuple):
    """What becomes of the sums, which are in registers still: one of the kinds below."""

    kind: int
    operand: Any  # LaneView


KINDS = STORED, STEPPED, RECTIFIED, MASKED = range(4)
"""out = sum; out += operand[0] * sum, one fma; out = 0 where sum < 0, else sum; out = sum where operand > 0, else 0.

The last operand is a matrix as `out` is.
"""


SHAPES = {32: [(6, 4), (4, 3), (3, 2), (2, 1)], 16: [(4, 3), (3, 2), (2, 1), (1, 1)]}
"""Registers of the CPU -> rows and columns of a tile of vectors that each take 1, 2, 4, and more of them."""


def registers_taken(view: LaneView) -> int:
    """Return the registers that one of these vectors takes."""
    return max(1, view.count * BITS[view.dtype] // 8 // vector_bytes())


def _shape(view: LaneView) -> tuple[int, int]:
    """Return rows and columns of the largest tile whose sums leave registers for two operands."""
    return SHAPES[register_count()][min(registers_taken(view).bit_length() - 1, 3)]


@intrinsic
def tile_shape(typingctx: Any, view: Any) -> Any:
    """tile_shape(view): rows and columns of the largest tile of such vectors, constants."""
    if not isinstance(view, LaneView):
        return None

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return ir.Constant(context.get_value_type(sig.return_type), [_INDEX(n) for n in _shape(view)])

    return signature(types.UniTuple(types.intp, 2), view), codegen


@intrinsic
def multiply_tile(
    typingctx: Any, place: Any, shape: Any, out: Any, start: Any, a: Any, b: Any, n_terms: Any, ending: Any
) -> Any:
    """multiply_tile(place, shape, out, start, a, b, n_terms, ending): a tile of it, no larger than tile_shape.

    place: (i, j) of its first element; shape: its rows and columns.
    """
    matrices = (out, start, a, b)
    if not all(isinstance(m, types.NamedTuple) and isinstance(m.types[0], LaneView) for m in matrices):
        return None

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        (i, j), shape = ([builder.extract_value(pair, k) for k in range(2)] for pair in args[:2])
        matrices = [Matrix(*(builder.extract_value(matrix, k) for k in range(3))) for matrix in args[2:6]]
        kind, operand = (builder.extract_value(args[7], k) for k in range(2))
        is_matrix = builder.icmp_signed("==", kind, _INDEX(MASKED))
        operand = builder.select(is_matrix, address(builder, matrices[0]._replace(origin=operand), i, j), operand)
        zero = _INDEX(0)
        for k, place in enumerate([(i, j), (i, j), (i, zero), (zero, j)]):
            matrices[k] = matrices[k]._replace(origin=address(builder, matrices[k], *place))
        function = _tile_function(builder.module, sig.args[2].types[0])
        builder.call(function, [*shape, *(part for matrix in matrices for part in matrix), args[6], kind, operand])
        return context.get_dummy_value()

    pair = types.UniTuple(types.intp, 2)
    return signature(types.none, pair, pair, *matrices, types.intp, ending), codegen


def _tile_function(module: Any, view: LaneView) -> Any:
    """Return the LLVM function of all tiles of such vectors: a module has it once, and each call is a jump to it."""
    vector, (most_rows, most_columns) = vector_type(view), _shape(view)
    name = f"multiply_tile_{view.dtype}_{view.count}_{most_rows}x{most_columns}"
    if name in module.globals:
        return module.globals[name]
    matrix = [vector.as_pointer(), _INDEX, _INDEX]
    function = ir.Function(
        module,
        ir.FunctionType(ir.VoidType(), [_INDEX] * 2 + matrix * 4 + [_INDEX, _INDEX, vector.as_pointer()]),
        name,
    )
    function.linkage = "linkonce_odr"
    function.attributes.add("noinline")
    function.attributes.add("optsize")  # the loops are long enough as they are
    builder = ir.IRBuilder(function.append_basic_block())
    rows, columns, *parts, n_terms, kind, operand = function.args
    matrices = [Matrix(*parts[k : k + 3]) for k in range(0, 12, 3)]
    place = builder.add(builder.mul(rows, _INDEX(most_columns + 1)), columns)
    unreachable = function.append_basic_block()
    choice = builder.switch(place, unreachable)
    builder.position_at_end(unreachable)
    builder.unreachable()
    for n_rows in range(1, most_rows + 1):
        for n_columns in range(1, most_columns + 1):
            block = function.append_basic_block()
            choice.add_case(_INDEX(n_rows * (most_columns + 1) + n_columns), block)
            builder.position_at_end(block)
            _emit_tile(builder, view, (n_rows, n_columns), matrices, n_terms, Ending(kind, operand))
    return function


def _emit_tile(
    builder: Any, view: LaneView, shape: tuple[int, int], matrices: list[Matrix], n_terms: Any, ending: Ending
) -> None:
    """Emit one tile and a return: its sums start in registers, a loop adds the terms, and they are stored."""
    align, fma = BITS[view.dtype] // 8, llvm_function(builder, "fma", view, 3)
    out, start, a, b = matrices
    elements = [(_INDEX(i), _INDEX(j)) for i in range(shape[0]) for j in range(shape[1])]
    starts = [builder.load(address(builder, start, i, j), align=align) for i, j in elements]
    row_of_a = [address(builder, a, _INDEX(i), _INDEX(0)) for i in range(shape[0])]
    column_of_b = [address(builder, b, _INDEX(0), _INDEX(j)) for j in range(shape[1])]

    def add_term(offsets: list[Any], sums: list[Any]) -> list[Any]:
        x = [builder.load(builder.gep(pointer, [offsets[0]]), align=align) for pointer in row_of_a]
        y = [builder.load(builder.gep(pointer, [offsets[1]]), align=align) for pointer in column_of_b]
        factors = [(left, right) for left in x for right in y]
        return [builder.call(fma, [*pair, total]) for pair, total in zip(factors, sums, strict=True)]

    sums = emit_loop(builder, n_terms, [a.column, b.row], starts, add_term)
    blocks = [builder.append_basic_block() for _ in KINDS]
    choice = builder.switch(ending.kind, blocks[STORED])
    for kind, block in zip(KINDS, blocks, strict=True):
        if kind != STORED:
            choice.add_case(_INDEX(kind), block)
        builder.position_at_end(block)
        _emit_ending(builder, view, Ending(kind, ending.operand), out, zip(elements, sums, strict=True))
        builder.ret_void()


def _emit_ending(builder: Any, view: LaneView, ending: Ending, out: Matrix, sums: Iterable[tuple[Any, Any]]) -> None:
    """Emit one ending. It finds its own addresses: those for all endings would be kept on the stack."""
    align, fma = BITS[view.dtype] // 8, llvm_function(builder, "fma", view, 3)
    zero = ir.Constant(vector_type(view), [0.0] * view.count)
    if ending.kind == STEPPED:
        minus_lr = builder.load(ending.operand, align=align)
    for element, total in sums:
        place = address(builder, out, *element)
        if ending.kind == STEPPED:
            total = builder.call(fma, [minus_lr, total, builder.load(place, align=align)])
        elif ending.kind == RECTIFIED:
            total = builder.select(builder.fcmp_ordered("<", total, zero), zero, total)
        elif ending.kind == MASKED:
            mask = builder.load(address(builder, out._replace(origin=ending.operand), *element), align=align)
            total = builder.select(builder.fcmp_ordered(">", mask, zero), total, zero)
        builder.store(total, place, align=align)


def address(builder: Any, matrix: Matrix, i: Any, j: Any) -> Any:
    """Return the pointer to an element."""
    offset = builder.add(builder.mul(i, matrix.row), builder.mul(j, matrix.column))
    return builder.gep(matrix.origin, [offset])


def emit_loop(
    builder: Any, count: Any, strides: list[Any], starts: list[Any], body: Callable[[list[Any], list[Any]], list[Any]]
) -> list[Any]:
    """Emit values = body(offsets, values) `count` times, at least once; offsets start at 0 and grow by strides."""
    before, loop, after = builder.block, builder.append_basic_block(), builder.append_basic_block()
    builder.branch(loop)
    builder.position_at_end(loop)
    indices = [builder.phi(_INDEX) for _ in range(1 + len(strides))]
    values = [builder.phi(start.type) for start in starts]
    ends = body(indices[1:], values)
    following = [builder.add(index, step) for index, step in zip(indices, [_INDEX(1), *strides], strict=True)]
    first = [_INDEX(0)] * len(indices) + starts
    for phi, begin, end in zip(indices + values, first, following + ends, strict=True):
        phi.add_incoming(begin, before)
        phi.add_incoming(end, loop)
    builder.cbranch(builder.icmp_signed("<", following[0], count), loop, after)
    builder.position_at_end(after)
    return ends
