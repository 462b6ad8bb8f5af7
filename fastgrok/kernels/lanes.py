"""The SIMD lane type: one value each for L networks in one vector, and the operations on it.

A kernel that adds two `Lanes` adds L numbers, one of each network; no operation mixes lanes but `lane_bits`,
which steers loops. This module is the only one that writes LLVM code.

Types
-----
Lanes(dtype, count)
    ``<count x dtype>``: a value. The result of a comparison is a `Lanes` of booleans.
LaneView(dtype, count)
    Memory that holds vectors; ``view[i]`` reads and writes the i-th. Bounds are not checked.
SplatView(dtype, count)
    Memory that holds scalars; ``view[i]`` reads the i-th into every lane.
ScalarView(dtype)
    Memory that holds scalars; ``view[i]`` reads the i-th. An array without a reference count.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.datamodel import models
from numba.core.datamodel.registry import register_default
from numba.core.extending import intrinsic, lower_builtin
from numba.core.typing import signature
from numba.core.typing.templates import AbstractTemplate, infer_global

_ELEMENT = {
    types.float64: ir.DoubleType(),
    types.float32: ir.FloatType(),
    types.int64: ir.IntType(64),
    types.boolean: ir.IntType(1),
}
_BITS = {types.float64: 64, types.float32: 32}


class Lanes(types.Type):
    """The Numba type of a vector of `count` values, one per network."""

    def __init__(self, dtype: types.Type, count: int) -> None:
        self.dtype, self.count = dtype, count
        super().__init__(f"Lanes({dtype}, {count})")


class LaneView(types.Type):
    """The Numba type of memory that holds vectors."""

    def __init__(self, dtype: types.Type, count: int) -> None:
        self.dtype, self.count = dtype, count
        super().__init__(f"LaneView({dtype}, {count})")


class SplatView(types.Type):
    """The Numba type of memory that holds scalars, each read into every lane."""

    def __init__(self, dtype: types.Type, count: int) -> None:
        self.dtype, self.count = dtype, count
        super().__init__(f"SplatView({dtype}, {count})")


class ScalarView(types.Type):
    """The Numba type of memory that holds scalars."""

    def __init__(self, dtype: types.Type) -> None:
        self.dtype = dtype
        super().__init__(f"ScalarView({dtype})")


def _vector(lanes: Any) -> ir.VectorType:
    return ir.VectorType(_ELEMENT[lanes.dtype], lanes.count)


@register_default(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, fe_type: Lanes) -> None:
        super().__init__(manager, fe_type, _vector(fe_type))


@register_default(LaneView)
class _LaneViewModel(models.PrimitiveModel):
    def __init__(self, manager: Any, fe_type: LaneView) -> None:
        super().__init__(manager, fe_type, _vector(fe_type).as_pointer())


@register_default(SplatView)
@register_default(ScalarView)
class _ScalarModel(models.PrimitiveModel):
    def __init__(self, manager: Any, fe_type: SplatView | ScalarView) -> None:
        super().__init__(manager, fe_type, _ELEMENT[fe_type.dtype].as_pointer())


def _mask(lanes: Lanes) -> Lanes:
    return Lanes(types.boolean, lanes.count)


def _splat(builder: Any, scalar: Any, count: int) -> Any:
    """Return the LLVM vector that holds `scalar` in each of `count` lanes."""
    vector = ir.VectorType(scalar.type, count)
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), scalar, ir.IntType(32)(0))
    return builder.shuffle_vector(first, first, ir.Constant(ir.VectorType(ir.IntType(32), count), [0] * count))


def _constant(lanes: Lanes, value: float) -> Any:
    return ir.Constant(_vector(lanes), [value] * lanes.count)


def _llvm_function(builder: Any, name: str, lanes: Lanes, arity: int) -> Any:
    """Return the LLVM intrinsic `name` on vectors, such as llvm.fma.v8f64."""
    vector = _vector(lanes)
    full_name = f"llvm.{name}.v{lanes.count}f{_BITS[lanes.dtype]}"
    return cgutils.get_or_insert_function(builder.module, ir.FunctionType(vector, [vector] * arity), full_name)


# --- operators: a + b, a < b, -a, mask & mask -------------------------------------------------------------------


def _operator(function: Callable, result: Callable[[Lanes], Lanes], mask: bool, emit: Callable) -> None:
    """Give `function` a meaning on Lanes of equal type: masks only, or numbers only."""

    class Template(AbstractTemplate):
        key = function

        def generic(self, args: Any, kws: Any) -> Any:
            first = args[0]
            if isinstance(first, Lanes) and all(a == first for a in args) and (first.dtype is types.boolean) == mask:
                return signature(result(first), *args)
            return None

    infer_global(function)(Template)
    arity = 1 if function in (operator.neg, operator.invert) else 2
    lower_builtin(function, *[Lanes] * arity)(lambda context, builder, sig, args: emit(builder, *args))


_operator(operator.add, lambda t: t, False, lambda b, x, y: b.fadd(x, y))
_operator(operator.sub, lambda t: t, False, lambda b, x, y: b.fsub(x, y))
_operator(operator.mul, lambda t: t, False, lambda b, x, y: b.fmul(x, y))
_operator(operator.truediv, lambda t: t, False, lambda b, x, y: b.fdiv(x, y))
_operator(operator.neg, lambda t: t, False, lambda b, x: b.fneg(x))
_operator(operator.lt, _mask, False, lambda b, x, y: b.fcmp_ordered("<", x, y))
_operator(operator.le, _mask, False, lambda b, x, y: b.fcmp_ordered("<=", x, y))
_operator(operator.gt, _mask, False, lambda b, x, y: b.fcmp_ordered(">", x, y))
_operator(operator.ge, _mask, False, lambda b, x, y: b.fcmp_ordered(">=", x, y))
_operator(operator.eq, _mask, False, lambda b, x, y: b.fcmp_ordered("==", x, y))


@intrinsic
def both(typingctx: Any, a: Any, b: Any) -> Any:
    """both(mask, mask): true in the lanes where both are."""
    return signature(a, a, b), lambda context, builder, sig, args: builder.and_(*args)


@intrinsic
def either(typingctx: Any, a: Any, b: Any) -> Any:
    """either(mask, mask): true in the lanes where one is."""
    return signature(a, a, b), lambda context, builder, sig, args: builder.or_(*args)


# --- memory -----------------------------------------------------------------------------------------------------


class _ViewItem(AbstractTemplate):
    key = operator.getitem

    def generic(self, args: Any, kws: Any) -> Any:
        view, index = args
        if isinstance(view, LaneView | SplatView) and isinstance(index, types.Integer):
            return signature(Lanes(view.dtype, view.count), view, types.intp)
        if isinstance(view, ScalarView) and isinstance(index, types.Integer):
            return signature(view.dtype, view, types.intp)
        return None


class _SetViewItem(AbstractTemplate):
    key = operator.setitem

    def generic(self, args: Any, kws: Any) -> Any:
        view, index, _ = args
        if isinstance(view, LaneView) and isinstance(index, types.Integer):
            return signature(types.none, view, types.intp, Lanes(view.dtype, view.count))
        return None


infer_global(operator.getitem)(_ViewItem)
infer_global(operator.setitem)(_SetViewItem)


@lower_builtin(operator.getitem, LaneView, types.Integer)
def _load(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    return builder.load(builder.gep(args[0], [args[1]]), align=_BITS[sig.args[0].dtype] // 8)


@lower_builtin(operator.setitem, LaneView, types.Integer, Lanes)
def _store(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    builder.store(args[2], builder.gep(args[0], [args[1]]), align=_BITS[sig.args[0].dtype] // 8)
    return context.get_dummy_value()


@lower_builtin(operator.getitem, SplatView, types.Integer)
def _load_splat(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    return _splat(builder, builder.load(builder.gep(args[0], [args[1]])), sig.args[0].count)


@lower_builtin(operator.getitem, ScalarView, types.Integer)
def _load_scalar(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    return builder.load(builder.gep(args[0], [args[1]]))


def _read_memory(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    data = context.make_array(sig.args[0])(context, builder, args[0]).data
    return builder.bitcast(data, context.get_value_type(sig.return_type))


@intrinsic
def lane_view(typingctx: Any, array: Any, count: Any) -> Any:
    """lane_view(array, count): the memory of a C-contiguous array, read as vectors of `count` lanes."""
    if not isinstance(count, types.IntegerLiteral):
        return None
    view = LaneView(array.dtype, count.literal_value)
    return signature(view, array, count), _read_memory


@intrinsic
def splat_view(typingctx: Any, array: Any, count: Any) -> Any:
    """splat_view(array, count): the memory of a C-contiguous array, each element read into `count` lanes."""
    if not isinstance(count, types.IntegerLiteral):
        return None
    view = SplatView(array.dtype, count.literal_value)
    return signature(view, array, count), _read_memory


@intrinsic
def scalar_view(typingctx: Any, array: Any) -> Any:
    """scalar_view(array): the memory of a C-contiguous array, read one element at a time."""
    view = ScalarView(array.dtype)
    return signature(view, array), _read_memory


@intrinsic
def peek(typingctx: Any, view: Any) -> Any:
    """peek(scalar_view): the first scalar, read from memory each time: another thread may write it."""
    if not isinstance(view, ScalarView):
        return None

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.load_atomic(args[0], "monotonic", align=8)

    return signature(view.dtype, view), codegen


@intrinsic
def working_view(typingctx: Any, memory: Any, length: Any) -> Any:
    """working_view(memory, length): `length` vectors on the stack, which LLVM may keep in registers.

    With length 0, `memory` itself. The vectors live as long as the function that the call stands in.
    """
    if not (isinstance(memory, LaneView) and isinstance(length, types.IntegerLiteral)):
        return None

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        if length.literal_value == 0:
            return args[0]
        return cgutils.alloca_once(builder, _vector(memory), size=ir.IntType(64)(length.literal_value))

    return signature(memory, memory, length), codegen


@intrinsic
def align_stack(typingctx: Any) -> Any:
    """align_stack(): have the kernel that this stands in keep its stack aligned to the widest vector.

    Vectors that do not fit in registers are spilled there; each that crosses a cache line costs two accesses.
    """

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        builder.function.attributes.alignstack = 64
        builder.function.attributes.add("nounwind")  # llvmlite prints no alignstack without another attribute
        return context.get_dummy_value()

    return signature(types.none), codegen


@intrinsic
def gather(typingctx: Any, view: Any, rows: Any, first: Any, stride: Any, column: Any) -> Any:
    """gather(view, rows, first, stride, column): in lane l, the scalar at rows[first + l] * stride + column."""
    if not (isinstance(view, SplatView) and isinstance(rows, ScalarView)):
        return None
    lanes = Lanes(view.dtype, view.count)

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        source, row_data, start, step, offset = args
        vector = ir.Constant(_vector(lanes), ir.Undefined)
        for lane in range(lanes.count):
            row = builder.load(builder.gep(row_data, [builder.add(start, ir.IntType(64)(lane))]))
            scalar = builder.load(builder.gep(source, [builder.add(builder.mul(row, step), offset)]))
            vector = builder.insert_element(vector, scalar, ir.IntType(32)(lane))
        return vector

    return signature(lanes, view, rows, types.intp, types.intp, types.intp), codegen


# --- values -----------------------------------------------------------------------------------------------------


@intrinsic
def like(typingctx: Any, lanes: Any, value: Any) -> Any:
    """like(lanes, value): a number in every lane, rounded once to the lanes' dtype."""
    if not isinstance(lanes, Lanes) or not isinstance(value, types.Number):
        return None

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return _splat(builder, context.cast(builder, args[1], value, lanes.dtype), lanes.count)

    return signature(lanes, lanes, value), codegen


@intrinsic
def by_dtype(typingctx: Any, lanes: Any, double: Any, single: Any) -> Any:
    """by_dtype(lanes, double, single): a constant of the lanes' type, written once for each dtype."""
    if not isinstance(lanes, Lanes):
        return None

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        position = 1 if lanes.dtype is types.float64 else 2
        scalar = context.cast(builder, args[position], sig.args[position], lanes.dtype)
        return _splat(builder, scalar, lanes.count)

    return signature(lanes, lanes, double, single), codegen


@intrinsic
def fma(typingctx: Any, a: Any, b: Any, c: Any) -> Any:
    """fma(a, b, c): a*b + c, rounded once."""
    if not (isinstance(a, Lanes) and a == b == c):
        return None

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.call(_llvm_function(builder, "fma", a, 3), args)

    return signature(a, a, b, c), codegen


def _unary(name: str) -> Callable:
    def typer(typingctx: Any, a: Any) -> Any:
        if not isinstance(a, Lanes):
            return None

        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            return builder.call(_llvm_function(builder, name, a, 1), args)

        return signature(a, a), codegen

    return typer


@intrinsic
def sqrt(typingctx: Any, a: Any) -> Any:
    """sqrt(a): the square root, correctly rounded."""
    return _unary("sqrt")(typingctx, a)


@intrinsic
def absolute(typingctx: Any, a: Any) -> Any:
    """absolute(a): a without its sign."""
    return _unary("fabs")(typingctx, a)


@intrinsic
def copysign(typingctx: Any, a: Any, b: Any) -> Any:
    """copysign(a, b): the size of a with the sign of b."""
    if not (isinstance(a, Lanes) and a == b):
        return None

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.call(_llvm_function(builder, "copysign", a, 2), args)

    return signature(a, a, b), codegen


@intrinsic
def select(typingctx: Any, mask: Any, a: Any, b: Any) -> Any:
    """select(mask, a, b): a in the lanes where mask is true, b in the others."""
    if not (isinstance(mask, Lanes) and isinstance(a, Lanes) and a == b):
        return None
    return signature(a, mask, a, b), lambda context, builder, sig, args: builder.select(*args)


@intrinsic
def lane_bits(typingctx: Any, mask: Any) -> Any:
    """lane_bits(mask): an int64 whose bit l is lane l; at most 64 lanes."""
    if not (isinstance(mask, Lanes) and mask.dtype is types.boolean and mask.count <= 64):
        return None

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        bits = builder.bitcast(args[0], ir.IntType(mask.count))
        return bits if mask.count == 64 else builder.zext(bits, ir.IntType(64))

    return signature(types.int64, mask), codegen


# --- bits of floating-point numbers -----------------------------------------------------------------------------

_EXPONENT_BIAS = {types.float64: 1023, types.float32: 127}
_FRACTION_BITS = {types.float64: 52, types.float32: 23}


def _integers(lanes: Lanes, value: int) -> Any:
    vector = ir.VectorType(ir.IntType(_BITS[lanes.dtype]), lanes.count)
    return ir.Constant(vector, [value] * lanes.count)


@intrinsic
def power_of_two(typingctx: Any, n: Any) -> Any:
    """power_of_two(n): 2**n for whole numbers n in the range of normal exponents."""
    if not isinstance(n, Lanes):
        return None
    fraction = _FRACTION_BITS[n.dtype]

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        # Adding 1.5 * 2**fraction leaves a whole number in the low bits, where the exponent field is made of it.
        magic = 1.5 * 2.0**fraction + _EXPONENT_BIAS[n.dtype]
        bits = builder.bitcast(builder.fadd(args[0], _constant(n, magic)), _integers(n, 0).type)
        return builder.bitcast(builder.shl(bits, _integers(n, fraction)), _vector(n))

    return signature(n, n), codegen


@intrinsic
def exponent(typingctx: Any, x: Any) -> Any:
    """exponent(x): the whole number n with 2**n <= x < 2**(n+1), for positive normal x."""
    if not isinstance(x, Lanes):
        return None
    fraction = _FRACTION_BITS[x.dtype]

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        # The biased exponent, put into the fraction of 2**fraction, makes a float without an integer conversion.
        shifted = builder.lshr(builder.bitcast(args[0], _integers(x, 0).type), _integers(x, fraction))
        base = _integers(x, (_EXPONENT_BIAS[x.dtype] + fraction) << fraction)
        number = builder.bitcast(builder.or_(shifted, base), _vector(x))
        return builder.fsub(number, _constant(x, 2.0**fraction + _EXPONENT_BIAS[x.dtype]))

    return signature(x, x), codegen


@intrinsic
def significand(typingctx: Any, x: Any) -> Any:
    """significand(x): x / 2**exponent(x), in [1, 2), for positive normal x."""
    if not isinstance(x, Lanes):
        return None
    fraction = _FRACTION_BITS[x.dtype]

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        bits = builder.bitcast(args[0], _integers(x, 0).type)
        low = builder.and_(bits, _integers(x, (1 << fraction) - 1))
        one = _integers(x, _EXPONENT_BIAS[x.dtype] << fraction)
        return builder.bitcast(builder.or_(low, one), _vector(x))

    return signature(x, x), codegen
